/* fanout_bare.c - the least that breaks many hosts at once by libssh2: sessions, then one line. */
/* SPDX-License-Identifier: Apache-2.0 */
/* usage: fanout_bare USER PUBLIC_KEY KEY COMMAND ADDRESS...   asks for nothing and knows no host
 * keys: for the lab alone. Prints when the line was sent and the last answer came, in seconds since
 * it began, and its processor time. */
#include <arpa/inet.h>
#include <libssh2.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../runner/base/clock.h"
#include "../../runner/base/err.h"
#include "measure.h"

enum { HOSTS_MAX = 500 };

static const char *const *words; /* of the command line */

struct Session {
    const char *address;
    LIBSSH2_SESSION *link;
    LIBSSH2_CHANNEL *channel;
    pthread_t thread;
};

static int dial(const char *address)
{
    const int on = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(22)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (inet_pton(AF_INET, address, &at.sin_addr) != 1 ||
        connect(fd, (struct sockaddr *)&at, sizeof at) != 0)
        bug("no connection to %s", address);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

/* A session, and the command on it, which waits for a line. */
static void *get_ready(void *data)
{
    struct Session *session = data;
    char byte;
    int fd = dial(session->address);
    session->link = libssh2_session_init();
    libssh2_session_method_pref(session->link, LIBSSH2_METHOD_KEX, "curve25519-sha256");
    if (libssh2_session_handshake(session->link, fd) != 0 ||
        libssh2_userauth_publickey_fromfile(session->link, words[1], words[2], words[3], "") != 0)
        bug("no login to %s", session->address);
    session->channel = libssh2_channel_open_session(session->link);
    if (session->channel == NULL || libssh2_channel_exec(session->channel, words[4]) != 0 ||
        libssh2_channel_read(session->channel, &byte, 1) != 1)
        bug("no command on %s", session->address);
    return NULL;
}

static void *go(void *data)
{
    struct Session *session = data;
    char bytes[64];
    ssize_t got = libssh2_channel_write(session->channel, "go\n", 3);
    while (got > 0)
        got = libssh2_channel_read(session->channel, bytes, sizeof bytes);
    return NULL;
}

static void each(struct Session *sessions, size_t count, void *(*work)(void *))
{
    for (size_t at = 0; at < count; at++)
        if (pthread_create(&sessions[at].thread, NULL, work, &sessions[at]) != 0)
            bug("no thread");
    for (size_t at = 0; at < count; at++)
        pthread_join(sessions[at].thread, NULL);
}

int main(int argc, char **argv)
{
    static struct Session sessions[HOSTS_MAX];
    size_t count = argc > 5 ? (size_t)argc - 5 : 0;
    struct Mono began = mono_now();
    words = (const char *const *)argv;
    if (count == 0 || count > HOSTS_MAX || libssh2_init(0) != 0)
        bug("wants a user, a key's two files, a command and 1 to %d addresses", HOSTS_MAX);
    for (size_t at = 0; at < count; at++)
        sessions[at].address = argv[5 + at];
    each(sessions, count, get_ready);
    struct Mono sent = mono_now();
    each(sessions, count, go);
    printf("%.6f %.6f %.6f\n", (double)mono_since(began, sent) / 1e9,
           (double)mono_since(began, mono_now()) / 1e9, cpu_us() / 1e6);
    return 0;
}

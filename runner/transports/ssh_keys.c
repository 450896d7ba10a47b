/* ssh_keys.c - with which keys we log in: of the agent, and of files. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "process.h"
#include "ssh_known.h"

#define KEY_FILE_MAX (64 * 1024)
#define MESSAGE_MAX (256 * 1024)

enum { ASK_KEYS = 11, KEYS = 12, ASK_SIGN = 13, SIGNED = 14 };

/* Numbers and strings as SSH writes them, from what is left. */
static bool take_number(const unsigned char **at, size_t *left, size_t *number)
{
    if (*left < 4)
        return false;
    const unsigned char *b = *at;
    *number = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
    *at += 4;
    *left -= 4;
    return true;
}

static bool take_string(const unsigned char **at, size_t *left, const unsigned char **bytes,
                        size_t *size)
{
    if (!take_number(at, left, size) || *size > *left)
        return false;
    *bytes = *at;
    *at += *size;
    *left -= *size;
    return true;
}

/* ---- Files. ---- */

/* "openssh-key-v1", NUL, cipher, kdf, its options, a count, the public key unencrypted: its type.
 */
static const char *type_inside(const unsigned char *bytes, size_t size, struct Arena *arena)
{
    static const char magic[] = "openssh-key-v1";
    const unsigned char *at = bytes + sizeof magic, *skipped, *key, *type;
    size_t left = size - sizeof magic, number;
    if (size < sizeof magic || memcmp(bytes, magic, sizeof magic) != 0)
        return NULL;
    for (int i = 0; i < 3; i++)
        if (!take_string(&at, &left, &skipped, &number))
            return NULL;
    size_t key_size, type_size;
    if (!take_number(&at, &left, &number) || !take_string(&at, &left, &key, &key_size) ||
        !take_string(&key, &key_size, &type, &type_size))
        return NULL;
    return arena_bytes(arena, (const char *)type, type_size);
}

static const char *type_of_text(char *text, struct Arena *arena)
{
    static const char begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
    size_t size = 0, kept = 0;
    if (strstr(text, "-----BEGIN RSA PRIVATE KEY-----") != NULL)
        return "ssh-rsa";
    if (strstr(text, "-----BEGIN EC PRIVATE KEY-----") != NULL)
        return "ecdsa";
    char *body = strstr(text, begin);
    if (body == NULL)
        return NULL;
    for (char *at = body + sizeof begin - 1; *at != '\0' && *at != '-'; at++)
        if (*at != '\n' && *at != '\r')
            body[kept++] = *at;
    body[kept] = '\0';
    const unsigned char *bytes = base64_bytes(body, arena, &size);
    return bytes != NULL ? type_inside(bytes, size, arena) : NULL;
}

const char *ssh_key_type(const char *path, struct Arena *arena, const char **why)
{
    struct stat facts;
    char *text = arena_zero(arena, KEY_FILE_MAX + 1, 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *why = strerror(errno);
    if (fd < 0)
        return NULL;
    const char *type = NULL;
    ssize_t got = read(fd, text, KEY_FILE_MAX);
    if (fstat(fd, &facts) != 0 || got <= 0) {
        *why = "it cannot be read";
    } else if ((facts.st_mode & 077) != 0 || (facts.st_uid != geteuid() && facts.st_uid != 0)) {
        *why = "others may read it: chmod 600";
    } else {
        type = type_of_text(text, arena);
        *why = "it is no private key that we know";
    }
    explicit_bzero(text, KEY_FILE_MAX);
    close(fd);
    return type;
}

/* ---- The agent. ---- */

struct Agent {
    int fd;
};

struct Agent *agent_open(const char *path, struct Mono deadline)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path == NULL || strlen(path) >= sizeof address.sun_path || deadline_ms(deadline) == 0)
        return NULL;
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return NULL;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return NULL;
    }
    struct Agent *agent = mem_zero(1, sizeof *agent);
    agent->fd = fd;
    return agent;
}

void agent_close(struct Agent *agent)
{
    if (agent == NULL)
        return;
    close(agent->fd);
    mem_free(agent);
}

static void put_number(struct Buf *buf, size_t number)
{
    const char bytes[] = {(char)(number >> 24), (char)(number >> 16), (char)(number >> 8),
                          (char)number};
    buf_add(buf, bytes, sizeof bytes);
}

static void put_string(struct Buf *buf, const unsigned char *bytes, size_t size)
{
    put_number(buf, size);
    buf_add(buf, (const char *)bytes, size);
}

/* One question, one answer: its payload behind the type in `reply`. */
static bool agent_ask(struct Agent *agent, const struct Buf *payload, int want,
                      struct Mono deadline, struct Buf *reply)
{
    struct Buf message = BUF(MESSAGE_MAX);
    put_number(&message, payload->size);
    buf_add(&message, payload->text, payload->size);
    size_t sent = 0, size = 0;
    bool good = !message.cut;
    while (good && sent < message.size) {
        ssize_t wrote = send(agent->fd, message.text + sent, message.size - sent, MSG_NOSIGNAL);
        if (wrote > 0)
            sent += (size_t)wrote;
        else
            good = (errno == EAGAIN || errno == EINTR) && fd_wait(agent->fd, POLLOUT, deadline);
    }
    buf_free(&message);
    while (good && (reply->size < 4 || reply->size < size + 4)) {
        char chunk[4096];
        ssize_t got = recv(agent->fd, chunk, sizeof chunk, 0);
        if (got > 0)
            buf_add(reply, chunk, (size_t)got);
        else
            good = got < 0 && (errno == EAGAIN || errno == EINTR) &&
                   fd_wait(agent->fd, POLLIN, deadline);
        const unsigned char *at = (const unsigned char *)reply->text;
        size_t left = reply->size;
        if (take_number(&at, &left, &size) && (size == 0 || size > MESSAGE_MAX - 8))
            good = false;
    }
    return good && (unsigned char)reply->text[4] == want;
}

bool agent_keys(struct Agent *agent, struct Mono deadline, struct Arena *arena, struct List *out)
{
    struct Buf ask = BUF(16), reply = BUF(MESSAGE_MAX);
    buf_char(&ask, ASK_KEYS);
    bool good = agent_ask(agent, &ask, KEYS, deadline, &reply);
    if (good) {
        const unsigned char *at = (const unsigned char *)reply.text + 5;
        size_t left = reply.size - 5, count = 0;
        good = take_number(&at, &left, &count);
        for (size_t i = 0; good && i < count && i < 256; i++) {
            const unsigned char *blob, *comment, *type;
            size_t size, comment_size, type_size;
            good = take_string(&at, &left, &blob, &size) &&
                   take_string(&at, &left, &comment, &comment_size);
            const unsigned char *inside = blob;
            size_t inside_left = size;
            if (!good || !take_string(&inside, &inside_left, &type, &type_size))
                break;
            *(struct AgentKey *)list_add(out, arena, sizeof(struct AgentKey)) = (struct AgentKey){
                .type = arena_bytes(arena, (const char *)type, type_size),
                .blob = (const unsigned char *)arena_bytes(arena, (const char *)blob, size),
                .size = size};
        }
    }
    buf_free(&ask);
    buf_free(&reply);
    return good;
}

bool agent_sign(struct Agent *agent, const struct AgentKey *key, const struct Buf *data,
                struct Mono deadline, struct Signature *out)
{
    struct Buf ask = BUF(MESSAGE_MAX), reply = BUF(MESSAGE_MAX);
    const unsigned char *whole, *type, *bytes;
    size_t whole_size, type_size, bytes_size;
    buf_char(&ask, ASK_SIGN);
    put_string(&ask, key->blob, key->size);
    put_string(&ask, (const unsigned char *)data->text, data->size);
    put_number(&ask, 0);
    bool good = agent_ask(agent, &ask, SIGNED, deadline, &reply);
    const unsigned char *at = (const unsigned char *)reply.text + 5;
    size_t left = good ? reply.size - 5 : 0;
    good = good && take_string(&at, &left, &whole, &whole_size) &&
           take_string(&whole, &whole_size, &type, &type_size) &&
           take_string(&whole, &whole_size, &bytes, &bytes_size);
    if (good) {
        *out = (struct Signature){.bytes = mem_zero(bytes_size, 1), .size = bytes_size};
        memcpy(out->bytes, bytes, bytes_size);
    }
    buf_free(&ask);
    buf_free(&reply);
    return good;
}

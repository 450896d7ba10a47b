/* forward.c - a listening socket here whose connections a host makes to its own address:port. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* accept4, pipe2, POLLRDHUP */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node.h"

#define STREAMS_MAX 256
#define PENDING_MAX (256 * 1024)
#define DIAL_NS NS_PER_S
#define REOPEN_NS (5 * NS_PER_S)

/* One client here, one channel there. */
struct Stream {
    int fd;
    void *channel;
    struct Buf down; /* from the host, not yet taken by the client */
    bool down_ended;
};

struct Forward {
    const struct Target *from;
    char *address;
    uint16_t port;
    int listener, stop[2]; /* a byte in stop ends the thread */
    pthread_t thread;
    void *session; /* the thread's, once it runs */
    struct Stream streams[STREAMS_MAX];
    size_t count;
    bool moved; /* something was carried: what was read for one may have brought more for another */
};

static const struct Mono at_once = {.ns = 0};

static void stream_close(struct Forward *forward, size_t index)
{
    struct Stream *stream = &forward->streams[index];
    struct linger reset = {.l_onoff = 1};
    if (!stream->down_ended) /* cut off, not ended: the client must not take it for an end */
        setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(stream->fd);
    if (stream->channel != NULL && forward->session != NULL)
        forward->from->reach->finish(stream->channel);
    buf_free(&stream->down);
    forward->streams[index] = forward->streams[--forward->count];
}

/* A dial that hangs blocks all others of its session: the whole of it is given up and opened anew.
 */
static void drop_session(struct Forward *forward)
{
    while (forward->count > 0)
        stream_close(forward, forward->count - 1);
    forward->from->reach->close(forward->session);
    forward->session = NULL;
}

static bool client_waits(int fd)
{
    struct pollfd poller = {.fd = fd, .events = POLLRDHUP};
    return poll(&poller, 1, 0) == 0 || (poller.revents & (POLLHUP | POLLERR | POLLRDHUP)) == 0;
}

static void refuse_client(int fd)
{
    struct linger reset = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
}

static void accept_client(struct Forward *forward)
{
    const struct TransportKind *reach = forward->from->reach;
    struct Err err = {.code = ERR_OWN};
    int yes = 1, fd = accept4(forward->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    /* Attempts that gave up while we were busy would only delay those that still wait. */
    if (forward->count == STREAMS_MAX || !client_waits(fd)) {
        refuse_client(fd);
        return;
    }
    if (forward->session == NULL)
        forward->session = reach->open(forward->from->reach_config, forward->from,
                                       mono_add(mono_now(), REOPEN_NS), &err);
    void *channel = NULL;
    if (forward->session != NULL)
        channel = reach->dial(forward->session, forward->address, forward->port,
                              mono_add(mono_now(), DIAL_NS), &err);
    if (channel == NULL) {
        refuse_client(fd);
        if (forward->session != NULL && err.code == ERR_TIMEOUT)
            drop_session(forward);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    forward->streams[forward->count++] =
        (struct Stream){.fd = fd, .channel = channel, .down = BUF(PENDING_MAX)};
}

/* From the client to the host. False where the stream is over. */
static bool pump_up(struct Forward *forward, struct Stream *stream)
{
    const struct TransportKind *reach = forward->from->reach;
    char chunk[16 * 1024];
    struct Err err;
    struct Mono deadline = mono_add(mono_now(), DIAL_NS);
    ssize_t got = recv(stream->fd, chunk, sizeof chunk, 0);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    if (got == 0) /* a client that gave up; nobody waits for what a frozen service may say */
        return false;
    forward->moved = true;
    return reach->write(stream->channel, chunk, (size_t)got, deadline, &err);
}

static bool send_down(struct Stream *stream)
{
    size_t sent = 0;
    while (sent < stream->down.size) {
        ssize_t wrote =
            send(stream->fd, stream->down.text + sent, stream->down.size - sent, MSG_NOSIGNAL);
        if (wrote <= 0) {
            if (errno != EAGAIN && errno != EINTR)
                return false;
            break;
        }
        sent += (size_t)wrote;
    }
    memmove(stream->down.text, stream->down.text + sent, stream->down.size - sent);
    stream->down.size -= sent;
    return true;
}

/* From the host to the client. */
static bool pump_down(struct Forward *forward, struct Stream *stream)
{
    struct Err err = {.code = ERR_OWN};
    while (!stream->down_ended && stream->down.size < PENDING_MAX / 2) {
        bool ended = false;
        if (!forward->from->reach->read(stream->channel, &stream->down, &ended, at_once, &err)) {
            if (err.code != ERR_TIMEOUT)
                return false;
            break;
        }
        stream->down_ended = ended;
        forward->moved = true;
    }
    if (!send_down(stream))
        return false;
    return !stream->down_ended || stream->down.size > 0;
}

static void pump_all(struct Forward *forward)
{
    do {
        forward->moved = false;
        for (size_t i = forward->count; i-- > 0;) {
            struct Stream *stream = &forward->streams[i];
            if (!pump_up(forward, stream) || !pump_down(forward, stream))
                stream_close(forward, i);
        }
    } while (forward->moved);
}

static void *pump(void *data)
{
    struct Forward *forward = data;
    struct pollfd pollers[STREAMS_MAX + 3];
    for (;;) {
        nfds_t count = 0;
        pollers[count++] = (struct pollfd){.fd = forward->stop[0], .events = POLLIN};
        pollers[count++] = (struct pollfd){.fd = forward->listener, .events = POLLIN};
        int session_fd = forward->session == NULL ? -1 : forward->from->reach->fd(forward->session);
        pollers[count++] = (struct pollfd){.fd = session_fd, .events = POLLIN};
        for (size_t i = 0; i < forward->count; i++) {
            const struct Stream *stream = &forward->streams[i];
            short events = stream->down.size > 0 ? POLLIN | POLLOUT : POLLIN;
            pollers[count++] = (struct pollfd){.fd = stream->fd, .events = events};
        }
        (void)poll(pollers, count, -1);
        if (pollers[0].revents != 0)
            return NULL;
        pump_all(forward);
        if (forward->session != NULL && forward->count == 0 && pollers[2].revents != 0 &&
            !client_waits(session_fd))
            drop_session(forward); /* the host closed it while nobody used it */
        if (pollers[1].revents != 0) {
            accept_client(forward);
            pump_all(forward);
        }
    }
}

static bool listen_here(struct Forward *forward, uint16_t *port, struct Err *err)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof here;
    forward->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (forward->listener < 0 ||
        bind(forward->listener, (struct sockaddr *)&here, sizeof here) != 0 ||
        listen(forward->listener, 128) != 0 ||
        getsockname(forward->listener, (struct sockaddr *)&here, &size) != 0 ||
        pipe2(forward->stop, O_CLOEXEC) != 0)
        return err_set(err, ERR_OWN, NOWHERE, "cannot listen on this machine: %s", strerror(errno));
    *port = ntohs(here.sin_port);
    return true;
}

static void forward_free(struct Forward *forward)
{
    if (forward->session != NULL)
        drop_session(forward);
    if (forward->listener >= 0)
        close(forward->listener);
    for (int i = 0; i < 2; i++)
        if (forward->stop[i] >= 0)
            close(forward->stop[i]);
    mem_free(forward->address);
    mem_free(forward);
}

struct Forward *forward_open(const struct Target *from, const char *address, uint16_t port,
                             struct Mono deadline, uint16_t *local_port, struct Err *err)
{
    if (from->reach->dial == NULL) {
        err_set(err, ERR_TARGET, from->where, "'%s' is reached by '%s', which carries no probes",
                from->name, from->reach->name);
        err_hint(err, "Reach it by ssh, or leave out `from:`.");
        return NULL;
    }
    struct Forward *forward = mem_zero(1, sizeof *forward);
    forward->from = from;
    forward->address = mem_text(address);
    forward->port = port;
    forward->listener = forward->stop[0] = forward->stop[1] = -1;
    bool good = listen_here(forward, local_port, err);
    if (good)
        forward->session = from->reach->open(from->reach_config, from, deadline, err);
    good = forward->session != NULL;
    if (good && pthread_create(&forward->thread, NULL, pump, forward) != 0)
        good =
            err_set(err, ERR_OWN, NOWHERE, "cannot start a thread for the way by '%s'", from->name);
    if (good)
        return forward;
    forward_free(forward);
    return NULL;
}

void forward_close(struct Forward *forward)
{
    if (forward == NULL)
        return;
    close(forward->stop[1]);
    forward->stop[1] = -1;
    pthread_join(forward->thread, NULL);
    forward_free(forward);
}

/* tcp.c - connects, and no more. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/arena.h"
#include "../base/duration.h"
#include "dial.h"

enum CallEnd tcp_end_of_errno(int number)
{
    switch (number) {
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
        return CALL_REFUSED;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
        return CALL_RESET;
    case ETIMEDOUT:
        return CALL_TIMEOUT;
    default: /* errno is no enum: EMFILE, EADDRNOTAVAIL, EPERM, ENOMEM ... are ours */
        return CALL_LOCAL;
    }
}

static socklen_t socket_address(const char *address, uint16_t port, struct sockaddr_storage *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        return sizeof(*v4);
    }
    if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        return sizeof(*v6);
    }
    bug("'%s' is no numeric address", address);
}

static void end_by_reset(int fd)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

/* Also where we are killed: the kernel would go on sending what nobody has taken yet, and a command
 * that comes minutes later meets another state than it was meant for. */
int tcp_connect(const char *address, uint16_t port, enum CallEnd *end, int *code)
{
    struct sockaddr_storage to;
    socklen_t size = socket_address(address, port, &to);
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        *code = errno;
        *end = CALL_LOCAL;
        return -1;
    }
    const int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    end_by_reset(fd);
    if (connect(fd, (const struct sockaddr *)&to, size) == 0 || errno == EINPROGRESS)
        return fd;
    *code = errno;
    *end = tcp_end_of_errno(*code);
    close(fd);
    return -1;
}

/* A free port of our own machine may be drawn as source port and connect to itself: nobody listens
 * there, though connect() succeeds. */
static bool is_itself(int fd)
{
    struct sockaddr_storage ours, theirs;
    socklen_t our_size = sizeof(ours), their_size = sizeof(theirs);
    memset(&ours, 0, sizeof(ours));
    memset(&theirs, 0, sizeof(theirs));
    return getsockname(fd, (struct sockaddr *)&ours, &our_size) == 0 &&
           getpeername(fd, (struct sockaddr *)&theirs, &their_size) == 0 &&
           our_size == their_size && memcmp(&ours, &theirs, our_size) == 0;
}

enum CallEnd tcp_connected(int fd, int *code)
{
    socklen_t size = sizeof(*code);
    *code = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, code, &size) != 0)
        *code = errno;
    if (*code == 0 && is_itself(fd))
        *code = ECONNREFUSED;
    return *code == 0 ? CALL_ANSWERED : tcp_end_of_errno(*code);
}

void tcp_close_by_reset(int fd)
{
    end_by_reset(fd);
    close(fd);
}

struct TcpCall {
    struct Call call; /* first */
    struct Dial *dial;
    CallDone *done;
    void *data;
    struct Mono started;
};

static void cancel(struct Call *base)
{
    struct TcpCall *call = (struct TcpCall *)base;
    dial_cancel(call->dial);
    mem_free(call);
}

static void on_dialled(void *data, const struct Dialled *dialled)
{
    struct TcpCall *call = data;
    struct Mono now = mono_now();
    struct Answer answer = {.end = dialled->end,
                            .code = dialled->code,
                            .bytes = dialled->why,
                            .size = strlen(dialled->why),
                            .peer = dialled->peer,
                            .started = call->started,
                            .ended = now};
    if (dialled->end == CALL_ANSWERED) {
        answer.connected = now;
        tcp_close_by_reset(dialled->fd);
    }
    call->done(call->data, &answer);
    mem_free(call);
}

struct Call *tcp_call(struct Loop *loop, const struct Endpoint *endpoint, struct Mono deadline,
                      CallDone *done, void *data)
{
    struct TcpCall *call = mem_zero(1, sizeof(*call));
    *call = (struct TcpCall){
        .call = {.cancel = cancel}, .done = done, .data = data, .started = mono_now()};
    call->dial = dial_begin(loop, endpoint, deadline, on_dialled, call);
    return &call->call;
}

bool tcp_address_split(const char *text, char host[256], uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL)
        return false;
    size_t size = (size_t)(colon - text);
    bool bracketed = size > 2 && text[0] == '[' && text[size - 1] == ']';
    const char *start = bracketed ? text + 1 : text;
    size -= bracketed ? 2 : 0;
    int64_t number = 0;
    if (size == 0 || size > 255 || !int_parse(colon + 1, &number, NULL) || number < 1 ||
        number > 65535 || (!bracketed && memchr(start, ':', size) != NULL))
        return false;
    memcpy(host, start, size);
    host[size] = '\0';
    *port = (uint16_t)number;
    return true;
}

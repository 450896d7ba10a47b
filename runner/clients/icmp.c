/* icmp.c - one echo request, and its reply. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* the kernel's socket options */
#include "icmp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/arena.h"
#include "dns.h"
#include "tcp.h"

#define NOT_ALLOWED "the kernel lets this user send no echo requests: net.ipv4.ping_group_range"

/* The head is alike in both families; the kernel fills in identifier and checksum. */
struct Echo {
    uint8_t type, code;
    uint16_t checksum, identifier, sequence;
    unsigned char nonce[16];
};

struct IcmpCall {
    struct Call call; /* first */
    struct Loop *loop;
    struct DnsClient *dns; /* NULL for a numeric address */
    struct Call *resolving;
    struct Timer *timer; /* the deadline; at once when it is known how it ends */
    int fd;              /* -1 before it is sent */
    CallDone *done;
    void *data;
    enum CallEnd end;
    int code;
    struct Mono started;
    uint8_t reply_type;
    unsigned char nonce[16];
    char peer[INET6_ADDRSTRLEN], why[120];
};

static void release(struct IcmpCall *call)
{
    if (call->resolving != NULL)
        call_cancel(call->resolving);
    dns_close(call->dns);
    loop_timer_free(call->timer);
    if (call->fd >= 0) {
        loop_watch(call->loop, call->fd, 0, NULL, NULL);
        close(call->fd);
    }
}

static void cancel(struct Call *base)
{
    release((struct IcmpCall *)base);
    mem_free(base);
}

static void finish(struct IcmpCall *call)
{
    const struct Answer answer = {.end = call->end,
                                  .code = call->code,
                                  .bytes = call->why,
                                  .size = strlen(call->why),
                                  .peer = call->end == CALL_ANSWERED ? call->peer : "",
                                  .started = call->started,
                                  .ended = mono_now()};
    release(call);
    call->done(call->data, &answer);
    mem_free(call);
}

static void on_timer(void *data, int events)
{
    (void)events;
    finish(data);
}

static void end_soon(struct IcmpCall *call, enum CallEnd end, int code, const char *why)
{
    call->end = end;
    call->code = code;
    snprintf(call->why, sizeof(call->why), "%.119s", why);
    loop_timer_at(call->timer, mono_now());
}

static void on_readable(void *data, int events)
{
    (void)events;
    struct IcmpCall *call = data;
    struct Echo echo;
    ssize_t got = recv(call->fd, &echo, sizeof(echo), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got < 0) {
        call->code = errno;
        call->end = tcp_end_of_errno(errno);
        snprintf(call->why, sizeof(call->why), "%.119s", strerror(call->code));
        finish(call);
    } else if (got == (ssize_t)sizeof(echo) && echo.type == call->reply_type &&
               memcmp(echo.nonce, call->nonce, sizeof(call->nonce)) == 0) {
        call->end = CALL_ANSWERED;
        finish(call);
    }
}

/* A connected socket hears of its own address alone, and of what routers say of it. */
static int open_socket(struct IcmpCall *call, const char *address)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    const int on = 1;
    bool is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
    if (!is_v4 && inet_pton(AF_INET6, address, &v6.sin6_addr) != 1)
        bug("'%s' is no numeric address", address);
    call->reply_type = is_v4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;
    int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                    is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6, is_v4 ? IP_RECVERR : IPV6_RECVERR, &on,
                     sizeof(on));
    const struct sockaddr *to = is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;
    if (connect(fd, to, is_v4 ? sizeof(v4) : sizeof(v6)) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static void send_echo(struct IcmpCall *call, const char *address)
{
    struct Echo echo = {.sequence = htons(1)};
    snprintf(call->peer, sizeof(call->peer), "%s", address);
    call->fd = open_socket(call, address);
    int why = call->fd < 0 ? errno : 0;
    echo.type = call->reply_type == ICMP_ECHOREPLY ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
    if (getrandom(call->nonce, sizeof(call->nonce), GRND_NONBLOCK) != sizeof(call->nonce))
        memcpy(call->nonce, &call->started, sizeof(call->started));
    memcpy(echo.nonce, call->nonce, sizeof(echo.nonce));
    if (why == 0 && send(call->fd, &echo, sizeof(echo), MSG_NOSIGNAL) != (ssize_t)sizeof(echo))
        why = errno;
    if (why == EACCES && icmp_missing() != NULL)
        end_soon(call, CALL_LOCAL, why, icmp_missing());
    else if (why != 0)
        end_soon(call, tcp_end_of_errno(why), why, strerror(why));
    else
        loop_watch(call->loop, call->fd, LOOP_READ, on_readable, call);
}

static void on_resolved(void *data, const struct Answer *answer)
{
    struct IcmpCall *call = data;
    call->resolving = NULL;
    if (answer->end == CALL_ANSWERED)
        send_echo(call, answer->bytes);
    else
        end_soon(call, answer->end, 0, answer->bytes);
}

struct Call *icmp_call(struct Loop *loop, const char *host, struct Mono deadline, CallDone *done,
                       void *data)
{
    struct IcmpCall *call = mem_zero(1, sizeof(*call));
    struct Err err = {.code = ERR_OWN};
    *call = (struct IcmpCall){.call = {.cancel = cancel},
                              .loop = loop,
                              .fd = -1,
                              .done = done,
                              .data = data,
                              .end = CALL_TIMEOUT,
                              .started = mono_now()};
    call->timer = loop_timer(loop, on_timer, call);
    loop_timer_at(call->timer, deadline);
    if (address_is_numeric(host)) {
        send_echo(call, host);
        return &call->call;
    }
    call->dns = dns_open(loop, &err);
    if (call->dns == NULL)
        end_soon(call, CALL_LOCAL, 0, err.message);
    else
        call->resolving = dns_call(call->dns, host, deadline, on_resolved, call);
    return &call->call;
}

const char *icmp_missing(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);
    if (fd < 0 && errno == EACCES)
        return NOT_ALLOWED;
    if (fd < 0)
        fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMPV6);
    if (fd < 0)
        return "this kernel has no ping sockets";
    close(fd);
    return NULL;
}

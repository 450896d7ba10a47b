/* dial.c - resolves a name and connects: the beginning of every client with a socket of its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dial.h"

#include <stdio.h>

#include "../base/arena.h"
#include "dns.h"
#include "tcp.h"

enum { TRY_MAX = 4 };

struct Dial {
    struct Loop *loop;
    struct DnsClient *dns; /* NULL for a numeric address */
    struct Call *resolving;
    struct Timer *timer; /* the deadline; at once when it is known how it ends */
    DialDone *done;
    void *data;
    struct Dialled result;
    uint16_t port;
    int fd; /* while it connects, -1 before */
    size_t tried, address_count;
    char addresses[TRY_MAX][48];
    char why[80];
};

static void release(struct Dial *dial)
{
    if (dial->resolving != NULL)
        call_cancel(dial->resolving);
    dns_close(dial->dns);
    loop_timer_free(dial->timer);
    if (dial->fd >= 0) {
        loop_watch(dial->loop, dial->fd, 0, NULL, NULL);
        tcp_close_by_reset(dial->fd);
    }
}

void dial_cancel(struct Dial *dial)
{
    release(dial);
    mem_free(dial);
}

static void finish(struct Dial *dial)
{
    release(dial);
    dial->done(dial->data, &dial->result);
    mem_free(dial);
}

static void on_timer(void *data, int events)
{
    (void)events;
    finish(data);
}

static void connect_next(struct Dial *dial);

static void on_writable(void *data, int events)
{
    (void)events;
    struct Dial *dial = data;
    loop_watch(dial->loop, dial->fd, 0, NULL, NULL);
    dial->result.end = tcp_connected(dial->fd, &dial->result.code);
    if (dial->result.end == CALL_ANSWERED) {
        dial->result.fd = dial->fd;
        dial->result.peer = dial->addresses[dial->tried - 1];
        dial->fd = -1;
        finish(dial);
        return;
    }
    tcp_close_by_reset(dial->fd);
    dial->fd = -1;
    connect_next(dial);
}

/* What the last address said stands, where there is no further one. */
static void connect_next(struct Dial *dial)
{
    while (dial->tried < dial->address_count) {
        enum CallEnd end = CALL_TIMEOUT;
        int code = 0;
        dial->fd = tcp_connect(dial->addresses[dial->tried++], dial->port, &end, &code);
        dial->result.end = dial->fd >= 0 ? CALL_TIMEOUT : end;
        dial->result.code = code;
        if (dial->fd >= 0) {
            loop_watch(dial->loop, dial->fd, LOOP_WRITE, on_writable, dial);
            return;
        }
    }
    loop_timer_at(dial->timer, mono_now());
}

static void add_address(struct Dial *dial, const char *address)
{
    snprintf(dial->addresses[dial->address_count++], sizeof(dial->addresses[0]), "%s", address);
}

static void on_resolved(void *data, const struct Answer *answer)
{
    struct Dial *dial = data;
    dial->resolving = NULL;
    const char *address = NULL;
    while (dial->address_count < TRY_MAX &&
           (address = dns_address(answer, dial->address_count)) != NULL)
        add_address(dial, address);
    dial->result.end = answer->end;
    if (answer->end != CALL_ANSWERED)
        snprintf(dial->why, sizeof(dial->why), "%.79s", answer->bytes);
    connect_next(dial);
}

struct Dial *dial_begin(struct Loop *loop, const struct Endpoint *endpoint, struct Mono deadline,
                        DialDone *done, void *data)
{
    struct Dial *dial = mem_zero(1, sizeof(*dial));
    *dial =
        (struct Dial){.loop = loop, .done = done, .data = data, .port = endpoint->port, .fd = -1};
    dial->result = (struct Dialled){.end = CALL_TIMEOUT, .fd = -1, .peer = "", .why = dial->why};
    dial->timer = loop_timer(loop, on_timer, dial);
    loop_timer_at(dial->timer, deadline);
    if (address_is_numeric(endpoint->host)) {
        add_address(dial, endpoint->host);
        connect_next(dial);
        return dial;
    }
    struct Err err = {.code = ERR_OWN};
    dial->dns = dns_open(loop, &err);
    if (dial->dns == NULL) {
        dial->result.end = CALL_LOCAL;
        snprintf(dial->why, sizeof(dial->why), "%.79s", err.message);
        loop_timer_at(dial->timer, mono_now());
        return dial;
    }
    dial->resolving = dns_call(dial->dns, endpoint->host, deadline, on_resolved, dial);
    return dial;
}

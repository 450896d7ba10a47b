/* dns.c - names to addresses, by c-ares. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dns.h"

#include <ares.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

#include "../base/arena.h"

enum { ADDRESS_MAX = 8, QUERY_TIMEOUT_MS = 400, QUERY_TRIES = 4 };

struct DnsCall {
    struct Call call; /* first */
    struct DnsClient *client;
    struct DnsCall *next;
    struct Query *query; /* NULL once c-ares has answered */
    struct Timer *timer; /* the deadline; at once when it is known how it ends */
    CallDone *done;
    void *data;
    enum CallEnd end;
    const char *why;
    struct Mono started;
    char addresses[ADDRESS_MAX][INET6_ADDRSTRLEN];
    size_t address_count;
};

/* What c-ares holds on to; a call that ends before leaves it behind. */
struct Query {
    struct DnsCall *call;
};

/* A descriptor of c-ares that is watched. */
struct Socket {
    struct Socket *next;
    struct DnsClient *client;
    int fd;
};

struct DnsClient {
    struct Loop *loop;
    ares_channel channel;
    struct Timer *timer; /* c-ares' own */
    struct Socket *sockets;
    struct DnsCall *calls;
};

struct DnsAnswer {
    struct Answer answer; /* first: dns_address() finds the rest from it */
    const struct DnsCall *call;
};

bool address_is_numeric(const char *text)
{
    struct in6_addr parsed;
    return inet_pton(AF_INET, text, &parsed) == 1 || inet_pton(AF_INET6, text, &parsed) == 1;
}

static void set_timer(struct DnsClient *client)
{
    struct timeval wait = {0, 0};
    if (ares_timeout(client->channel, NULL, &wait) == NULL)
        loop_timer_off(client->timer);
    else
        loop_timer_at(client->timer,
                      mono_add(mono_now(), wait.tv_sec * NS_PER_S + wait.tv_usec * NS_PER_US));
}

static void on_socket(void *data, int events)
{
    struct Socket ready = *(struct Socket *)data; /* c-ares may close it, which frees it */
    ares_process_fd(ready.client->channel, events & LOOP_READ ? ready.fd : ARES_SOCKET_BAD,
                    events & LOOP_WRITE ? ready.fd : ARES_SOCKET_BAD);
    set_timer(ready.client);
}

static void on_query_timer(void *data, int events)
{
    (void)events;
    struct DnsClient *client = data;
    ares_process_fd(client->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    set_timer(client);
}

static void socket_changed(void *data, ares_socket_t fd, int readable, int writable)
{
    struct DnsClient *client = data;
    struct Socket **at = &client->sockets;
    while (*at != NULL && (*at)->fd != fd)
        at = &(*at)->next;
    int events = (readable ? LOOP_READ : 0) | (writable ? LOOP_WRITE : 0);
    if (events == 0) {
        loop_watch(client->loop, fd, 0, NULL, NULL);
        struct Socket *gone = *at;
        if (gone != NULL)
            *at = gone->next;
        mem_free(gone);
        return;
    }
    if (*at == NULL) {
        *at = mem_zero(1, sizeof(**at));
        **at = (struct Socket){.client = client, .fd = fd};
    }
    loop_watch(client->loop, fd, events, on_socket, *at);
}

struct DnsClient *dns_open(struct Loop *loop, struct Err *err)
{
    struct DnsClient *client = mem_zero(1, sizeof(*client));
    client->loop = loop;
    struct ares_options options = {.timeout = QUERY_TIMEOUT_MS,
                                   .tries = QUERY_TRIES,
                                   .sock_state_cb = socket_changed,
                                   .sock_state_cb_data = client};
    int status = ares_init_options(&client->channel, &options,
                                   ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    if (status != ARES_SUCCESS) {
        mem_free(client);
        err_set(err, ERR_OWN, NOWHERE, "names cannot be resolved: %s", ares_strerror(status));
        return NULL;
    }
    client->timer = loop_timer(loop, on_query_timer, client);
    return client;
}

static void drop_call(struct DnsCall *call)
{
    struct DnsCall **at = &call->client->calls;
    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    if (call->query != NULL)
        call->query->call = NULL;
    loop_timer_free(call->timer);
}

static void cancel(struct Call *base)
{
    struct DnsCall *call = (struct DnsCall *)base;
    drop_call(call);
    mem_free(call);
}

/* The deadline, or what was decided before: always from the loop, never from within c-ares. */
static void on_call_timer(void *data, int events)
{
    (void)events;
    struct DnsCall *call = data;
    drop_call(call);
    const char *text = call->address_count > 0 ? call->addresses[0] : call->why;
    struct DnsAnswer answer = {.answer = {.end = call->end,
                                          .bytes = text,
                                          .size = strlen(text),
                                          .peer = "",
                                          .started = call->started,
                                          .ended = mono_now()},
                               .call = call};
    call->done(call->data, &answer.answer);
    mem_free(call);
}

static void end_soon(struct DnsCall *call, enum CallEnd end, const char *why)
{
    call->end = end;
    call->why = why;
    loop_timer_at(call->timer, mono_now());
}

static void add_address(struct DnsCall *call, const struct ares_addrinfo_node *node)
{
    if (call->address_count == ADDRESS_MAX)
        return;
    const void *bytes = NULL;
    if (node->ai_family == AF_INET)
        bytes = &((const struct sockaddr_in *)(const void *)node->ai_addr)->sin_addr;
    else if (node->ai_family == AF_INET6)
        bytes = &((const struct sockaddr_in6 *)(const void *)node->ai_addr)->sin6_addr;
    if (bytes == NULL)
        return;
    char *text = call->addresses[call->address_count];
    if (inet_ntop(node->ai_family, bytes, text, INET6_ADDRSTRLEN) != NULL)
        call->address_count++;
}

static void on_addresses(void *data, int status, int timeouts, struct ares_addrinfo *found)
{
    (void)timeouts;
    struct Query *query = data;
    struct DnsCall *call = query->call;
    mem_free(query);
    if (call != NULL) {
        call->query = NULL;
        for (const struct ares_addrinfo_node *node = found != NULL ? found->nodes : NULL;
             node != NULL; node = node->ai_next)
            add_address(call, node);
        end_soon(call, call->address_count > 0 ? CALL_ANSWERED : CALL_UNRESOLVED,
                 ares_strerror(status));
    }
    if (found != NULL)
        ares_freeaddrinfo(found);
}

struct Call *dns_call(struct DnsClient *client, const char *name, struct Mono deadline,
                      CallDone *done, void *data)
{
    struct DnsCall *call = mem_zero(1, sizeof(*call));
    *call = (struct DnsCall){.call = {.cancel = cancel},
                             .client = client,
                             .next = client->calls,
                             .done = done,
                             .data = data,
                             .end = CALL_TIMEOUT,
                             .why = "",
                             .started = mono_now()};
    client->calls = call;
    call->timer = loop_timer(client->loop, on_call_timer, call);
    loop_timer_at(call->timer, deadline);
    if (address_is_numeric(name)) {
        memcpy(call->addresses[call->address_count++], name, strlen(name) + 1);
        end_soon(call, CALL_ANSWERED, "");
        return &call->call;
    }
    call->query = mem_zero(1, sizeof(*call->query));
    call->query->call = call;
    const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    ares_getaddrinfo(client->channel, name, NULL, &hints, on_addresses, call->query);
    set_timer(client);
    return &call->call;
}

const char *dns_address(const struct Answer *answer, size_t index)
{
    const struct DnsCall *call = ((const struct DnsAnswer *)answer)->call;
    return index < call->address_count ? call->addresses[index] : NULL;
}

void dns_close(struct DnsClient *client)
{
    if (client == NULL)
        return;
    while (client->calls != NULL)
        cancel(&client->calls->call);
    ares_destroy(client->channel);
    loop_timer_free(client->timer);
    mem_free(client);
}

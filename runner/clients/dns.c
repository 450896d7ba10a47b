/* dns.c - names to addresses, and questions to name servers, by c-ares. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dns.h"

#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "../base/arena.h"
#include "dns_records.h"

enum { ADDRESS_MAX = 8, QUERY_TIMEOUT_MS = 400, QUERY_TRIES = 4 };
/* To one server a question goes once, and waits for as long as the call does. */
enum { ONE_TIMEOUT_MS = 3600 * 1000, RECORDS_MAX = 4096 };

struct DnsCall {
    struct Call call; /* first */
    struct DnsClient *client;
    struct DnsCall *next;
    struct Query *query; /* NULL once c-ares has answered */
    struct Timer *timer; /* the deadline; at once when it is known how it ends */
    CallDone *done;
    void *data;
    enum CallEnd end;
    int type, code; /* what is asked, and what the server says: of dns_ask() */
    const char *why;
    struct Buf records; /* of dns_ask() */
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
    char server[INET6_ADDRSTRLEN]; /* the one that is asked; "" = those of resolv.conf */
    struct Timer *timer;           /* c-ares' own */
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

static struct DnsClient *open_with(struct Loop *loop, struct ares_options *options, int mask,
                                   struct Err *err)
{
    struct DnsClient *client = mem_zero(1, sizeof(*client));
    client->loop = loop;
    options->sock_state_cb = socket_changed;
    options->sock_state_cb_data = client;
    int status = ares_init_options(&client->channel, options, mask | ARES_OPT_SOCK_STATE_CB);
    if (status != ARES_SUCCESS) {
        mem_free(client);
        err_set(err, ERR_OWN, NOWHERE, "names cannot be resolved: %s", ares_strerror(status));
        return NULL;
    }
    client->timer = loop_timer(loop, on_query_timer, client);
    return client;
}

struct DnsClient *dns_open(struct Loop *loop, struct Err *err)
{
    struct ares_options options = {.timeout = QUERY_TIMEOUT_MS, .tries = QUERY_TRIES};
    return open_with(loop, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES, err);
}

static int set_server(struct DnsClient *client, const struct DnsServer *server)
{
    struct ares_addr_port_node node = {
        .family = AF_INET, .udp_port = server->port, .tcp_port = server->port};
    if (inet_pton(AF_INET, server->address, &node.addr.addr4) != 1) {
        node.family = AF_INET6;
        if (inet_pton(AF_INET6, server->address, &node.addr.addr6) != 1)
            bug("'%s' is no numeric address", server->address);
    }
    snprintf(client->server, sizeof(client->server), "%s", server->address);
    return ares_set_servers_ports(client->channel, &node);
}

struct DnsClient *dns_open_to(struct Loop *loop, const struct DnsServer *server, struct Err *err)
{
    int flags = ARES_FLAG_NOCHECKRESP | (server->by_tcp ? ARES_FLAG_USEVC : 0);
    struct ares_options options = {.flags = flags, .timeout = ONE_TIMEOUT_MS, .tries = 1};
    struct DnsClient *client =
        open_with(loop, &options, ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES, err);
    int status = client != NULL ? set_server(client, server) : ARES_SUCCESS;
    if (status == ARES_SUCCESS)
        return client;
    dns_close(client);
    err_set(err, ERR_OWN, NOWHERE, "names cannot be asked for: %s", ares_strerror(status));
    return NULL;
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
    buf_free(&call->records);
    mem_free(call);
}

/* The deadline, or what was decided before: always from the loop, never from within c-ares. */
static void on_call_timer(void *data, int events)
{
    (void)events;
    struct DnsCall *call = data;
    drop_call(call);
    const char *text = call->address_count > 0 ? call->addresses[0] : call->why;
    if (call->records.size > 0)
        text = call->records.text;
    bool answered = call->end == CALL_ANSWERED;
    struct DnsAnswer answer = {.answer = {.end = call->end,
                                          .code = call->code,
                                          .bytes = text,
                                          .size = strlen(text),
                                          .cut = call->records.cut,
                                          .peer = answered ? call->client->server : "",
                                          .started = call->started,
                                          .ended = mono_now()},
                               .call = call};
    call->done(call->data, &answer.answer);
    buf_free(&call->records);
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

static struct DnsCall *begin(struct DnsClient *client, struct Mono deadline, CallDone *done,
                             void *data)
{
    struct DnsCall *call = mem_zero(1, sizeof(*call));
    *call = (struct DnsCall){.call = {.cancel = cancel},
                             .client = client,
                             .next = client->calls,
                             .done = done,
                             .data = data,
                             .end = CALL_TIMEOUT,
                             .why = "",
                             .records = BUF(RECORDS_MAX),
                             .started = mono_now()};
    client->calls = call;
    call->timer = loop_timer(client->loop, on_call_timer, call);
    loop_timer_at(call->timer, deadline);
    return call;
}

static struct Query *query_of(struct DnsCall *call)
{
    call->query = mem_zero(1, sizeof(*call->query));
    call->query->call = call;
    return call->query;
}

struct Call *dns_call(struct DnsClient *client, const char *name, struct Mono deadline,
                      CallDone *done, void *data)
{
    struct DnsCall *call = begin(client, deadline, done, data);
    if (address_is_numeric(name)) {
        memcpy(call->addresses[call->address_count++], name, strlen(name) + 1);
        end_soon(call, CALL_ANSWERED, "");
        return &call->call;
    }
    const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    ares_getaddrinfo(client->channel, name, NULL, &hints, on_addresses, query_of(call));
    set_timer(client);
    return &call->call;
}

static enum CallEnd end_of_status(int status)
{
    switch (status) { /* c-ares has no enum */
    case ARES_ECONNREFUSED:
        return CALL_REFUSED;
    case ARES_ETIMEOUT:
        return CALL_TIMEOUT;
    case ARES_EBADNAME:
        return CALL_UNRESOLVED;
    case ARES_ENOMEM:
    case ARES_EDESTRUCTION:
    case ARES_ECANCELLED:
        return CALL_LOCAL;
    default:
        return CALL_PROTOCOL;
    }
}

/* The statuses from EFORMERR to EREFUSED are what servers say, one more than their own number. */
static void on_records(void *data, int status, int timeouts, unsigned char *bytes, int size)
{
    (void)timeouts;
    struct Query *query = data;
    struct DnsCall *call = query->call;
    mem_free(query);
    if (call == NULL)
        return;
    call->query = NULL;
    bool said = status >= ARES_EFORMERR && status <= ARES_EREFUSED;
    call->code = said ? status - 1 : 0;
    if (said || status == ARES_ENODATA)
        end_soon(call, CALL_ANSWERED, "");
    else if (status != ARES_SUCCESS)
        end_soon(call, end_of_status(status), ares_strerror(status));
    else if (dns_records_read(call->type, bytes, (size_t)size, &call->records))
        end_soon(call, CALL_ANSWERED, "");
    else
        end_soon(call, CALL_PROTOCOL, "the answer is not understood");
}

struct Call *dns_ask(struct DnsClient *client, const char *name, int type, struct Mono deadline,
                     CallDone *done, void *data)
{
    struct DnsCall *call = begin(client, deadline, done, data);
    call->type = type;
    ares_query(client->channel, name, ns_c_in, type, on_records, query_of(call));
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

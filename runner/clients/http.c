/* http.c - one HTTP request at a time per call, by libcurl multi. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/text.h"
#include "dns.h"
#include "http_easy.h"

enum { SPARE_MAX = 64 };

struct HttpCall {
    struct Call call; /* first */
    struct HttpClient *client;
    struct HttpCall *next, **self; /* in client->calls */
    struct HttpEasy easy;
    bool added;    /* libcurl has it */
    bool resolved; /* the addresses are of this very call */
    struct Call *resolving;
    struct HttpUrl name; /* host and port where it is a name that we resolve; else empty */
    struct Timer *timer; /* the deadline; at once when it is known how it ends */
    enum CallEnd end;    /* TIMEOUT, or why it never came to a transfer */
    CallDone *done;
    void *data;
    struct Mono deadline, started;
    char why[160];
};

struct HttpClient {
    struct Loop *loop;
    CURLM *multi;
    struct Timer *timer; /* libcurl's own */
    struct Timer *ended; /* a transfer ended where it could not be told */
    int added;           /* transfers that libcurl has */
    struct DnsClient *dns;
    struct HttpUrl url; /* of the last request: mostly the next one's too */
    bool url_resolved;  /* libcurl has had addresses for it */
    struct HttpCall *calls;
    CURL *spare[SPARE_MAX];
    size_t spare_count;
    bool busy, closed; /* closed while busy: whoever made it busy frees it */
};

struct Ready {
    struct HttpClient *client;
    curl_socket_t fd;
};

/* ---- the end of a call ---- */

static void remove_transfer(struct HttpCall *call)
{
    if (!call->added)
        return;
    curl_multi_remove_handle(call->client->multi, call->easy.curl);
    call->added = false;
    call->client->added--;
}

static void release(struct HttpCall *call)
{
    struct HttpClient *client = call->client;
    *call->self = call->next;
    if (call->next != NULL)
        call->next->self = call->self;
    remove_transfer(call);
    if (call->resolving != NULL)
        call_cancel(call->resolving);
    loop_timer_free(call->timer);
    if (client->spare_count < SPARE_MAX) {
        curl_easy_reset(call->easy.curl);
        client->spare[client->spare_count++] = call->easy.curl;
    } else {
        curl_easy_cleanup(call->easy.curl);
    }
}

static void free_call(struct HttpCall *call)
{
    easy_clear(&call->easy);
    http_url_free(&call->name);
    mem_free(call);
}

static void cancel(struct Call *base)
{
    struct HttpCall *call = (struct HttpCall *)base;
    release(call);
    free_call(call);
}

struct HttpAnswer {
    struct Answer answer; /* first: http_certificate_ends() finds the rest from it */
    struct Wall certificate_ends;
};

struct Wall http_certificate_ends(const struct Answer *answer)
{
    return ((const struct HttpAnswer *)answer)->certificate_ends;
}

static void finish(struct HttpCall *call, CURLcode result)
{
    struct HttpAnswer full = {.answer = {.started = call->started, .ended = mono_now()}};
    struct Answer *answer = &full.answer;
    easy_answer(&call->easy, result, answer);
    full.certificate_ends = easy_certificate_ends(&call->easy);
    if (call->end != CALL_TIMEOUT) { /* the name does not resolve */
        answer->end = call->end;
        answer->bytes = call->why;
        answer->size = strlen(call->why);
    }
    release(call);
    call->done(call->data, answer);
    free_call(call);
}

static void on_call_timer(void *data, int events)
{
    (void)events;
    finish(data, CURLE_OPERATION_TIMEDOUT);
}

static void free_client(struct HttpClient *client)
{
    while (client->calls != NULL)
        cancel(&client->calls->call);
    curl_multi_cleanup(client->multi);
    while (client->spare_count > 0)
        curl_easy_cleanup(client->spare[--client->spare_count]);
    dns_close(client->dns);
    loop_timer_free(client->timer);
    loop_timer_free(client->ended);
    http_url_free(&client->url);
    mem_free(client);
}

void http_close(struct HttpClient *client)
{
    if (client == NULL)
        return;
    client->closed = true;
    if (!client->busy)
        free_client(client);
}

/* ---- libcurl's events ---- */

static void resolve(struct HttpCall *call);

static void take_ended(struct HttpClient *client)
{
    const struct CURLMsg *message = NULL;
    int left = 0;
    client->busy = true;
    while (!client->closed && (message = curl_multi_info_read(client->multi, &left)) != NULL) {
        CURLcode result = message->data.result;
        struct HttpCall *call = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
        remove_transfer(call);
        if (call->easy.stopped)
            resolve(call);
        else
            finish(call, result);
    }
    client->busy = false;
    if (client->closed)
        free_client(client);
}

static void on_socket(void *data, int events)
{
    struct Ready ready = *(struct Ready *)data; /* libcurl may close it, which frees it */
    int flags =
        (events & LOOP_READ ? CURL_CSELECT_IN : 0) | (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0);
    int running = 0;
    curl_multi_socket_action(ready.client->multi, ready.fd, flags, &running);
    take_ended(ready.client);
}

static void on_timer(void *data, int events)
{
    (void)events;
    struct HttpClient *client = data;
    int running = 0;
    curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    take_ended(client);
}

static void on_ended(void *data, int events)
{
    (void)events;
    take_ended(data);
}

static int timer_changed(CURLM *multi, long ms, void *data)
{
    (void)multi;
    struct HttpClient *client = data;
    if (ms < 0)
        loop_timer_off(client->timer);
    else
        loop_timer_at(client->timer, mono_add(mono_now(), ms * NS_PER_MS));
    return 0;
}

static int socket_changed(CURL *easy, curl_socket_t fd, int what, void *data, void *of_socket)
{
    struct HttpClient *client = data;
    struct Ready *ready = of_socket;
    struct HttpCall *call = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call);
    if (call != NULL && (what != CURL_POLL_REMOVE || call->easy.fd == fd))
        easy_waits_for(&call->easy, what == CURL_POLL_REMOVE ? -1 : fd);
    if (what == CURL_POLL_REMOVE) {
        loop_watch(client->loop, fd, 0, NULL, NULL);
        curl_multi_assign(client->multi, fd, NULL);
        mem_free(ready);
        return 0;
    }
    if (ready == NULL) {
        ready = mem_zero(1, sizeof(*ready));
        *ready = (struct Ready){.client = client, .fd = fd};
        curl_multi_assign(client->multi, fd, ready);
    }
    int events = (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);
    loop_watch(client->loop, fd, events, on_socket, ready);
    return 0;
}

/* ---- beginning ---- */

struct HttpClient *http_open(struct Loop *loop, struct Err *err)
{
    CURLM *multi = curl_multi_init();
    if (multi == NULL) {
        err_set(err, ERR_OWN, NOWHERE, "libcurl has no memory");
        return NULL;
    }
    struct HttpClient *client = mem_zero(1, sizeof(*client));
    client->loop = loop;
    client->multi = multi;
    client->timer = loop_timer(loop, on_timer, client);
    client->ended = loop_timer(loop, on_ended, client);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket_changed);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer_changed);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, client);
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    return client;
}

/* It begins at once instead of in the loop's next turn, which would cost a wait and a timer. What
 * ends in the same breath is told by the loop all the same. */
static void transfer(struct HttpCall *call)
{
    struct HttpClient *client = call->client;
    int running = 0;
    call->easy.stopped = false;
    call->easy.may_connect = call->resolved || call->name.host == NULL;
    call->added = true;
    client->added++;
    curl_multi_add_handle(client->multi, call->easy.curl);
    curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    if (running < client->added)
        loop_timer_at(client->ended, mono_now());
}

static void end_soon(struct HttpCall *call, enum CallEnd end, const char *why)
{
    call->end = end;
    snprintf(call->why, sizeof(call->why), "%.159s", why);
    loop_timer_at(call->timer, mono_now());
}

static void on_resolved(void *data, const struct Answer *answer)
{
    struct HttpCall *call = data;
    call->resolving = NULL;
    if (answer->end != CALL_ANSWERED) {
        end_soon(call, answer->end, answer->bytes);
        return;
    }
    call->resolved = true;
    if (text_equal(call->client->url.host, call->name.host))
        call->client->url_resolved = true;
    easy_set_addresses(&call->easy, &call->name, answer);
    transfer(call);
}

static void resolve(struct HttpCall *call)
{
    struct HttpClient *client = call->client;
    struct Err err = {.code = ERR_OWN};
    if (client->dns == NULL)
        client->dns = dns_open(client->loop, &err);
    if (client->dns == NULL)
        end_soon(call, CALL_LOCAL, err.message);
    else
        call->resolving = dns_call(client->dns, call->name.host, call->deadline, on_resolved, call);
}

static CURL *spare_easy(struct HttpClient *client)
{
    if (client->spare_count > 0)
        return client->spare[--client->spare_count];
    CURL *curl = curl_easy_init();
    if (curl == NULL)
        bug("libcurl has no memory");
    return curl;
}

/* A name is ours to resolve; what is no URL, libcurl will say. */
static void take_name(struct HttpCall *call, const char *url)
{
    struct HttpClient *client = call->client;
    if (!text_equal(client->url.text, url)) {
        const char *why = NULL;
        http_url_free(&client->url);
        client->url_resolved = false;
        if (!http_url_read(url, &client->url, &why))
            return;
    }
    if (!client->url.numeric)
        call->name = (struct HttpUrl){.host = mem_text(client->url.host), .port = client->url.port};
}

struct Call *http_call(struct HttpClient *client, const struct HttpRequest *request,
                       struct Mono deadline, CallDone *done, void *data)
{
    struct HttpCall *call = mem_zero(1, sizeof(*call));
    *call = (struct HttpCall){.call = {.cancel = cancel},
                              .client = client,
                              .next = client->calls,
                              .self = &client->calls,
                              .end = CALL_TIMEOUT,
                              .done = done,
                              .data = data,
                              .deadline = deadline,
                              .started = mono_now()};
    if (call->next != NULL)
        call->next->self = &call->next;
    client->calls = call;
    call->timer = loop_timer(client->loop, on_call_timer, call);
    loop_timer_at(call->timer, deadline);
    call->easy.curl = spare_easy(client);
    const char *why = easy_set(&call->easy, request, call);
    if (why != NULL) {
        end_soon(call, CALL_LOCAL, why);
        return &call->call;
    }
    if (request->through == NULL)
        take_name(call, request->url);
    /* A connection that is kept needs no address; libcurl says so by opening a socket. */
    if (call->name.host == NULL || (request->keep && client->url_resolved))
        transfer(call);
    else
        resolve(call);
    return &call->call;
}

/* notify.c - tells people and charts of a drill, and waits for nobody. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "notify.h"

#include <inttypes.h>
#include <string.h>

#include "../base/text.h"
#include "../clients/http.h"
#include "../clients/json_find.h"
#include "../model/environment.h"
#include "notify_text.h"

#define ANSWER_NS (5 * NS_PER_S)
#define END_NS (10 * NS_PER_S)

enum { REGIONS = 32, HEADERS_OWN = 3, URL_MOST = 4096, BODY_MOST = 64 << 10 };

/* The faults of one step in Grafana: opened when the first is proven, closed when the last is gone.
 */
struct Region {
    struct Notify *notify;
    const char *step; /* the plan's: by its address */
    enum { REGION_NONE, REGION_OPENING, REGION_OPEN, REGION_CLOSING, REGION_CLOSED } state;
    char id[24];
    struct Wall end; /* 0 = not yet */
};
struct Sending { /* one request */
    struct Notify *notify;
    const struct NotifyTo *to;
    struct Region *region; /* or NULL */
};
struct Notify {
    struct NotifyInput in;
    struct HttpClient *http;
    struct Arena *arena;
    const struct NotifyTo *grafana; /* or NULL */
    struct Region regions[REGIONS];
    size_t region_count, pending;
    bool started, halted, waits;
    struct Wall wall; /* the same instant as `mono` */
    struct Mono mono;
};

struct Notify *notify_open(const struct NotifyInput *input, struct Err *err)
{
    struct HttpClient *http = http_open(input->loop, err);
    if (http == NULL)
        return NULL;
    struct Arena *arena = arena_new("notify", 4 << 20);
    struct Notify *notify = arena_zero(arena, 1, sizeof *notify);
    *notify = (struct Notify){
        .in = *input, .http = http, .arena = arena, .wall = wall_now(), .mono = mono_now()};
    const struct NotifyTo *to = input->to->items;
    for (size_t at = 0; at < input->to->count; at++)
        if (to[at].way == NOTIFY_GRAFANA)
            notify->grafana = &to[at];
    return notify;
}

void notify_close(struct Notify *notify)
{
    if (notify == NULL)
        return;
    http_close(notify->http);
    arena_free(notify->arena);
}

/* ---- One request ---- */

static void say_failed(const struct Sending *sending, const struct Answer *answer)
{
    struct Notify *notify = sending->notify;
    char text[200];
    if (answer->end == CALL_ANSWERED)
        snprintf(text, sizeof text, "%s was not told: it answers %d", sending->to->name,
                 answer->code);
    else
        snprintf(text, sizeof text, "%s was not told: %s", sending->to->name,
                 call_end_name(answer->end));
    notify->in.say(notify->in.say_data, text);
}

static void region_answered(struct Region *region, const struct Answer *answer, bool good);

static void on_answer(void *data, const struct Answer *answer)
{
    struct Sending *sending = data;
    struct Notify *notify = sending->notify;
    bool good = answer->end == CALL_ANSWERED && answer->code >= 200 && answer->code < 300;
    notify->pending--;
    if (!good)
        say_failed(sending, answer);
    if (sending->region != NULL)
        region_answered(sending->region, answer, good);
    if (notify->waits && notify->pending == 0)
        loop_stop(notify->in.loop);
}

/* Names and values of what goes with a body; values of secrets are looked up here alone. */
static size_t headers_of(const struct NotifyTo *to, const char *body, struct TextPair *out,
                         struct Buf *text)
{
    const struct TextPair *own = to->headers.items;
    char mac[65];
    size_t count = 0;
    out[count++] = (struct TextPair){.name = "Content-Type", .value = "application/json"};
    for (size_t at = 0; at < to->headers.count; at++)
        out[count++] =
            (struct TextPair){.name = own[at].name, .value = environment_secret(own[at].value)};
    if (to->key == NULL)
        return count;
    if (to->way == NOTIFY_GRAFANA) {
        buf_printf(text, "Bearer %s", environment_secret(to->key));
        out[count++] = (struct TextPair){.name = "Authorization", .value = text->text};
    } else {
        hmac_hex(environment_secret(to->key), body, mac);
        buf_printf(text, "sha256=%s", mac);
        out[count++] = (struct TextPair){.name = "X-Faildrill-Signature", .value = text->text};
    }
    return count;
}

static void send(struct Notify *notify, const struct NotifyTo *to, const char *method,
                 const char *path, const char *body, struct Region *region)
{
    struct Sending *sending = arena_zero(notify->arena, 1, sizeof *sending);
    struct TextPair *headers =
        arena_zero(notify->arena, to->headers.count + HEADERS_OWN, sizeof *headers);
    struct Buf text = BUF(8192), url = BUF(URL_MOST);
    const char *base = environment_secret(to->url);
    size_t size = strlen(base);
    while (path[0] != '\0' && size > 0 && base[size - 1] == '/')
        size--;
    buf_add(&url, base, size);
    buf_put(&url, path);
    *sending = (struct Sending){.notify = notify, .to = to, .region = region};
    struct HttpRequest request = {.url = url.text,
                                  .method = method,
                                  .body = body,
                                  .headers = headers,
                                  .header_count = headers_of(to, body, headers, &text)};
    notify->pending++;
    (void)http_call(notify->http, &request, mono_add(mono_now(), ANSWER_NS), on_answer, sending);
    buf_free(&text);
    buf_free(&url);
}

static void tell(struct Notify *notify, const struct NotifyNews *news)
{
    const struct NotifyTo *to = notify->in.to->items;
    for (size_t at = 0; at < notify->in.to->count; at++) {
        if (to[at].way == NOTIFY_GRAFANA || (to[at].when & (unsigned)news->when) == 0)
            continue;
        struct Buf body = BUF(BODY_MOST);
        notify_body(to[at].way, news, &body);
        send(notify, &to[at], "POST", "", body.text, NULL);
        buf_free(&body);
    }
}

/* ---- Regions ---- */

static struct Wall wall_of(const struct Notify *notify, struct Mono at)
{
    return (struct Wall){notify->wall.ns + mono_since(notify->mono, at)};
}

static struct Region *region_of(struct Notify *notify, const char *step)
{
    for (size_t at = 0; at < notify->region_count; at++)
        if (notify->regions[at].step == step)
            return &notify->regions[at];
    if (notify->region_count == REGIONS)
        return NULL;
    struct Region *region = &notify->regions[notify->region_count++];
    *region = (struct Region){.notify = notify, .step = step};
    return region;
}

static void region_open(struct Region *region, struct Wall from)
{
    struct Notify *notify = region->notify;
    struct Buf body = BUF(BODY_MOST);
    region->state = REGION_OPENING;
    notify_region(notify->in.plan, region->step, from, &body);
    send(notify, notify->grafana, "POST", "/api/annotations", body.text, region);
    buf_free(&body);
}

static void region_close(struct Region *region)
{
    char path[64], body[64];
    if (region->state != REGION_OPEN || region->end.ns == 0)
        return;
    region->state = REGION_CLOSING;
    snprintf(path, sizeof path, "/api/annotations/%s", region->id);
    snprintf(body, sizeof body, "{\"timeEnd\":%" PRId64 "}", (int64_t)(region->end.ns / NS_PER_MS));
    send(region->notify, region->notify->grafana, "PATCH", path, body, region);
}

static void region_answered(struct Region *region, const struct Answer *answer, bool good)
{
    struct Buf id = BUF(sizeof region->id - 1);
    struct JsonText *json = NULL;
    bool opened = region->state == REGION_OPENING && good;
    if (opened)
        json = json_text_read(answer->bytes, answer->size);
    if (json != NULL)
        (void)json_text_find(json, "id", &id);
    opened = opened && id.size > 0 && strspn(id.text, "0123456789") == id.size;
    snprintf(region->id, sizeof region->id, "%s", id.text);
    region->state = opened ? REGION_OPEN : REGION_CLOSED;
    json_text_free(json);
    buf_free(&id);
    region_close(region); /* it may be over by now */
}

/* The end of a step's faults, where all of them are gone. */
static struct Wall end_of(const struct Notify *notify, const struct RunView *view, const char *step)
{
    struct Mono last = {0};
    for (size_t at = 0; at < view->fault_count; at++) {
        const struct FaultView *fault = &view->faults[at];
        if (fault->step != step)
            continue;
        if (fault->state != FAULT_CLEAR)
            return (struct Wall){0};
        if (mono_before(last, fault->undone.high))
            last = fault->undone.high;
    }
    return last.ns != 0 ? wall_of(notify, last) : (struct Wall){0};
}

static void look_at_faults(struct Notify *notify, const struct RunView *view)
{
    for (size_t at = 0; at < view->fault_count; at++) {
        const struct FaultView *fault = &view->faults[at];
        if (fault->t0.high.ns == 0)
            continue;
        struct Region *region = region_of(notify, fault->step);
        if (region != NULL && region->state == REGION_NONE)
            region_open(region, wall_of(notify, fault->t0.low));
    }
    for (size_t at = 0; at < notify->region_count; at++) {
        struct Region *region = &notify->regions[at];
        if (region->end.ns == 0)
            region->end = end_of(notify, view, region->step);
        region_close(region);
    }
}

/* ---- A run ---- */

/* By then every guard has acted, and the service had its time. */
static struct Wall over_by(const struct Plan *plan, struct Wall now)
{
    const struct Scenario *scenario = plan->scenario;
    const struct StepSpec *steps = scenario->steps.items;
    int64_t ns = scenario->observe_ns + scenario->settle_ns + scenario->grace_ns +
                 scenario->undo_within_ns + scenario_back_ns(scenario);
    for (size_t at = 0; at < scenario->steps.count; at++)
        ns += step_longest_ns(&steps[at]);
    return (struct Wall){now.ns + ns};
}

static struct NotifyNews news_of(const struct Notify *notify, enum NotifyWhen when)
{
    return (struct NotifyNews){
        .when = when, .plan = notify->in.plan, .who = notify->in.who, .now = wall_now()};
}

void notify_look(struct Notify *notify, const struct RunView *view, const char *halted)
{
    if (view->state >= RUN_STEPS && !notify->started) {
        struct NotifyNews news = news_of(notify, NOTIFY_START);
        news.until = over_by(notify->in.plan, news.now);
        notify->started = true;
        tell(notify, &news);
    }
    if (halted != NULL && !notify->halted) {
        struct NotifyNews news = news_of(notify, NOTIFY_HALT);
        news.why = halted;
        notify->halted = true;
        tell(notify, &news);
    }
    if (notify->grafana != NULL)
        look_at_faults(notify, view);
}

static void on_limit(void *data, int events)
{
    (void)events;
    struct Notify *notify = data;
    loop_stop(notify->in.loop);
}

static void wait_for_all(struct Notify *notify)
{
    if (notify->pending == 0)
        return;
    struct Timer *limit = loop_timer(notify->in.loop, on_limit, notify);
    loop_timer_at(limit, mono_add(mono_now(), END_NS));
    notify->waits = true;
    loop_run(notify->in.loop);
    loop_timer_free(limit);
}

void notify_end(struct Notify *notify, const struct NotifyEnd *end)
{
    struct NotifyNews news = news_of(notify, NOTIFY_END);
    news.verdict = end->verdict;
    news.why = end->why;
    news.left = end->left;
    for (size_t at = 0; at < notify->region_count; at++) {
        struct Region *region = &notify->regions[at];
        if (region->end.ns == 0)
            region->end = news.now;
        region_close(region);
    }
    tell(notify, &news);
    wait_for_all(notify);
}

void notify_day(const struct NotifyInput *input, const struct NotifyDay *day)
{
    const struct NotifyTo *to = input->to->items;
    struct Err err;
    struct Notify *notify = notify_open(input, &err);
    if (notify == NULL) {
        input->say(input->say_data, err.message);
        return;
    }
    for (size_t at = 0; at < input->to->count; at++) {
        struct Buf body = BUF(BODY_MOST);
        notify_day_body(to[at].way, day, &body);
        send(notify, &to[at], "POST", "", body.text, NULL);
        buf_free(&body);
    }
    wait_for_all(notify);
    notify_close(notify);
}

/* engine_notify_test.c - the right shape and signature; who hangs delays nobody. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../runner/base/text.h"
#include "../../runner/clients/json_find.h"
#include "../../runner/engine/notify.h"
#include "../../runner/engine/silence.h"
#include "../fakes/server.h"

enum { REQUESTS = 8, REQUEST_MOST = 8192 };

enum Mood { ANSWERS, ANSWERS_500, RESETS, HANGS };
struct Stand {
    struct Loop *loop;
    struct Server *server;
    enum Mood mood;
    const char *body; /* of an answer */
    char requests[REQUESTS][REQUEST_MOST];
    size_t count;
    struct Arena *arena;
    struct Environment environment;
    struct Scenario scenario;
    struct StepSpec step;
    struct Target target;
    struct PlannedFault fault;
    struct Plan plan;
    struct NotifyTo to;
    struct List tos;
    char url[80];
    char said[400];
    struct Notify *notify;
};

/* Head and body come in one piece on loopback, or in two: a body without a head belongs to it. */
static void serve(void *data, struct Link *link, const char *bytes, size_t size)
{
    struct Stand *stand = data;
    char answer[400];
    if (size == 0)
        return;
    bool begins = size > 5 && (memcmp(bytes, "POST ", 5) == 0 || memcmp(bytes, "PATCH", 5) == 0 ||
                               memcmp(bytes, "DELET", 5) == 0);
    assert_true(begins || stand->count > 0);
    assert_true(stand->count < REQUESTS || !begins);
    stand->count += begins ? 1 : 0;
    char *room = stand->requests[stand->count - 1];
    size_t used = strlen(room);
    snprintf(room + used, REQUEST_MOST - used, "%.*s", (int)size, bytes);
    const char *head_end = strstr(room, "\r\n\r\n"), *length = strstr(room, "Content-Length: ");
    if (head_end == NULL ||
        (length != NULL && strlen(head_end + 4) < strtoul(length + 16, NULL, 10)))
        return;
    if (stand->mood == RESETS)
        link_reset(link);
    if (stand->mood == HANGS || stand->mood == RESETS)
        return;
    snprintf(answer, sizeof answer, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s",
             stand->mood == ANSWERS ? "200 OK" : "500 No", strlen(stand->body), stand->body);
    link_send(link, answer);
}

static void say(void *data, const char *text)
{
    struct Stand *stand = data;
    snprintf(stand->said, sizeof stand->said, "%s", text);
}

static struct Stand *stand_new(enum NotifyWay way, const char *name, const char *key)
{
    struct Stand *stand = mem_zero(1, sizeof *stand);
    stand->arena = arena_new("test", 1 << 20);
    stand->loop = loop_new();
    stand->server = server_new(stand->loop, serve, stand);
    stand->body = "{\"id\":42}";
    snprintf(stand->url, sizeof stand->url, "http://127.0.0.1:%u/hook",
             (unsigned)server_port(stand->server));
    stand->environment = (struct Environment){.name = "staging"};
    stand->target = (struct Target){.name = "api-2"};
    stand->step = (struct StepSpec){
        .name = "isolate <victim>", .hold_ns = 60 * NS_PER_S, .timeout_ns = 300 * NS_PER_S};
    stand->scenario =
        (struct Scenario){.name = "lose_one", .steps = {&stand->step, 1}, .always = 1};
    stand->fault = (struct PlannedFault){
        .step = &stand->step, .target = &stand->target, .number = 1, .chosen = true};
    stand->plan = (struct Plan){.scenario = &stand->scenario,
                                .environment = &stand->environment,
                                .faults = {&stand->fault, 1}};
    snprintf(stand->plan.token.text, sizeof stand->plan.token.text, "%s", "01kabc4k2p");
    stand->to = (struct NotifyTo){.way = way,
                                  .name = name,
                                  .url = stand->url,
                                  .key = key,
                                  .when = NOTIFY_START | NOTIFY_HALT | NOTIFY_END};
    stand->tos = (struct List){&stand->to, 1};
    return stand;
}

static void stand_begin(struct Stand *stand)
{
    struct Err err;
    stand->notify = notify_open(&(struct NotifyInput){.to = &stand->tos,
                                                      .plan = &stand->plan,
                                                      .who = "ana@box",
                                                      .loop = stand->loop,
                                                      .say = say,
                                                      .say_data = stand},
                                &err);
    assert_non_null(stand->notify);
}

static void stand_free(struct Stand *stand)
{
    notify_close(stand->notify);
    server_free(stand->server);
    loop_free(stand->loop);
    arena_free(stand->arena);
    mem_free(stand);
}

static struct RunView view_of(enum RunState state)
{
    return (struct RunView){.state = state, .now = mono_now()};
}

static void end_as(struct Stand *stand, const char *verdict)
{
    notify_end(stand->notify, &(struct NotifyEnd){.verdict = verdict, .why = "", .left = ""});
}

static const char *body_of(const struct Stand *stand, size_t at)
{
    return strstr(stand->requests[at], "\r\n\r\n") + 4;
}

/* The value at a path of the body. */
static void assert_says(const struct Stand *stand, size_t at, const char *path, const char *wanted)
{
    const char *body = body_of(stand, at);
    struct JsonText *json = json_text_read(body, strlen(body));
    struct Buf found = BUF(4000);
    assert_non_null(json);
    assert_true(json_text_find(json, path, &found));
    assert_string_equal(found.text, wanted);
    buf_free(&found);
    json_text_free(json);
}

static void test_slack_gets_one_section_with_its_own_signs_escaped(void **state)
{
    (void)state;
    struct Stand *stand = stand_new(NOTIFY_SLACK, "slack", NULL);
    stand_begin(stand);
    struct RunView view = view_of(RUN_BASELINE);

    notify_look(stand->notify, &view, NULL);
    end_as(stand, "PASS");

    assert_int_equal(stand->count, 1); /* what never began is not said to begin */
    assert_says(stand, 0, "text", "PASS: drill lose_one in staging is over");
    assert_says(stand, 0, "blocks.0.text.text",
                "*PASS: drill lose_one in staging is over*\nrun 4k2p by ana@box\n");
    assert_string_equal(stand->said, "");
    stand_free(stand);
}

static void test_a_start_says_what_where_and_how_to_end_it(void **state)
{
    (void)state;
    struct Stand *stand = stand_new(NOTIFY_SLACK, "slack", NULL);
    stand->environment.is_protected = true;
    stand_begin(stand);
    struct RunView view = view_of(RUN_STEPS);

    notify_look(stand->notify, &view, NULL);
    notify_look(stand->notify, &view, NULL);
    notify_look(stand->notify, &view, "halted by raj");
    end_as(stand, "HALTED");

    assert_int_equal(stand->count, 3);
    assert_says(stand, 0, "text", "drill lose_one in STAGING begins");
    assert_non_null(
        strstr(body_of(stand, 0), "1. isolate \\u0026lt;victim\\u0026gt; on api-2 for 1 min"));
    assert_non_null(strstr(body_of(stand, 0), "at the latest"));
    assert_non_null(strstr(body_of(stand, 0), "faildrill halt 4k2p"));
    assert_says(stand, 1, "text", "drill lose_one in STAGING is halted, and undoes");
    assert_non_null(strstr(body_of(stand, 1), "halted by raj"));
    stand_free(stand);
}

static void test_teams_gets_an_adaptive_card(void **state)
{
    (void)state;
    struct Stand *stand = stand_new(NOTIFY_TEAMS, "teams", NULL);
    stand_begin(stand);

    end_as(stand, "FAIL");

    assert_says(stand, 0, "type", "message");
    assert_says(stand, 0, "attachments.0.contentType", "application/vnd.microsoft.card.adaptive");
    assert_says(stand, 0, "attachments.0.content.type", "AdaptiveCard");
    assert_says(stand, 0, "attachments.0.content.body.0.text",
                "FAIL: drill lose_one in staging is over");
    stand_free(stand);
}

static void test_a_webhook_is_signed_over_its_body(void **state)
{
    (void)state;
    struct Stand *stand = stand_new(NOTIFY_WEBHOOK, "webhook", "sesame");
    char mac[65], wanted[100];
    stand_begin(stand);

    end_as(stand, "PASS");

    hmac_hex("sesame", body_of(stand, 0), mac);
    snprintf(wanted, sizeof wanted, "X-Faildrill-Signature: sha256=%s\r\n", mac);
    assert_non_null(strstr(stand->requests[0], wanted));
    assert_non_null(strstr(stand->requests[0], "Content-Type: application/json\r\n"));
    assert_says(stand, 0, "event", "end");
    assert_says(stand, 0, "run", "01kabc4k2p");
    assert_says(stand, 0, "faults.0.host", "api-2");
    stand_free(stand);
}

/* RFC 4231, test case 2. */
static void test_the_signature_is_hmac_sha256(void **state)
{
    (void)state;
    char mac[65];

    hmac_hex("Jefe", "what do ya want for nothing?", mac);

    assert_string_equal(mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void test_only_what_was_asked_for_is_told(void **state)
{
    (void)state;
    struct Stand *stand = stand_new(NOTIFY_WEBHOOK, "webhook", NULL);
    stand->to.when = NOTIFY_HALT;
    stand_begin(stand);
    struct RunView view = view_of(RUN_UNDOING);

    notify_look(stand->notify, &view, "halted");
    end_as(stand, "HALTED");

    assert_int_equal(stand->count, 1);
    assert_says(stand, 0, "event", "halt");
    assert_null(strstr(stand->requests[0], "X-Faildrill-Signature"));
    stand_free(stand);
}

static void test_a_day_is_told_line_by_line(void **state)
{
    (void)state;
    static const enum NotifyWay ways[] = {NOTIFY_SLACK, NOTIFY_TEAMS, NOTIFY_WEBHOOK};
    static const char *const titles[] = {"text", "attachments.0.content.body.0.text", "title"};
    const struct NotifyDay day = {.title = "FAIL: game day monthly in staging",
                                  .lines = "PASS  one\nFAIL  two\n",
                                  .name = "monthly",
                                  .id = "01kday",
                                  .environment = "staging",
                                  .who = "ana@box",
                                  .verdict = "FAIL"};
    for (size_t at = 0; at < COUNT_OF(ways); at++) {
        struct Stand *stand = stand_new(ways[at], "way", NULL);

        notify_day(&(struct NotifyInput){.to = &stand->tos,
                                         .who = "ana@box",
                                         .loop = stand->loop,
                                         .say = say,
                                         .say_data = stand},
                   &day);

        assert_int_equal(stand->count, 1);
        assert_says(stand, 0, titles[at], "FAIL: game day monthly in staging");
        assert_non_null(strstr(body_of(stand, 0), "FAIL  two"));
        assert_string_equal(stand->said, "");
        if (ways[at] == NOTIFY_WEBHOOK)
            assert_says(stand, 0, "event", "gameday");
        stand_free(stand);
    }
}

/* Looking never waits: a server that hangs is noticed when the run is long over. */
static void test_who_does_not_answer_costs_a_line(void **state)
{
    (void)state;
    static const struct {
        enum Mood mood;
        const char *said;
    } rows[] = {
        {ANSWERS_500, "webhook was not told: it answers 500"},
        {RESETS, "webhook was not told: connection closed before the answer"},
        {HANGS, "webhook was not told: no answer in time"},
    };
    for (size_t at = 0; at < COUNT_OF(rows); at++) {
        struct Stand *stand = stand_new(NOTIFY_WEBHOOK, "webhook", NULL);
        struct RunView view = view_of(RUN_STEPS);
        stand->mood = rows[at].mood;
        stand->to.when = NOTIFY_START;
        stand_begin(stand);

        notify_look(stand->notify, &view, NULL);
        assert_string_equal(stand->said, ""); /* nothing was waited for */
        end_as(stand, "PASS");

        assert_string_equal(stand->said, rows[at].said);
        stand_free(stand);
    }
}

static void test_grafana_gets_a_region_from_the_fault_to_its_undo(void **state)
{
    (void)state;
    struct Stand *stand = stand_new(NOTIFY_GRAFANA, "grafana", "token-1");
    stand_begin(stand);
    struct Mono now = mono_now();
    struct FaultView fault = {.step = stand->step.name,
                              .host = "api-2",
                              .state = FAULT_IN_EFFECT,
                              .t0 = {now, mono_add(now, NS_PER_MS)}};
    struct RunView view = view_of(RUN_STEPS);
    view.faults = &fault;
    view.fault_count = 1;

    notify_look(stand->notify, &view, NULL);
    notify_look(stand->notify, &view, NULL);
    fault.state = FAULT_CLEAR;
    fault.undone = (struct Moment){mono_add(now, 2 * NS_PER_S), mono_add(now, 3 * NS_PER_S)};
    notify_look(stand->notify, &view, NULL);
    end_as(stand, "PASS");

    assert_int_equal(stand->count, 2);
    assert_non_null(strstr(stand->requests[0], "POST /hook/api/annotations HTTP"));
    assert_non_null(strstr(stand->requests[0], "Authorization: Bearer token-1\r\n"));
    assert_says(stand, 0, "tags", "[\"faildrill\",\"scenario:lose_one\",\"env:staging\"]");
    assert_says(stand, 0, "text", "isolate <victim> (run 4k2p)");
    assert_non_null(strstr(stand->requests[1], "PATCH /hook/api/annotations/42 HTTP"));
    struct Buf from = BUF(40), to = BUF(40);
    struct JsonText *json = json_text_read(body_of(stand, 0), strlen(body_of(stand, 0)));
    assert_true(json_text_find(json, "time", &from));
    json_text_free(json);
    json = json_text_read(body_of(stand, 1), strlen(body_of(stand, 1)));
    assert_true(json_text_find(json, "timeEnd", &to));
    json_text_free(json);
    assert_int_equal(strtoll(to.text, NULL, 10) - strtoll(from.text, NULL, 10), 3000);
    buf_free(&from);
    buf_free(&to);
    stand_free(stand);
}

/* ---- Silences ---- */

struct Ended {
    struct Loop *loop;
    char why[200];
};

static void ended(void *data, const char *why)
{
    struct Ended *end = data;
    snprintf(end->why, sizeof end->why, "%s", why != NULL ? why : "none");
    loop_stop(end->loop);
}

struct Asked {
    struct Silence *silence;
    struct SilenceAsk ask;
    struct Timer *timer;
    struct Loop *loop;
    enum Known made;
    const char *said;
};

static void ask_on(void *data, int events)
{
    (void)events;
    struct Asked *asked = data;
    asked->made = silence_made(asked->silence, &asked->ask, &asked->said);
    if (asked->made == KNOWN_UNKNOWN)
        loop_timer_at(asked->timer, mono_add(mono_now(), 5 * NS_PER_MS));
    else
        loop_stop(asked->loop);
}

static const char *const MATCHERS[] = {"env=staging", "team=~a|b", "severity!=page", "x!~y.*"};

static enum Known silenced(struct Stand *stand, struct Asked *asked)
{
    static struct SilenceFields spec;
    struct Err err;
    spec = (struct SilenceFields){
        .alertmanager = stand->url,
        .matchers = {(void *)(uintptr_t)MATCHERS, COUNT_OF(MATCHERS)},
    };
    *asked = (struct Asked){.loop = stand->loop,
                            .ask = {.spec = &spec,
                                    .who = "ana@box",
                                    .scenario = "lose_one",
                                    .run = "01kabc4k2p",
                                    .lasts_ns = 90 * NS_PER_S}};
    asked->silence = silence_open(stand->loop, &err);
    asked->timer = loop_timer(stand->loop, ask_on, asked);
    loop_timer_at(asked->timer, mono_now());
    loop_run(stand->loop);
    loop_timer_free(asked->timer);
    return asked->made;
}

static void test_a_silence_is_of_the_matchers_and_ends_by_itself(void **state)
{
    (void)state;
    struct Stand *stand = stand_new(NOTIFY_WEBHOOK, "webhook", NULL);
    struct Asked asked;
    struct Ended end = {.loop = stand->loop};
    struct Buf from = BUF(40), to = BUF(40);
    struct Wall begins = {0}, ends = {0};
    stand->body = "{\"silenceID\":\"7f-1a\"}";

    assert_int_equal(silenced(stand, &asked), KNOWN_YES);
    assert_string_equal(asked.said, "7f-1a");
    silence_end(asked.silence, ended, &end);
    loop_run(stand->loop);

    assert_string_equal(end.why, "none");
    assert_non_null(strstr(stand->requests[0], "POST /hook/api/v2/silences HTTP"));
    assert_says(stand, 0, "matchers.0",
                "{\"name\":\"env\",\"value\":\"staging\",\"isRegex\":false,\"isEqual\":true}");
    assert_says(stand, 0, "matchers.1",
                "{\"name\":\"team\",\"value\":\"a|b\",\"isRegex\":true,\"isEqual\":true}");
    assert_says(stand, 0, "matchers.2",
                "{\"name\":\"severity\",\"value\":\"page\",\"isRegex\":false,\"isEqual\":false}");
    assert_says(stand, 0, "matchers.3.isRegex", "true");
    struct JsonText *json = json_text_read(body_of(stand, 0), strlen(body_of(stand, 0)));
    assert_true(json_text_find(json, "startsAt", &from) && json_text_find(json, "endsAt", &to));
    assert_true(wall_parse(from.text, &begins) && wall_parse(to.text, &ends));
    assert_int_equal(ends.ns - begins.ns, 90 * NS_PER_S);
    json_text_free(json);
    buf_free(&from);
    buf_free(&to);
    assert_non_null(strstr(stand->requests[1], "DELETE /hook/api/v2/silence/7f-1a HTTP"));
    silence_close(asked.silence);
    stand_free(stand);
}

static void test_a_silence_that_cannot_be_made_says_why(void **state)
{
    (void)state;
    static const struct {
        enum Mood mood;
        const char *body, *said, *left;
    } rows[] = {
        {ANSWERS_500, "", "the Alertmanager answers 500", "none"},
        {RESETS, "", "the Alertmanager: connection closed before the answer",
         "whether it was made is not known"},
        {ANSWERS, "{}", "the Alertmanager answers 200", "none"},
        {ANSWERS, "{\"silenceID\":\"../../x\"}", "the Alertmanager answers 200", "none"},
    };
    for (size_t at = 0; at < COUNT_OF(rows); at++) {
        struct Stand *stand = stand_new(NOTIFY_WEBHOOK, "webhook", NULL);
        struct Asked asked;
        struct Ended end = {.loop = stand->loop};
        stand->mood = rows[at].mood;
        stand->body = rows[at].body;

        assert_int_equal(silenced(stand, &asked), KNOWN_NO);
        assert_string_equal(asked.said, rows[at].said);
        silence_end(asked.silence, ended, &end);
        loop_run(stand->loop);

        assert_string_equal(end.why, rows[at].left);
        silence_close(asked.silence);
        stand_free(stand);
    }
}

static void test_matchers_are_read(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "env", "env=", "=x", "1a=x", "a b=x", "env~x", "env!x"};
    struct Matcher matcher;
    for (size_t at = 0; at < COUNT_OF(bad); at++)
        assert_false(matcher_read(bad[at], &matcher));
    for (size_t at = 0; at < COUNT_OF(MATCHERS); at++)
        assert_true(matcher_read(MATCHERS[at], &matcher));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slack_gets_one_section_with_its_own_signs_escaped),
        cmocka_unit_test(test_a_start_says_what_where_and_how_to_end_it),
        cmocka_unit_test(test_teams_gets_an_adaptive_card),
        cmocka_unit_test(test_a_webhook_is_signed_over_its_body),
        cmocka_unit_test(test_the_signature_is_hmac_sha256),
        cmocka_unit_test(test_only_what_was_asked_for_is_told),
        cmocka_unit_test(test_a_day_is_told_line_by_line),
        cmocka_unit_test(test_who_does_not_answer_costs_a_line),
        cmocka_unit_test(test_grafana_gets_a_region_from_the_fault_to_its_undo),
        cmocka_unit_test(test_a_silence_is_of_the_matchers_and_ends_by_itself),
        cmocka_unit_test(test_a_silence_that_cannot_be_made_says_why),
        cmocka_unit_test(test_matchers_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* notify_text.c - what is told, in the shape that each way wants it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "notify_text.h"

#include <ctype.h>
#include <string.h>

#include "../base/duration.h"
#include "../base/text.h"

enum { LINES_MOST = 2800, HOSTS_SHOWN = 20 }; /* Slack takes 3000 characters */

static const char *when_name(enum NotifyWhen when)
{
    return when == NOTIFY_START ? "start" : when == NOTIFY_HALT ? "halt" : "end";
}

static const char *short_of(const struct Plan *plan)
{
    size_t size = strlen(plan->token.text);
    return plan->token.text + (size > 4 ? size - 4 : 0);
}

/* In capitals where it is protected, as everywhere. */
static void put_place(const struct Environment *environment, struct Buf *out)
{
    for (const char *at = environment->name; *at != '\0'; at++)
        buf_char(out, environment->is_protected ? (char)toupper((unsigned char)*at) : *at);
}

void notify_title(const struct NotifyNews *news, struct Buf *out)
{
    const struct Plan *plan = news->plan;
    if (news->when == NOTIFY_END)
        buf_printf(out, "%s: ", news->verdict);
    buf_printf(out, "drill %s in ", plan->scenario->name);
    put_place(plan->environment, out);
    if (news->when == NOTIFY_START)
        buf_put(out, " begins");
    else if (news->when == NOTIFY_HALT)
        buf_put(out, " is halted, and undoes");
    else
        buf_put(out, " is over");
}

/* Whom a step would hit as of the plan. */
static void put_hosts(const struct Plan *plan, uint32_t step, struct Buf *out)
{
    const struct PlannedFault *faults = plan->faults.items;
    size_t shown = 0;
    for (size_t at = 0; at < plan->faults.count; at++) {
        if (faults[at].step_index != step || !faults[at].chosen)
            continue;
        if (shown++ == HOSTS_SHOWN)
            buf_put(out, ", ...");
        if (shown <= HOSTS_SHOWN)
            buf_printf(out, "%s%s", shown == 1 ? " on " : ", ", faults[at].target->name);
    }
}

static void put_steps(const struct Plan *plan, struct Buf *out)
{
    const struct StepSpec *steps = plan->scenario->steps.items;
    for (uint32_t at = 0; at < plan->scenario->always; at++) {
        char hold[32];
        buf_printf(out, "%u. %s", at + 1, steps[at].name);
        put_hosts(plan, at, out);
        if (steps[at].hold_ns >= 0) {
            duration_say(steps[at].hold_ns, hold);
            buf_printf(out, " for %s", hold);
        }
        buf_char(out, '\n');
    }
}

void notify_lines(const struct NotifyNews *news, struct Buf *out)
{
    const struct Plan *plan = news->plan;
    char until[48];
    if (news->why != NULL && news->why[0] != '\0')
        buf_printf(out, "%s\n", news->why);
    if (news->when == NOTIFY_START)
        put_steps(plan, out);
    if (news->left != NULL && news->left[0] != '\0')
        buf_printf(out, "STILL IN EFFECT, as far as is known:\n%s", news->left);
    if (news->until.ns != 0) {
        wall_local(news->until, until);
        buf_printf(out, "over by %s at the latest\n", until);
    }
    buf_printf(out, "run %s by %s\n", short_of(plan), news->who);
    if (news->when != NOTIFY_END)
        buf_printf(out, "end it: faildrill halt %s; on a host: sudo sh /run/faildrill/undo\n",
                   short_of(plan));
    if (plan->scenario->runbook != NULL)
        buf_printf(out, "runbook %s\n", plan->scenario->runbook);
}

/* Slack reads these three as its own. */
static void put_escaped(const char *text, struct Buf *out)
{
    for (; *text != '\0'; text++)
        if (*text == '&')
            buf_put(out, "&amp;");
        else if (*text == '<' || *text == '>')
            buf_put(out, *text == '<' ? "&lt;" : "&gt;");
        else
            buf_char(out, *text);
}

static void put_slack(const char *title, const char *lines, struct Json *json)
{
    struct Buf text = BUF(2 * LINES_MOST);
    json_put_text(json, "text", title);
    json_key(json, "blocks");
    json_open_array(json);
    json_open_object(json);
    json_put_text(json, "type", "section");
    json_key(json, "text");
    json_open_object(json);
    json_put_text(json, "type", "mrkdwn");
    buf_char(&text, '*');
    put_escaped(title, &text);
    buf_put(&text, "*\n");
    put_escaped(lines, &text);
    json_put_text(json, "text", text.text);
    json_end(json);
    json_end(json);
    json_end(json);
    buf_free(&text);
}

static void put_block(const char *text, bool loud, struct Json *json)
{
    json_open_object(json);
    json_put_text(json, "type", "TextBlock");
    json_put_text(json, "text", text);
    json_put_bool(json, "wrap", true);
    if (loud) {
        json_put_text(json, "size", "Medium");
        json_put_text(json, "weight", "Bolder");
    }
    json_end(json);
}

/* A card knows no line breaks: a block each. */
static void put_card(const char *title, const char *lines, struct Json *json)
{
    json_put_text(json, "$schema", "http://adaptivecards.io/schemas/adaptive-card.json");
    json_put_text(json, "type", "AdaptiveCard");
    json_put_text(json, "version", "1.4");
    json_key(json, "body");
    json_open_array(json);
    put_block(title, true, json);
    while (*lines != '\0') {
        size_t size = strcspn(lines, "\n");
        struct Buf line = BUF(LINES_MOST);
        buf_add(&line, lines, size);
        put_block(line.text, false, json);
        buf_free(&line);
        lines += size + (lines[size] == '\n' ? 1 : 0);
    }
    json_end(json);
}

static void put_teams(const char *title, const char *lines, struct Json *json)
{
    json_put_text(json, "type", "message");
    json_key(json, "attachments");
    json_open_array(json);
    json_open_object(json);
    json_put_text(json, "contentType", "application/vnd.microsoft.card.adaptive");
    json_key(json, "content");
    json_open_object(json);
    put_card(title, lines, json);
    json_end(json);
    json_end(json);
    json_end(json);
}

static void put_times(const struct NotifyNews *news, struct Json *json)
{
    char text[32];
    wall_utc(news->now, text);
    json_put_text(json, "at", text);
    if (news->until.ns == 0)
        return;
    wall_utc(news->until, text);
    json_put_text(json, "until", text);
}

static void put_hook(const struct NotifyNews *news, const char *title, struct Json *json)
{
    const struct Plan *plan = news->plan;
    const struct PlannedFault *faults = plan->faults.items;
    struct Buf halt = BUF(200);
    json_put_text(json, "event", when_name(news->when));
    json_put_text(json, "title", title);
    json_put_text(json, "run", plan->token.text);
    json_put_text(json, "scenario", plan->scenario->name);
    json_put_text(json, "environment", plan->environment->name);
    json_put_bool(json, "protected", plan->environment->is_protected);
    json_put_text(json, "who", news->who);
    put_times(news, json);
    json_key(json, "faults");
    json_open_array(json);
    for (size_t at = 0; at < plan->faults.count; at++) {
        if (!faults[at].chosen)
            continue;
        json_open_object(json);
        json_put_text(json, "step", faults[at].step->name);
        json_put_text(json, "host", faults[at].target->name);
        json_end(json);
    }
    json_end(json);
    if (news->verdict != NULL)
        json_put_text(json, "verdict", news->verdict);
    if (news->why != NULL)
        json_put_text(json, "why", news->why);
    if (news->left != NULL)
        json_put_text(json, "still_in_effect", news->left);
    buf_printf(&halt, "faildrill halt %s", short_of(plan));
    json_put_text(json, "halt", halt.text);
    json_put_text(json, "by_hand", "sudo sh /run/faildrill/undo");
    buf_free(&halt);
}

/* What people read of it; a hook's own reader wants more. */
static void put_people(enum NotifyWay way, const char *title, const char *lines, struct Json *json)
{
    switch (way) {
    case NOTIFY_SLACK:
        put_slack(title, lines, json);
        break;
    case NOTIFY_TEAMS:
        put_teams(title, lines, json);
        break;
    case NOTIFY_WEBHOOK:
        break;
    case NOTIFY_GRAFANA:
    case NOTIFY_WAYS:
        bug("a chart is told of faults, not of drills");
    }
}

void notify_body(enum NotifyWay way, const struct NotifyNews *news, struct Buf *out)
{
    struct Buf title = BUF(400), lines = BUF(LINES_MOST);
    struct Json json = json_begin(out, false);
    notify_title(news, &title);
    notify_lines(news, &lines);
    json_open_object(&json);
    put_people(way, title.text, lines.text, &json);
    if (way == NOTIFY_WEBHOOK)
        put_hook(news, title.text, &json);
    json_end(&json);
    buf_free(&title);
    buf_free(&lines);
}

void notify_day_body(enum NotifyWay way, const struct NotifyDay *day, struct Buf *out)
{
    struct Json json = json_begin(out, false);
    struct Buf lines = BUF(LINES_MOST); /* of a hundred drills there may be more */
    char text[32];
    buf_put(&lines, day->lines);
    json_open_object(&json);
    put_people(way, day->title, lines.text, &json);
    if (way == NOTIFY_WEBHOOK) {
        wall_utc(day->now, text);
        json_put_text(&json, "event", "gameday");
        json_put_text(&json, "title", day->title);
        json_put_text(&json, "gameday", day->name);
        json_put_text(&json, "id", day->id);
        json_put_text(&json, "environment", day->environment);
        json_put_bool(&json, "protected", day->is_protected);
        json_put_text(&json, "who", day->who);
        json_put_text(&json, "at", text);
        json_put_text(&json, "verdict", day->verdict);
        json_put_text(&json, "drills", day->lines);
    }
    json_end(&json);
    buf_free(&lines);
}

void notify_region(const struct Plan *plan, const char *step, struct Wall from, struct Buf *out)
{
    struct Buf text = BUF(800);
    struct Json json = json_begin(out, false);
    json_open_object(&json);
    json_put_int(&json, "time", from.ns / NS_PER_MS);
    json_key(&json, "tags");
    json_open_array(&json);
    json_text(&json, "faildrill");
    buf_printf(&text, "scenario:%s", plan->scenario->name);
    json_text(&json, text.text);
    buf_clear(&text);
    buf_printf(&text, "env:%s", plan->environment->name);
    json_text(&json, text.text);
    json_end(&json);
    buf_clear(&text);
    buf_printf(&text, "%s (run %s)", step, short_of(plan));
    json_put_text(&json, "text", text.text);
    json_end(&json);
    buf_free(&text);
}

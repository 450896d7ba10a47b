/* taught_ask.c - asks the primary's host: whole or not, configured how; and its failover. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "taught.h"

/* A line of ours to the primary, once it is known who that is. */
struct LineAsk {
    struct Ask ask; /* first */
    void (*hear)(struct LineAsk *mine, const struct Answer *answer);
    void (*told)(struct LineAsk *mine);
    void *data;
    char text[300];
    enum Known known;
    union {
        RedundancyFn *redundancy;
        void (*act)(void *data, enum Known accepted, const char *why);
    } done;
    struct Redundancy redundancy;
};

static bool take_line(struct Ask *ask, size_t index, const struct Answer *answer)
{
    (void)index;
    struct LineAsk *mine = (struct LineAsk *)ask;
    mine->hear(mine, answer);
    return false;
}

static void finish_line(struct Ask *ask)
{
    struct LineAsk *mine = (struct LineAsk *)ask;
    mine->told(mine);
}

/* Its hear and told are set by who begins it. */
static struct LineAsk *begin_line(struct Taught *system, struct Mono deadline, size_t host,
                                  const char *line)
{
    struct LineAsk *mine = ask_begin(&system->elected.asking, sizeof(*mine), deadline, finish_line);
    struct AskPart *part = ask_part(&mine->ask, host, take_line);
    part->call = taught_call(system, host, line, deadline, ask_answered, part);
    return mine;
}

/* The first line of what was printed. */
static void first_line(const struct Answer *answer, char *out, size_t size)
{
    snprintf(out, size, "%.*s", (int)strcspn(answer->bytes, "\r\n"), answer->bytes);
}

/* ---- redundancy ---- */

static void hear_redundancy(struct LineAsk *mine, const struct Answer *answer)
{
    if (answer->end != CALL_ANSWERED || answer->code != 0) {
        snprintf(mine->text, sizeof(mine->text), "its `redundancy:` gives no answer");
        return;
    }
    first_line(answer, mine->text, sizeof(mine->text));
    bool whole = text_equal(mine->text, "whole") || text_starts(mine->text, "whole ");
    bool lacks = text_starts(mine->text, "lacking");
    mine->redundancy.complete = whole ? KNOWN_YES : lacks ? KNOWN_NO : KNOWN_UNKNOWN;
    if (whole)
        mine->text[0] = '\0';
}

static void tell_line_redundancy(struct LineAsk *mine)
{
    mine->redundancy.why = mine->text;
    mine->done.redundancy(mine->data, &mine->redundancy);
}

static void tell_roll_redundancy(struct Roll *roll)
{
    struct Taught *system = (struct Taught *)roll->system;
    struct Redundancy redundancy;
    char why[300];
    roll_judge(roll, &redundancy, why);
    const char *line = system->config->run->redundancy;
    if (redundancy.complete != KNOWN_YES || line == NULL) {
        roll->done.redundancy(roll->data, &redundancy);
        return;
    }
    struct LineAsk *mine = begin_line(system, roll->ask.deadline, roll_leader(roll), line);
    mine->hear = hear_redundancy;
    mine->told = tell_line_redundancy;
    mine->done.redundancy = roll->done.redundancy;
    mine->data = roll->data;
    mine->redundancy = redundancy;
    mine->redundancy.complete = KNOWN_UNKNOWN;
}

void taught_ask_redundancy(void *data, struct Mono deadline, RedundancyFn *done, void *done_data)
{
    struct Taught *system = data;
    struct Roll *roll = roll_begin(&system->elected, sizeof(*roll), deadline, tell_roll_redundancy);
    roll->done.redundancy = done;
    roll->data = done_data;
    roll_go(roll);
}

/* ---- a planned failover ---- */

static void hear_failover(struct LineAsk *mine, const struct Answer *answer)
{
    if (answer->end != CALL_ANSWERED) {
        snprintf(mine->text, sizeof(mine->text), "it was sent, and its host did not answer");
        return;
    }
    mine->known = answer->code == 0 ? KNOWN_YES : KNOWN_NO;
    first_line(answer, mine->text, sizeof(mine->text));
    if (mine->text[0] == '\0')
        snprintf(mine->text, sizeof(mine->text), "its `failover:` ended with status %d",
                 answer->code);
}

static void tell_failover(struct LineAsk *mine)
{
    mine->done.act(mine->data, mine->known, mine->known == KNOWN_YES ? "" : mine->text);
}

static void tell_roll_failover(struct Roll *roll)
{
    struct Taught *system = (struct Taught *)roll->system;
    size_t leader = roll_leader(roll);
    if (leader == roll->system->role->host_count) {
        roll->done.act(roll->data, KNOWN_NO, "no host says that it is the primary");
        return;
    }
    struct LineAsk *mine =
        begin_line(system, roll->ask.deadline, leader, system->config->run->failover);
    mine->hear = hear_failover;
    mine->told = tell_failover;
    mine->done.act = roll->done.act;
    mine->data = roll->data;
}

static void tell_no_failover(struct Roll *roll)
{
    roll->done.act(roll->data, KNOWN_NO, "the system has no `failover:` command");
}

void taught_failover(void *data, const struct FailoverWish *wish, struct Mono deadline,
                     void (*done)(void *data, enum Known accepted, const char *why),
                     void *done_data)
{
    (void)wish; /* its command knows one way */
    struct Taught *system = data;
    bool can = system->config->run->failover != NULL;
    struct Roll *roll = roll_begin(&system->elected, sizeof(*roll), deadline,
                                   can ? tell_roll_failover : tell_no_failover);
    roll->done.act = done;
    roll->data = done_data;
    roll->hasty = true;
    if (can)
        roll_go(roll);
    else
        ask_go(&roll->ask);
}

/* ---- how it is configured ---- */

static bool read_range(const char *value, struct Span *out)
{
    char low[32] = "", high[32] = "";
    struct Span span = {0, 0};
    if (sscanf(value, "%31s %31s", low, high) != 2 || !duration_parse(low, &span.low_ns, NULL) ||
        !duration_parse(high, &span.high_ns, NULL) || span.low_ns > span.high_ns)
        return false;
    *out = span;
    return true;
}

static void read_knob(struct Outlook *outlook, const char *name, const char *value)
{
    struct Prospect *prospect = &outlook->prospect;
    if (text_equal(name, "failover") && !read_range(value, &prospect->failover))
        outlook_trap(outlook, "its `config:` says failover %.60s, and not two durations", value);
    else if (text_equal(name, "planned") && !read_range(value, &prospect->planned))
        outlook_trap(outlook, "its `config:` says planned %.60s, and not two durations", value);
    else if (text_equal(name, "cool_down") && !duration_parse(value, &prospect->cool_down_ns, NULL))
        outlook_trap(outlook, "its `config:` says cool_down %.60s, and no duration", value);
    else if (text_equal(name, "not_ready"))
        outlook_trap(outlook, "%.280s", value);
    else if (text_equal(name, "loss"))
        snprintf(outlook->loss, sizeof(outlook->loss), "%s", value);
    else if (text_equal(name, "durable")) {
        snprintf(outlook->durable, sizeof(outlook->durable), "%s", value);
        prospect->persistence = PERSIST_ALL;
    } else if (!text_equal(name, "failover") && !text_equal(name, "planned") &&
               !text_equal(name, "cool_down"))
        outlook_knob(outlook, name, "%s", value);
}

static bool take_config(struct Ask *ask, size_t index, const struct Answer *answer)
{
    (void)index;
    struct Outlook *outlook = (struct Outlook *)ask;
    if (answer->end != CALL_ANSWERED || answer->code != 0) {
        outlook_trap(outlook, "its `config:` gives no answer");
        return false;
    }
    for (const char *at = answer->bytes; *at != '\0';) {
        char line[200], name[40] = "";
        size_t size = strcspn(at, "\r\n");
        int used = 0;
        snprintf(line, sizeof(line), "%.*s", (int)size, at);
        if (sscanf(line, "%39s %n", name, &used) == 1)
            read_knob(outlook, name, line + used);
        at += size + (at[size] != '\0');
    }
    return false;
}

/* Told once: by the ranks where nobody leads, else when the primary's host has answered. */
static void tell_prospect(struct Roll *roll)
{
    outlook_tell((struct Outlook *)roll);
}

static void tell_ranks(struct Roll *roll)
{
    struct Taught *system = (struct Taught *)roll->system;
    struct Outlook *outlook = (struct Outlook *)roll;
    const char *line = system->config->run->config;
    size_t leader = roll_leader(roll);
    outlook_judge(outlook);
    if (line == NULL || leader == roll->system->role->host_count) {
        outlook_tell(outlook);
        return;
    }
    struct Outlook *next = outlook_begin(roll->system, sizeof(*next), roll->ask.deadline,
                                         tell_prospect, roll->done.prospect, roll->data);
    snprintf(next->not_ready, sizeof(next->not_ready), "%s", outlook->not_ready);
    struct AskPart *part = ask_part(&next->roll.ask, leader, take_config);
    part->call = taught_call(system, leader, line, roll->ask.deadline, ask_answered, part);
}

void taught_ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data)
{
    struct Outlook *outlook =
        outlook_begin(system, sizeof(*outlook), deadline, tell_ranks, done, data);
    roll_go(&outlook->roll);
}

/* say.c - the words and numbers that several reports share. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "say.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "../runner/base/text.h"

struct Wall run_wall(const struct RunRecord *run, struct Mono at)
{
    return (struct Wall){.ns = run->started.ns + mono_since(run->mono_started, at)};
}

void say_clock(const struct RunRecord *run, struct Mono at, bool ms, char out[16])
{
    char whole[48];
    wall_local(run_wall(run, at), whole);
    snprintf(out, 16, "%.*s", ms ? 12 : 8, whole + 11);
}

const char *run_short(const char *id)
{
    size_t size = id != NULL ? strlen(id) : 0;
    return size > 4 ? id + size - 4 : id != NULL ? id : "";
}

void say_outside(struct Buf *out, const char *text)
{
    if (text != NULL)
        buf_visible(out, text, strlen(text), false);
}

void say_environment(const struct RunRecord *run, struct Buf *out)
{
    const char *name = run->environment != NULL ? run->environment : "";
    struct Buf loud = BUF(1000);
    for (const char *c = name; *c != '\0'; c++)
        buf_char(&loud, run->is_protected ? (char)toupper((unsigned char)*c) : *c);
    say_outside(out, loud.text);
    buf_free(&loud);
}

bool expects(const struct RunExpectation *expectation, enum BoundWord word)
{
    return text_equal(expectation->word, bound_name(word));
}

static const struct RunSwitchBack *back_of(const struct RunRecord *run, const char *role)
{
    for (size_t n = 0; n < run->switch_back_count; n++)
        if (text_equal(run->switch_backs[n].role, role))
            return &run->switch_backs[n];
    return NULL;
}

bool was_given_back(const struct RunRecord *run, const char *role)
{
    const struct RunSwitchBack *back = back_of(run, role);
    return back != NULL && back->leads.high.ns != 0 && back->to != NULL &&
           text_equal(back->last, back->to);
}

const char *leads_at_end(const struct RunRecord *run, const struct PrimaryResult *primary)
{
    const struct RunSwitchBack *back = back_of(run, primary->probe->role);
    return back != NULL && back->asked.ns != 0 && back->last != NULL ? back->last : primary->after;
}

bool past_is_comparable(const struct Report *report, const struct Past *past, const char *probe)
{
    const struct RunRecord *run = report->run;
    return (past->verdict == VERDICT_PASS || past->verdict == VERDICT_FAIL) &&
           text_equal(past->probe, probe) && text_equal(past->scenario, run->scenario) &&
           text_equal(past->environment, run->environment) &&
           text_equal(past->behaviour_hash, run->behaviour_hash) && !text_equal(past->id, run->id);
}

size_t past_recoveries(const struct Report *report, const char *probe, int64_t *out, size_t room)
{
    size_t count = 0;
    for (size_t n = report->past_count; n > 0 && count < room; n--) {
        const struct Past *past = &report->past[n - 1];
        if (past_is_comparable(report, past, probe) && !past->unaffected && !past->censored &&
            past->recovery_high_ns >= 0 && past->recovery_high_ns != NS_NEVER)
            out[count++] = past->recovery_high_ns;
    }
    for (size_t n = 0; n < count / 2; n++) {
        int64_t swap = out[n];
        out[n] = out[count - 1 - n];
        out[count - 1 - n] = swap;
    }
    return count;
}

struct PastCount past_count(const struct Report *report, const struct ProbeResult *probe)
{
    struct PastCount count = {.runs = 1, .unaffected = probe->unaffected ? 1 : 0};
    for (size_t n = 0; n < report->past_count; n++) {
        if (!past_is_comparable(report, &report->past[n], probe->probe->name))
            continue;
        count.runs++;
        count.unaffected += report->past[n].unaffected ? 1 : 0;
    }
    return count;
}

/* plan_foresight.c - what is foreseen of a drill, and whether what is expected can come true. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/duration.h"
#include "../engine/foretell.h"
#include "plan_show.h"

static void show_knobs(const struct Foresight *row, struct Buf *out)
{
    const struct Knob *knobs = row->knobs.items;
    for (size_t at = 0; at < row->knobs.count; at++)
        buf_printf(out, "%s%s %s", at > 0 ? ", " : " (", knobs[at].name, knobs[at].value);
    buf_put(out, row->knobs.count > 0 ? ")\n" : "\n");
}

static void show_line(const char *line, struct Buf *out)
{
    if (line != NULL)
        buf_printf(out, "            %s\n", line);
}

static void show_course(const struct Foresight *row, struct Buf *out)
{
    char range[64];
    span_say(row->failover.low_ns, row->failover.high_ns, range);
    buf_printf(out, "  Predicts  %s: ", row->role->name);
    switch (row->course) {
    case COURSE_MOVES:
        buf_printf(out, "failover %s", range);
        break;
    case COURSE_STAYS:
        buf_put(out, row->why != NULL ? "no failover" : "no failover: who leads is not hit");
        break;
    case COURSE_OVER_BEFORE:
    case COURSE_OPEN:
        buf_printf(out, "if it fails over, %s", range);
        break;
    }
    show_knobs(row, out);
    show_line(row->why, out);
}

static void show_limits(const struct Plan *plan, const struct Foresight *row, struct Buf *out)
{
    static const char *const words[] = {
        [HOLDS_SURELY] = "holds", [HOLDS_PERHAPS] = "may not hold", [HOLDS_NEVER] = "CANNOT HOLD"};
    const struct Expectation *rows = plan->scenario->expectations.items;
    for (size_t at = 0; at < plan->scenario->expectations.count; at++) {
        enum Holds holds = foretell_limit(plan, row, &rows[at]);
        bool counts = rows[at].word == BOUND_MAX_LOST && !rows[at].limit_is_duration;
        char limit[32];
        if (holds == HOLDS_UNSAID)
            continue;
        if (counts)
            count_say((uint64_t)rows[at].limit, limit);
        else
            duration_say(rows[at].limit, limit);
        buf_printf(out, "            limit %s %s: %s.%s\n", limit, words[holds], rows[at].probe,
                   bound_name(rows[at].word));
    }
}

void plan_show_foresight(const struct Plan *plan, struct Buf *out)
{
    const struct Foresight *rows = plan->foresights.items;
    for (size_t at = 0; at < plan->foresights.count; at++) {
        show_course(&rows[at], out);
        show_limits(plan, &rows[at], out);
        show_line(rows[at].twins, out);
        show_line(rows[at].acked, out);
        show_line(rows[at].returns, out);
        show_line(rows[at].loss, out);
        if (rows[at].stays != NULL)
            buf_printf(out, "  Will stay changed  %s\n", rows[at].stays);
        if (rows[at].given_back != NULL)
            buf_printf(out, "  Given back  %s\n", rows[at].given_back);
    }
}

/* run_states.c - the state machine of a run, as a table. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

struct Transition {
    enum RunState state;
    enum RunSignal event;
    enum RunState next;
};
/* An abort before the first fault goes through UNDOING too: there is one way out, and it looks. */
static const struct Transition TRANSITIONS[] = {
    {RUN_PLANNED, EVENT_BEGIN, RUN_BASELINE},     {RUN_PLANNED, EVENT_ABORT, RUN_UNDOING},
    {RUN_BASELINE, EVENT_STEADY, RUN_STEPS},      {RUN_BASELINE, EVENT_ABORT, RUN_UNDOING},
    {RUN_STEPS, EVENT_STEPS_DONE, RUN_OBSERVING}, {RUN_STEPS, EVENT_ABORT, RUN_UNDOING},
    {RUN_OBSERVING, EVENT_OBSERVED, RUN_UNDOING}, {RUN_OBSERVING, EVENT_ABORT, RUN_UNDOING},
    {RUN_UNDOING, EVENT_UNDONE, RUN_SETTLING},    {RUN_UNDOING, EVENT_NOT_UNDONE, RUN_ALWAYS},
    {RUN_SETTLING, EVENT_SETTLED, RUN_ALWAYS},    {RUN_ALWAYS, EVENT_OVER, RUN_FINISHED},
    {RUN_ALWAYS, EVENT_NOT_UNDONE, RUN_DIRTY},
};

const char *run_state_name(enum RunState state)
{
    switch (state) {
    case RUN_PLANNED:
        return "PLANNED";
    case RUN_BASELINE:
        return "BASELINE";
    case RUN_STEPS:
        return "STEPS";
    case RUN_OBSERVING:
        return "OBSERVING";
    case RUN_UNDOING:
        return "UNDOING";
    case RUN_SETTLING:
        return "SETTLING";
    case RUN_ALWAYS:
        return "ALWAYS";
    case RUN_FINISHED:
        return "FINISHED";
    case RUN_DIRTY:
        return "DIRTY";
    }
    bug("no such state %d", (int)state);
}

static const char *event_name(enum RunSignal event)
{
    switch (event) {
    case EVENT_BEGIN:
        return "begin";
    case EVENT_STEADY:
        return "steady";
    case EVENT_STEPS_DONE:
        return "steps done";
    case EVENT_OBSERVED:
        return "observed";
    case EVENT_UNDONE:
        return "undone";
    case EVENT_SETTLED:
        return "settled";
    case EVENT_OVER:
        return "over";
    case EVENT_ABORT:
        return "abort";
    case EVENT_NOT_UNDONE:
        return "not undone";
    }
    bug("no such event %d", (int)event);
}

enum RunState run_state_next(enum RunState state, enum RunSignal event)
{
    for (size_t at = 0; at < COUNT_OF(TRANSITIONS); at++)
        if (TRANSITIONS[at].state == state && TRANSITIONS[at].event == event)
            return TRANSITIONS[at].next;
    return state;
}

void run_states_write(struct Buf *out)
{
    for (size_t at = 0; at < COUNT_OF(TRANSITIONS); at++)
        buf_printf(out, "%-10s %-11s %s\n", run_state_name(TRANSITIONS[at].state),
                   event_name(TRANSITIONS[at].event), run_state_name(TRANSITIONS[at].next));
}

/* telling.c - a run is shown here, and told to those whom `notify` names. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "telling.h"

#include "../engine/notify.h"

struct Telling {
    struct RunWatch shown;
    struct Notify *notify; /* NULL: nobody is told */
    struct Run *run;
};

/* In the timeline while there is one. */
static void say(void *data, const char *text)
{
    struct Telling *telling = data;
    if (telling->run == NULL || !run_note(telling->run, "notify", text))
        fprintf(stderr, "%s\n", text);
}

struct Telling *telling_open(struct Drill *drill, const struct RunWatch *shown)
{
    struct Telling *telling = arena_zero(drill->cli->arena, 1, sizeof *telling);
    struct Err err;
    telling->shown = *shown;
    if (drill->notify.count == 0)
        return telling;
    telling->notify = notify_open(&(struct NotifyInput){.to = &drill->notify,
                                                        .plan = drill->plan,
                                                        .who = drill->who,
                                                        .loop = drill->loop,
                                                        .say = say,
                                                        .say_data = telling},
                                  &err);
    if (telling->notify == NULL)
        say(telling, err.message);
    return telling;
}

void telling_run(struct Telling *telling, struct Run *run)
{
    telling->run = run;
}

static void event(void *data, struct Mono at, const char *subject, const char *text)
{
    struct Telling *telling = data;
    telling->shown.event(telling->shown.data, at, subject, text);
}

static void tick(void *data, const struct RunView *view)
{
    struct Telling *telling = data;
    const char *why = "";
    telling->shown.tick(telling->shown.data, view);
    if (telling->notify == NULL)
        return;
    bool halted = run_ended_as(telling->run, &why) == VERDICT_HALTED;
    notify_look(telling->notify, view, halted ? why : NULL);
}

struct RunWatch telling_watch(struct Telling *telling)
{
    return (struct RunWatch){.event = event, .tick = tick, .data = telling};
}

static const char *verdict_of(int status)
{
    for (int verdict = VERDICT_PASS; verdict <= VERDICT_NOT_UNDONE; verdict++)
        if (verdict_status((enum Verdict)verdict) == status)
            return verdict_name((enum Verdict)verdict);
    return verdict_name(VERDICT_OWN_FAILURE);
}

void telling_end(struct Telling *telling, int status)
{
    const char *why = "";
    struct Buf left = BUF(2000);
    if (telling->notify == NULL || !run_was_stored(telling->run))
        return;
    (void)run_ended_as(telling->run, &why);
    run_left(telling->run, &left);
    struct NotifyEnd end = {.verdict = verdict_of(status), .why = why, .left = left.text};
    notify_end(telling->notify, &end);
    buf_free(&left);
}

void telling_close(struct Telling *telling)
{
    notify_close(telling->notify);
}

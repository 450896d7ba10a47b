/* only_if.c - a prober of its own for the probes of the gate; its samples are kept nowhere. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "only_if.h"

#include "../../probes/engine.h"
#include "../base/ulid.h"

#define LATE_NS (2 * NS_PER_S)

enum { SAID_MOST = 200, MEMORY = 4 << 20 };

/* What is known of one probe. */
struct Asked {
    bool good;        /* it has answered, and well */
    struct Mono last; /* heard of, or when it began */
    char detail[120]; /* of a failure */
};
struct OnlyIf {
    const struct Environment *environment;
    struct Arena *arena;
    struct Plan plan; /* of these probes alone */
    struct Prober *prober;
    struct Asked *asked;
    bool failed;
    char said[SAID_MOST];
};

static const struct ProbeSpec *spec_of(const struct OnlyIf *only_if, size_t at)
{
    return (const struct ProbeSpec *)only_if->environment->only_if.items + at;
}

struct OnlyIf *only_if_open(const struct Environment *environment, struct Err *err)
{
    struct Arena *arena = arena_new("gate", MEMORY);
    struct OnlyIf *only_if = arena_zero(arena, 1, sizeof *only_if);
    *only_if = (struct OnlyIf){.environment = environment, .arena = arena};
    only_if->plan = (struct Plan){.environment = environment, .made = wall_now()};
    ulid_new(only_if->plan.made, only_if->plan.token.text);
    only_if->asked = arena_zero(arena, environment->only_if.count, sizeof *only_if->asked);
    for (size_t at = 0; at < environment->only_if.count; at++) {
        *(struct BoundProbe *)list_add(&only_if->plan.probes, arena, sizeof(struct BoundProbe)) =
            (struct BoundProbe){.spec = spec_of(only_if, at)};
        only_if->asked[at].last = mono_now();
    }
    only_if->prober = prober_start(&(struct ProberInput){.plan = &only_if->plan}, err);
    if (only_if->prober != NULL)
        return only_if;
    only_if_close(only_if);
    return NULL;
}

void only_if_close(struct OnlyIf *only_if)
{
    if (only_if == NULL)
        return;
    prober_stop(only_if->prober);
    arena_free(only_if->arena);
}

static void fail(struct OnlyIf *only_if, size_t at, const char *what, const char *detail)
{
    if (only_if->failed)
        return;
    only_if->failed = true;
    snprintf(only_if->said, sizeof only_if->said, "%s: %s%s%s", spec_of(only_if, at)->name, what,
             detail[0] != '\0' ? ": " : "", detail);
}

/* An attempt that could not be made says nothing: the next may, or it is missing in the end. */
static void take_sample(struct OnlyIf *only_if, const struct Sample *sample)
{
    struct Asked *asked = &only_if->asked[sample->probe];
    if (sample->outcome == OUTCOME_BROKEN || sample->outcome == OUTCOME_SKIPPED)
        return;
    asked->last = mono_now();
    asked->good = sample->outcome == OUTCOME_OK;
    if (!asked->good)
        fail(only_if, sample->probe, failure_name((enum Failure)sample->failure), asked->detail);
}

void only_if_tick(struct OnlyIf *only_if, struct Mono now)
{
    struct Flight flight;
    while (prober_take(only_if->prober, &flight)) {
        if (flight.type == FLIGHT_DETAIL)
            snprintf(only_if->asked[flight.detail.probe].detail, sizeof flight.detail.text, "%s",
                     flight.detail.text);
        else if (flight.type == FLIGHT_SAMPLE)
            take_sample(only_if, &flight.sample);
    }
    for (size_t at = 0; at < only_if->environment->only_if.count; at++) {
        const struct ProbeSpec *spec = spec_of(only_if, at);
        if (mono_since(only_if->asked[at].last, now) >
            spec->interval_ns + spec->timeout_ns + LATE_NS)
            fail(only_if, at, "it was not answered", "");
    }
}

enum Known only_if_holds(const struct OnlyIf *only_if, const char **said)
{
    *said = only_if->said;
    if (only_if->failed)
        return KNOWN_NO;
    for (size_t at = 0; at < only_if->environment->only_if.count; at++)
        if (!only_if->asked[at].good)
            return KNOWN_UNKNOWN;
    return KNOWN_YES;
}

/* ---- Once. ---- */

struct Once {
    struct OnlyIf *only_if;
    struct Loop *loop;
    struct Timer *tick;
};

static void once_tick(void *data, int events)
{
    (void)events;
    struct Once *once = data;
    struct Mono now = mono_now();
    const char *said;
    only_if_tick(once->only_if, now);
    if (only_if_holds(once->only_if, &said) != KNOWN_UNKNOWN)
        loop_stop(once->loop);
    else
        loop_timer_at(once->tick, mono_add(now, 10 * NS_PER_MS));
}

static void say_names(const struct OnlyIf *only_if, char said[SAID_MOST])
{
    struct Buf text = BUF(SAID_MOST - 1);
    for (size_t at = 0; at < only_if->environment->only_if.count; at++)
        buf_printf(&text, "%s%s", at > 0 ? ", " : "", spec_of(only_if, at)->name);
    snprintf(said, SAID_MOST, "%s", text.text);
    buf_free(&text);
}

bool only_if_holds_now(const struct Environment *environment, struct Loop *loop, char said[200])
{
    struct Err err = {.message = ""};
    const char *why;
    struct Once once = {.only_if = only_if_open(environment, &err), .loop = loop};
    if (once.only_if == NULL) {
        snprintf(said, SAID_MOST, "%.199s", err.message);
        return false;
    }
    once.tick = loop_timer(loop, once_tick, &once);
    loop_timer_at(once.tick, mono_now());
    loop_run(loop);
    loop_timer_free(once.tick);
    bool holds = only_if_holds(once.only_if, &why) == KNOWN_YES;
    if (holds)
        say_names(once.only_if, said);
    else
        snprintf(said, SAID_MOST, "%s", why);
    only_if_close(once.only_if);
    return holds;
}

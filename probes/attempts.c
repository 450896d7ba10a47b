/* attempts.c - sends each attempt of a probe on time and ends it on time. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "../runner/base/arena.h"
#include "../runner/base/text.h"
#include "../runner/model/redact.h"
#include "engine_parts.h"
#include "reply.h"

enum { SLOTS_MAX = 2048 };
#define LATE_NS (20 * NS_PER_MS)
/* Clients end a call at its deadline and say whether it was connected; who has not by then is
 * cancelled. */
#define GRACE_NS (1 * NS_PER_MS)

static const struct ProbeSpec *spec_of(const struct ProberProbe *probe)
{
    return probe->bound->spec;
}

static uint32_t host_of(const struct Prober *prober, const char *address)
{
    const struct List *hosts = &prober->input.plan->environment->hosts;
    const struct Target *const *at = hosts->items;
    for (size_t n = 0; n < hosts->count && address[0] != '\0'; n++)
        if (text_equal(target_address(at[n]), address))
            return (uint32_t)n + 1;
    return 0;
}

static void put_sample(struct ProberProbe *probe, const struct Sample *sample)
{
    struct Flight flight = {.type = FLIGHT_SAMPLE, .sample = *sample};
    prober_put(probe->prober, &flight);
}

/* The first failure after an ok says what it saw; those behind it would say the same. */
static void put_detail(struct ProberProbe *probe, const struct Sample *sample, const char *text)
{
    bool bad = sample->outcome == OUTCOME_FAILED || sample->outcome == OUTCOME_TIMEOUT ||
               sample->outcome == OUTCOME_BROKEN;
    if (bad && !probe->failing && text[0] != '\0') {
        struct Flight flight = {.type = FLIGHT_DETAIL};
        flight.detail.probe = probe->index;
        flight.detail.sequence = sample->sequence;
        struct Buf clean = BUF(DETAIL_MOST); /* whole, before it is cut off */
        redact(text, &clean);
        snprintf(flight.detail.text, sizeof(flight.detail.text), "%.119s", clean.text);
        buf_free(&clean);
        prober_put(probe->prober, &flight);
    }
    if (sample->outcome != OUTCOME_SKIPPED)
        probe->failing = bad;
}

static void end_attempt(struct Attempt *attempt, enum Outcome outcome, enum Failure failure,
                        const char *detail)
{
    struct ProberProbe *probe = attempt->probe;
    attempt->sample.outcome = (uint16_t)outcome;
    attempt->sample.failure = (uint16_t)failure;
    attempt->sample.ended = mono_now();
    attempt->running = false;
    probe->running--;
    loop_timer_off(attempt->limit);
    put_detail(probe, &attempt->sample, detail);
    put_sample(probe, &attempt->sample);
    prober_attempt_ended(probe->prober);
}

/* Slow counts from when we asked: an attempt that we sent late is not the service's fault. */
void attempt_done(struct Attempt *attempt, const struct Reply *reply)
{
    if (!attempt->running)
        bug("probe '%s' ended an attempt twice", spec_of(attempt->probe)->name);
    int64_t under = spec_of(attempt->probe)->under_ns;
    enum Outcome outcome = reply->outcome;
    enum Failure failure = reply->failure;
    if (outcome == OUTCOME_FAILED && failure == FAILURE_TIMEOUT)
        outcome = OUTCOME_TIMEOUT;
    if (outcome == OUTCOME_OK && under > 0 &&
        mono_since(attempt->sample.started, mono_now()) > under) {
        outcome = OUTCOME_FAILED;
        failure = FAILURE_SLOW;
    }
    attempt->sample.code = reply->code;
    attempt->sample.connected = reply->connected;
    attempt->sample.by = host_of(attempt->probe->prober, reply->by);
    end_attempt(attempt, outcome, failure, reply->detail);
}

static void on_limit(void *data, int events)
{
    (void)events;
    struct Attempt *attempt = data;
    struct ProberProbe *probe = attempt->probe;
    spec_of(probe)->kind->cancel(probe->state, attempt->memory);
    end_attempt(attempt, OUTCOME_TIMEOUT, FAILURE_TIMEOUT, "no answer in time");
}

struct Mono attempt_deadline(const struct Attempt *attempt)
{
    return attempt->deadline;
}

uint32_t attempt_writer(const struct Attempt *attempt)
{
    return attempt->slot + 1;
}

uint64_t attempt_number(struct Attempt *attempt)
{
    if (attempt->sample.number == 0)
        attempt->sample.number = ++attempt->last_number;
    attempt->sample.writer = attempt_writer(attempt);
    return attempt->sample.number;
}

/* The lowest free slot, so that as few connections and writers are in use as will do. */
static struct Attempt *free_slot(struct ProberProbe *probe)
{
    for (uint32_t n = 0; n < probe->slots; n++)
        if (!probe->attempts[n].running)
            return &probe->attempts[n];
    return NULL;
}

static void send_attempt(struct ProberProbe *probe, struct Mono due)
{
    const struct ProbeSpec *spec = spec_of(probe);
    int64_t limit = 2 * spec->interval_ns > LATE_NS ? 2 * spec->interval_ns : LATE_NS;
    struct Mono now = mono_now();
    struct Sample sample = {.probe = probe->index,
                            .sequence = (uint32_t)probe->next,
                            .intended = due,
                            .started = now,
                            .ended = now,
                            .outcome = OUTCOME_SKIPPED};
    struct Attempt *attempt = mono_since(due, now) > limit ? NULL : free_slot(probe);
    if (attempt == NULL) {
        put_sample(probe, &sample);
        return;
    }
    attempt->sample = sample;
    attempt->running = true;
    probe->running++;
    attempt->deadline = mono_add(now, spec->timeout_ns);
    loop_timer_at(attempt->limit, mono_add(attempt->deadline, GRACE_NS));
    spec->kind->start(probe->state, attempt->memory, attempt);
}

static void on_pace(void *data, int events)
{
    (void)events;
    struct ProberProbe *probe = data;
    int64_t interval = spec_of(probe)->interval_ns;
    struct Mono due = mono_add(probe->start, (int64_t)probe->next * interval);
    struct Mono now = mono_now();
    while (due.ns <= now.ns) {
        send_attempt(probe, due);
        probe->next++;
        due = mono_add(due, interval);
    }
    loop_timer_at(probe->pace, due);
}

void attempts_open(struct ProberProbe *probe)
{
    const struct ProbeSpec *spec = spec_of(probe);
    struct Loop *loop = probe->prober->loop;
    int64_t slots = (spec->timeout_ns + spec->interval_ns - 1) / spec->interval_ns + 1;
    size_t size = (spec->kind->slot_size + 15) / 16 * 16;
    probe->slots = slots < SLOTS_MAX ? (uint32_t)slots : SLOTS_MAX;
    probe->attempts = mem_zero(probe->slots, sizeof(*probe->attempts));
    probe->slot_memory = mem_zero(probe->slots, size);
    for (uint32_t n = 0; n < probe->slots; n++) {
        struct Attempt *attempt = &probe->attempts[n];
        *attempt =
            (struct Attempt){.probe = probe, .slot = n, .memory = probe->slot_memory + n * size};
        attempt->limit = loop_timer(loop, on_limit, attempt);
    }
    probe->pace = loop_timer(loop, on_pace, probe);
}

void attempts_begin(struct ProberProbe *probe, struct Mono start)
{
    probe->start = start;
    loop_timer_at(probe->pace, start);
}

void attempts_pause(struct ProberProbe *probe)
{
    loop_timer_off(probe->pace);
}

void attempts_cancel(struct ProberProbe *probe)
{
    for (uint32_t n = 0; n < probe->slots; n++) {
        struct Attempt *attempt = &probe->attempts[n];
        if (!attempt->running)
            continue;
        attempt->running = false;
        probe->running--;
        loop_timer_off(attempt->limit);
        spec_of(probe)->kind->cancel(probe->state, attempt->memory);
    }
}

void attempts_close(struct ProberProbe *probe)
{
    for (uint32_t n = 0; n < probe->slots; n++)
        loop_timer_free(probe->attempts[n].limit);
    loop_timer_free(probe->pace);
    mem_free(probe->attempts);
    mem_free(probe->slot_memory);
}

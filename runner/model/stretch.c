/* stretch.c - when a probe failed, and for how long: for halts, live view and reports. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "stretch.h"

#include <string.h>

#include "../base/err.h"

#define LOST_AFTER_NS NS_PER_S /* beyond its timeout an attempt does not come any more */

enum { WAITING_MAX = 1 << 16, HELD_SAMPLES = 3 };

/* The machine proper, fed in order. Small, so that stretch_now() works on a copy. */
struct Track {
    int64_t gap_ns, hold_ns;
    bool any_good, held;
    struct Mono last_good; /* of the last good one outside a stretch: started */
    struct Stretch current;
    uint32_t ok_count;
    struct Mono ok_ended, ok_started; /* of the ok stretch: its earliest end, its last start */
    bool failing;
    enum Failure failure;
    int64_t latency_ns;
};
struct StretchMachine {
    struct Arena *arena;
    struct Track track;
    int64_t patience_ns;
    struct List closed;     /* of struct Stretch */
    struct Sample *waiting; /* a ring by sequence; sequence + 1 in `probe`, 0 = empty */
    uint32_t waiting_room, next, waiting_count;
    struct Mono latest; /* the latest end of any sample */
    struct Recents *recents;
};

bool sample_counts(const struct Sample *sample)
{
    return sample->outcome != OUTCOME_SKIPPED && sample->outcome != OUTCOME_BROKEN;
}

bool sample_answered(const struct Sample *sample)
{
    if (sample->outcome == OUTCOME_OK)
        return true;
    if (sample->outcome != OUTCOME_FAILED)
        return false;
    switch ((enum Failure)sample->failure) {
    case FAILURE_SLOW:
    case FAILURE_READ_ONLY:
    case FAILURE_WRONG_RANK:
    case FAILURE_STALE:
    case FAILURE_CONTENT:
    case FAILURE_UNAVAILABLE:
        return true;
    case FAILURE_NONE:
    case FAILURE_REFUSED:
    case FAILURE_RESET:
    case FAILURE_UNRESOLVED:
    case FAILURE_TLS:
    case FAILURE_TIMEOUT:
    case FAILURE_OTHER:
        return false;
    }
    return false;
}

int sample_status(const struct Sample *sample)
{
    return sample_answered(sample) && sample->failure != FAILURE_SLOW ? sample->code : 0;
}

enum Failure sample_failure(const struct Sample *sample)
{
    if (sample->outcome == OUTCOME_TIMEOUT)
        return FAILURE_TIMEOUT;
    return (enum Failure)sample->failure;
}

int64_t sorted_percentile(const int64_t *sorted, size_t count, unsigned percent)
{
    if (count == 0)
        return -1;
    size_t rank = (count * percent + 99) / 100;
    return sorted[rank > 0 ? rank - 1 : 0];
}

/* ---- One sample, in order ---- */

static int64_t ok_length(const struct Track *track)
{
    if (track->ok_count == 0)
        return 0;
    int64_t length = mono_since(track->ok_ended, track->ok_started);
    return length > 0 ? length : 0;
}

static void close_stretch(struct Track *track, struct Stretch *closed)
{
    struct Stretch *stretch = &track->current;
    stretch->first_good_ended = track->ok_ended;
    struct Mono from = stretch->last_good.ns != 0 ? stretch->last_good : stretch->first_bad_started;
    stretch->length.high_ns = mono_since(from, stretch->first_good_ended);
    stretch->open = false;
    *closed = *stretch;
}

/* How long it was ok is what samples prove: from the earliest end of a good one to the last start.
 * An answer may come late because it was sent while the service was silent; its start proves
 * nothing. */
static unsigned take_good(struct Track *track, const struct Sample *sample, struct Stretch *closed)
{
    unsigned change = 0;
    track->failing = false;
    track->latency_ns = mono_since(sample->intended, sample->ended);
    track->ok_ended =
        track->ok_count == 0 ? sample->ended : mono_min(track->ok_ended, sample->ended);
    track->ok_started = sample->started;
    track->ok_count++;
    int64_t length = ok_length(track);
    if (track->current.open && length > track->gap_ns) {
        close_stretch(track, closed);
        change |= STRETCH_CLOSED;
    }
    if (!track->current.open) {
        track->last_good = sample->started;
        track->any_good = true;
    }
    if (!track->held && track->ok_count >= HELD_SAMPLES && length >= track->hold_ns &&
        !track->current.open) {
        track->held = true;
        change |= STRETCH_HELD;
    }
    return change;
}

static unsigned take_bad(struct Track *track, const struct Sample *sample)
{
    struct Stretch *stretch = &track->current;
    unsigned change = 0;
    if (!stretch->open) {
        *stretch = (struct Stretch){
            .open = true,
            .last_good = track->any_good ? track->last_good : (struct Mono){0},
            .first_bad_started = sample->started,
            .first_bad_ended = sample->ended,
            .length = {.low_ns = 0, .high_ns = NS_NEVER},
        };
        change = STRETCH_OPENED;
    }
    stretch->first_bad_ended = mono_min(stretch->first_bad_ended, sample->ended);
    stretch->last_bad_started = sample->started;
    int64_t low = mono_since(stretch->first_bad_ended, stretch->last_bad_started);
    stretch->length.low_ns = low > 0 ? low : 0;
    stretch->attempts++;
    track->failure = sample_failure(sample);
    if ((size_t)track->failure < COUNT_OF(stretch->failures))
        stretch->failures[track->failure]++;
    track->failing = true;
    track->ok_count = 0;
    track->held = false;
    return change;
}

static unsigned track_take(struct Track *track, const struct Sample *sample, struct Stretch *closed)
{
    if (!sample_counts(sample))
        return 0;
    return sample->outcome == OUTCOME_OK ? take_good(track, sample, closed)
                                         : take_bad(track, sample);
}

/* ---- Samples put in order ---- */

struct StretchMachine *stretch_new(struct Arena *arena, const struct StretchRules *rules)
{
    struct StretchMachine *machine = arena_zero(arena, 1, sizeof(*machine));
    int64_t interval = rules->interval_ns > 0 ? rules->interval_ns : NS_PER_MS;
    int64_t in_flight = rules->timeout_ns / interval + 66;
    machine->arena = arena;
    machine->waiting_room = in_flight < WAITING_MAX ? (uint32_t)in_flight : WAITING_MAX;
    machine->waiting = arena_zero(arena, machine->waiting_room, sizeof(*machine->waiting));
    machine->recents = recents_new(arena, interval);
    machine->patience_ns = rules->timeout_ns + LOST_AFTER_NS;
    machine->track =
        (struct Track){.gap_ns = rules->gap_ns, .hold_ns = rules->hold_ns, .latency_ns = -1};
    return machine;
}

static unsigned take(struct StretchMachine *machine, const struct Sample *sample)
{
    struct Stretch closed;
    unsigned change = track_take(&machine->track, sample, &closed);
    if ((change & STRETCH_CLOSED) != 0) {
        struct Stretch *kept = list_add(&machine->closed, machine->arena, sizeof(*kept));
        *kept = closed;
    }
    return change;
}

static struct Sample *waiting_at(const struct StretchMachine *machine, uint32_t sequence)
{
    struct Sample *slot = &machine->waiting[sequence % machine->waiting_room];
    return slot->probe != 0 && slot->sequence == sequence ? slot : NULL;
}

/* The first that waits, behind those that are missing; NULL = none waits. */
static struct Sample *first_waiting(const struct StretchMachine *machine)
{
    for (uint32_t n = 0; machine->waiting_count > 0 && n < machine->waiting_room; n++) {
        struct Sample *slot = waiting_at(machine, machine->next + n);
        if (slot != NULL)
            return slot;
    }
    return NULL;
}

static unsigned release(struct StretchMachine *machine, struct Sample *slot)
{
    machine->next = slot->sequence + 1;
    machine->waiting_count--;
    slot->probe = 0;
    return take(machine, slot);
}

/* Takes all that need not wait any longer. */
static unsigned drain(struct StretchMachine *machine, bool all)
{
    unsigned change = 0;
    for (struct Sample *slot; (slot = first_waiting(machine)) != NULL;) {
        bool lost = mono_since(slot->intended, machine->latest) > machine->patience_ns;
        if (slot->sequence != machine->next && !lost && !all)
            break;
        change |= release(machine, slot);
    }
    return change;
}

unsigned stretch_feed(struct StretchMachine *machine, const struct Sample *sample)
{
    unsigned change = 0;
    recents_take(machine->recents, sample);
    if (mono_before(machine->latest, sample->ended))
        machine->latest = sample->ended;
    if (sample->sequence < machine->next)
        return drain(machine, false); /* it was taken as lost */
    if (sample->sequence == machine->next && machine->waiting_count == 0) {
        machine->next++;
        return take(machine, sample);
    }
    while (sample->sequence - machine->next >= machine->waiting_room) {
        struct Sample *slot = first_waiting(machine);
        if (slot == NULL)
            machine->next = sample->sequence;
        else
            change |= release(machine, slot);
    }
    struct Sample *slot = &machine->waiting[sample->sequence % machine->waiting_room];
    if (slot->probe == 0)
        machine->waiting_count++;
    *slot = *sample;
    slot->probe = 1;
    return change | drain(machine, false);
}

unsigned stretch_flush(struct StretchMachine *machine)
{
    return drain(machine, true);
}

size_t stretch_count(const struct StretchMachine *machine)
{
    return machine->closed.count + (machine->track.current.open ? 1 : 0);
}

const struct Stretch *stretch_at(const struct StretchMachine *machine, size_t index)
{
    const struct Stretch *closed = machine->closed.items;
    if (index < machine->closed.count)
        return &closed[index];
    if (index >= stretch_count(machine))
        bug("no stretch %zu", index);
    return &machine->track.current;
}

const struct Recents *stretch_recents(const struct StretchMachine *machine)
{
    return machine->recents;
}

/* ---- How it stands ---- */

static void now_add(struct StretchNow *out, const struct Stretch *stretch, int64_t length_ns)
{
    out->stretches++;
    out->downtime_ns += length_ns;
    out->failed += stretch->attempts;
    if (length_ns > out->longest_ns)
        out->longest_ns = length_ns;
}

static void now_closed(const struct Stretch *stretch, struct Mono since, struct StretchNow *out)
{
    if (!mono_before(stretch->first_good_ended, since))
        now_add(out, stretch, mono_since(stretch->first_bad_started, stretch->first_good_ended));
}

void stretch_now(const struct StretchMachine *machine, struct Mono since, struct Mono now,
                 struct StretchNow *out)
{
    *out = (struct StretchNow){.latency_ns = -1};
    const struct Stretch *closed = machine->closed.items;
    for (size_t n = 0; n < machine->closed.count; n++)
        now_closed(&closed[n], since, out);
    struct Track track = machine->track;
    uint32_t left = machine->waiting_count;
    for (uint32_t n = 0; left > 0 && n < machine->waiting_room; n++) {
        const struct Sample *slot = waiting_at(machine, machine->next + n);
        struct Stretch just_closed;
        if (slot == NULL)
            continue;
        left--;
        if ((track_take(&track, slot, &just_closed) & STRETCH_CLOSED) != 0)
            now_closed(&just_closed, since, out);
    }
    if (track.current.open) {
        struct Mono end = track.ok_count > 0 ? track.ok_ended : now;
        out->outage_ns = mono_since(track.current.first_bad_started, end);
        now_add(out, &track.current, out->outage_ns);
    }
    out->failing = track.failing;
    out->open = track.current.open;
    out->held = track.held;
    out->ok_ns = ok_length(&track);
    out->ok_count = track.ok_count;
    out->failure = track.failure;
    out->latency_ns = track.latency_ns;
    recents_now(machine->recents, (struct Mono){0}, now, &out->recent);
}

/* primary.c - who led when: failover, and the time with two primaries. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "../runner/base/text.h"
#include "../runner/model/system.h"
#include "analyse_parts.h"

#define NOBODY UINT32_MAX

struct Watch {
    const struct Analysis *analysis;
    const struct RunProbe *probe;
    const struct Census **at; /* in the order asked */
    size_t count;
    int64_t patience_ns; /* looks further apart than this are not neighbours */
    uint32_t old;
    struct Reigns *reigns;
    struct PrimaryResult *out;
};

const struct RunSystem *system_of(const struct RunRecord *run, const char *role)
{
    for (size_t n = 0; n < run->system_count; n++) {
        if (text_equal(run->systems[n].role, role))
            return &run->systems[n];
    }
    return NULL;
}

static int by_asked(const void *a, const void *b)
{
    const struct Census *left = *(const struct Census *const *)a;
    const struct Census *right = *(const struct Census *const *)b;
    return (left->asked.ns > right->asked.ns) - (left->asked.ns < right->asked.ns);
}

static void gather(struct Watch *watch, uint32_t probe)
{
    const struct RunRecord *run = watch->analysis->run;
    size_t room = 0;
    for (size_t n = 0; n < run->census_count; n++)
        room += run->census[n].probe == probe ? 1 : 0;
    watch->at = arena_zero(watch->analysis->arena, room + 1, sizeof(*watch->at));
    for (size_t n = 0; n < run->census_count; n++) {
        if (run->census[n].probe == probe)
            watch->at[watch->count++] = &run->census[n];
    }
    if (watch->count > 1)
        qsort(watch->at, watch->count, sizeof(*watch->at), by_asked);
    watch->out->seen = watch->count > 0;
}

/* Who said "primary" last before a fault was sent. */
static uint32_t old_primary(const struct Watch *watch, struct Mono sent)
{
    uint32_t old = NOBODY;
    for (size_t n = 0; n < watch->count; n++) {
        if (watch->at[n]->rank == RANK_PRIMARY && mono_before(watch->at[n]->answered, sent))
            old = watch->at[n]->host;
    }
    return old;
}

/* [last asked when it was not primary, first answered that it is] of the first that is not `old`,
 * after a fault was sent. */
static struct Moment new_primary(const struct Watch *watch, struct Mono sent, uint32_t old)
{
    const struct Census *first = NULL;
    struct Mono not_yet = sent;
    for (size_t n = 0; n < watch->count && first == NULL; n++) {
        const struct Census *look = watch->at[n];
        if (look->rank == RANK_PRIMARY && look->host != old && mono_before(sent, look->answered) &&
            mono_before(look->asked, back_began(watch->analysis->run)))
            first = look;
    }
    if (first == NULL)
        return (struct Moment){{0}, {0}};
    for (size_t n = 0; n < watch->count && watch->at[n] != first; n++) {
        const struct Census *look = watch->at[n];
        if (look->host == first->host && look->rank != RANK_UNKNOWN &&
            mono_before(not_yet, look->asked))
            not_yet = look->asked;
    }
    return (struct Moment){not_yet, first->answered};
}

/* ---- Failovers: by the control plane and itself, and as the probe saw it: the later of the two.
 */

static struct Span took(const struct Moment *t0, struct Moment both, struct Mono low,
                        struct Mono high)
{
    if (mono_before(both.low, low))
        both.low = low;
    if (mono_before(both.high, high))
        both.high = high;
    return both.high.ns != 0 ? span_since(*t0, both.low, both.high) : (struct Span){0, NS_NEVER};
}

/* The slowest is what is judged. */
static void add_failover(const struct Watch *watch, const struct Moment *t0, struct Span span)
{
    struct PrimaryResult *out = watch->out;
    if (out->failover_count++ > 0 && span.high_ns <= out->failover.high_ns)
        return;
    out->failover = span;
    out->failover_t0 = *t0;
}

static bool is_asked(const struct Watch *watch, const struct Cause *cause)
{
    return cause_is_failover(cause) && text_equal(cause->faults[0]->role, watch->probe->role);
}

/* What a change of who leads is counted from: the failover that was asked for last, else the first
 * fault since the change before that struck who led until then, else the first of them; NULL: it
 * came by itself. */
static const struct Cause *cause_of(const struct Watch *watch, struct Mono since,
                                    const struct RunMove *move, const char *led)
{
    const struct Report *report = watch->analysis->out;
    const struct Cause *first = NULL, *hit = NULL, *asked = NULL;
    for (size_t n = 0; n < report->cause_count; n++) {
        const struct Cause *cause = &report->causes[n];
        if (!mono_before(since, cause->t0.low) || !mono_before(cause->t0.low, move->high))
            continue;
        if (is_asked(watch, cause))
            asked = cause;
        first = first != NULL ? first : cause;
        hit = hit == NULL && cause_struck(cause, led) ? cause : hit;
    }
    if (asked != NULL || hit != NULL)
        return asked != NULL ? asked : hit;
    return causes_gave_back(report, move->host, move->high) ? NULL : first;
}

/* Each change by its own fault. Runs of earlier versions know of one alone. */
static size_t count_moves(const struct Watch *watch)
{
    const struct RunRecord *run = watch->analysis->run;
    const struct RunSystem *system = watch->out->system;
    const char *led = system != NULL ? system->primary_before : NULL;
    struct Mono before = {0};
    size_t known = 0;
    for (size_t n = 0; n < run->move_count; n++) {
        const struct RunMove *move = &run->moves[n];
        if (!text_equal(move->role, watch->probe->role) ||
            !mono_before(move->high, back_began(run)))
            continue;
        const struct Cause *cause = cause_of(watch, before, move, led);
        known++;
        before = move->high;
        led = move->host;
        if (cause == NULL)
            continue;
        struct Moment seen = new_primary(watch, cause->t0.low, old_primary(watch, cause->t0.low));
        add_failover(watch, &cause->t0, took(&cause->t0, seen, move->low, move->high));
    }
    return known;
}

/* Asked for, and the next one was, or the end came, before anybody took over. */
static void count_missing(const struct Watch *watch)
{
    const struct RunRecord *run = watch->analysis->run;
    const struct Report *report = watch->analysis->out;
    for (size_t n = 0; n < report->cause_count; n++) {
        const struct Cause *cause = &report->causes[n];
        bool moved = !is_asked(watch, cause);
        for (size_t at = 0; at < run->move_count && !moved; at++)
            moved = text_equal(run->moves[at].role, watch->probe->role) &&
                    mono_before(run->moves[at].high, back_began(run)) &&
                    cause_of(watch, (struct Mono){0}, &run->moves[at], NULL) == cause;
        if (!moved)
            add_failover(watch, &cause->t0, (struct Span){0, NS_NEVER});
    }
}

static void count_failovers(const struct Watch *watch, const struct Moment *seen)
{
    const struct RunSystem *system = watch->out->system;
    const struct Moment t0 = watch->analysis->out->t0;
    struct Span span = {0, NS_NEVER};
    watch->out->failover = span;
    watch->out->failover_t0 = t0;
    if (!watch->analysis->any_sent)
        return;
    if (count_moves(watch) > 0) {
        count_missing(watch);
        return;
    }
    if (system != NULL && system->failed_over_high.ns != 0)
        span = took(&t0, *seen, system->failed_over_low, system->failed_over_high);
    else
        span = took(&t0, *seen, seen->low, seen->high);
    add_failover(watch, &t0, span);
}

/* How long the old one could not be asked while another led: then nobody knows whether it led too.
 * Once settled, nobody is asked any more. */
static int64_t unasked(const struct Watch *watch, struct Mono from)
{
    const struct RunRecord *run = watch->analysis->run;
    struct Mono end = mono_min(run->settled.ns != 0 ? run->settled : run->mono_ended,
                               back_began_of(run, watch->probe->role));
    struct Mono last = from;
    int64_t longest = 0;
    if (watch->old == NOBODY || from.ns == 0)
        return 0;
    for (size_t n = 0; n <= watch->count; n++) {
        const struct Census *look = n < watch->count ? watch->at[n] : NULL;
        if (look != NULL && (look->host != watch->old || look->rank == RANK_UNKNOWN ||
                             mono_before(look->asked, from)))
            continue;
        struct Mono until = look != NULL ? mono_min(look->asked, end) : end;
        int64_t gap = mono_since(last, until);
        longest = gap > longest ? gap : longest;
        last = look != NULL ? look->answered : last;
    }
    return longest > watch->patience_ns ? longest : 0;
}

static bool by_host(const struct RunRecord *run, const struct Sample *sample, const char *host)
{
    return sample->by > 0 && sample->by <= run->host_count &&
           text_equal(run->hosts[sample->by - 1], host);
}

/* The old one acknowledged a write that was sent after another one had acknowledged one. */
static bool both_acknowledged(const struct Watch *watch)
{
    const struct RunRecord *run = watch->analysis->run;
    const char *old = watch->out->before;
    struct Mono first = {0};
    if (old == NULL || watch->out->split.high_ns == 0 || watch->out->system->relays)
        return false;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t n = 0; n < run->sample_count; n++) {
            const struct Sample *sample = &run->samples[n];
            if (sample->probe >= run->probe_count)
                continue;
            const struct RunProbe *probe = &run->probes[sample->probe];
            if (!probe->is_ledger || sample->outcome != OUTCOME_OK || sample->by == 0 ||
                !text_equal(probe->role, watch->probe->role) ||
                !mono_before(sample->ended, back_began_of(run, probe->role)) ||
                mono_before(sample->ended, watch->analysis->out->t0.low))
                continue;
            bool is_old = by_host(run, sample, old);
            if (pass == 0 && !is_old && (first.ns == 0 || mono_before(sample->ended, first)))
                first = sample->ended;
            if (pass == 1 && is_old && first.ns != 0 && mono_before(first, sample->started))
                return true;
        }
    }
    return false;
}

static struct Span detected(const struct Analysis *analysis, const struct RunSystem *system)
{
    if (system == NULL || system->detected_high.ns == 0 || !analysis->any_sent)
        return (struct Span){0, NS_NEVER};
    return span_since(analysis->out->t0, system->detected_low, system->detected_high);
}

static struct Span redundant(const struct Analysis *analysis, const struct RunSystem *system)
{
    const struct Report *report = analysis->out;
    if (system == NULL || system->redundant_high.ns == 0)
        return (struct Span){0, NS_NEVER};
    return span_since(report->undone.low.ns != 0 ? report->undone : report->t0,
                      system->redundant_low, system->redundant_high);
}

static void say_reigns(const struct Watch *watch, struct PrimaryResult *out)
{
    out->reigns = reigns_at(watch->reigns, &out->reign_count);
    out->old_host = watch->old;
    out->new_host = NOBODY;
    for (size_t n = 0; n < watch->count; n++) {
        const struct Census *look = watch->at[n];
        out->host_count = look->host >= out->host_count ? look->host + 1 : out->host_count;
        if (look->rank == RANK_PRIMARY && look->host != watch->old &&
            mono_before(watch->analysis->out->t0.low, look->answered))
            out->new_host = look->host;
    }
}

static const char *named(const char *host)
{
    return host != NULL && host[0] != '\0' ? host : NULL;
}

/* The longest with two primaries: of the faults' doing, and of the way back's. */
static void read_split(const struct Watch *watch, struct PrimaryResult *out)
{
    const struct Report *report = watch->analysis->out;
    struct Mono back = back_began_of(watch->analysis->run, watch->probe->role);
    struct Reigns *before = reigns_new(watch->analysis->arena, watch->patience_ns);
    for (size_t n = 0; n < watch->count; n++)
        if (mono_before(watch->at[n]->asked, back))
            reigns_look(before, watch->at[n]);
    out->split = reigns_split(before, report->t0.low);
    if (report->undone.low.ns != 0)
        out->split_after_undo = reigns_split(before, report->undone.low);
    if (back.ns != NS_NEVER)
        out->back_split = reigns_split(watch->reigns, back);
}

void analyse_primary(const struct Analysis *analysis, uint32_t probe, struct PrimaryResult *out)
{
    const struct RunProbe *of = &analysis->run->probes[probe];
    struct Watch watch = {.analysis = analysis,
                          .probe = of,
                          .patience_ns = reign_patience_ns(of->interval_ns, of->timeout_ns),
                          .out = out};
    out->probe = of;
    out->system = system_of(analysis->run, of->role);
    out->before = out->system != NULL ? named(out->system->primary_before) : NULL;
    out->after = out->system != NULL ? named(out->system->primary_after) : NULL;
    watch.reigns = reigns_new(analysis->arena, watch.patience_ns);
    gather(&watch, probe);
    watch.old = old_primary(&watch, analysis->out->t0.low);
    for (size_t n = 0; n < watch.count; n++)
        reigns_look(watch.reigns, watch.at[n]);
    struct Moment seen = new_primary(&watch, analysis->out->t0.low, watch.old);
    say_reigns(&watch, out);
    count_failovers(&watch, &seen);
    read_split(&watch, out);
    out->unasked_ns = unasked(&watch, seen.high);
    out->split_proven = both_acknowledged(&watch);
    out->detected = detected(analysis, out->system);
    out->redundant = redundant(analysis, out->system);
}

/* recovery.c - when a probe went down, came back, and healed: DESIGN.md 11. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse_parts.h"

/* One probe under one cause: stretches [first, end) reach into it, before the next fault. */
struct Scene {
    const struct Series *series;
    const struct Cause *cause;
    struct Mono boundary;   /* the last undo sent, or the end of the run */
    struct Mono first_undo; /* the first one, or the end of the run */
    size_t first, end;
};

static bool ends_after(const struct Stretch *stretch, struct Mono at)
{
    return stretch->open || mono_before(at, stretch->first_good_ended);
}

/* A stretch belongs to the fault that was sent last before it began; where it reaches over the next
 * one, that one finds the service down and waits for the same recovery. An attempt that was under
 * way when the fault was sent and failed after it is the fault's. */
static void find_stretches(const struct Analysis *analysis, size_t index, struct Scene *scene)
{
    const struct Series *series = scene->series;
    bool is_last = index + 1 == analysis->out->cause_count;
    struct Mono next =
        is_last ? back_began(analysis->run) : analysis->out->causes[index + 1].t0.low;
    scene->first = 0;
    while (scene->first < series->stretch_count &&
           !ends_after(&series->stretches[scene->first], scene->cause->t0.low))
        scene->first++;
    scene->end = scene->first;
    while (scene->end < series->stretch_count &&
           !mono_before(next, series->stretches[scene->end].first_bad_ended))
        scene->end++;
}

/* Proven to have failed before the last undo was sent: an attempt had failed by then, or one had
 * been sent so long before that a normal answer would have come. What was merely under way is the
 * undo's. */
static bool began_before(const struct Scene *scene, const struct Stretch *stretch)
{
    if (cause_last_undo(scene->cause).ns == 0)
        return true;
    struct Mono due = mono_add(stretch->first_bad_started, scene->series->normal_ns);
    return mono_before(stretch->first_bad_ended, scene->boundary) ||
           mono_before(due, scene->boundary);
}

static struct Span never_since(const struct Scene *scene, struct Mono still_bad)
{
    struct Mono last = mono_min(still_bad, scene->boundary);
    struct Span span = span_since(scene->cause->t0, last, last);
    return (struct Span){span.low_ns, NS_NEVER};
}

/* Good again before any undo was sent, and for as long as `hold`: no undo mended it. */
static bool came_back(const struct Scene *scene, size_t at)
{
    return scene->series->held[at] && !ends_after(&scene->series->stretches[at], scene->first_undo);
}

static struct Span back_since(const struct Scene *scene, const struct Stretch *stretch)
{
    return span_since(scene->cause->t0, stretch->last_bad_started, stretch->first_good_ended);
}

static void recovered(const struct Scene *scene, struct CauseResult *out)
{
    const struct Stretch *stretches = scene->series->stretches;
    size_t last = scene->end;
    while (last > scene->first && !began_before(scene, &stretches[last - 1]))
        last--;
    out->unaffected = last == scene->first;
    if (out->unaffected) {
        out->down = out->recovered = out->first_recovered = (struct Span){NS_NEVER, NS_NEVER};
        return;
    }
    const struct Stretch *first = &stretches[scene->first];
    out->down = span_since(scene->cause->t0, first->last_good, first->first_bad_ended);
    out->censored = !came_back(scene, last - 1);
    out->recovered = out->censored ? never_since(scene, stretches[last - 1].last_bad_started)
                                   : back_since(scene, &stretches[last - 1]);
    out->first_recovered = out->recovered;
    for (size_t n = scene->first; n + 1 < last; n++) {
        if (came_back(scene, n)) {
            out->first_recovered = back_since(scene, &stretches[n]);
            break;
        }
    }
}

/* From the last undo, for stretches that reach or follow it. */
static void healed(const struct Scene *scene, struct CauseResult *out)
{
    struct Moment undone = {cause_last_undo(scene->cause), scene->cause->undone.high};
    if (undone.low.ns == 0 || scene->end == scene->first)
        return;
    const struct Stretch *last = &scene->series->stretches[scene->end - 1];
    if (!ends_after(last, undone.low))
        return;
    bool never = last->open || !scene->series->held[scene->end - 1];
    struct Mono end = never ? (struct Mono){NS_NEVER} : last->first_good_ended;
    out->healed = span_since(undone, last->last_bad_started, end);
}

/* ---- Downtime ---- */

static int64_t plus(int64_t a, int64_t b)
{
    return a == NS_NEVER || b == NS_NEVER ? NS_NEVER : a + b;
}

/* Within T0 to the end of OBSERVING; what still failed at its end lasted longer than was seen. */
static struct Span within_window(const struct Report *report, const struct Stretch *stretch)
{
    if (!ends_after(stretch, report->window_end))
        return stretch->length;
    struct Mono last = mono_min(stretch->last_bad_started, report->window_end);
    int64_t low = mono_since(stretch->first_bad_ended, last);
    return (struct Span){low > 0 ? low : 0, NS_NEVER};
}

static void downtime(const struct Report *report, const struct Series *series,
                     struct ProbeResult *out)
{
    for (size_t n = 0; n < series->stretch_count; n++) {
        const struct Stretch *stretch = &series->stretches[n];
        if (!ends_after(stretch, report->t0.low) ||
            !mono_before(stretch->first_bad_started, report->window_end))
            continue;
        struct Span length = within_window(report, stretch);
        out->windows++;
        out->downtime.low_ns += length.low_ns;
        out->downtime.high_ns = plus(out->downtime.high_ns, length.high_ns);
        if (length.high_ns > out->outage.high_ns ||
            (length.high_ns == out->outage.high_ns && length.low_ns > out->outage.low_ns))
            out->outage = length;
    }
}

/* ---- One probe ---- */

/* The slowest cause speaks for the probe. */
static void worst_cause(struct ProbeResult *out, size_t count)
{
    const struct CauseResult *worst = NULL;
    for (size_t n = 0; n < count; n++) {
        const struct CauseResult *cause = &out->causes[n];
        if (cause->healed.high_ns > out->healed.high_ns)
            out->healed = cause->healed;
        if (cause->unaffected)
            continue;
        if (worst == NULL || cause->recovered.high_ns > worst->recovered.high_ns ||
            (cause->recovered.high_ns == worst->recovered.high_ns &&
             cause->recovered.low_ns > worst->recovered.low_ns))
            worst = cause;
    }
    out->unaffected = worst == NULL && out->failed == 0;
    out->down = worst != NULL ? worst->down : (struct Span){NS_NEVER, NS_NEVER};
    out->recovered = worst != NULL ? worst->recovered : (struct Span){NS_NEVER, NS_NEVER};
    out->first_recovered = worst != NULL ? worst->first_recovered : out->recovered;
    out->censored = worst != NULL && worst->censored;
}

static bool is_silent(const struct ProbeResult *result)
{
    uint32_t silent = result->failures[FAILURE_TIMEOUT] + result->failures[FAILURE_SLOW];
    return silent > 0 && silent * 2 >= result->during_failed;
}

static int64_t late_at_most(const struct RunProbe *probe)
{
    return probe->under_ns > 0 && probe->under_ns < probe->timeout_ns ? probe->under_ns
                                                                      : probe->timeout_ns;
}

void analyse_recovery(const struct Analysis *analysis, const struct Series *series,
                      struct ProbeResult *out)
{
    const struct Report *report = analysis->out;
    struct CauseResult *causes =
        arena_zero(analysis->arena, report->cause_count + 1, sizeof(*causes));
    out->causes = causes;
    out->stretches = series->stretches;
    out->stretch_count = series->stretch_count;
    struct Mono end = mono_min(analysis->run->mono_ended, back_began(analysis->run));
    for (size_t n = 0; n < report->cause_count; n++) {
        struct Mono first = report->causes[n].undone.low;
        struct Scene scene = {.series = series,
                              .cause = &report->causes[n],
                              .boundary = cause_boundary(analysis->run, &report->causes[n]),
                              .first_undo = first.ns != 0 ? first : end};
        if (out->probe->is_alert) { /* an alert that is over is no recovery of anything */
            causes[n] = (struct CauseResult){.unaffected = true};
            continue;
        }
        find_stretches(analysis, n, &scene);
        recovered(&scene, &causes[n]);
        healed(&scene, &causes[n]);
        if (n == 0 && scene.end > scene.first)
            out->failing_at_t0 =
                !mono_before(scene.cause->t0.low, series->stretches[scene.first].first_bad_ended);
    }
    downtime(report, series, out);
    worst_cause(out, report->cause_count);
    out->silent = is_silent(out);
    if (out->unaffected)
        return; /* then it is what was not seen: series.c */
    int64_t t0_width = report->t0.high.ns != 0 ? mono_since(report->t0.low, report->t0.high) : 0;
    bool measured = out->recovered.high_ns != NS_NEVER && out->recovered.low_ns > 0;
    out->resolution_ns = measured ? out->recovered.high_ns - out->recovered.low_ns
                                  : out->probe->interval_ns + series->normal_ns + t0_width +
                                        (out->silent ? late_at_most(out->probe) : 0);
}

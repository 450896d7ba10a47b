/* gray.c - how long clients failed while who led said that it leads, and nobody took over. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../runner/base/text.h"
#include "analyse_parts.h"

/* What is shorter may have come and gone between two looks. */
#define GRAY_LEAST_NS NS_PER_S

static int64_t overlap(struct Moment a, struct Moment b)
{
    struct Mono low = mono_before(a.low, b.low) ? b.low : a.low;
    int64_t both_ns = mono_since(low, mono_min(a.high, b.high));
    return both_ns > 0 ? both_ns : 0;
}

/* Somebody else led, or it is not known; or the control plane said that something is wrong. */
static bool was_seen(const struct PrimaryResult *primary)
{
    return primary->failover.high_ns != NS_NEVER || primary->detected.high_ns != NS_NEVER ||
           primary->split.high_ns > 0 || !text_equal(primary->after, primary->before);
}

static bool was_struck(const struct Report *report, const struct PrimaryResult *primary)
{
    for (size_t n = 0; n < report->cause_count; n++)
        if (!cause_is_failover(&report->causes[n]) &&
            cause_struck(&report->causes[n], primary->before))
            return true;
    return false;
}

/* Of this role, or of nobody's: a page that is served through it, say. */
static bool is_client(const struct RunProbe *probe, const struct PrimaryResult *primary)
{
    return !probe->control && !probe->is_primary && !probe->is_alert &&
           (probe->role == NULL || text_equal(probe->role, primary->probe->role));
}

/* Surely failing while it surely led, as it had before; at most, as long as it failed: where it was
 * not heard, it may have led as well. Once it was dead and is back, clients are late, and it is no
 * gray window. From T0 on. */
static struct Span failed_meanwhile(const struct Report *report,
                                    const struct PrimaryResult *primary,
                                    const struct ProbeResult *client)
{
    const struct Moment all = {report->t0.low, report->window_end};
    struct Span out = {0, 0};
    for (size_t n = 0; n < client->stretch_count; n++) {
        const struct Stretch *stretch = &client->stretches[n];
        struct Moment fails = {stretch->first_bad_ended, stretch->last_bad_started};
        struct Moment most = {stretch->last_good,
                              stretch->open ? all.high : stretch->first_good_ended};
        if (mono_before(fails.low, all.low))
            fails.low = all.low;
        fails.high = mono_min(fails.high, all.high);
        out.high_ns += overlap(most, all);
        for (size_t at = 0; at < primary->reign_count; at++) {
            const struct Reign *reign = &primary->reigns[at];
            if (reign->host == primary->old_host && mono_before(reign->surely.low, fails.low))
                out.low_ns += overlap(fails, reign->surely);
        }
    }
    return out;
}

void analyse_gray(struct Report *report)
{
    for (size_t n = 0; n < report->primary_count; n++) {
        struct PrimaryResult *primary = &report->primaries[n];
        if (primary->before == NULL || !primary->seen || was_seen(primary) ||
            !was_struck(report, primary))
            continue;
        for (size_t at = 0; at < report->probe_count; at++) {
            const struct ProbeResult *client = &report->probes[at];
            if (!is_client(client->probe, primary))
                continue;
            struct Span span = failed_meanwhile(report, primary, client);
            if (span.low_ns >= GRAY_LEAST_NS && span.low_ns > primary->gray.low_ns) {
                primary->gray = span;
                primary->gray_of = client->probe;
            }
        }
    }
}

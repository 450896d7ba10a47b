/* cycles.c - the runs of a repeat as one: the worst verdict, the median recovery. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cycles.h"

#include <stdlib.h>

#include "../base/text.h"

enum Verdict cycle_verdict(const struct Cycle *cycle, enum Verdict verdict)
{
    bool not_begun = verdict == VERDICT_REFUSED || verdict == VERDICT_NOT_READY;
    return not_begun && cycle->number > 1 ? VERDICT_INCONCLUSIVE : verdict;
}

static bool belongs(const struct Past *first, const struct Past *row)
{
    return row->cycle.of > 1 && text_equal(first->cycle.first, row->cycle.first);
}

static int by_size(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* NS_NEVER where half of them or more did not recover. */
static int64_t median(int64_t *values, size_t count)
{
    if (count == 0)
        return -1;
    qsort(values, count, sizeof *values, by_size);
    int64_t low = values[(count - 1) / 2], high = values[count / 2];
    return high == NS_NEVER ? NS_NEVER : low + (high - low) / 2;
}

static bool is_judged(const struct Past *row)
{
    return row->verdict == VERDICT_PASS || row->verdict == VERDICT_FAIL;
}

static int64_t recovery_of(const struct Past *row)
{
    return !is_judged(row) || row->unaffected ? -1
           : row->censored                    ? NS_NEVER
                                              : row->recovery_high_ns;
}

/* Unaffected where each was judged and none was hurt. Lost writes and verdict of the worst;
 * recovery is the median of those that were hurt. */
static struct Past join(const struct Past *rows, size_t count, struct Arena *arena)
{
    struct Past out = rows[0];
    int64_t *all = arena_zero(arena, count, sizeof *all);
    int64_t *lows = arena_zero(arena, count, sizeof *lows);
    int64_t *highs = arena_zero(arena, count, sizeof *highs);
    size_t hurt = 0;
    out.unaffected = out.finished = true;
    for (size_t n = 0; n < count; n++) {
        enum Verdict verdict = cycle_verdict(&rows[n].cycle, rows[n].verdict);
        if (n > 0 && verdict_worst(out.verdict, verdict) != out.verdict) {
            out.verdict = verdict;
            out.id = rows[n].id;
            out.why = rows[n].why;
            out.advice = rows[n].advice;
            out.owner = rows[n].owner;
        }
        out.finished = out.finished && rows[n].finished;
        out.unaffected = out.unaffected && is_judged(&rows[n]) && rows[n].unaffected;
        out.lost = out.lost < 0 || rows[n].lost < 0 ? -1
                   : out.lost > rows[n].lost        ? out.lost
                                                    : rows[n].lost;
        all[n] = recovery_of(&rows[n]);
        if (all[n] < 0)
            continue;
        lows[hurt] = rows[n].recovery_low_ns;
        highs[hurt++] = all[n];
    }
    if (count < out.cycle.of)
        out.verdict = verdict_worst(out.verdict, VERDICT_INCONCLUSIVE);
    out.recovery_low_ns = median(lows, hurt);
    out.recovery_high_ns = median(highs, hurt);
    out.censored = out.recovery_high_ns == NS_NEVER;
    if (out.censored)
        out.recovery_high_ns = -1;
    out.recoveries = all;
    out.recovery_count = count;
    return out;
}

size_t cycles_join(struct Past *rows, size_t count, struct Arena *arena)
{
    size_t left = 0;
    for (size_t n = 0; n < count;) {
        size_t end = n + 1;
        while (rows[n].cycle.of > 1 && end < count && belongs(&rows[n], &rows[end]))
            end++;
        rows[left++] = rows[n].cycle.of > 1 ? join(&rows[n], end - n, arena) : rows[n];
        n = end;
    }
    return left;
}

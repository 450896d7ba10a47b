/* scenario_bounds.c - the words of `expect` and `halt` as keys of a file. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario_fields.h"

#include <stddef.h>

#define DAY_NS (24 * 3600 * NS_PER_S)
#define WHOLE 1000000 /* 100 %, in millionths */
#define LIMIT(word) .offset = offsetof(struct BoundFields, limit[word]), .flags = FIELD_UNSET

#define DURATION_ROW(key, word, at_most, sample, text)                                             \
    {                                                                                              \
        .name = key, .type = FIELD_DURATION, LIMIT(word), .min = 0, .max = (at_most),              \
        .example = sample, .doc = text                                                             \
    }
#define SHARE_ROW(key, word, sample, text)                                                         \
    {                                                                                              \
        .name = key, .type = FIELD_SHARE, LIMIT(word), .min = 0, .max = WHOLE, .example = sample,  \
        .doc = text                                                                                \
    }

/* Words that every probe, every phase and halt has. */
#define REQUEST_ROWS                                                                               \
    DURATION_ROW("max_outage", BOUND_MAX_OUTAGE, DAY_NS, "5s", "The longest failing stretch."),    \
        DURATION_ROW("max_downtime", BOUND_MAX_DOWNTIME, DAY_NS, "10s",                            \
                     "The sum of all failing stretches."),                                         \
        SHARE_ROW("max_errors", BOUND_MAX_ERRORS, "6%",                                            \
                  "The share of failed requests while the fault was in effect, or in a phase."),   \
        SHARE_ROW("min_success", BOUND_MIN_SUCCESS, "94%",                                         \
                  "The share of good requests while the fault was in effect, or in a phase."),     \
        DURATION_ROW("max_p50", BOUND_MAX_P50, DAY_NS, "50ms",                                     \
                     "The latency within which half of the answers came."),                        \
        DURATION_ROW("max_p95", BOUND_MAX_P95, DAY_NS, "200ms",                                    \
                     "The latency within which 95 of 100 answers came."),                          \
        DURATION_ROW("max_p99", BOUND_MAX_P99, DAY_NS, "800ms",                                    \
                     "The latency within which 99 of 100 answers came.")

/* Words that each phase has, and halt. */
#define ANSWER_ROWS                                                                                \
    {.name = "min_rate",                                                                           \
     .type = FIELD_TEXT,                                                                           \
     .offset = offsetof(struct BoundFields, least_rate),                                           \
     .example = "95% of before",                                                                   \
     .doc = "Good answers a second: `20/s`, or a share of this run's own baseline."},              \
    {                                                                                              \
        .name = "status_only", .type = FIELD_LIST,                                                 \
        .offset = offsetof(struct BoundFields, statuses), .min = 1, .max = 20,                     \
        .example = "[200, 503]",                                                                   \
        .doc = "Every answer has one of these codes; refused and late ones break it."              \
    }
#define PHASE_ROW(phase, text)                                                                     \
    {                                                                                              \
        .name = #phase, .type = FIELD_RECORD, .offset = offsetof(struct BoundFields, phase),       \
        .of = &PHASE_RECORD, .example = "{max_p95: 200ms}", .doc = text                            \
    }

static const struct Field PHASE_FIELDS[] = {
    REQUEST_ROWS,
    ANSWER_ROWS,
    {.name = "", .type = FIELD_NODE, .offset = offsetof(struct BoundFields, node)},
    {.name = NULL},
};
static const struct Record PHASE_RECORD = {
    .name = "phase",
    .doc = "Bounds of one probe in one phase of the drill.",
    .size = sizeof(struct BoundFields),
    .fields = PHASE_FIELDS,
};

static const struct Field EXPECT_FIELDS[] = {
    {.name = "",
     .type = FIELD_NAME,
     .offset = offsetof(struct BoundFields, probe),
     .flags = FIELD_SNAKE},
    DURATION_ROW("recover_within", BOUND_RECOVER_WITHIN, DAY_NS, "20s",
                 "From the fault to the start of the good stretch that holds."),
    DURATION_ROW("recover_not_before", BOUND_RECOVER_NOT_BEFORE, DAY_NS, "2s",
                 "A recovery earlier than that means that the fault was not what it should be."),
    DURATION_ROW("failover_within", BOUND_FAILOVER_WITHIN, DAY_NS, "12s",
                 "From the fault to one primary that is not the old one."),
    DURATION_ROW("redundant_within", BOUND_REDUNDANT_WITHIN, DAY_NS, "60s",
                 "From the undo (from the fault where there is nothing to undo) to the redundancy "
                 "of before."),
    DURATION_ROW("detected_within", BOUND_DETECTED_WITHIN, DAY_NS, "5s",
                 "From the fault to its first notice by the system's control plane, or to the "
                 "alert."),
    {.name = "max_lost",
     .type = FIELD_LOSS,
     .offset = offsetof(struct BoundFields, max_lost),
     .example = "0",
     .doc = "Acknowledged writes that are gone: a count, or a duration for the writes of so long."},
    {.name = "max_duplicated",
     .type = FIELD_INT,
     LIMIT(BOUND_MAX_DUPLICATED),
     .min = 0,
     .max = INT64_MAX,
     .example = "0",
     .doc = "Writes that are there twice."},
    REQUEST_ROWS,
    DURATION_ROW("max_split", BOUND_MAX_SPLIT, DAY_NS, "0s",
                 "The longest time with two primaries, the aftermath of the undo included."),
    ANSWER_ROWS,
    PHASE_ROW(before, "Bounds for the baseline, before the first step."),
    PHASE_ROW(during, "Bounds while the fault was proven to be there, until its undo was sent."),
    PHASE_ROW(after, "Bounds from when all was proven undone to the end of the drill."),
    {.name = "must_notice",
     .type = FIELD_BOOL,
     .offset = offsetof(struct BoundFields, must_notice),
     .fallback = "false",
     .example = "true",
     .doc = "The probe must have failed: a negative control, else the run shows nothing."},
    {.name = "max",
     .type = FIELD_TEXT,
     .offset = offsetof(struct BoundFields, most),
     .example = "20m",
     .doc = "Of what a step measures or captures: at most so much."},
    {.name = "min",
     .type = FIELD_TEXT,
     .offset = offsetof(struct BoundFields, least),
     .example = "1000000",
     .doc = "Of what a step measures or captures: at least so much."},
    {.name = "equals",
     .type = FIELD_TEXT,
     .offset = offsetof(struct BoundFields, equals),
     .example = "t",
     .doc = "Of what a step captures: just this."},
    {.name = "", .type = FIELD_NODE, .offset = offsetof(struct BoundFields, node)},
    {.name = NULL},
};
const struct Record EXPECT_RECORD = {
    .name = "expect",
    .doc = "Bounds of one probe, or of what steps measure, judged at the end of the drill.",
    .size = sizeof(struct BoundFields),
    .fields = EXPECT_FIELDS,
};

/* HALT_RECORD has no row for the words that only expect has, so that decoding leaves 0 there:
 * bound_may_halt() says which to read. */
static const struct Field HALT_FIELDS[] = {
    {.name = "",
     .type = FIELD_NAME,
     .offset = offsetof(struct BoundFields, probe),
     .flags = FIELD_SNAKE},
    REQUEST_ROWS,
    DURATION_ROW("max_split", BOUND_MAX_SPLIT, DAY_NS, "5s",
                 "The longest time with two primaries so far, as far as it is proven."),
    ANSWER_ROWS,
    {.name = "", .type = FIELD_NODE, .offset = offsetof(struct BoundFields, node)},
    {.name = NULL},
};
const struct Record HALT_RECORD = {
    .name = "halt",
    .doc = "Bounds of one probe that stop the drill at once; shares, rates, codes and latencies "
           "over the last 30 s. For a share or rate nothing counts up to the last failure before "
           "the fault.",
    .size = sizeof(struct BoundFields),
    .fields = HALT_FIELDS,
};

bool bound_may_halt(enum BoundWord word)
{
    switch (word) {
    case BOUND_MAX_OUTAGE:
    case BOUND_MAX_DOWNTIME:
    case BOUND_MAX_ERRORS:
    case BOUND_MIN_SUCCESS:
    case BOUND_MAX_SPLIT:
    case BOUND_MAX_P50:
    case BOUND_MAX_P95:
    case BOUND_MAX_P99:
    case BOUND_MIN_RATE:
    case BOUND_STATUS_ONLY:
        return true;
    case BOUND_MAX_LOST:
    case BOUND_MAX_DUPLICATED:
    case BOUND_MAX_STALE:
    case BOUND_RECOVER_WITHIN:
    case BOUND_RECOVER_NOT_BEFORE:
    case BOUND_FAILOVER_WITHIN:
    case BOUND_REDUNDANT_WITHIN:
    case BOUND_DETECTED_WITHIN:
    case BOUND_MUST_NOTICE:
    case BOUND_MAX:
    case BOUND_MIN:
    case BOUND_EQUALS:
    case BOUND_COUNT:
        return false;
    }
    return false;
}

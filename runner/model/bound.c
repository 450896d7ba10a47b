/* bound.c - what the words of expect and halt measure, and of which probes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "bound.h"

#include <stdlib.h>
#include <string.h>

#include "../base/duration.h"
#include "../base/err.h"
#include "../base/text.h"

static const struct BoundRow ROWS[BOUND_COUNT] = {
    [BOUND_MAX_OUTAGE] = {.name = "max_outage", .type = FIELD_DURATION, .measures = "outage"},
    [BOUND_MAX_DOWNTIME] = {.name = "max_downtime", .type = FIELD_DURATION, .measures = "downtime"},
    [BOUND_MAX_ERRORS] = {.name = "max_errors", .type = FIELD_SHARE, .measures = "errors"},
    [BOUND_MAX_LOST] = {.name = "max_lost",
                        .type = FIELD_LOSS,
                        .needs = BOUND_NEEDS_LEDGER,
                        .measures = "lost"},
    [BOUND_MAX_DUPLICATED] = {.name = "max_duplicated",
                              .type = FIELD_INT,
                              .needs = BOUND_NEEDS_LEDGER,
                              .measures = "duplicated"},
    [BOUND_MAX_STALE] = {.name = "max_stale", .type = FIELD_DURATION, .measures = "stale"},
    [BOUND_MAX_SPLIT] = {.name = "max_split",
                         .type = FIELD_DURATION,
                         .needs = BOUND_NEEDS_PRIMARY,
                         .measures = "split"},
    [BOUND_MAX_P50] = {.name = "max_p50", .type = FIELD_DURATION, .measures = "median"},
    [BOUND_MAX_P95] = {.name = "max_p95", .type = FIELD_DURATION, .measures = "p95"},
    [BOUND_MAX_P99] = {.name = "max_p99", .type = FIELD_DURATION, .measures = "p99"},
    [BOUND_RECOVER_WITHIN] = {.name = "recover_within",
                              .type = FIELD_DURATION,
                              .measures = "recovery"},
    [BOUND_RECOVER_NOT_BEFORE] = {.name = "recover_not_before",
                                  .type = FIELD_DURATION,
                                  .wants_event = true,
                                  .measures = "recovery"},
    [BOUND_FAILOVER_WITHIN] = {.name = "failover_within",
                               .type = FIELD_DURATION,
                               .needs = BOUND_NEEDS_PRIMARY,
                               .wants_event = true,
                               .measures = "failover"},
    [BOUND_REDUNDANT_WITHIN] = {.name = "redundant_within",
                                .type = FIELD_DURATION,
                                .needs = BOUND_NEEDS_PRIMARY,
                                .wants_event = true,
                                .measures = "redundant"},
    [BOUND_DETECTED_WITHIN] = {.name = "detected_within",
                               .type = FIELD_DURATION,
                               .needs = BOUND_NEEDS_NOTICE,
                               .wants_event = true,
                               .measures = "detected"},
    [BOUND_MIN_SUCCESS] = {.name = "min_success", .type = FIELD_SHARE, .measures = "success"},
    [BOUND_MIN_RATE] = {.name = "min_rate", .type = FIELD_TEXT, .measures = "rate"},
    [BOUND_STATUS_ONLY] = {.name = "status_only",
                           .type = FIELD_TEXT,
                           .needs = BOUND_NEEDS_STATUS,
                           .measures = "status"},
    [BOUND_MUST_NOTICE] = {.name = "must_notice",
                           .type = FIELD_BOOL,
                           .wants_event = true,
                           .measures = "noticed"},
    [BOUND_MAX] = {.name = "max",
                   .type = FIELD_TEXT,
                   .needs = BOUND_NEEDS_FIGURE,
                   .measures = "measured"},
    [BOUND_MIN] = {.name = "min",
                   .type = FIELD_TEXT,
                   .needs = BOUND_NEEDS_FIGURE,
                   .measures = "measured"},
    [BOUND_EQUALS] = {.name = "equals",
                      .type = FIELD_TEXT,
                      .needs = BOUND_NEEDS_FIGURE,
                      .measures = "measured"},
};

const struct BoundRow *bound_row(enum BoundWord word)
{
    if ((size_t)word >= COUNT_OF(ROWS))
        bug("no such bound %d", (int)word);
    return &ROWS[word];
}

bool bound_find(const char *name, enum BoundWord *word)
{
    for (size_t n = 0; n < COUNT_OF(ROWS); n++) {
        if (text_equal(ROWS[n].name, name)) {
            *word = (enum BoundWord)n;
            return true;
        }
    }
    return false;
}

const char *bound_name(enum BoundWord word)
{
    return bound_row(word)->name;
}

bool bound_has_phases(enum BoundWord word)
{
    enum BoundNeeds needs = bound_row(word)->needs;
    bool of_requests = needs == BOUND_NEEDS_NOTHING || needs == BOUND_NEEDS_STATUS;
    return of_requests && !bound_row(word)->wants_event && word != BOUND_RECOVER_WITHIN &&
           word != BOUND_MAX_STALE;
}

bool bound_counts_from_fault(enum BoundWord word)
{
    return word == BOUND_RECOVER_WITHIN || word == BOUND_RECOVER_NOT_BEFORE ||
           word == BOUND_FAILOVER_WITHIN || word == BOUND_REDUNDANT_WITHIN ||
           word == BOUND_DETECTED_WITHIN;
}

/* ---- As runs keep them. ---- */
static const char *const WHENS[] = {"", "before", "during", "after"};

const char *when_name(enum When when)
{
    return WHENS[when];
}

void bound_write(enum When when, enum BoundWord word, char out[48])
{
    snprintf(out, 48, "%s%s%s", when_name(when), when == WHEN_ALL ? "" : ".", bound_name(word));
}

bool bound_read(const char *text, enum When *when, enum BoundWord *word)
{
    const char *dot = text != NULL ? strchr(text, '.') : NULL;
    *when = WHEN_ALL;
    if (dot == NULL)
        return bound_find(text, word);
    for (size_t n = 1; n < COUNT_OF(WHENS); n++)
        if (strlen(WHENS[n]) == (size_t)(dot - text) && text_starts(text, WHENS[n]))
            *when = (enum When)n;
    return *when != WHEN_ALL && bound_find(dot + 1, word);
}

bool rate_limit_parse(const char *text, struct RateLimit *out, const char **why)
{
    char share[32] = "";
    size_t size = strcspn(text, " ");
    *out = (struct RateLimit){.of_before = text_equal(text + size, " of before")};
    if (!out->of_before)
        return rate_parse(text, &out->value, why);
    if (size < sizeof share)
        memcpy(share, text, size);
    return share_parse(share, &out->value, why);
}

size_t status_list_parse(const char *text, int *codes, size_t room)
{
    size_t count = 0;
    for (const char *at = text; count < room; at += strspn(at, ", ")) {
        char *end = NULL;
        long code = strtol(at, &end, 10);
        if (end != at + 3 || code < 100 || code > 599 || strchr(", ", *end) == NULL)
            return 0;
        codes[count++] = (int)code;
        at = end;
        if (*at == '\0')
            return count;
    }
    return 0;
}

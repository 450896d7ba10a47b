/* knobs.c - settings that decide a failover: what they promise, and what others would. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "knobs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/duration.h"
#include "../base/err.h"
#include "../base/text.h"

/* ---- Values ---- */

static int64_t scaled(const char *text, int64_t unit)
{
    char *end = NULL;
    double value = strtod(text, &end);
    bool good = end != text && value >= 0 && value < 1e9;
    return good ? (int64_t)llround(value * (double)unit) : KNOB_UNKNOWN;
}

static int64_t switch_of(const char *text)
{
    if (text_starts(text, "on") || text_starts(text, "yes"))
        return 1;
    return text_starts(text, "off") || text_starts(text, "no") ? 0 : KNOB_UNKNOWN;
}

static int64_t word_of(const char *const *words, const char *text)
{
    int64_t at = 0;
    while (words[at + 1] != NULL && !text_equal(words[at], text))
        at++;
    return text[0] != '\0' ? at : KNOB_UNKNOWN;
}

static int64_t value_of(const struct KnobRow *row, const char *text)
{
    int64_t ns = KNOB_UNKNOWN;
    switch (row->unit) {
    case KNOB_MS:
        return scaled(text, NS_PER_MS);
    case KNOB_S:
        return scaled(text, NS_PER_S);
    case KNOB_TIME:
        return duration_parse(text, &ns, NULL) ? ns : KNOB_UNKNOWN;
    case KNOB_COUNT:
        return scaled(text, 1);
    case KNOB_SWITCH:
        return switch_of(text);
    case KNOB_WORD:
        return word_of(row->words, text);
    }
    return KNOB_UNKNOWN;
}

void knob_write(const struct KnobRow *row, enum KnobUnit unit, int64_t value, char out[40])
{
    char text[32];
    switch (unit) {
    case KNOB_MS:
        snprintf(out, 40, "%lld", (long long)(value / NS_PER_MS));
        return;
    case KNOB_S:
        snprintf(out, 40, "%g", (double)value / (double)NS_PER_S);
        return;
    case KNOB_TIME:
        duration_write(value, text);
        snprintf(out, 40, "%s", text);
        return;
    case KNOB_COUNT:
        snprintf(out, 40, "%lld", (long long)value);
        return;
    case KNOB_SWITCH:
        snprintf(out, 40, "%s", value != 0 ? "on" : "off");
        return;
    case KNOB_WORD:
        snprintf(out, 40, "%s", row->words[value]);
        return;
    }
}

void knobs_read(const struct KnobTable *table, const struct Knob *knobs, size_t count,
                int64_t *values)
{
    for (size_t row = 0; row < KNOB_ROWS_MAX; row++)
        values[row] = KNOB_UNKNOWN;
    for (size_t row = 0; row < table->row_count; row++)
        for (size_t at = count; at > 0; at--) /* the first of a name counts */
            if (text_equal(knobs[at - 1].name, table->rows[row].name))
                values[row] = value_of(&table->rows[row], knobs[at - 1].value);
}

void knobs_read_text(const struct KnobTable *table, const char *text, int64_t *values)
{
    for (size_t row = 0; row < KNOB_ROWS_MAX; row++)
        values[row] = KNOB_UNKNOWN;
    for (size_t row = 0; row < table->row_count; row++) {
        const char *name = table->rows[row].name;
        size_t size = strlen(name);
        for (const char *at = text; (at = strstr(at, name)) != NULL; at += size) {
            char value[64];
            bool begins = at == text || (at >= text + 2 && at[-1] == ' ' && at[-2] == ',');
            if (!begins || at[size] != ' ')
                continue;
            snprintf(value, sizeof(value), "%.*s", (int)strcspn(at + size + 1, ","), at + size + 1);
            values[row] = value_of(&table->rows[row], value);
            break;
        }
    }
}

/* ---- Wishes ---- */

enum { CHOICES_MAX = 24 };

/* One knob's other values, the least change first. */
struct Choices {
    size_t row, count;
    int64_t values[CHOICES_MAX];
};
struct Search {
    const struct KnobTable *table;
    const struct KnobWish *wish;
    struct Forecast today, found_forecast;
    int64_t values[KNOB_ROWS_MAX];
    struct Choices choices[KNOB_ROWS_MAX];
    size_t choice_count;
    double cost, found_cost; /* by how much values change; of the best so far */
    struct KnobChange change[3], found[3];
    size_t found_count;
};

/* 1, 1.5, 2, 3, 5, 7 times a power of ten, which is what people write. */
static void list_lower(const struct KnobRow *row, int64_t from, struct Choices *out)
{
    static const int64_t steps[] = {70, 50, 30, 20, 15, 10};
    int64_t unit = row->unit == KNOB_COUNT ? 1 : NS_PER_MS;
    if (row->unit == KNOB_COUNT) {
        for (int64_t to = from - 1; to >= row->least && out->count < CHOICES_MAX; to--)
            out->values[out->count++] = to;
        return;
    }
    for (int64_t power = 1000000000; power >= 1; power /= 10) {
        for (size_t n = 0; n < COUNT_OF(steps); n++) {
            int64_t to = steps[n] * power / 10 * unit;
            bool whole = row->written != KNOB_S || to % NS_PER_S == 0;
            if (to < from && to >= row->least && whole && out->count < CHOICES_MAX &&
                (out->count == 0 || out->values[out->count - 1] != to))
                out->values[out->count++] = to;
        }
    }
}

static void list_choices(struct Search *search)
{
    for (size_t n = 0; n < search->table->row_count; n++) {
        const struct KnobRow *row = &search->table->rows[n];
        struct Choices *choices = &search->choices[search->choice_count];
        int64_t from = search->values[n];
        if (row->line == NULL || from == KNOB_UNKNOWN)
            continue;
        *choices = (struct Choices){.row = n};
        if (row->better > 0 && from < row->better)
            choices->values[choices->count++] = row->better;
        else if (row->better == 0)
            list_lower(row, from, choices);
        if (choices->count > 0)
            search->choice_count++;
    }
}

static struct Span moved(struct Span now, struct Span from, struct Span to)
{
    int64_t low = now.low_ns + to.low_ns - from.low_ns;
    return (struct Span){low > 0 ? low : 0, now.high_ns + to.high_ns - from.high_ns};
}

static bool grants(const struct Search *search, struct Forecast *out)
{
    const struct KnobWish *wish = search->wish;
    search->table->foretell(search->values, out);
    if (!out->allowed)
        return false;
    if (out->failover.high_ns == NS_NEVER || wish->today.high_ns == NS_NEVER)
        out->failover = (struct Span){0, NS_NEVER};
    else
        out->failover = moved(wish->today, search->today.failover, out->failover);
    if (wish->failover_ns != KNOB_UNKNOWN &&
        (out->failover.high_ns == NS_NEVER || out->failover.high_ns > wish->failover_ns))
        return false;
    return wish->acked_ns == KNOB_UNKNOWN || out->lossless ||
           (out->acked.high_ns >= 0 && out->acked.high_ns <= wish->acked_ns);
}

/* By what factor it is lowered; where it still is above what its makers chose, that weighs little.
 */
static double cost_of(const struct KnobRow *row, int64_t from, int64_t to)
{
    if (to >= from)
        return 1;
    double whole = log((double)from / (double)to);
    int64_t until = to > row->usual ? to : row->usual;
    double above = from > row->usual ? log((double)from / (double)until) : 0;
    return whole - above * 3 / 4;
}

/* All ways to change `left` more knobs from choice `first` on. */
static void try_from(struct Search *search, size_t first, size_t depth, size_t left)
{
    if (left == 0) {
        struct Forecast forecast = {.allowed = true};
        if (search->found_count > 0 && search->cost >= search->found_cost)
            return;
        if (!grants(search, &forecast))
            return;
        memcpy(search->found, search->change, sizeof(search->found));
        search->found_count = depth;
        search->found_cost = search->cost;
        search->found_forecast = forecast;
        return;
    }
    for (size_t n = first; n < search->choice_count; n++) {
        const struct Choices *choices = &search->choices[n];
        int64_t from = search->values[choices->row];
        double before = search->cost;
        for (size_t at = 0; at < choices->count; at++) {
            int64_t to = choices->values[at];
            search->values[choices->row] = to;
            const struct KnobRow *row = &search->table->rows[choices->row];
            search->change[depth] = (struct KnobChange){.row = row, .from = from, .to = to};
            search->cost = before + cost_of(row, from, to);
            try_from(search, n + 1, depth + 1, left - 1);
        }
        search->values[choices->row] = from;
        search->cost = before;
    }
}

size_t knobs_grant(const struct KnobTable *table, const int64_t *values,
                   const struct KnobWish *wish, struct KnobChange out[3], struct Forecast *promised)
{
    struct Search search = {.table = table, .wish = wish};
    struct Forecast now;
    memcpy(search.values, values, sizeof(search.values));
    table->foretell(values, &search.today);
    if (grants(&search, &now))
        return 0; /* it is so already: not these knobs */
    list_choices(&search);
    for (size_t count = 1; count <= 3 && search.found_count == 0; count++)
        try_from(&search, 0, 0, count);
    memcpy(out, search.found, sizeof(search.found));
    *promised = search.found_forecast;
    return search.found_count;
}

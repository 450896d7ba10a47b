/* trends_json.c - trends for machines. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../runner/base/json.h"
#include "trends.h"

static void put_ns(struct Json *json, const char *key, int64_t ns)
{
    json_key(json, key);
    if (ns < 0 || ns == NS_NEVER)
        json_nothing(json);
    else
        json_int(json, ns);
}

static void put_point(struct Json *json, const struct TrendPoint *point)
{
    char started[32];
    wall_utc(point->past->started, started);
    json_open_object(json);
    json_put_text(json, "run", point->past->id);
    json_put_text(json, "started", started);
    json_put_text(json, "verdict", verdict_name(point->past->verdict));
    put_ns(json, "recovery_low_ns", point->past->recovery_low_ns);
    put_ns(json, "recovery_high_ns", point->past->recovery_high_ns);
    if (point->past->recovery_count > 0) {
        json_key(json, "cycles_ns");
        json_open_array(json);
        for (size_t n = 0; n < point->past->recovery_count; n++) {
            int64_t ns = point->past->recoveries[n];
            if (ns < 0 || ns == NS_NEVER)
                json_nothing(json);
            else
                json_int(json, ns);
        }
        json_end(json);
    }
    put_ns(json, "limit_ns", point->past->limit_ns);
    put_ns(json, "lost", point->past->lost);
    json_put_bool(json, "unaffected", point->past->unaffected);
    json_put_bool(json, "censored", point->past->censored);
    json_put_text(json, "behaviour_hash", point->past->behaviour_hash);
    json_end(json);
}

/* A FAIL that no later run has passed since. */
static void put_open(struct Json *json, const struct Past *failed)
{
    char since[32];
    wall_utc(failed->started, since);
    json_key(json, "open");
    json_open_object(json);
    json_put_text(json, "run", failed->id);
    json_put_text(json, "since", since);
    json_put_text(json, "look_at", failed->advice);
    json_put_text(json, "owner", failed->owner);
    json_end(json);
}

static void put_row(struct Json *json, const struct TrendRow *row)
{
    json_open_object(json);
    json_put_text(json, "scenario", row->scenario);
    json_put_text(json, "environment", row->environment);
    json_put_text(json, "probe", row->probe);
    json_put_int(json, "runs", (int64_t)row->runs);
    json_put_int(json, "affected", (int64_t)row->affected);
    json_put_int(json, "unaffected", (int64_t)row->unaffected);
    json_put_int(json, "not_recovered", (int64_t)row->censored);
    put_ns(json, "last_ns", row->last_ns);
    put_ns(json, "median_ns", row->median_ns);
    put_ns(json, "least_ns", row->least_ns);
    put_ns(json, "most_ns", row->most_ns);
    put_ns(json, "limit_ns", row->limit_ns);
    json_put_int(json, "within_limit", (int64_t)row->within);
    json_put_text(json, "change",
                  row->change == TREND_TOO_FEW ? "not enough runs"
                                               : trend_change_name(row->change));
    if (row->change != TREND_TOO_FEW) {
        json_key(json, "change_percent");
        json_number(json, row->percent, 1);
        json_key(json, "p_two_sided");
        json_number(json, row->p, 4);
        json_put_int(json, "compared_recent", (int64_t)row->recent);
        json_put_int(json, "compared_previous", (int64_t)row->previous);
    }
    if (row->finding.failed != NULL && row->finding.passed == NULL)
        put_open(json, row->finding.failed);
    json_key(json, "points");
    json_open_array(json);
    for (size_t n = 0; n < row->point_count; n++)
        put_point(json, &row->points[n]);
    json_end(json);
    json_end(json);
}

static void put_due(struct Json *json, const char *key, const struct List *list)
{
    const struct TrendDue *rows = list->items;
    json_key(json, key);
    json_open_array(json);
    for (size_t n = 0; n < list->count; n++) {
        char last[32], due[32];
        wall_utc(rows[n].last, last);
        wall_utc(rows[n].due, due);
        json_open_object(json);
        json_put_text(json, "scenario", rows[n].scenario);
        json_put_text(json, "schedule", rows[n].schedule);
        json_put_text(json, "last", rows[n].last.ns != 0 ? last : NULL);
        json_put_text(json, "due", due);
        json_end(json);
    }
    json_end(json);
}

void trends_json(const struct Trends *trends, struct Buf *out)
{
    struct Json json = json_begin(out, true);
    const struct TrendCounts *counts = &trends->counts;
    json_open_object(&json);
    json_key(&json, "runs");
    json_open_object(&json);
    json_put_int(&json, "passed", (int64_t)counts->passed);
    json_put_int(&json, "failed", (int64_t)counts->failed);
    json_put_int(&json, "inconclusive", (int64_t)counts->inconclusive);
    json_put_int(&json, "halted", (int64_t)counts->halted);
    json_put_int(&json, "refused", (int64_t)counts->refused);
    json_put_int(&json, "not_ready", (int64_t)counts->not_ready);
    json_put_int(&json, "not_undone", (int64_t)counts->not_undone);
    json_put_int(&json, "own_failure", (int64_t)counts->own_failure);
    json_end(&json);
    json_key(&json, "rows");
    json_open_array(&json);
    for (size_t n = 0; n < trends->row_count; n++)
        put_row(&json, &trends->rows[n]);
    json_end(&json);
    put_due(&json, "overdue", &trends->overdue);
    put_due(&json, "never_run", &trends->never_run);
    json_end(&json);
    buf_char(out, '\n');
}

/* json_out.h - how times and durations stand in JSON. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_REPORTS_JSON_OUT_H
#define FD_REPORTS_JSON_OUT_H

#include "../runner/base/json.h"
#include "../runner/model/report.h"

/* Durations are nanoseconds, `null` where they have no end; an instant (`at_ns`)
 * counts from the run's start. */
struct JsonOut {
    struct Json json;
    const struct RunRecord *run;
};
void out_ns(struct JsonOut *out, const char *key, int64_t ns);
void out_at(struct JsonOut *out, const char *key, struct Mono at);
void out_span(struct JsonOut *out, const char *key, struct Span span);
void out_moment(struct JsonOut *out, const char *key, struct Moment moment);
void out_wall(struct JsonOut *out, const char *key, struct Wall wall);
void out_count(struct JsonOut *out, const char *key, uint64_t count);
void out_object(struct JsonOut *out, const char *key);
/* json_people.c: what people noted, and their times since the fault. */
void out_people(struct JsonOut *out, const struct Report *report);
/* json_judged.c: one expectation. */
void out_judged(struct JsonOut *out, const struct Judged *judged);
/* json_back.c: roles that were given back. */
void out_switch_backs(struct JsonOut *out);
/* json_advice.c: settings that explain a FAIL. */
void out_advice(struct JsonOut *out, const struct Report *report);
void out_array(struct JsonOut *out, const char *key);

#endif

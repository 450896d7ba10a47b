/* say.h - the words and numbers that several reports share. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_REPORTS_SAY_H
#define FD_REPORTS_SAY_H

#include "../runner/base/buf.h"
#include "../runner/model/bound.h"
#include "../runner/model/report.h"

struct Wall run_wall(const struct RunRecord *run, struct Mono at);
/* Local time of day, "10:43:07" or "10:43:07.112". */
void say_clock(const struct RunRecord *run, struct Mono at, bool ms, char out[16]);
/* The last four characters: how people call a run. */
const char *run_short(const char *id);
/* The environment's name, in capitals where it is protected; visible characters only. */
void say_environment(const struct RunRecord *run, struct Buf *out);
/* Text from outside, for one line. NULL is nothing. */
void say_outside(struct Buf *out, const char *text);
bool expects(const struct RunExpectation *expectation, enum BoundWord word);

/* The role was given back, and at the end who led at the start leads. */
bool was_given_back(const struct RunRecord *run, const char *role);
/* `primary->after` is who led when the role was asked to be given back. NULL: unknown. */
const char *leads_at_end(const struct RunRecord *run, const struct PrimaryResult *primary);

/* The recovery times of earlier comparable runs of a probe, oldest first: affected, ended by
 * themselves, PASS or FAIL. At most `room` of the newest; returns how many. */
size_t past_recoveries(const struct Report *report, const char *probe, int64_t *out, size_t room);
struct PastCount {
    size_t runs, unaffected; /* PASS or FAIL; this run included */
};
struct PastCount past_count(const struct Report *report, const struct ProbeResult *probe);
bool past_is_comparable(const struct Report *report, const struct Past *past, const char *probe);

#endif

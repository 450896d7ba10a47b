/* analyse_parts.h - what the files of the analysis share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_REPORTS_ANALYSE_PARTS_H
#define FD_REPORTS_ANALYSE_PARTS_H

#include "../runner/model/bound.h"
#include "analyse.h"

struct Analysis {
    const struct RunRecord *run;
    struct Arena *arena;
    struct Report *out;
    bool any_sent; /* a fault was sent; else T0 is the beginning of the steps */
    struct List spoiled, findings;
};
void analysis_spoil(struct Analysis *analysis, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void analysis_find(struct Analysis *analysis, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* causes.c: who was hit, and when. */
void analyse_causes(struct Analysis *analysis);
/* Start of the undo that was sent last; 0 where one of its faults had none. */
struct Mono cause_last_undo(const struct Cause *cause);
/* The same, or the end of the run. */
struct Mono cause_boundary(const struct RunRecord *run, const struct Cause *cause);
/* Nothing but a failover that was asked for: it is never undone. */
bool cause_is_failover(const struct Cause *cause);
bool cause_struck(const struct Cause *cause, const char *host);
/* A fault on this host was undone before. */
bool causes_gave_back(const struct Report *report, const char *host, struct Mono until);
/* When the role was asked to be given back: from then on nothing is the faults' doing. NS_NEVER: it
 * was not. */
struct Mono back_began(const struct RunRecord *run);
/* The same of this role alone. */
struct Mono back_began_of(const struct RunRecord *run, const char *role);
/* From sent to undo sent of any fault. */
bool while_in_effect(const struct Report *report, struct Mono at);

/* series.c, recovery.c: one probe. `held[n]`: the ok stretch behind stretch n held. */
struct Series {
    const struct Sample **at;
    size_t count;
    struct Stretch *stretches;
    bool *held;
    size_t stretch_count;
    int64_t normal_ns; /* the slowest ok answer before the first fault; the interval where none */
};
void series_read(struct Analysis *analysis, uint32_t probe, struct Series *out);
void series_count(const struct Analysis *analysis, const struct Series *series,
                  struct ProbeResult *out);
void analyse_recovery(const struct Analysis *analysis, const struct Series *series,
                      struct ProbeResult *out);

/* ledger.c, primary.c */
void analyse_ledger(const struct Analysis *analysis, uint32_t probe, struct LedgerResult *out);
void analyse_primary(const struct Analysis *analysis, uint32_t probe, struct PrimaryResult *out);
const struct RunSystem *system_of(const struct RunRecord *run, const char *role);

/* gray.c: of all primaries, once all probes are read. */
void analyse_gray(struct Report *report);

/* switch_back.c: a line for each role that was to be given back. */
void judge_switch_backs(struct Analysis *analysis);

/* judge.c: each expectation. verdict.c: the run. findings.c: sentences for people. */
void analyse_judge(struct Analysis *analysis);
void analyse_spoiled(struct Analysis *analysis);
void analyse_verdict(struct Analysis *analysis);
void analyse_findings(struct Analysis *analysis);
/* advice.c: settings that explain a FAIL. */
void analyse_advice(struct Analysis *analysis);
const struct ProbeResult *probe_result(const struct Report *report, const char *name);
const struct LedgerResult *ledger_result(const struct Report *report, const struct RunProbe *probe);
const struct PrimaryResult *primary_result(const struct Report *report,
                                           const struct RunProbe *probe);

/* [low - from.high, high - from.low], never below 0; from.high 0 = unknown, then the low end is 0.
 */
struct Span span_since(struct Moment from, struct Mono low, struct Mono high);

#endif

/* report.h - a Report is a value: no store, no clock. A format only writes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_REPORT_H
#define FD_MODEL_REPORT_H

#include "../base/arena.h"
#include "../base/buf.h"
#include "../base/err.h"
#include "knobs.h"
#include "reign.h"
#include "sample.h"
#include "stretch.h"

enum Verdict {
    VERDICT_PASS,
    VERDICT_FAIL,
    VERDICT_NOT_READY,
    VERDICT_REFUSED,
    VERDICT_HALTED,
    VERDICT_INCONCLUSIVE,
    VERDICT_OWN_FAILURE,
    VERDICT_NOT_UNDONE
};
const char *verdict_name(enum Verdict verdict); /* "PASS", "NOT UNDONE" */
int verdict_status(enum Verdict verdict);       /* DESIGN.md 9 */
enum Verdict verdict_worst(enum Verdict a, enum Verdict b);

/* ---- What is read from the store and given to analyse(). Times are the run's own Mono. ---- */
struct RunProbe {
    const char *name, *kind, *asks; /* asks: "GET http://..." */
    const char *role;               /* or NULL */
    const char *from;               /* host's name or NULL */
    int64_t interval_ns, timeout_ns, under_ns, hold_ns, gap_ns;
    bool is_ledger, is_primary, is_alert, control;
};
struct RunFault {
    uint32_t number;
    const char *step, *kind, *host, *role;
    struct Moment t0;        /* [sent, proven]; low 0 = never sent; high 0 = not proven */
    struct Moment undone;    /* [undo sent, all_clear proven]; 0 = not */
    struct Mono ended_early; /* in_place failed before the undo was sent; 0 = no */
    uint32_t together;       /* those of one `parallel` have one number; 0: alone */
    char class_letter;
    bool clear; /* all_clear was proven */
    const char *proof, *undo_text, *apply_text, *stays;
    const char *guard_acts_by; /* for NOT UNDONE */
};
struct RunEvent {
    struct Mono at;
    const char *subject, *text;
};
#define EVENT_OVERRIDE                                                                             \
    "gate override"                /* a subject; no host, probe or step has a blank in its name */
struct RunNote {                   /* of a person */
    struct Moment at;              /* a minute wide where only the minute was said */
    const char *who, *type, *text; /* type: "note", "declared", "acknowledged", "mitigated", "go" */
};
struct RunExpectation {
    const char *probe, *word;
    int64_t limit;
    bool limit_is_duration;
    const char *text; /* of a figure: the limit as written; else NULL */
};
struct RunFigure { /* what steps measured or captured; text and whole number: value is it */
    const char *name, *type; /* "clock", "seconds": ns; "int", "text" */
    struct Span value;
    const char *text; /* as captured, without secrets; "" of a clock */
    enum Known equal; /* a text: whether it was what `equals` says, judged with them */
};
struct RunSystem { /* what was seen of a role's system by the conductor, once a second or so */
    const char *role, *system;
    struct Mono detected_low, detected_high;       /* 0 = not seen */
    struct Mono failed_over_low, failed_over_high; /* new primary by control plane and by itself */
    struct Mono redundant_low, redundant_high;     /* redundancy as in BASELINE, after the undo */
    bool redundancy_was_whole;
    const char *primary_before, *primary_after; /* host names */
    struct Span expected;                       /* from knobs */
    const char *knobs;                          /* "down-after 2000 ms, quorum 2, ..." */
    /* Of its kind, by whoever knows the kinds. */
    const struct KnobTable *table; /* NULL = not known */
    bool relays; /* who is written to may pass it on: its word is no proof that it leads */
};
struct RunMove { /* who leads a role now, by control plane and itself, is another than before */
    const char *role, *host;
    struct Mono low, high; /* the one before still led; this one said that it does */
};
/* `switch_back`: at the end the role is given back to who led it at the start. It is no failover of
 * the drill's: what comes from then on is its own doing. */
struct RunSwitchBack {
    const char *role, *to; /* to: who led at the start; or NULL */
    struct Mono asked;     /* sent; 0 = it was not, and `why` says why */
    struct Moment leads;   /* [asked when it did not, answered when it did]; high 0 = not seen.
                              Not asked, and seen: it leads already */
    struct Moment whole;   /* redundancy is whole again; the same */
    uint32_t lost_again;   /* how often it led, and another one did before all was whole */
    bool refused;
    const char *why;  /* why it was not asked for, or was refused, or not seen; "" where it was */
    const char *last; /* who leads at the end; NULL = nobody knows */
};
/* A run may be one of a repeat. */
struct Cycle {
    const char *first;   /* the id of the first of them: the name of the repeat */
    uint32_t number, of; /* from 1; of 0 or 1: a run of its own */
};
struct RunRecord {
    struct Cycle cycle;
    const char *id, *scenario, *environment, *hypothesis, *owner, *runbook, *who, *version, *tags;
    bool is_protected;
    struct Wall started, ended;
    struct Mono mono_started, mono_ended; /* the same two instants */
    int64_t suspended_ns;                 /* BOOTTIME's drift against Mono */
    const char *text, *text_hash, *behaviour_hash, *plan_hash, *bytes_hash;
    uint64_t seed;
    enum Verdict
        ended_as; /* PASS = ran to its end; else what the engine decided (NOT_READY, HALTED, ...) */
    const char *why; /* one sentence behind ended_as, "" */
    bool finished;   /* false: the runner died */
    struct Mono baseline_began, steps_began, observing_ended, undo_began,
        settled;     /* 0 = never came to it */
    bool not_steady; /* SETTLING ran out */
    struct RunProbe *probes;
    size_t probe_count;
    struct RunFault *faults;
    size_t fault_count;
    struct RunEvent *events;
    size_t event_count;
    struct RunNote *notes;
    size_t note_count; /* in order of time */
    struct RunExpectation *expectations;
    size_t expectation_count;
    struct RunFigure *figures;
    size_t figure_count;
    struct RunSystem *systems;
    size_t system_count;
    struct RunMove *moves;
    size_t move_count; /* of each role in order of time */
    struct RunSwitchBack *switch_backs;
    size_t switch_back_count;
    const char *const *hosts;
    size_t host_count; /* Sample.by is index + 1 here */
    const struct Sample *samples;
    size_t sample_count; /* in time order per probe, probes mixed */
    const struct Census *census;
    size_t census_count;
    const struct Found *found;
    size_t found_count;
    /* Per probe (ledger): read-back of the primary: KNOWN_YES = complete. probe_count of them. */
    const enum Known *read_back;
};

/* ---- What analyse() makes of it. ---- */
/* Faults that were fired together: one T0 (DESIGN.md 11). */
struct Cause {
    const char *step, *kind; /* of the first of them */
    const struct RunFault *const *faults;
    size_t fault_count;
    struct Moment t0;     /* first sent, last proven; high 0 = one was not proven */
    struct Moment undone; /* first undo sent, last all_clear; 0 = not */
};
/* One probe under one cause. Spans count from its T0, `healed` from its undo. */
struct CauseResult {
    bool unaffected, censored;
    struct Span down, recovered, first_recovered, healed; /* as in ProbeResult */
};
struct Latency {
    uint32_t count;
    int64_t p50_ns, p95_ns, p99_ns, max_ns;
}; /* of answered; -1 = none */
struct ProbeResult {
    const struct RunProbe *probe;
    const struct Sample *const *samples;
    size_t sample_count;                            /* in the order in which they were sent */
    uint32_t attempts, ok, failed, skipped, broken; /* T0 low to the end of OBSERVING */
    uint32_t all_attempts, all_unasked;             /* whole run; skipped or broken */
    uint32_t during_attempts, during_failed;        /* sent to undo sent: max_errors */
    uint32_t failures[16]; /* by enum Failure, while the fault was in effect */
    const struct Stretch *stretches;
    size_t stretch_count;             /* of the whole run */
    const struct CauseResult *causes; /* report->cause_count of them */
    struct Span down;      /* T0 -> first attempt that failed; low NS_NEVER = unaffected */
    struct Span recovered; /* T0 -> stable, of the slowest cause; high NS_NEVER = not before the
                              undo (censored) */
    struct Span first_recovered; /* first such stretch where it differs */
    struct Span
        healed; /* undo -> the same for stretches that reach or follow it; 0,0 = nothing to heal */
    struct Span downtime,
        outage; /* sum; longest: T0 to the end of OBSERVING; high NS_NEVER = still failing there */
    uint32_t windows;      /* failing stretches in that time: flaps */
    int64_t resolution_ns; /* width of the interval; unaffected: no outage as long as this or longer
                              was seen */
    bool unaffected, censored,
        froze;          /* froze: connected, but no answer: while the fault was in effect */
    bool silent;        /* it failed by silence: the resolution has min(timeout, under) in it */
    bool failing_at_t0; /* it failed already when the fault was sent */
    int64_t p50_ns, p95_ns, p99_ns;       /* of answered, T0 to the end of OBSERVING; -1 = none */
    struct Latency before, during, after; /* BASELINE; sent to undo sent; from undone on */
};
struct LostWrite {
    uint32_t writer;
    uint64_t number;
    uint32_t by;
    struct Mono acked;
};
struct LedgerResult {
    const struct RunProbe *probe;
    uint64_t acked, unknown, failed, read, lost, ghosts, duplicated, unexpected, lost_before,
        lost_inside, lost_after;
    uint64_t refused_but_there;     /* a client or proxy lied: answered as failed, yet found */
    uint64_t lost_found_elsewhere;  /* of `lost`: found on another host than the primary */
    uint64_t acked_in_last_second;  /* before T0: what the resolution of "0 lost" rests on */
    enum Known complete;            /* the primary was read back whole */
    bool acked_by_target_before_t0; /* else "lost" is INCONCLUSIVE */
    const char *not_by_target;      /* why that is false, or NULL */
    struct LostWrite *first_lost;
    size_t first_lost_count; /* 50 at most, in order of time */
    uint32_t lost_by;      /* who acknowledged all of them, as Sample.by; 0 = several, or unknown */
    struct Span lost_span; /* first to last lost acknowledgement, as one duration: low = high */
    int64_t loss_age_ns, zombie_ns; /* MEASURING.md B.10; -1 = none */
    bool holes;                     /* losses with later survivors of the same writer and host */
    int64_t spacing_ns;             /* between writes */
    /* Acknowledged since the role was being given back: not in the figures above but `read`. */
    uint64_t back_acked, back_lost;
    struct Span back_lost_span;
    bool back_holes;
};
struct PrimaryResult {
    const struct RunProbe *probe;
    const struct RunSystem *system; /* or NULL */
    struct Span failover; /* T0 -> one primary that is not the old one; high NS_NEVER = never */
    struct Moment failover_t0; /* of several the slowest: T0 of its cause */
    size_t failover_count;     /* that were seen, or asked for */
    struct Span detected;      /* from RunSystem; high NS_NEVER = not seen */
    struct Span split;         /* overlap of two that said primary, the longest; 0,0 = none seen */
    struct Span split_after_undo;
    struct Span back_split; /* since the role was being given back: not in the two above */
    bool split_proven;      /* both acknowledged writes */
    bool seen;              /* there was a census; else nothing is known of a split */
    int64_t unasked_ns;     /* the old primary could not be asked so long while another one led */
    /* A client failed so long while who led said that it leads, and nobody took over; 0,0 = none
     * proven. */
    struct Span gray;
    const struct RunProbe *gray_of; /* that client's; or NULL */
    struct Span redundant;          /* from the undo (or T0); high NS_NEVER = not seen */
    const char *before, *after;     /* host names, or NULL */
    const struct Reign *reigns;
    size_t reign_count;  /* in order of their beginning */
    uint32_t host_count; /* that were asked */
    uint32_t old_host,
        new_host; /* as Census.host: who is `before` and `after`; UINT32_MAX = nobody seen */
};
struct Judged {
    const struct RunExpectation *expectation;
    enum Verdict verdict; /* PASS, FAIL, INCONCLUSIVE */
    char measures[40];    /* "recovery", "p95 during"; an unknown word as it is */
    char measured[96];    /* "3.2-4.1 s", "0", "no outage of 60 ms or more seen" */
    char limit[48];
    char note[400];  /* "27 of 1 200 requests while the fault was in effect"; why INCONCLUSIVE */
    char broke[200]; /* of a FAIL that `measured` does not explain: what does, with its limit */
};
struct Finding {
    const char *text;
}; /* "the tool saw nothing": extra sentences for people */
/* A setting that explains what was missed; with the others beside it, it would not have been. */
struct Advice {
    const char *role, *knob;
    const char *today, *value; /* as they stand in a configuration */
    const char *line;          /* what sets it */
    const char *gain;          /* of all of its role together */
};
struct Report {
    const struct RunRecord *run;
    enum Verdict verdict;
    char why[300];
    const struct Cause *causes;
    size_t cause_count;       /* in order of time */
    struct Moment t0, undone; /* of the first cause; of all: first undo sent to last all_clear */
    struct Mono window_end;   /* end of OBSERVING, or of what there was of it */
    struct ProbeResult *probes;
    size_t probe_count;
    struct LedgerResult *ledgers;
    size_t ledger_count;
    struct PrimaryResult *primaries;
    size_t primary_count;
    struct Judged *judged;
    size_t judged_count;
    struct Finding *findings;
    size_t finding_count;
    struct Advice *advice; /* three at most, of a FAIL alone */
    size_t advice_count;
    const char *phases; /* what the time went to, where advice is given; or NULL */
    const char *const *spoiled;
    size_t spoiled_count;               /* why the run is INCONCLUSIVE, each a sentence part */
    uint32_t undone_count, fault_count; /* of those sent */
    bool unaffected;                    /* a proven fault that no probe noticed */
    bool cut_side_unmeasured;           /* a partition without a ledger on the cut side */
    const struct Past *past;            /* earlier comparable runs, oldest first, or NULL */
    size_t past_count;
    const struct Past *cycles; /* the runs of its repeat that are judged; or NULL */
    size_t cycle_count;
};
/* One earlier run as trends see it (MEASURING.md C.2). */
struct Past {
    const char *id, *scenario, *environment, *behaviour_hash, *probe, *why;
    struct Wall started;
    enum Verdict verdict;
    bool is_protected, unaffected, censored, finished;
    int64_t recovery_low_ns, recovery_high_ns; /* -1 = none */
    int64_t limit_ns;                          /* recover_within, -1 = none */
    int64_t lost;                              /* -1 = unknown */
    const char *advice; /* of a FAIL: the settings that explain it, with their values; or NULL */
    const char *owner;  /* of a FAIL; or NULL */
    struct Cycle cycle;
    const int64_t *recoveries; /* of all cycles where they were made one; -1 = none, NS_NEVER = not
                                  recovered; NULL: a run of its own */
    size_t recovery_count;
};
struct ReportFormat {
    const char *name, *summary, *extension;
    bool (*write)(const struct Report *report, struct Buf *out, struct Err *err);
};

#endif

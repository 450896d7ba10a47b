/* gate.h - the rules that must hold before a run may begin. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_GATE_H
#define FD_MODEL_GATE_H

#include "plan.h"

/* A run that passed, newest first in GateInput; the store keeps them (PassRow). */
struct GatePass {
    const char *run, *text_hash;
    const char *canonical; /* the bytes of text_hash, for "changed since"; NULL = not kept */
    struct Wall ended;
    bool unaffected;
    const char *by; /* who signed the receipt that tells of it; NULL: our own store */
};
struct GateInput {
    const struct Environment *environment;
    const struct Scenario *scenario;
    const struct Plan *plan;       /* whom it would touch and for how long; NULL: not asked */
    const struct GatePass *passes; /* of this scenario in environment->passed_in->environment */
    size_t pass_count;
    struct List troubles;      /* of const char *: receipts that count for nothing, and why */
    const struct Wall *recent; /* runs here that broke something, of a day or longer */
    size_t recent_count;
    int64_t cycles; /* that are to come, this run included; 0 is 1 */
    struct Wall now;
    bool ask_name;         /* false in `plan`, which only says that the name will be asked */
    const char *confirmed; /* the name as typed or by --confirm; NULL = neither */
};
/* A rule that was looked at. `name` is the key in files: "protected", "passed_in". */
struct GateRule {
    const char *name;
    bool holds;
    const char *sentence; /* "staging 1 of 1 in 14d: 4k2p, same text"; in the arena */
};
/* Pure. What a fault on these hosts would leave: `blast_radius` where the environment has it, and
 * `keep_healthy`, which holds for every role: of each that a machine carries one healthy host is
 * left, or as many as the environment says. Appends its rules; asked in the gate and again before
 * each fault. */
bool gate_radius(const struct RadiusInput *input, struct Arena *arena, struct List *rules);
/* Pure. Fills `rules` (of struct GateRule) with every rule of the environment, held or not, in the
 * order of the file; true where all hold. */
bool gate_check(const struct GateInput *input, struct Arena *arena, struct List *rules);

void gate_add_rule(struct List *rules, struct Arena *arena, const char *name, bool holds,
                   const char *sentence);
bool gate_lists(const struct List *words, const char *word);
/* `forbid`, `longest_fault`, and gate_radius of the widest step. */
bool gate_check_plan(const struct Plan *plan, struct Arena *arena, struct List *rules);
/* What the scenario alone says of them, before any host is asked: true where no rule is broken, and
 * then it adds none. */
bool gate_check_text(const struct GateInput *input, struct Arena *arena, struct List *rules);
/* Why no probe of the plan may run a command on the runner's own machine: under `node_opt_in`, and
 * where `forbid` names a host that is this machine; NULL = none does, or it may. */
const char *gate_command_closed(const struct Plan *plan, struct Arena *arena);
const char *gate_command_forbidden(const struct Plan *plan, struct Arena *arena);
/* `windows` and `freeze`, from now to lasts_ns later. */
bool gate_times(const struct GateTimes *times, struct Wall now, int64_t lasts_ns,
                struct Arena *arena, struct List *rules);
bool gate_times_hold(const struct GateTimes *times, struct Wall now); /* the same, without words */
bool gate_today(const struct GateInput *input, struct Arena *arena,
                struct List *rules); /* `max_per_day` */
/* The longest that a fault of this scenario may be in effect, its grace included. */
int64_t scenario_longest_ns(const struct Scenario *scenario);

/* ---- Rules from elsewhere: environment, then scenario, then command line. ---- */
struct GateFields;
/* Of what a scenario or the command line says of the gate: how days are written, which verbs. */
bool gate_check_more(const struct GateFields *gate, const struct Kinds *kinds, struct Arena *arena,
                     struct Problems *problems);
/* Reads `windows` and `freeze`; zone and `also` are left alone. */
bool gate_times_read(const struct GateFields *gate, struct Arena *arena, struct Problems *problems,
                     struct GateTimes *out);
/* The environment's rules become as strict as these as well; what would loosen one is refused by
 * its name. `whose` says in the refusal who wants it: "the scenario". */
bool gate_tighten(struct Environment *environment, const struct GateFields *by, const char *whose,
                  struct Err *err) MUST_CHECK;
/* Sets a rule of calendar or history aside, and keeps who and why for plan, run and reports. What
 * keeps harm away or asks for others' consent cannot be. */
bool gate_override(struct Environment *environment, const struct GateOverride *override,
                   struct Err *err) MUST_CHECK;
/* "windows by ana@drillbox: the incident of 12 May again" */
const char *override_say(const struct GateOverride *override, struct Arena *arena);

/* What differs between two canonical texts, for people: "halt.shop.max_outage 45s -> 5m", at most
 * `most` differences, then "and 3 more"; "" where nothing does. */
void canonical_difference(const char *before, const char *after, size_t most, struct Buf *out);

#endif

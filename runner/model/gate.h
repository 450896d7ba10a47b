/* gate.h - the rules that must hold before a run may begin. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_GATE_H
#define FD_MODEL_GATE_H

#include "environment.h"
#include "scenario.h"

/* A run that passed, newest first in GateInput; the store keeps them (PassRow). */
struct GatePass {
    const char *run, *text_hash;
    const char *canonical; /* the bytes of text_hash, for "changed since"; NULL = not kept */
    struct Wall ended;
    bool unaffected;
};
struct GateInput {
    const struct Environment *environment;
    const struct Scenario *scenario;
    const struct GatePass *passes; /* of this scenario in environment->passed_in->environment */
    size_t pass_count;
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
/* Pure. Fills `rules` (of struct GateRule) with every rule of the environment, held or not, in the
 * order of the file; true where all hold. */
bool gate_check(const struct GateInput *input, struct Arena *arena, struct List *rules);

/* What differs between two canonical texts, for people: "halt.shop.max_outage 45s -> 5m", at most
 * `most` differences, then "and 3 more"; "" where nothing does. */
void canonical_difference(const char *before, const char *after, size_t most, struct Buf *out);

#endif

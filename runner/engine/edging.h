/* edging.h - a step between hosts: which rows it has, under the ranks of now and under any. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_ENGINE_EDGING_H
#define FD_ENGINE_EDGING_H

#include "../model/edges.h"
#include "survey.h"

/* Whether a step's rows are told apart by their edges. */
bool step_has_edges(const struct StepSpec *step);

/* The ranks of a role's hosts, in file order. */
struct Ranking {
    const struct Role *role;
    const enum Rank *ranks;
};
/* One fault on one host, with the edges that it cuts. */
struct EdgeRow {
    const struct Target *host;
    const struct Role *role;
    struct List edges; /* of struct Edge, sorted */
    bool chosen;       /* under the ranks of now */
};

/* Roles that the step is about, and those of them whose ranks decide; of const struct Role *. */
void edging_roles(const struct Plan *plan, const struct StepSpec *step, bool ranked,
                  struct Arena *arena, struct List *out);
/* The rows under these ranks (of struct Ranking); false with *err where there are none. */
bool edging_rows(const struct Plan *plan, const struct StepSpec *step, const struct List *rankings,
                 struct Arena *arena, struct List *out, struct Err *err) MUST_CHECK;
/* And after them those under any other ranks that there may be at the time of use: whoever leads,
 * and whichever one other host of the role does not answer. */
bool edging_rows_all(const struct Plan *plan, const struct StepSpec *step,
                     const struct List *rankings, struct Arena *arena, struct List *out,
                     struct Err *err) MUST_CHECK;

/* The hosts at the other ends of a row's edges, with their addresses: what the environment says and
 * what they say of themselves, but none that the row's host has itself. */
bool edging_peers(const struct Survey *survey, const struct Target *host, const struct List *edges,
                  struct Arena *arena, struct List *out, struct Err *err) MUST_CHECK;

#endif

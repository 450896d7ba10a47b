/* edges.h - who stops hearing whom: a network fault as a list of edges. Pure. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_EDGES_H
#define FD_MODEL_EDGES_H

#include "plan.h"

/* Hosts in the order in which they were named. */
struct HostList {
    const struct Target *const *at;
    size_t count;
};

/* Every host of `to` stops hearing every one of `from`; a host hears itself. Appends struct Edge,
 * each once. */
void edges_one_way(struct HostList from, struct HostList to, struct Arena *arena, struct List *out);
/* The hosts in their drawn order; who leads, or NULL, stands on the smaller side in a minority, on
 * the larger in a majority. False where so few hosts have no such shape. */
bool edges_shape(enum CutShape shape, struct HostList hosts, const struct Target *leader,
                 struct Arena *arena, struct List *out) MUST_CHECK;
size_t shape_least(enum CutShape shape); /* how many hosts it takes */
/* By the names of both ends, so that equal lists compare equal. */
void edges_sort(struct List *edges);
bool edges_equal(const struct List *a, const struct List *b);
/* Those that end at `host`, begin there, or both. */
void edges_of(const struct List *edges, const struct Target *host, enum Direction direction,
              struct Arena *arena, struct List *out);

/* Whom a step is between, once somebody says who leads. */
struct EdgeAsk {
    const struct Environment *environment;
    const struct Scenario *scenario;
    /* The hosts of a target as drawn under the ranks of now. */
    bool (*draw)(void *data, const struct TargetSpec *target, struct List *hosts, struct Err *err);
    /* The hosts of a role in the order of the seed. */
    struct HostList (*order)(void *data, const struct StepSpec *step, const struct Role *role);
    const struct Target *(*leader)(void *data, const struct Role *role);
    void *data;
};
/* All edges of the step, sorted; false with *err where there is none. */
bool step_edges(const struct StepSpec *step, const struct EdgeAsk *ask, struct Arena *arena,
                struct List *out, struct Err *err) MUST_CHECK;
/* Roles of which somebody's rank decides the edges; appends const struct Role *, each once. */
void step_rank_roles(const struct StepSpec *step, const struct EdgeAsk *ask, struct Arena *arena,
                     struct List *out);
/* Roles that the step names for its edges, each once: `of`, those of targets, and by themselves. */
void step_roles(const struct StepSpec *step, const struct EdgeAsk *ask, struct Arena *arena,
                struct List *out);
/* Whether the step names all hosts of the role: by itself, by `peers` or by a shape. */
bool step_names_whole(const struct StepSpec *step, const struct Scenario *scenario,
                      const struct Role *role);

#endif

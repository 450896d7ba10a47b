/* scenario_build.h - what the parts of scenario_new share while a file becomes values. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_SCENARIO_BUILD_H
#define FD_MODEL_SCENARIO_BUILD_H

#include "environment.h"
#include "scenario_fields.h"

struct ScenarioBuild {
    const struct ScenarioInput *input;
    struct Scenario *scenario;
    struct ScenarioFields fields;
    const struct Node *root;
    struct Arena *arena;
    struct Problems *problems;
    struct Decode decode;
    struct List step_nodes; /* of const struct Node *: where each of scenario->steps stands */
    size_t named_targets;   /* the first of scenario->targets; inline ones follow */
    bool resolve; /* references to the environment are filled in; else they stay as written */
};

/* The file with its `defaults:` in every step that lacks them. */
const struct Node *scenario_with_defaults(struct ScenarioBuild *build, const struct Node *root);
/* Decodes `params:`, takes the values given, checks both; fills scenario->params. */
void scenario_read_params(struct ScenarioBuild *build);
/* The RefFn of a scenario; data is the build. */
enum RefAnswer scenario_answer(void *data, const char *ns, const char *name, const char **value,
                               const char *const **names, size_t *count);
/* From the fields of a probe to what asks; hold and gap are the scenario's. */
void probe_spec(const struct ProbeFields *fields, struct ProbeSpec *out);
/* From fields to targets, probes, steps, bounds and times. Leaves out what was not decoded. */
void scenario_make_values(struct ScenarioBuild *build);
/* The node of a step. */
const struct Node *scenario_step_node(const struct ScenarioBuild *build, size_t index);
/* scenario_together.c: the steps of a list in the order in which they begin, those of a `parallel`
 * in its place; of struct PlacedStep. And what may stand side by side. */
struct PlacedStep {
    const struct StepFields *fields;
    uint32_t together; /* the number of its `parallel`, or 0 */
};
struct List scenario_place_steps(struct ScenarioBuild *build, const struct List *fields);
/* How many steps they are, those of every `parallel` counted. */
size_t scenario_count_steps(const struct List *fields);
void scenario_check_together(struct ScenarioBuild *build);
/* A step that waits, notes or asks: type, text and time. False where it is none of them. */
bool scenario_pause(const struct Chosen *chosen, struct StepSpec *step);
/* The same of an `sql`, whose config is that of the probe of its name. */
bool scenario_statement(struct ScenarioBuild *build, const struct StepFields *fields,
                        struct StepSpec *step);
/* scenario_until.c: a probe that begins or ends a step, or NULL; and where one may stand. */
const struct ProbeSpec *scenario_until(struct ScenarioBuild *build,
                                       const struct ProbeFields *fields);
void scenario_check_until(struct ScenarioBuild *build, const struct StepSpec *step, size_t index);
/* What a step captures and measures; the names go into scenario->figures. */
void scenario_captures(struct ScenarioBuild *build, const struct StepFields *fields,
                       struct StepSpec *step);
const struct FigureSpec *scenario_figure(const struct Scenario *scenario, const char *name);
/* Reads the limit of a figure's bound; false with *why. */
bool scenario_limit(const struct Scenario *scenario, struct Expectation *bound, const char **why);
void scenario_check_figures(struct ScenarioBuild *build);
void scenario_check_gate(struct ScenarioBuild *build);
/* The sides of a network fault, from the nodes that say them; never NULL. */
const struct SideSpec *scenario_side(struct ScenarioBuild *build, const struct Node *node);
const struct BetweenSpec *scenario_between(struct ScenarioBuild *build,
                                           const struct CutFields *fields, struct Where where);
/* "primary | peers", "replica -> primary", "minority of redis". */
const char *between_say(const struct BetweenSpec *between, struct Arena *arena);
/* Whether the step's sides have anything to do with the role. */
bool step_meets_role(const struct StepSpec *step, const struct Scenario *scenario,
                     const char *role);
/* Says that there is none among the first `count`. *near: one was offered instead. */
struct Err *scenario_no_target(struct ScenarioBuild *build, struct Where where, const char *name,
                               size_t count, bool *near);
/* Names that must exist: targets, probes, roles. Right on half-decoded files too. */
void scenario_check_names(struct ScenarioBuild *build);
/* Rules between values, and warnings; only where everything was decoded. */
void scenario_check_steps(struct ScenarioBuild *build);
void scenario_check_pods(struct ScenarioBuild *build); /* scenario_pods.c */
void scenario_check_bounds(struct ScenarioBuild *build);
void scenario_check_references(struct ScenarioBuild *build);
void scenario_warn(struct ScenarioBuild *build);
/* Canonical text and both hashes, from fields in which references stay as written. */
void scenario_hash(struct ScenarioBuild *build);

/* Looks into a kind's config by its table: NULL where there is no such field. */
const struct Field *record_field(const struct Record *record, const char *name);
const struct TargetSpec *scenario_target(const struct Scenario *scenario, const char *name);
const struct ProbeSpec *scenario_probe(const struct Scenario *scenario, const char *name);
/* The node of bound `word` of `probe` under "expect" or "halt": its key, for messages. */
struct Where bound_place(const struct ScenarioBuild *build, const char *section, const char *probe,
                         enum BoundWord word);
/* A problem with a place; returns it so that err_at and the like may follow. */
struct Err *scenario_say(struct ScenarioBuild *build, enum ErrCode code, struct Where where,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif

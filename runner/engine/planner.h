/* planner.h - binds a scenario to an environment as it stands now. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_ENGINE_PLANNER_H
#define FD_ENGINE_PLANNER_H

#include "survey.h"

/* Reads hosts and systems, changes nothing. */
struct PlannerInput {
    const struct Document *document; /* the scenario's; outlives the plan */
    const struct Kinds *kinds;
    const struct Environment *environment; /* unlocked; outlives the plan */
    const struct ParamValue *params;
    size_t param_count;
    const struct Token *token; /* NULL: draw a new one; else that of a saved plan */
    bool seed_given;
    uint64_t seed;
    const char *version; /* of the tool: part of the plan's hash */
    const char *who;     /* part of the bytes: banner and lock say it */
    struct List drilled; /* of struct LastDrilled, for targets that say `rotate` */
    struct Hosts *hosts;
    struct Loop *loop;
};
/* NULL where the files are wrong (problems) or nothing can be planned (err). What speaks against
 * running it is in plan->obstacles. The plan owns its scenario: plan_free. */
struct Plan *planner_make(const struct PlannerInput *input, struct Problems *problems,
                          struct Err *err) MUST_CHECK;
void plan_free(struct Plan *plan); /* accepts NULL */

/* What a host's own file must allow, as node.h wants it; NULL where the gate does not ask. */
const char *plan_allow(const struct Plan *plan, const struct PlannedFault *fault,
                       struct Arena *arena);
/* What is told to a host when this fault is armed there. */
struct ArmInput plan_arming(const struct Plan *plan, const struct PlannedFault *fault,
                            const char *who, struct Arena *arena);
/* The very bytes that arming and firing send to the hosts, fault by fault; bytes_hash is their
 * SHA-256. */
void plan_bytes(const struct Plan *plan, const char *who, struct Buf *out);
/* Sets both hashes; false with *err where the bytes are too many. */
bool plan_hash(struct Plan *plan, const char *who, const char *version, struct Err *err) MUST_CHECK;
struct PlanHashes {
    char bytes[65], whole[65];
};
/* What they would be if its token were this one. */
bool plan_hash_as(const struct Plan *plan, const struct Token *token, const char *who,
                  const char *version, struct PlanHashes *out, struct Err *err) MUST_CHECK;

/* "isolate", as the banner on its host says it; "power_off of redis-1" where that is another. */
const char *fault_what(const struct PlannedFault *fault, struct Arena *arena);

/* Who a target is as of the plan; NULL where there is no such target. */
const struct Drawn *plan_drawn(const struct Plan *plan, const char *name);
bool drawn_has(const struct Drawn *drawn, const struct Target *host);
/* What ${ns.name} mean in shell text that goes to `host`. */
struct ScriptInput plan_script_input(const struct Plan *plan, const struct Target *host);

/* Who a target is now. ranks: of the role's hosts in file order; NULL where `is` is not asked. */
struct Draw {
    const struct TargetSpec *spec;
    const struct Role *role;
    const struct Target *const *order;     /* of the role's hosts, by target_order */
    const struct Environment *environment; /* whose forbidden hosts are never drawn; or NULL */
    const enum Rank *ranks;
    const struct Drawn *apart; /* whose hosts are never drawn; or NULL */
};
/* Not in its zone, or drawn for the target that it is to be apart from. */
bool draw_leaves_out(const struct Draw *draw, const struct Target *host);
struct Draw plan_draw(const struct Plan *plan, const struct Drawn *drawn, const enum Rank *ranks);
/* Appends const struct Target * to `out`; false with *err where nobody is left. Pure. */
bool target_draw(const struct Draw *draw, struct Arena *arena, struct List *out,
                 struct Err *err) MUST_CHECK;

#endif

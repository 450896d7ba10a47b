/* scenario_sides.c - the sides of a network fault, from the nodes that say them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario_build.h"

#include "../base/text.h"

static void add_name(struct ScenarioBuild *build, const struct Node *node, struct SideSpec *side)
{
    const char *name = NULL;
    if (node->broken)
        return;
    if (node->type != NODE_SCALAR || node->text[0] == '\0') {
        err_hint(scenario_say(build, ERR_TYPE, node->where, "a side is made of names"),
                 "name targets, roles, or `peers`; a target can be given under `targets:`");
        return;
    }
    if (!reference_fill(&build->decode, node->text, node->where, &name))
        return;
    if (text_equal(name, "peers"))
        side->peers = true;
    else
        *(const char **)list_add(&side->names, build->arena, sizeof(char *)) = name;
}

static void read_side(struct ScenarioBuild *build, const struct Node *node, struct SideSpec *side)
{
    *side = (struct SideSpec){.where = node->where};
    if (node->type != NODE_LIST)
        add_name(build, node, side);
    for (size_t i = 0; node->type == NODE_LIST && i < node->count; i++)
        add_name(build, node->items[i], side);
    if (node->type == NODE_LIST && node->count == 0)
        scenario_say(build, ERR_REQUIRED, node->where, "a side without a name");
}

const struct SideSpec *scenario_side(struct ScenarioBuild *build, const struct Node *node)
{
    struct SideSpec *side = arena_zero(build->arena, 1, sizeof *side);
    read_side(build, node, side);
    return side;
}

static void check_peers(struct ScenarioBuild *build, const struct BetweenSpec *between)
{
    if (between->a.peers && between->b.peers)
        err_hint(scenario_say(build, ERR_RULE, between->b.where, "`peers` of `peers` are nobody"),
                 "one side names targets or roles, the other may be the rest of their role");
}

const struct BetweenSpec *scenario_between(struct ScenarioBuild *build,
                                           const struct CutFields *fields, struct Where where)
{
    struct BetweenSpec *between = arena_zero(build->arena, 1, sizeof *between);
    *between = (struct BetweenSpec){
        .shape = (enum CutShape)fields->shape, .of = fields->of, .where = where};
    const struct Node *both = fields->between;
    if (both != NULL && (both->type != NODE_LIST || both->count != 2)) {
        err_hint(scenario_say(build, ERR_RULE, both->where, "a cut is between two sides"),
                 "between: [A, B], each a name or a list of names");
        return between;
    }
    between->one_way = fields->from != NULL;
    if (both != NULL || (fields->from != NULL && fields->to != NULL)) {
        read_side(build, both != NULL ? both->items[0] : fields->from, &between->a);
        read_side(build, both != NULL ? both->items[1] : fields->to, &between->b);
        check_peers(build, between);
    }
    return between;
}

static const char *side_say(const struct SideSpec *side, struct Arena *arena)
{
    const char *const *names = side->names.items;
    const char *text = side->peers ? "peers" : "";
    for (size_t i = 0; i < side->names.count; i++)
        text = arena_printf(arena, "%s%s%s", text, text[0] != '\0' ? ", " : "", names[i]);
    return text;
}

const char *between_say(const struct BetweenSpec *between, struct Arena *arena)
{
    static const char *const shapes[] = {
        [SHAPE_NONE] = "",
        [SHAPE_HALVES] = "halves",
        [SHAPE_MAJORITY] = "majority",
        [SHAPE_MINORITY] = "minority",
        [SHAPE_RING] = "ring",
        [SHAPE_BRIDGE] = "bridge",
    };
    if (between->shape != SHAPE_NONE)
        return arena_printf(arena, "%s of %s", shapes[between->shape], between->of);
    return arena_printf(arena, "%s %s %s", side_say(&between->a, arena),
                        between->one_way ? "->" : "|", side_say(&between->b, arena));
}

static bool side_meets(const struct SideSpec *side, const struct Scenario *scenario,
                       const char *role)
{
    const char *const *names = side->names.items;
    for (size_t i = 0; i < side->names.count; i++) {
        const struct TargetSpec *target = scenario_target(scenario, names[i]);
        if (text_equal(target != NULL ? target->role : names[i], role))
            return true;
    }
    return false;
}

bool step_meets_role(const struct StepSpec *step, const struct Scenario *scenario, const char *role)
{
    const struct BetweenSpec *between = step->between;
    if (between == NULL)
        return step->target != NULL && text_equal(step->target->role, role);
    return text_equal(between->of, role) || side_meets(&between->a, scenario, role) ||
           side_meets(&between->b, scenario, role);
}

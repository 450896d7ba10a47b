/* plan_drawn.c - who the targets of a plan are, for steps and for shell text. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/text.h"
#include "planner.h"

const struct Drawn *plan_drawn(const struct Plan *plan, const char *name)
{
    const struct Drawn *drawn = plan->drawn.items;
    for (size_t at = 0; at < plan->drawn.count; at++)
        if (text_equal(drawn[at].spec->name, name))
            return &drawn[at];
    return NULL;
}

struct Draw plan_draw(const struct Plan *plan, const struct Drawn *drawn, const enum Rank *ranks)
{
    const char *apart = drawn->spec->apart;
    return (struct Draw){.spec = drawn->spec,
                         .role = drawn->role,
                         .order = drawn->order,
                         .environment = plan->environment,
                         .ranks = ranks,
                         .apart = apart != NULL ? plan_drawn(plan, apart) : NULL};
}

bool drawn_has(const struct Drawn *drawn, const struct Target *host)
{
    for (size_t at = 0; at < drawn->count; at++)
        if (drawn->hosts[at] == host)
            return true;
    return false;
}

static const struct Target *first_drawn(void *data, const char *name)
{
    const struct Drawn *drawn = plan_drawn(data, name);
    return drawn && drawn->count > 0 ? drawn->hosts[0] : NULL;
}

struct ScriptInput plan_script_input(const struct Plan *plan, const struct Target *host)
{
    return (struct ScriptInput){.scenario = plan->scenario,
                                .environment = plan->environment,
                                .host = host,
                                .run = plan->token.text,
                                .drawn = first_drawn,
                                .drawn_data = (void *)(uintptr_t)plan};
}

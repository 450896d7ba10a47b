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

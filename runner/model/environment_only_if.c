/* environment_only_if.c - probes that must be good before a run and all through it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "environment_build.h"
#include "scenario_build.h"

/* Whom it asks is said in the file itself: no target was drawn, and nothing may be written. */
static bool check_probe(struct EnvironmentBuild *build, const struct ProbeFields *fields)
{
    static const char *const WORDS[] = {"from", "control", "hold", "gap"};
    const struct ProbeKind *kind = fields->kind.variant->kind;
    bool good = true;
    for (size_t at = 0; at < COUNT_OF(WORDS); at++) {
        const struct Node *key = node_key(fields->node, WORDS[at]);
        if (key == NULL)
            continue;
        problems_say(build->problems, ERR_RULE, key->where, NULL,
                     "`%s` means nothing for a probe of the gate", WORDS[at]);
        good = false;
    }
    if (kind->needs_role) {
        problems_say(build->problems, ERR_RULE, fields->kind.where,
                     "Ask an address instead: http, or tcp.",
                     "`%s` names a role, which a probe of the gate cannot", kind->name);
        good = false;
    }
    return good;
}

void environment_set_only_if(struct EnvironmentBuild *build, const struct GateFields *gate)
{
    const struct ProbeFields *fields = gate->only_if.items;
    for (size_t at = 0; at < gate->only_if.count; at++) {
        if (fields[at].kind.variant == NULL || fields[at].node == NULL)
            continue;
        if (check_probe(build, &fields[at]))
            probe_spec(&fields[at], list_add(&build->environment->only_if, build->arena,
                                             sizeof(struct ProbeSpec)));
        else
            build->good = false;
    }
}

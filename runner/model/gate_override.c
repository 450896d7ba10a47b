/* gate_override.c - a rule of calendar or history, set aside on somebody's word, which is kept. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "gate.h"

#include "../base/text.h"
#include <string.h>

enum { REASON_LEAST = 8, REASON_MOST = 200 };

static const char OVERRIDABLE[] = "windows, freeze, max_per_day and passed_in";

/* What keeps harm away now (how much, whom, how long, an incident, the switch, other people's
 * drills) and what asks for others' consent (approvals, the branch, the name) is not among them. */
static const char *const SAFETY[] = {"protected",     "from_git",      "approvals", "blast_radius",
                                     "keep_healthy",  "longest_fault", "forbid",    "only_if",
                                     "freeze_switch", "node_opt_in"};

static bool is_safety(const char *rule)
{
    for (size_t i = 0; i < COUNT_OF(SAFETY); i++)
        if (text_equal(SAFETY[i], rule))
            return true;
    return false;
}

/* Takes the rule out; false where there was none. */
static bool set_aside(struct Environment *environment, const char *rule, bool *known)
{
    struct GateTimes *times = &environment->times;
    bool had = false;
    *known = true;
    if (text_equal(rule, "windows")) {
        had = times->windows.count > 0;
        times->windows = (struct List){.items = NULL};
        times->also = NULL;
    } else if (text_equal(rule, "freeze")) {
        had = times->freezes.count > 0;
        times->freezes = (struct List){.items = NULL};
    } else if (text_equal(rule, "max_per_day")) {
        had = environment->limits.per_day > 0;
        environment->limits.per_day = 0;
    } else if (text_equal(rule, "passed_in")) {
        had = environment->passed_in != NULL;
        environment->passed_in = NULL;
    } else {
        *known = false;
    }
    return had;
}

/* A line for people, in every report. */
static bool is_reason(const char *reason)
{
    if (reason == NULL || strlen(reason) < REASON_LEAST || strlen(reason) > REASON_MOST)
        return false;
    for (const unsigned char *at = (const unsigned char *)reason; *at != '\0'; at++)
        if (*at < 0x20 || *at == 0x7f)
            return false;
    return true;
}

bool gate_override(struct Environment *environment, const struct GateOverride *override,
                   struct Err *err)
{
    bool known;
    if (is_safety(override->rule)) {
        err_set(err, ERR_REFUSED, NOWHERE, "%s: this rule cannot be overridden", override->rule);
        return err_hint(err, "What can: %s. The rest is changed in the file, where all see it.",
                        OVERRIDABLE);
    }
    if (!is_reason(override->reason)) {
        err_set(err, ERR_USAGE, NOWHERE, "an override needs a reason of %d to %d characters",
                REASON_LEAST, REASON_MOST);
        return err_hint(err, "--override %s --reason \"why it must be now\"", override->rule);
    }
    bool had = set_aside(environment, override->rule, &known);
    if (!known) {
        err_set(err, ERR_USAGE, NOWHERE, "the gate knows no rule '%s'", override->rule);
        return err_hint(err, "What can be overridden: %s.", OVERRIDABLE);
    }
    if (!had)
        return err_set(err, ERR_REFUSED, NOWHERE,
                       "%s: environment '%s' has no such rule to override", override->rule,
                       environment->name);
    *(struct GateOverride *)list_add(&environment->overrides, environment->arena,
                                     sizeof *override) =
        (struct GateOverride){.rule = arena_text(environment->arena, override->rule),
                              .who = arena_text(environment->arena, override->who),
                              .reason = arena_text(environment->arena, override->reason)};
    return true;
}

const char *override_say(const struct GateOverride *override, struct Arena *arena)
{
    return arena_printf(arena, "%s by %s: %s", override->rule, override->who, override->reason);
}

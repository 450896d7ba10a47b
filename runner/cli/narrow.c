/* narrow.c - overrides of the environment's rules, then those of scenario and command line. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "drill.h"

#include <string.h>

#include "../base/text.h"
#include "../model/environment_fields.h"

static void add_given(struct Drill *drill, const char *option, struct List *out)
{
    const struct OptionGiven *given = drill->cli->given.items;
    for (size_t i = 0; i < drill->cli->given.count; i++)
        if (text_equal(given[i].option->name, option))
            *(const char **)list_add(out, drill->cli->arena, sizeof(char *)) = given[i].value;
}

static enum RefAnswer no_reference(void *data, const char *ns, const char *name, const char **value,
                                   const char *const **names, size_t *count)
{
    (void)data, (void)ns, (void)name, (void)value, (void)names, (void)count;
    return REF_NO_SPACE;
}

/* The text of one --gate, read by the table that reads the file's. */
static const struct GateFields *read_rule(struct Drill *drill, const char *text, struct Err *err)
{
    struct Arena *arena = drill->loaded.environment->arena;
    struct Problems *problems = problems_new();
    struct GateFields *gate = arena_zero(arena, 1, sizeof *gate);
    struct Decode decode = {.arena = arena, .problems = problems, .reference = no_reference};
    decode.sets = kinds_sets(drill->cli->kinds, arena, &decode.set_count);
    const struct Document *document =
        document_parse("--gate", arena_text(arena, text), strlen(text), arena, problems);
    bool good = document->root != NULL &&
                decode_record(&decode, document->root, &MORE_GATE_RECORD, gate) &&
                gate_check_more(gate, drill->cli->kinds, arena, problems);
    if (!good)
        *err = *problems_at(problems, 0);
    problems_free(problems);
    return good ? gate : NULL;
}

static bool tighten(struct Drill *drill, const struct SavedPlan *saved, struct Err *err)
{
    struct Environment *environment = drill->loaded.environment;
    if (!gate_tighten(environment, drill->loaded.scenario->gate, "the scenario", err))
        return false;
    if (saved != NULL)
        drill->gates = saved->gates;
    size_t of_plan = drill->gates.count;
    struct List all = drill->gates;
    add_given(drill, "gate", &all);
    const char *const *texts = all.items;
    for (size_t at = 0; at < all.count; at++) {
        const struct GateFields *gate = read_rule(drill, texts[at], err);
        if (gate == NULL ||
            !gate_tighten(environment, gate, at < of_plan ? "the plan" : "the command line", err))
            return false;
    }
    if (saved == NULL) /* a plan shows what it was made under */
        drill->gates = all;
    return true;
}

/* Who approves a plan sees what it overrides: nothing comes to it afterwards. */
static bool override(struct Drill *drill, const struct SavedPlan *saved, struct Err *err)
{
    struct List rules = {.items = NULL};
    const char *reason = cli_option(drill->cli, "reason");
    add_given(drill, "override", &rules);
    if (rules.count == 0 && reason != NULL)
        return err_set(err, ERR_USAGE, NOWHERE, "--reason says why a rule is overridden: which?");
    if (saved != NULL && rules.count > 0) {
        err_set(err, ERR_REFUSED, NOWHERE,
                "a saved plan runs with the overrides that it was made with");
        return err_hint(err, "faildrill plan --override %s --reason TEXT",
                        *(const char *const *)rules.items);
    }
    const struct GateOverride *kept = saved != NULL ? saved->overrides.items : NULL;
    for (size_t at = 0; saved != NULL && at < saved->overrides.count; at++)
        if (!gate_override(drill->loaded.environment, &kept[at], err))
            return false;
    const char *const *rule = rules.items;
    for (size_t at = 0; at < rules.count; at++)
        if (!gate_override(
                drill->loaded.environment,
                &(struct GateOverride){.rule = rule[at], .who = drill->who, .reason = reason}, err))
            return false;
    return true;
}

bool drill_narrow(struct Drill *drill, const struct SavedPlan *saved, struct Err *err)
{
    /* In this order: what scenario and command line add on top is nobody's to set aside. */
    return override(drill, saved, err) && tighten(drill, saved, err);
}

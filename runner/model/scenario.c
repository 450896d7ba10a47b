/* scenario.c - from a scenario file to a Scenario, or all that is wrong with it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario_build.h"

#include "../base/text.h"
#include "calendar.h"
#include "file_rules.h"
#include "include.h"
#include "needs.h"
#include <stdarg.h>

enum { SCENARIO_MEMORY = 64 << 20 };

struct Err *scenario_say(struct ScenarioBuild *build, enum ErrCode code, struct Where where,
                         const char *format, ...)
{
    char message[sizeof(((struct Err *)NULL)->message)];
    va_list values;
    va_start(values, format);
    vsnprintf(message, sizeof message, format, values);
    va_end(values);
    problems_say(build->problems, code, where, NULL, "%s", message);
    return problems_last(build->problems);
}

const struct Field *record_field(const struct Record *record, const char *name)
{
    for (const struct Field *field = record->fields; field->name != NULL; field++)
        if (text_equal(field->name, name))
            return field;
    return NULL;
}

const struct TargetSpec *scenario_target(const struct Scenario *scenario, const char *name)
{
    const struct TargetSpec *targets = scenario->targets.items;
    for (size_t i = 0; i < scenario->targets.count; i++)
        if (text_equal(targets[i].name, name))
            return &targets[i];
    return NULL;
}

const struct ProbeSpec *scenario_probe(const struct Scenario *scenario, const char *name)
{
    const struct ProbeSpec *probes = scenario->probes.items;
    for (size_t i = 0; i < scenario->probes.count; i++)
        if (text_equal(probes[i].name, name))
            return &probes[i];
    return NULL;
}

struct Where bound_place(const struct ScenarioBuild *build, const char *section, const char *probe,
                         enum BoundWord word)
{
    const struct Node *bounds = node_get(node_get(build->root, section), probe);
    const struct Node *key = node_key(bounds, bound_name(word));
    return key != NULL ? key->where : build->root->where;
}

static bool decode(struct ScenarioBuild *build, bool resolve)
{
    build->resolve = resolve;
    build->decode.problems = build->problems;
    build->decode.later = (struct List){.items = NULL};
    build->fields = (struct ScenarioFields){.name = NULL};
    return decode_record(&build->decode, build->root, &SCENARIO_RECORD, &build->fields);
}

static void check_name(struct ScenarioBuild *build)
{
    const struct Node *name = node_get(build->root, "scenario");
    if (build->fields.name == NULL || file_is_named(build->scenario->path, build->fields.name))
        return;
    err_hint(scenario_say(build, ERR_NAME, name->where,
                          "scenario '%s' does not stand in a file of that name",
                          build->fields.name),
             "rename one of them: `faildrill run %s` looks for %s.yaml", build->fields.name,
             build->fields.name);
}

static void check_schedule(struct ScenarioBuild *build)
{
    const struct Node *schedule = node_get(build->root, "schedule");
    if (build->fields.schedule != NULL)
        calendar_check(build->fields.schedule, schedule->where, build->arena, build->problems);
}

static bool is_part(const struct Document *document, const char *file)
{
    bool is = text_equal(file, document->path);
    for (size_t i = 0; i < document->included_count && !is; i++)
        is = text_equal(file, document->included[i].file);
    return is;
}

/* Errors of this file and its fragments so far, those of its syntax too. */
static size_t errors_here(const struct ScenarioBuild *build)
{
    size_t errors = 0;
    for (size_t i = 0; i < problems_count(build->problems); i++) {
        const struct Err *err = problems_at(build->problems, i);
        bool here = err->where.file == NULL || is_part(build->input->document, err->where.file);
        errors += here && err_status(err->code) != 0;
    }
    return errors;
}

/* Twice: first with the environment's references as written, which is what the hashes mean; then
 * with them filled in. What is wrong is said once: the second time comes only after a clean first.
 */
static void read_all(struct ScenarioBuild *build)
{
    const struct Node *include = node_key(build->root, "include");
    if (!needs_met(build->root, build->problems))
        return;
    if (include != NULL) /* whoever reads files expands them first */
        scenario_say(build, ERR_FILE, include->where, "what is included here was not read");
    scenario_read_params(build);
    bool clean = decode(build, false) && errors_here(build) == 0;
    check_name(build);
    check_schedule(build);
    if (clean) {
        scenario_hash(build);
        clean = decode(build, true);
    }
    scenario_make_values(build);
    scenario_check_names(build);
    if (!clean)
        return;
    scenario_check_references(build);
    scenario_check_figures(build);
    scenario_check_gate(build);
    if (errors_here(build) > 0)
        return;
    scenario_check_steps(build);
    scenario_check_pods(build);
    scenario_check_bounds(build);
    scenario_warn(build);
}

struct Scenario *scenario_new(const struct ScenarioInput *input, struct Problems *problems)
{
    struct Arena *arena = arena_new("scenario", SCENARIO_MEMORY);
    struct Scenario *scenario = arena_zero(arena, 1, sizeof *scenario);
    scenario->arena = arena;
    scenario->path = arena_text(arena, input->document->path);
    scenario->text = arena_bytes(arena, input->document->text, input->document->size);

    size_t set_count;
    const struct VariantSet *sets = kinds_sets(input->kinds, arena, &set_count);
    struct ScenarioBuild build = {
        .input = input,
        .scenario = scenario,
        .root = input->document->root,
        .arena = arena,
        .problems = problems,
    };
    build.decode =
        (struct Decode){.arena = arena, .problems = problems, .sets = sets, .set_count = set_count};
    build.decode.reference = scenario_answer;
    build.decode.reference_data = &build;
    build.root = scenario_with_defaults(&build, build.root);
    size_t before = problems_errors(problems), first = problems_count(problems);
    read_all(&build);
    include_note(input->document, first, problems);
    if (problems_errors(problems) == before)
        return scenario;
    scenario_free(scenario);
    return NULL;
}

void scenario_free(struct Scenario *scenario)
{
    if (scenario != NULL)
        arena_free(scenario->arena);
}

/* kinds.c - from the tables of kinds to the variants that files may name. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include "../base/text.h"
#include "../schema/describe.h"
#include "environment_fields.h"
#include "gameday.h"
#include "project.h"
#include "scenario_fields.h"

static const struct FileKind FILES[] = {
    {"scenario", "one drill; its name is what plan and run take", &SCENARIO_RECORD},
    {"environment", "where drills run; its name is what -e takes", &ENVIRONMENT_RECORD},
    {"fragment", "parts of scenarios, which include it", &FRAGMENT_RECORD},
    {"gameday", "several drills in one go; run takes it as it takes a scenario", &GAMEDAY_RECORD},
    {"project", "one per repository, and optional", &PROJECT_RECORD},
};

const struct FileKind *kinds_files(size_t *count)
{
    *count = COUNT_OF(FILES);
    return FILES;
}

bool kinds_has_verb(const struct Kinds *kinds, const char *word)
{
    for (size_t i = 0; kinds->faults[i] != NULL; i++)
        if (text_equal(kinds->faults[i]->name, word))
            return true;
    return text_equal(word, FAILOVER_RECORD.name);
}

static void add_variant(struct List *list, struct Arena *arena, const struct Variant *variant)
{
    struct Variant *slot = list_add(list, arena, sizeof *slot);
    *slot = *variant;
}

static struct VariantSet set_of(const char *name, const struct List *variants)
{
    return (struct VariantSet){.name = name, .at = variants->items, .count = variants->count};
}

static struct VariantSet probes(const struct Kinds *kinds, struct Arena *arena)
{
    struct List list = {.items = NULL};
    for (size_t i = 0; kinds->probes[i] != NULL; i++) {
        const struct ProbeKind *kind = kinds->probes[i];
        add_variant(&list, arena,
                    &(struct Variant){kind->name, kind->summary, &kind->config, kind});
    }
    return set_of("probe", &list);
}

/* They stand among the faults, but are no fault kinds: their variants have none. */
static const struct Variant OTHER_STEPS[] = {
    {"failover", "a planned failover, asked of the role's system", &FAILOVER_RECORD, NULL},
    {"parallel", "steps side by side; their faults strike together", &PARALLEL_RECORD, NULL},
    {"wait", "so long, or until all is steady", &WAIT_RECORD, NULL},
    {"ask", "a question to a person; no halts and undoes", &ASK_RECORD, NULL},
    {"note", "a line for the timeline", &NOTE_RECORD, NULL},
};

const struct ProbeKind *kinds_statement(const struct Kinds *kinds)
{
    for (size_t i = 0; kinds->probes[i] != NULL; i++)
        if (text_equal(kinds->probes[i]->name, "sql"))
            return kinds->probes[i];
    return NULL;
}

static struct VariantSet steps(const struct Kinds *kinds, struct Arena *arena)
{
    const struct ProbeKind *statement = kinds_statement(kinds);
    struct List list = {.items = NULL};
    for (size_t i = 0; kinds->faults[i] != NULL; i++) {
        const struct FaultKind *kind = kinds->faults[i];
        add_variant(&list, arena,
                    &(struct Variant){kind->name, kind->summary, &kind->config, kind});
    }
    if (statement != NULL)
        add_variant(&list, arena,
                    &(struct Variant){"sql", "a statement to a database, once, from here",
                                      &statement->config, NULL});
    for (size_t i = 0; i < COUNT_OF(OTHER_STEPS); i++)
        add_variant(&list, arena, &OTHER_STEPS[i]);
    return set_of("step", &list);
}

static struct VariantSet systems(const struct Kinds *kinds, struct Arena *arena)
{
    struct List list = {.items = NULL};
    for (size_t i = 0; kinds->systems[i] != NULL; i++) {
        const struct SystemKind *kind = kinds->systems[i];
        add_variant(&list, arena,
                    &(struct Variant){kind->name, kind->summary, &kind->config, kind});
    }
    return set_of("system", &list);
}

static struct VariantSet transports(const struct Kinds *kinds, struct Arena *arena)
{
    struct List list = {.items = NULL};
    for (size_t i = 0; kinds->transports[i] != NULL; i++) {
        const struct TransportKind *kind = kinds->transports[i];
        add_variant(&list, arena,
                    &(struct Variant){kind->name, kind->summary, &kind->config, kind});
    }
    return set_of("reach", &list);
}

const struct VariantSet *kinds_sets(const struct Kinds *kinds, struct Arena *arena, size_t *count)
{
    struct VariantSet *sets = arena_zero(arena, 4, sizeof *sets);
    sets[0] = probes(kinds, arena);
    sets[1] = steps(kinds, arena);
    sets[2] = systems(kinds, arena);
    sets[3] = transports(kinds, arena);
    *count = 4;
    return sets;
}

/* holding.c - writes the procedure of a process that holds a resource. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "holding.h"

#include <inttypes.h>
#include <string.h>

#include "../base/text.h"

#define PERMILLE 1000 /* millionths */

static struct Where where_of(const struct Node *node, const char *key)
{
    const struct Node *value = node_get(node, key);
    return value != NULL ? value->where : node->where;
}

void holding_check_path(const void *record, const struct Node *node, struct Decode *decode)
{
    const struct HoldingConfig *config = record;
    if (config->path != NULL && !reference_present(config->path) && !path_is_plain(config->path))
        problems_say(decode->problems, ERR_VALUE, where_of(node, "path"),
                     "write the path from the root", "'%s' is no absolute path", config->path);
}

void holding_check(const void *record, const struct Node *node, struct Decode *decode)
{
    bool share = node_get(node, "share") != NULL, leave = node_get(node, "leave") != NULL;
    if (share && leave)
        problems_say(decode->problems, ERR_RULE, where_of(node, "leave"),
                     "say how full it gets, or how much is left",
                     "`share` and `leave` exclude each other");
    if (!share && !leave)
        problems_say(decode->problems, ERR_REQUIRED, node->where, "share: 80%, or leave: 200MiB",
                     "nothing says how much is taken");
    holding_check_path(record, node, decode);
}

void holding_say(struct Holding *holding, const char *word, const char *value)
{
    if (holding->count + 2 >= COUNT_OF(holding->words))
        bug("too many words for '%s'", holding->kind);
    holding->words[holding->count++] = word;
    holding->words[holding->count++] = value;
}

void holding_say_amount(struct Holding *holding, const struct HoldingConfig *config,
                        struct Arena *arena)
{
    if (config->share != FIELD_NOT_GIVEN)
        holding_say(holding, "share", arena_printf(arena, "%" PRId64, config->share / PERMILLE));
    if (config->leave != FIELD_NOT_GIVEN)
        holding_say(holding, "leave", arena_printf(arena, "%" PRId64, config->leave));
}

static void add(const struct Holding *holding, struct Commands *commands, struct Arena *arena,
                const char *what, const char *verb)
{
    const char *const head[] = {"sh", "hold", verb, holding->kind};
    const char **argv = arena_zero(arena, COUNT_OF(head) + holding->count + 1, sizeof *argv);
    memcpy(argv, head, sizeof head);
    memcpy(argv + COUNT_OF(head), holding->words, holding->count * sizeof *argv);
    commands_add_argv(commands, arena, what, text_equal(verb, "take") ? 120 : 20, argv);
}

static const char *said(const char *own, const char *usual)
{
    return own != NULL ? own : usual;
}

struct Procedure holding_plan(const struct Holding *holding, const struct PlanInput *input,
                              struct Arena *arena)
{
    struct Procedure procedure = procedure_of(input, CLASS_PROCESS);
    add(holding, &procedure.save, arena,
        said(holding->checking, "see that it can be had, and enough is left"), "check");
    add(holding, &procedure.apply, arena, holding->taking, "take");
    add(holding, &procedure.in_place, arena, said(holding->proving, "it is held, all of it"),
        "held");
    add(holding, &procedure.undo, arena, said(holding->ending, "end the processes that hold it"),
        "free");
    add(holding, &procedure.all_clear, arena, said(holding->clearing, "no process holds it"),
        "freed");
    return procedure;
}

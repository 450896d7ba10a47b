/* sides.c - whom a network fault is between: two sides, or a shape of a role. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sides.h"

#include <stddef.h>

#define AT(member) .offset = offsetof(struct CutFields, member)

static const struct Choice shapes[] = {
    {"halves", SHAPE_HALVES, "Two halves; of an odd number the second is larger by one."},
    {"majority", SHAPE_MAJORITY, "Fewer than half are cut off; who leads stays with the most."},
    {"minority", SHAPE_MINORITY, "Fewer than half are cut off, and who leads with them."},
    {"ring", SHAPE_RING, "Each hears a majority, its neighbours, and no two hear the same one."},
    {"bridge", SHAPE_BRIDGE, "Two halves, and between them one host that hears all."},
    {.name = NULL},
};
static const struct Field CUT_FIELDS[] = {
    {.name = "between",
     .type = FIELD_ANY,
     AT(between),
     .example = "[primary, peers]",
     .doc = "Two sides that hear each other no more: targets, roles, lists of them, or `peers`, "
            "the rest of the role of the other side."},
    {.name = "from",
     .type = FIELD_ANY,
     AT(from),
     .example = "replica",
     .doc = "One way: these are no longer heard by those under `to`."},
    {.name = "to",
     .type = FIELD_ANY,
     AT(to),
     .example = "primary",
     .doc = "One way: these no longer hear those under `from`."},
    {.name = "shape",
     .type = FIELD_CHOICE,
     AT(shape),
     .choices = shapes,
     .example = "minority",
     .doc = "How the hosts of a role fall apart; the seed says who stands where."},
    {.name = "of",
     .type = FIELD_TEXT,
     AT(of),
     .flags = FIELD_SNAKE,
     .example = "redis",
     .doc = "The role that a `shape` is of."},
    {.name = NULL},
};

static void check(const void *record, const struct Node *node, struct Decode *decode)
{
    const struct CutFields *cut = record;
    bool between = cut->between != NULL && cut->from == NULL && cut->to == NULL;
    bool one_way = cut->between == NULL && cut->from != NULL && cut->to != NULL;
    bool sides = cut->between != NULL || cut->from != NULL || cut->to != NULL;
    bool shape = cut->shape != SHAPE_NONE && cut->of != NULL;
    bool shaped = cut->shape != SHAPE_NONE || cut->of != NULL;
    if ((!shaped && (between || one_way)) || (!sides && shape))
        return;
    problems_say(decode->problems, ERR_RULE, node->where, NULL,
                 "a cut is between two sides, one way, or a shape of a role");
    err_hint(problems_last(decode->problems),
             "{between: [A, B]}, {from: A, to: B} or {shape: halves, of: ROLE}");
}

const struct Record CUT_RECORD = {
    .name = "cut_sides",
    .doc = "Who hears whom no more.",
    .size = sizeof(struct CutFields),
    .fields = CUT_FIELDS,
    .check = check,
};

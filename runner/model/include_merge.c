/* include_merge.c - two trees of a scenario put together; a name that both have is a problem. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "include_parts.h"

#include "../base/text.h"

/* A map that is being put together; room for all that may come. */
struct Pairs {
    const struct Node **keys, **items;
    size_t count;
};

static struct Pairs pairs_of(struct Arena *arena, const struct Node *map, size_t more)
{
    struct Pairs pairs = {.count = map->count};
    pairs.keys = arena_zero(arena, map->count + more + 1, sizeof *pairs.keys);
    pairs.items = arena_zero(arena, map->count + more + 1, sizeof *pairs.items);
    for (size_t n = 0; n < map->count; n++) {
        pairs.keys[n] = map->keys[n];
        pairs.items[n] = map->items[n];
    }
    return pairs;
}

static void add(struct Pairs *pairs, const struct Node *key, const struct Node *item)
{
    pairs->keys[pairs->count] = key;
    pairs->items[pairs->count++] = item;
}

static size_t find(const struct Pairs *pairs, const char *key)
{
    size_t at = 0;
    while (at < pairs->count && !text_equal(pairs->keys[at]->text, key))
        at++;
    return at;
}

static const struct Node *map_of(struct Arena *arena, const struct Pairs *pairs, struct Where where)
{
    struct Node *map = arena_zero(arena, 1, sizeof *map);
    *map = (struct Node){.type = NODE_MAP, .where = where, .count = pairs->count};
    map->keys = pairs->keys;
    map->items = pairs->items;
    return map;
}

static void say_twice(struct Include *include, const char *path, const struct Node *first,
                      const struct Node *second)
{
    problems_say(include->problems, ERR_DUPLICATE_KEY, second->where, NULL,
                 "`%s.%s` stands in two places", path, second->text);
    err_at(problems_last(include->problems), "it stands in %s:%u already", first->where.file,
           first->where.line);
}

/* `first`, then `second`. Where `deeper`, what both have may be two maps without a common key:
 * bounds of one probe. */
static const struct Node *merge_maps(struct Include *include, const char *path,
                                     const struct Node *first, const struct Node *second,
                                     bool deeper)
{
    if (first->type != NODE_MAP || second->type != NODE_MAP) /* the decoder says what is wrong */
        return first->type != NODE_MAP ? first : second;
    struct Pairs pairs = pairs_of(include->arena, first, second->count);
    for (size_t n = 0; n < second->count; n++) {
        size_t at = find(&pairs, second->keys[n]->text);
        if (at == pairs.count)
            add(&pairs, second->keys[n], second->items[n]);
        else if (deeper && pairs.items[at]->type == NODE_MAP && second->items[n]->type == NODE_MAP)
            pairs.items[at] = merge_maps(
                include, arena_printf(include->arena, "%s.%s", path, second->keys[n]->text),
                pairs.items[at], second->items[n], false);
        else
            say_twice(include, path, pairs.keys[at], second->keys[n]);
    }
    return map_of(include->arena, &pairs, second->where);
}

/* A single step counts as a list of one. */
static const struct Node *merge_lists(struct Include *include, const struct Node *first,
                                      const struct Node *second)
{
    const struct Node *both[] = {first, second};
    struct Node *list = arena_zero(include->arena, 1, sizeof *list);
    const struct Node **items =
        arena_zero(include->arena, first->count + second->count + 2, sizeof *items);
    *list = (struct Node){.type = NODE_LIST, .where = second->where, .items = items};
    for (size_t side = 0; side < COUNT_OF(both); side++) {
        if (both[side]->type != NODE_LIST)
            items[list->count++] = both[side];
        for (size_t n = 0; both[side]->type == NODE_LIST && n < both[side]->count; n++)
            items[list->count++] = both[side]->items[n];
    }
    return list;
}

static const struct Node *merge_section(struct Include *include, const char *name,
                                        const struct Node *first, const struct Node *own)
{
    if (text_equal(name, "steps") || text_equal(name, "always"))
        return merge_lists(include, first, own);
    if (text_equal(name, "params"))
        return merge_maps(include, name, own, first, false);
    bool judges = text_equal(name, "expect") || text_equal(name, "halt");
    return merge_maps(include, name, first, own, judges);
}

const struct Node *include_merge(struct Include *include, const struct Node *first,
                                 const struct Node *own)
{
    struct Pairs pairs = pairs_of(include->arena, own, first->count);
    for (size_t n = 0; n < first->count; n++) {
        const char *name = first->keys[n]->text;
        size_t at = find(&pairs, name);
        if (text_equal(name, "fragment"))
            continue;
        if (at == pairs.count)
            add(&pairs, first->keys[n], first->items[n]);
        else
            pairs.items[at] = merge_section(include, name, first->items[n], pairs.items[at]);
    }
    return map_of(include->arena, &pairs, own->where);
}

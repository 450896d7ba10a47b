/* environment_sources.c - secrets that say where they stand whence they come: token: {env: X}. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/text.h"
#include "environment_build.h"
#include "node_edit.h"

/* Where one may stand under `notify:`; key NULL: its words stand beside `when`, for the URL. */
static const struct Place {
    const char *way, *key, *name;
} PLACES[] = {
    {"slack", NULL, "notify_slack"},
    {"teams", NULL, "notify_teams"},
    {"webhook", "sign_with", "notify_webhook"},
    {"grafana", "token", "notify_grafana"},
};
static const char *const WORDS[] = {"env", "file", "cmd"};

/* {env: X} of {env: X, when: [end]}; NULL where it has none of these words. */
static const struct Node *source_in(const struct Node *map, struct Arena *arena)
{
    const struct Node *source = NULL;
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        const struct Node *item = node_get(map, WORDS[i]);
        if (item == NULL)
            continue;
        const struct Node *one = node_single(WORDS[i], item, arena);
        source = source == NULL ? one : node_joined(source, one, arena);
    }
    return source;
}

static const struct Node *reference_to(const char *name, struct Where where, struct Arena *arena)
{
    struct Node *node = arena_zero(arena, 1, sizeof *node);
    *node = (struct Node){.type = NODE_SCALAR,
                          .where = where,
                          .text = arena_printf(arena, "${secret.%s}", name),
                          .quoted = true};
    return node;
}

/* The way with a reference in the place of the source, which goes to *source. */
static const struct Node *take(const struct Place *place, const struct Node *way,
                               const struct Node **source, struct Arena *arena)
{
    const struct Node *value = place->key != NULL ? node_get(way, place->key) : NULL;
    if (place->key != NULL) {
        *source = value != NULL && value->type == NODE_MAP ? value : NULL;
        return *source == NULL ? way
                               : node_with(way, place->key,
                                           reference_to(place->name, value->where, arena), arena);
    }
    *source = node_get(way, "url") == NULL ? source_in(way, arena) : NULL;
    if (*source == NULL)
        return way;
    for (size_t i = 0; i < COUNT_OF(WORDS); i++)
        way = node_without(way, WORDS[i], arena);
    return node_joined(
        way, node_single("url", reference_to(place->name, (*source)->where, arena), arena), arena);
}

static const struct Node *with_secret(struct EnvironmentBuild *build, const struct Node *root,
                                      const char *name, const struct Node *source)
{
    const struct Node *secrets = node_get(root, "secrets");
    const struct Node *one = node_single(name, source, build->arena);
    if (secrets == NULL)
        return node_joined(root, node_single("secrets", one, build->arena), build->arena);
    if (secrets->type != NODE_MAP)
        return root; /* its table says what is wrong with it */
    const struct Node *key = node_key(secrets, name);
    if (key == NULL)
        return node_with(root, "secrets", node_joined(secrets, one, build->arena), build->arena);
    problems_say(build->problems, ERR_DUPLICATE_KEY, key->where, "give it another name",
                 "a secret of that name stands under `notify`");
    build->good = false;
    return root;
}

const struct Node *environment_sources(struct EnvironmentBuild *build, const struct Node *root)
{
    const struct Node *notify = node_get(root, "notify");
    for (size_t i = 0; i < COUNT_OF(PLACES); i++) {
        const struct Node *way = node_get(notify, PLACES[i].way), *source = NULL;
        if (way == NULL || way->type != NODE_MAP)
            continue;
        way = take(&PLACES[i], way, &source, build->arena);
        if (source == NULL)
            continue;
        notify = node_with(notify, PLACES[i].way, way, build->arena);
        root = with_secret(build, node_with(root, "notify", notify, build->arena), PLACES[i].name,
                           source);
    }
    return root;
}

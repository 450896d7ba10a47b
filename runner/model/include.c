/* include.c - fragments that a scenario file includes: read, checked, and put together. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "include_parts.h"

#include "../base/text.h"
#include "../schema/yaml_write.h"
#include "file_rules.h"
#include "node_edit.h"

enum { LEVELS_MOST = 8, FRAGMENTS_MOST = 32, BYTES_MOST = 256 << 10 };

/* A file whose `include` is being followed, and who included it. */
struct Level {
    const struct Document *document;
    const struct Level *above;
    const char *from; /* "b.yaml:2, from a.yaml:3": where; NULL for the scenario */
    int depth;
};

static const struct Node *expand(struct Include *include, const struct Level *level);

struct Fragment {
    const struct Node *root;
    struct Arena *arena;
};

/* What a fragment may refer to: its own parameters, and what its scenario will know. */
static enum RefAnswer answer(void *data, const char *ns, const char *name, const char **value,
                             const char *const **names, size_t *count)
{
    static const char *const SPACES[] = {"env",    "endpoint", "target", "host",
                                         "secret", "capture",  "run"};
    const struct Fragment *fragment = data;
    const struct Node *said = node_get(fragment->root, "params");
    const struct Node *params = said != NULL && said->type == NODE_MAP ? said : NULL;
    const char **all =
        arena_zero(fragment->arena, params != NULL ? params->count + 1 : 1, sizeof *all);
    (void)value;
    for (size_t n = 0; n < COUNT_OF(SPACES); n++)
        if (text_equal(ns, SPACES[n]))
            return REF_LATER;
    if (!text_equal(ns, "param"))
        return REF_NO_SPACE;
    *names = all;
    for (*count = 0; params != NULL && *count < params->count; (*count)++)
        all[*count] = params->keys[*count]->text;
    bool known = node_get(params, name) != NULL || node_get(fragment->root, "include") != NULL;
    return known ? REF_LATER : REF_UNKNOWN;
}

bool fragment_check(const struct Document *document, const struct Kinds *kinds, struct Arena *arena,
                    struct Problems *problems)
{
    struct Decode decode = {.arena = arena, .problems = problems};
    struct ScenarioFields fields = {.name = NULL};
    struct Fragment fragment = {document->root, arena};
    decode.sets = kinds_sets(kinds, arena, &decode.set_count);
    decode.reference = answer;
    decode.reference_data = &fragment;
    if (!decode_record(&decode, document->root, &FRAGMENT_RECORD, &fields))
        return false;
    if (file_is_named(document->path, fields.name))
        return true;
    problems_say(problems, ERR_NAME, node_get(document->root, "fragment")->where, NULL,
                 "fragment '%s' does not stand in a file of that name", fields.name);
    return err_hint(problems_last(problems), "rename one of them");
}

/* ---- Limits. ---- */
static bool is_above(const struct Level *level, const struct Document *document)
{
    for (; level != NULL; level = level->above)
        if (level->document == document)
            return true;
    return false;
}

static bool may_include(struct Include *include, const struct Level *level,
                        const struct Document *document, struct Where where)
{
    struct Problems *problems = include->problems;
    include->bytes += document->size;
    if (is_above(level, document)) {
        problems_say(problems, ERR_RULE, where, "a fragment cannot be a part of itself",
                     "`%s` includes itself", document->path);
        return false;
    }
    include->full = true;
    if (level->depth == LEVELS_MOST)
        problems_say(problems, ERR_LIMIT, where, NULL, "fragments are nested deeper than %d levels",
                     LEVELS_MOST);
    else if (include->included.count == FRAGMENTS_MOST)
        problems_say(problems, ERR_LIMIT, where, NULL, "more than %d fragments are included",
                     FRAGMENTS_MOST);
    else if (include->bytes > BYTES_MOST)
        problems_say(problems, ERR_LIMIT, where, NULL,
                     "the scenario and its fragments have more than %d bytes", BYTES_MOST);
    else
        include->full = false;
    return !include->full;
}

/* ---- One fragment. ---- */
static bool is_fragment(struct Include *include, const struct Document *document,
                        struct Where where)
{
    const struct Node *root = document->root;
    if (root == NULL) /* said by whoever read it */
        return false;
    if (root->type == NODE_MAP && root->count > 0 && text_equal(root->keys[0]->text, "fragment"))
        return fragment_check(document, include->input->kinds, include->arena, include->problems);
    problems_say(include->problems, ERR_KIND_OF_FILE, where, "its first key is `fragment:`",
                 "`%s` is no fragment", document->path);
    return false;
}

/* The tree of a fragment, with all that it includes itself; NULL, with problems. */
static const struct Node *fragment_tree(struct Include *include, const struct Level *level,
                                        const struct IncludeFields *one, struct Where where)
{
    const struct IncludeInput *input = include->input;
    const struct Document *document =
        input->read(input->data, level->document->path, one->file, where, include->problems);
    if (document == NULL || !may_include(include, level, document, where))
        return NULL;
    struct Level below = {.document = document, .above = level, .depth = level->depth + 1};
    below.from =
        arena_printf(include->arena, "%s:%u%s%s", where.file, where.line,
                     level->from != NULL ? ", from " : "", level->from != NULL ? level->from : "");
    *(struct Inclusion *)list_add(&include->included, include->arena, sizeof(struct Inclusion)) =
        (struct Inclusion){.file = document->path, .from = below.from};
    return is_fragment(include, document, where) ? expand(include, &below) : NULL;
}

/* Its name; included a second time beside each other, with a 2. */
static const char *prefix_of(struct Include *include, const struct Node **trees, size_t count)
{
    const char *name = node_get(trees[count], "fragment")->text;
    size_t same = 1;
    for (size_t n = 0; n < count; n++)
        same += trees[n] != NULL && text_equal(node_get(trees[n], "fragment")->text, name);
    return same == 1 ? name : arena_printf(include->arena, "%s_%zu", name, same);
}

/* ---- All of one file. ---- */
static bool read_list(struct Include *include, const struct Node *root, struct List *out)
{
    struct Decode decode = {.arena = include->arena, .problems = include->problems};
    const struct Node *named = node_get(root, "include");
    return decode_record(&decode, node_single("include", named, include->arena), &INCLUDES_RECORD,
                         out);
}

/* The root of a file with all that it includes; NULL, with problems. Its `include` is gone. */
static const struct Node *expand(struct Include *include, const struct Level *level)
{
    const struct Node *root = level->document->root;
    struct List list = {.count = 0};
    if (node_get(root, "include") == NULL)
        return root;
    if (!read_list(include, root, &list))
        return NULL;
    const struct IncludeFields *all = list.items;
    const struct Node **trees = arena_zero(include->arena, list.count + 1, sizeof *trees);
    const struct Node **ready = arena_zero(include->arena, list.count + 1, sizeof *ready);
    for (size_t n = 0; n < list.count && !include->full; n++) {
        const struct Node *file = node_get(all[n].node, "file");
        trees[n] = fragment_tree(include, level, &all[n], file->where);
        if (trees[n] == NULL)
            continue;
        const char *prefix = prefix_of(include, trees, n);
        ready[n] = include_rename(include, trees[n], prefix);
        ready[n] = include_give(include, ready[n], node_get(trees[n], "params"), prefix,
                                node_get(all[n].node, "with"));
    }
    root = node_without(root, "include", include->arena);
    for (size_t n = list.count; n > 0; n--)
        if (ready[n - 1] != NULL)
            root = include_merge(include, ready[n - 1], root);
    return root;
}

const struct Document *include_expand(const struct IncludeInput *input, struct Arena *arena,
                                      struct Problems *problems)
{
    const struct Document *document = input->document;
    if (document->root == NULL || node_get(document->root, "include") == NULL)
        return document;
    struct Include include = {
        .input = input, .arena = arena, .problems = problems, .bytes = document->size};
    struct Document *out = arena_zero(arena, 1, sizeof *out);
    size_t first = problems_count(problems), errors = problems_errors(problems);
    *out = *document;
    out->root = expand(&include, &(struct Level){.document = document, .depth = 0});
    struct Buf text = BUF(BYTES_MOST + 1);
    if (out->root != NULL)
        yaml_write(out->root, &text);
    if (text.cut)
        problems_say(problems, ERR_LIMIT, (struct Where){.file = document->path}, NULL,
                     "with its fragments, the scenario has more than %d bytes", BYTES_MOST);
    out->text = arena_bytes(arena, text.text, text.size);
    out->size = text.size;
    out->included = include.included.items;
    out->included_count = include.included.count;
    buf_free(&text);
    if (problems_errors(problems) > errors)
        out->root = NULL;
    include_note(out, first, problems);
    return out;
}

/* ---- From where. ---- */
static void note_one(const struct Document *document, struct Err *err)
{
    char note[sizeof err->note];
    size_t used = 0;
    for (size_t n = 0; n < document->included_count; n++) {
        const struct Inclusion *one = &document->included[n];
        bool again = n > 0 && text_equal(one->from, one[-1].from);
        if (!text_equal(one->file, err->where.file) || again || used >= sizeof note)
            continue;
        used += (size_t)snprintf(note + used, sizeof note - used, "%s%s",
                                 used > 0 ? " and " : "included from ", one->from);
    }
    if (used > 0 && err->note[0] == '\0')
        err_note(err, "%s", note);
    else if (used > 0)
        err_note(err, "%s; %s", err->note, note);
}

void include_note(const struct Document *document, size_t first, struct Problems *problems)
{
    for (size_t n = first; n < problems_count(problems); n++)
        note_one(document, problems_edit(problems, n));
}

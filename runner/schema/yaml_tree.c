/* yaml_tree.c - the one home of libyaml: its events become nodes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "yaml_tree.h"

#include <string.h>
#include <yaml.h>

#include "../base/text.h"

enum {
    DEPTH_MAX = 32,
    EVENTS_MAX = 20000,
    SCALAR_MAX_BYTES = 8 * 1024,
    MENDED_MAX = 20,
    KEYS_MAX = 2000
};

/* Where a `${...}` stood unquoted inside braces, as libyaml counts: from 0. */
struct Mended {
    size_t line, column;
};

/* One reading. A `${...}` inside braces ends it; then that is reported, its braces become
 * parentheses in `text`, and all is read again, so that the rest of the file is judged too. */
struct Tree {
    const struct Document *document;
    struct Arena *arena;
    struct Problems *problems; /* of this reading */
    struct Problems *lasting;
    yaml_parser_t parser;
    yaml_event_t event; /* the current one; `held` says that it must be deleted */
    bool held;
    size_t events;
    char *text; /* what is parsed: the document's, mended */
    struct Mended mended[MENDED_MAX];
    size_t mended_count;
    bool again; /* the reading ended at a `${...}` that is mended now */
};

static const struct Node *read_node(struct Tree *tree, int depth);

static struct Where where_of(const struct Tree *tree, yaml_mark_t mark, size_t width)
{
    return (struct Where){.file = tree->document->path,
                          .line = (uint32_t)mark.line + 1,
                          .column = (uint32_t)mark.column + 1,
                          .width = (uint32_t)width};
}

/* The byte where a mark stands: libyaml counts characters. */
static size_t byte_of(const struct Tree *tree, yaml_mark_t mark)
{
    const char *text = tree->document->text;
    size_t at = text_starts(text, "\xef\xbb\xbf") ? 3 : 0;
    for (size_t line = 0; line < mark.line && text[at] != '\0'; at++)
        line += text[at] == '\n' || (text[at] == '\r' && text[at + 1] != '\n');
    for (size_t column = 0; column < mark.column && text[at] != '\0'; column++) {
        uint32_t code = 0;
        size_t taken = text_decode(text + at, tree->document->size - at, &code);
        at += taken > 0 ? taken : 1;
    }
    return at;
}

/* What to write instead: the whole value, from `*size` bytes that begin at the reference's `$`. */
static const char *whole_value(const char *text, const char *start, size_t *size)
{
    static const char ends[] = "{}[],'\"\r\n\t ";
    const char *first = start, *last = start + *size;
    while (first > text && strchr(ends, first[-1]) == NULL)
        first--;
    last += strcspn(last, ends);
    bool another = *last == '{'; /* two references in one value: only the first is meant */
    *size = another ? *size : (size_t)(last - first);
    return another ? start : first;
}

/* True where the parser stopped at the brace of an unquoted `${...}`. */
static bool mend_reference(struct Tree *tree)
{
    const yaml_parser_t *parser = &tree->parser;
    size_t open = byte_of(tree, parser->problem_mark);
    if (parser->error != YAML_PARSER_ERROR || open == 0 || tree->text[open] != '{' ||
        tree->text[open - 1] != '$')
        return false;
    size_t inside = strcspn(tree->text + open + 1, "{}[],'\"\r\n");
    size_t close = open + 1 + inside, size = inside + 3;
    bool whole = tree->text[close] == '}';
    const char *source = tree->document->text;
    bool in_list = parser->context != NULL && strstr(parser->context, "sequence") != NULL;
    struct Where where = where_of(tree, parser->problem_mark, whole ? size : 2);
    where.column--;
    problems_say(tree->lasting, ERR_UNQUOTED, where, NULL, "`${...}` inside `%s` must be quoted",
                 in_list ? "[ ]" : "{ }");
    if (!whole)
        return true;
    const char *value = whole_value(source, source + open - 1, &size);
    err_at(problems_last(tree->lasting), "write \"%.*s\"", (int)size, value);
    if (tree->mended_count == MENDED_MAX)
        return true;
    tree->text[open] = '(';
    tree->text[close] = ')';
    tree->mended[tree->mended_count++] =
        (struct Mended){.line = parser->problem_mark.line, .column = parser->problem_mark.column};
    tree->again = true;
    return true;
}

/* What surely helps against a sentence of libyaml's, or NULL. */
static const char *advice(const struct Tree *tree, const char *problem)
{
    size_t at = byte_of(tree, tree->parser.problem_mark);
    char c = tree->document->text[at];
    if (c == '\t')
        return "indent with blanks, not with tabs";
    if (text_equal(problem, "found character that cannot start any token"))
        return "a value that begins with one of @ ` % must be quoted";
    if (text_equal(problem, "mapping values are not allowed in this context"))
        return "a value that holds `: ` must be quoted";
    if (problem != NULL && strstr(problem, "unknown escape character") != NULL)
        return "use single quotes where a backslash is meant as it stands";
    return NULL;
}

static bool syntax_error(struct Tree *tree)
{
    const yaml_parser_t *parser = &tree->parser;
    if (mend_reference(tree))
        return false;
    if (parser->error == YAML_MEMORY_ERROR)
        bug("libyaml is out of memory");
    const char *problem = parser->problem != NULL ? parser->problem : "it cannot be read";
    problems_say(tree->problems, ERR_SYNTAX, where_of(tree, parser->problem_mark, 1),
                 advice(tree, problem), "this is not YAML: %s", problem);
    if (parser->context != NULL && parser->context_mark.line != parser->problem_mark.line)
        err_note(problems_last(tree->problems), "%s that begins on line %zu", parser->context,
                 parser->context_mark.line + 1);
    return false;
}

static bool next_event(struct Tree *tree)
{
    if (tree->held)
        yaml_event_delete(&tree->event);
    tree->held = yaml_parser_parse(&tree->parser, &tree->event) != 0;
    if (!tree->held)
        return syntax_error(tree);
    if (++tree->events > EVENTS_MAX) {
        problems_say(tree->problems, ERR_LIMIT, where_of(tree, tree->event.start_mark, 1), NULL,
                     "the file has more than %d keys, values and brackets", EVENTS_MAX);
        return false;
    }
    return true;
}

/* Reports a feature of YAML that is not read here. */
static void refuse(struct Tree *tree, yaml_mark_t mark, size_t width, const char *what,
                   const char *hint)
{
    problems_say(tree->problems, ERR_YAML_FEATURE, where_of(tree, mark, width), hint,
                 "%s is not allowed here", what);
}

static void refuse_properties(struct Tree *tree, const yaml_char_t *anchor, const yaml_char_t *tag)
{
    yaml_mark_t mark = tree->event.start_mark;
    if (anchor != NULL)
        refuse(tree, mark, strlen((const char *)anchor) + 1, "an anchor (`&`)",
               "say it once under `defaults:` or `params:`");
    if (tag != NULL)
        refuse(tree, mark, 1, "a tag (`!`)", "the key decides the type; leave the tag away");
}

/* The text as written, where a mended `${...}` stands in a scalar; else NULL. */
static const char *mended_text(struct Tree *tree)
{
    yaml_mark_t start = tree->event.start_mark, end = tree->event.end_mark;
    for (size_t n = 0; n < tree->mended_count; n++) {
        const struct Mended *mended = &tree->mended[n];
        bool after = mended->line > start.line ||
                     (mended->line == start.line && mended->column >= start.column);
        bool before =
            mended->line < end.line || (mended->line == end.line && mended->column < end.column);
        if (after && before) {
            size_t first = byte_of(tree, start), last = byte_of(tree, end);
            return arena_bytes(tree->arena, tree->document->text + first, last - first);
        }
    }
    return NULL;
}

static const struct Node *read_scalar(struct Tree *tree)
{
    yaml_mark_t start = tree->event.start_mark, end = tree->event.end_mark;
    size_t size = tree->event.data.scalar.length;
    const char *bytes = (const char *)tree->event.data.scalar.value;
    yaml_scalar_style_t style = tree->event.data.scalar.style;
    refuse_properties(tree, tree->event.data.scalar.anchor, tree->event.data.scalar.tag);
    struct Node *node = arena_zero(tree->arena, 1, sizeof(*node));
    node->type = NODE_SCALAR;
    node->where = where_of(tree, start, end.line == start.line ? end.column - start.column : 1);
    node->quoted = style != YAML_PLAIN_SCALAR_STYLE;
    node->text = mended_text(tree);
    node->broken = node->text != NULL;
    if (node->text != NULL)
        return node;
    if (size > SCALAR_MAX_BYTES) {
        problems_say(tree->problems, ERR_LIMIT, node->where, NULL,
                     "the value has %zu bytes, the most is %d", size, SCALAR_MAX_BYTES);
    } else if (memchr(bytes, '\0', size) != NULL) { /* only an escape can say it */
        problems_say(tree->problems, ERR_BYTES, node->where, NULL, "the value holds a NUL byte");
    } else {
        node->text = arena_bytes(tree->arena, bytes, size);
        return node;
    }
    node->broken = true;
    node->text = "";
    return node;
}

static const struct Node *read_alias(struct Tree *tree)
{
    yaml_mark_t start = tree->event.start_mark, end = tree->event.end_mark;
    refuse(tree, start, end.column - start.column, "an alias (`*`)",
           "say it once under `defaults:` or `params:`");
    struct Node *node = arena_zero(tree->arena, 1, sizeof(*node));
    *node = (struct Node){.type = NODE_SCALAR, .where = where_of(tree, start, 1), .text = ""};
    node->broken = true;
    return node;
}

static void add_node(struct Tree *tree, struct List *list, const struct Node *node)
{
    const struct Node **place = list_add(list, tree->arena, sizeof(node));
    *place = node;
}

static const struct Node *read_list(struct Tree *tree, int depth)
{
    struct Node *node = arena_zero(tree->arena, 1, sizeof(*node));
    node->type = NODE_LIST;
    node->where = where_of(tree, tree->event.start_mark, 1);
    refuse_properties(tree, tree->event.data.sequence_start.anchor,
                      tree->event.data.sequence_start.tag);
    struct List items = {.count = 0};
    while (next_event(tree)) {
        if (tree->event.type == YAML_SEQUENCE_END_EVENT) {
            node->items = items.items;
            node->count = items.count;
            return node;
        }
        const struct Node *item = read_node(tree, depth + 1);
        if (item == NULL)
            return NULL;
        add_node(tree, &items, item);
    }
    return NULL;
}

/* False, with a problem, for a key that may not stand in this map. */
static bool key_is_good(struct Tree *tree, const struct List *keys, const struct Node *key)
{
    if (key->broken)
        return false;
    if (key->type != NODE_SCALAR || key->text[0] == '\0') {
        problems_say(tree->problems, ERR_TYPE, key->where, NULL, "a key must be a word");
        return false;
    }
    if (!key->quoted && strcmp(key->text, "<<") == 0) {
        problems_say(tree->problems, ERR_YAML_FEATURE, key->where,
                     "say it once under `defaults:` or `params:`",
                     "a merge key (`<<`) is not allowed here");
        return false;
    }
    const struct Node *const *others = keys->items;
    for (size_t n = 0; n < keys->count; n++) {
        if (strcmp(others[n]->text, key->text) != 0)
            continue;
        problems_say(tree->problems, ERR_DUPLICATE_KEY, key->where, NULL,
                     "the key `%s` stands twice", key->text);
        err_at(problems_last(tree->problems), "it stands on line %u already",
               others[n]->where.line);
        return false;
    }
    return true;
}

static const struct Node *read_map(struct Tree *tree, int depth)
{
    struct Node *node = arena_zero(tree->arena, 1, sizeof(*node));
    node->type = NODE_MAP;
    node->where = where_of(tree, tree->event.start_mark, 1);
    refuse_properties(tree, tree->event.data.mapping_start.anchor,
                      tree->event.data.mapping_start.tag);
    struct List keys = {.count = 0}, items = {.count = 0};
    while (next_event(tree)) {
        if (tree->event.type == YAML_MAPPING_END_EVENT) {
            node->keys = keys.items;
            node->items = items.items;
            node->count = keys.count;
            return node;
        }
        const struct Node *key = read_node(tree, depth + 1);
        if (key == NULL || !next_event(tree))
            return NULL;
        if (keys.count == KEYS_MAX) {
            problems_say(tree->problems, ERR_LIMIT, key->where, NULL,
                         "one map has more than %d keys", KEYS_MAX);
            return NULL;
        }
        const struct Node *value = read_node(tree, depth + 1);
        if (value == NULL)
            return NULL;
        if (key_is_good(tree, &keys, key)) {
            add_node(tree, &keys, key);
            add_node(tree, &items, value);
        }
    }
    return NULL;
}

/* The node whose first event is the current one; NULL where the reading ends. */
static const struct Node *read_node(struct Tree *tree, int depth)
{
    bool nests = tree->event.type == YAML_SEQUENCE_START_EVENT ||
                 tree->event.type == YAML_MAPPING_START_EVENT;
    if (nests && depth > DEPTH_MAX) {
        problems_say(tree->problems, ERR_LIMIT, where_of(tree, tree->event.start_mark, 1), NULL,
                     "the file is nested deeper than %d levels", DEPTH_MAX);
        return NULL;
    }
    if (tree->event.type == YAML_SEQUENCE_START_EVENT)
        return read_list(tree, depth);
    if (tree->event.type == YAML_MAPPING_START_EVENT)
        return read_map(tree, depth);
    return tree->event.type == YAML_ALIAS_EVENT ? read_alias(tree) : read_scalar(tree);
}

/* The stream: one document without directives. */
static const struct Node *read_stream(struct Tree *tree)
{
    const struct Node *root = NULL;
    while (next_event(tree) && tree->event.type != YAML_STREAM_END_EVENT) {
        if (tree->event.type != YAML_DOCUMENT_START_EVENT)
            continue;
        if (root != NULL) {
            refuse(tree, tree->event.start_mark, 3, "a second document",
                   "one file, one scenario: move it to a file of its own");
            return NULL;
        }
        const yaml_event_t *start = &tree->event;
        if (start->data.document_start.version_directive != NULL ||
            start->data.document_start.tag_directives.start !=
                start->data.document_start.tag_directives.end)
            refuse(tree, start->start_mark, 1, "a directive (`%`)", NULL);
        if (next_event(tree))
            root = read_node(tree, 1);
        if (root == NULL)
            return NULL;
    }
    return tree->held && tree->event.type == YAML_STREAM_END_EVENT ? root : NULL;
}

const struct Node *yaml_tree(const struct Document *document, struct Arena *arena,
                             struct Problems *problems)
{
    struct Tree tree = {.document = document, .arena = arena, .lasting = problems};
    tree.text = arena_bytes(arena, document->text, document->size);
    const struct Node *root = NULL;
    do {
        tree.again = false;
        tree.held = false;
        tree.events = 0;
        tree.problems = problems_new();
        if (yaml_parser_initialize(&tree.parser) == 0)
            bug("libyaml is out of memory");
        yaml_parser_set_input_string(&tree.parser, (const unsigned char *)tree.text,
                                     document->size);
        yaml_parser_set_encoding(&tree.parser, YAML_UTF8_ENCODING);
        root = read_stream(&tree);
        bool empty = root == NULL && tree.held && tree.event.type == YAML_STREAM_END_EVENT;
        if (empty)
            problems_say(tree.problems, ERR_SYNTAX,
                         (struct Where){.file = document->path, .line = 1, .column = 1}, NULL,
                         "the file is empty");
        if (tree.held)
            yaml_event_delete(&tree.event);
        yaml_parser_delete(&tree.parser);
        for (size_t n = 0; n < problems_count(tree.problems) && !tree.again; n++)
            problems_add(problems, problems_at(tree.problems, n));
        problems_free(tree.problems);
    } while (tree.again);
    return root;
}

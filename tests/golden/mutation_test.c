/* mutation_test.c - 20,000 mutations of good files: none crashes, hangs, or slips in a key. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit/model_case.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../runner/model/gameday.h"
#include "../../runner/base/text.h"

enum { MUTATIONS = 20000, FILES_MOST = 64, TEXT_MOST = 32 << 10 };
/* A file of some kilobytes is read in well under a millisecond; this is a hang. */
#define LONGEST_NS (2 * NS_PER_S)

struct File {
    const char *path;
    char *text;
    size_t size;
    bool is_environment;
};
struct Corpus {
    struct Arena *arena;
    struct File files[FILES_MOST];
    size_t count;
    struct Environment *environment; /* scenarios are checked against it every other time */
    uint64_t seed;
    size_t accepted;
};

/* ---- The files. ---- */
static void read_file(struct Corpus *corpus, const char *folder, const char *name,
                      bool is_environment)
{
    struct File *file = &corpus->files[corpus->count++];
    assert_true(corpus->count <= FILES_MOST);
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    char *text = arena_zero(corpus->arena, TEXT_MOST, 1);
    file->size = fread(text, 1, TEXT_MOST - 1, in);
    file->text = text;
    file->path = arena_text(corpus->arena, name);
    file->is_environment = is_environment;
    fclose(in);
}

static void read_folder(struct Corpus *corpus, const char *folder, bool is_environment)
{
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        if (text_ends(entry->d_name, ".yaml"))
            read_file(corpus, folder, entry->d_name, is_environment);
    closedir(dir);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct File *)a)->path, ((const struct File *)b)->path);
}

/* The test runs in the tree, or in a folder below it. */
static void find_tree(void)
{
    for (int i = 0; i < 8 && access("tests/golden/good", R_OK) != 0; i++)
        assert_int_equal(chdir(".."), 0);
}

static struct Environment *environment_of(struct Corpus *corpus)
{
    struct Problems *problems = problems_new();
    struct Environment *environment = NULL;
    for (size_t i = 0; i < corpus->count && environment == NULL; i++) {
        const struct File *file = &corpus->files[i];
        if (!file->is_environment || strstr(file->text, "timezone:") == NULL)
            continue;
        const struct Document *document =
            document_parse(file->path, file->text, file->size, corpus->arena, problems);
        environment = environment_new(document, &faildrill_kinds, "/project", problems);
    }
    assert_int_equal(problems_errors(problems), 0);
    problems_free(problems);
    return environment;
}

static struct Corpus corpus_open(uint64_t seed)
{
    struct Corpus corpus = {.arena = arena_new("corpus", 64u << 20), .seed = seed};
    find_tree();
    read_folder(&corpus, "tests/golden/good", false);
    read_folder(&corpus, "tests/golden/good/environments", true);
    read_folder(&corpus, "scenarios", false);
    read_folder(&corpus, "scenarios/environments", true);
    qsort(corpus.files, corpus.count, sizeof corpus.files[0], by_path);
    corpus.environment = environment_of(&corpus);
    assert_non_null(corpus.environment);
    return corpus;
}

static void corpus_close(struct Corpus *corpus)
{
    environment_free(corpus->environment);
    arena_free(corpus->arena);
}

/* ---- Mutations: splitmix64, so that a seed means the same everywhere. ---- */
static uint64_t draw(struct Corpus *corpus, uint64_t below)
{
    uint64_t z = (corpus->seed += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return (z ^ (z >> 31)) % below;
}

static const char *const TOKENS[] = {
    "{",
    "}",
    "[",
    "]",
    ":",
    ", ",
    "\n",
    "\n  ",
    "- ",
    "\"",
    "'",
    "#",
    "&a ",
    "*a",
    "!!str ",
    "<<: ",
    "${param.x}",
    "${secret.token}",
    "${target.victim.address}",
    "${host.name}",
    "${",
    "null",
    "~",
    "true",
    "yes",
    "0",
    "-1",
    "9223372036854775807",
    "99999999999999999999",
    "1e9",
    "0x10",
    "5s",
    "0s",
    "100%",
    "all",
    "|\n",
    ">\n",
    "---\n",
    "\t",
    "\xc3\xa9",
    "\xff",
    "\x01",
    "\xe2\x80\xae",
    "kill: ",
    "isolate: ",
    "http: ",
    "for: ",
    "expect: ",
    "unknown_key: 1\n",
    "role: ",
    "every: ",
    "max_outage: ",
    "primary: ",
    "ledger: ",
    "run: ",
    "fault: true",
    "from: ",
    "is: primary",
};

static void splice(char *text, size_t *size, size_t at, size_t cut, const char *put,
                   size_t put_size)
{
    if (*size - cut + put_size >= TEXT_MOST)
        return;
    memmove(text + at + put_size, text + at + cut, *size - at - cut);
    memcpy(text + at, put, put_size);
    *size = *size - cut + put_size;
    text[*size] = '\0';
}

static size_t line_begin(const char *text, size_t at)
{
    while (at > 0 && text[at - 1] != '\n')
        at--;
    return at;
}

static size_t line_size(const char *text, size_t at)
{
    return strcspn(text + at, "\n") + (text[at + strcspn(text + at, "\n")] == '\n');
}

static void mutate_once(struct Corpus *corpus, char *text, size_t *size)
{
    if (*size < 4)
        return;
    size_t at = (size_t)draw(corpus, *size), span = 1 + (size_t)draw(corpus, 8);
    span = at + span > *size ? *size - at : span;
    const char *token = TOKENS[draw(corpus, COUNT_OF(TOKENS))];
    char copy[256];
    size_t line = line_begin(text, at), length = line_size(text, line);
    switch (draw(corpus, 8)) {
    case 0: /* a byte */
        text[at] = (char)draw(corpus, 256);
        break;
    case 1:
        splice(text, size, at, span, "", 0);
        break;
    case 2:
    case 3:
        splice(text, size, at, 0, token, strlen(token));
        break;
    case 4:
        splice(text, size, at, span, token, strlen(token));
        break;
    case 5: /* a line goes */
        splice(text, size, line, length, "", 0);
        break;
    case 6: /* a line comes twice */
        if (length < sizeof copy) {
            memcpy(copy, text + line, length);
            splice(text, size, line, 0, copy, length);
        }
        break;
    default: /* a letter of a word is another */
        if ((text[at] >= 'a' && text[at] <= 'z') || text[at] == '_')
            text[at] = (char)('a' + draw(corpus, 26));
        break;
    }
}

/* ---- An oracle of its own: is every key of the tree in the tables? ---- */
struct Oracle {
    const struct VariantSet *sets;
    size_t set_count;
};

static bool known(const struct Oracle *oracle, const struct Record *record,
                  const struct Node *node);

static const struct Field *find(const struct Field *fields, const char *key, bool subjects)
{
    for (; fields->name != NULL; fields++)
        if (text_equal(fields->name, key) && (subjects || (fields->flags & FIELD_SUBJECT) == 0))
            return fields;
    return NULL;
}

static bool known_value(const struct Oracle *oracle, const struct Field *field,
                        const struct Node *node)
{
    if (field->of == NULL || node->type == NODE_SCALAR)
        return true;
    if (field->type == FIELD_RECORD)
        return known(oracle, field->of, node);
    if (node->type == NODE_LIST && (field->flags & FIELD_NAMES) != 0)
        return true;
    if (field->type == FIELD_LIST && node->type == NODE_MAP)
        return known(oracle, field->of, node);
    for (size_t i = 0; i < node->count; i++)
        if (node->items[i]->type != NODE_SCALAR && !known(oracle, field->of, node->items[i]))
            return false;
    return true;
}

static const struct Variant *variant_of(const struct Oracle *oracle, const struct Record *record,
                                        const struct Node *node)
{
    for (size_t s = 0; record->variants != NULL && s < oracle->set_count; s++)
        for (size_t v = 0; v < oracle->sets[s].count; v++)
            if (text_equal(oracle->sets[s].name, record->variants) &&
                node_get(node, oracle->sets[s].at[v].name) != NULL)
                return &oracle->sets[s].at[v];
    return NULL;
}

static bool known_key(const struct Oracle *oracle, const struct Record *record,
                      const struct Variant *variant, const struct Node *key,
                      const struct Node *item)
{
    const struct Field *field = find(record->fields, key->text, true);
    if (field != NULL)
        return known_value(oracle, field, item);
    if (variant == NULL)
        return false;
    const struct Field *subject = variant->record->fields;
    while (subject->name != NULL && (subject->flags & FIELD_SUBJECT) == 0)
        subject++;
    if (text_equal(key->text, variant->name))
        return subject->name != NULL || item->type == NODE_SCALAR ||
               known(oracle, variant->record, item);
    field = subject->name != NULL ? find(variant->record->fields, key->text, false) : NULL;
    return field != NULL && known_value(oracle, field, item);
}

static bool known(const struct Oracle *oracle, const struct Record *record, const struct Node *node)
{
    const struct Variant *variant = variant_of(oracle, record, node);
    for (size_t i = 0; node->type == NODE_MAP && i < node->count; i++)
        if (!known_key(oracle, record, variant, node->keys[i], node->items[i]))
            return false;
    return true;
}

/* ---- One mutation. ---- */
static bool is_day(const struct File *file)
{
    return strncmp(file->text, "gameday:", 8) == 0;
}

static void check_known(const struct Document *document, const struct File *file,
                        struct Arena *arena)
{
    struct Oracle oracle;
    size_t count;
    oracle.sets = kinds_sets(&faildrill_kinds, arena, &oracle.set_count);
    const struct FileKind *files = kinds_files(&count);
    const struct Record *record = files[file->is_environment ? 1 : is_day(file) ? 3 : 0].record;
    if (!known(&oracle, record, document->root)) {
        print_error("a key slipped in:\n%s\n", document->text);
        fail();
    }
}

/* True where the file was taken as right. */
static bool read_mutation(struct Corpus *corpus, const struct File *file, const char *text,
                          size_t size, bool with_environment)
{
    struct Arena *arena = arena_new("mutation", 64u << 20);
    struct Problems *problems = problems_new();
    const struct Document *document = document_parse(file->path, text, size, arena, problems);
    struct Environment *environment = NULL;
    struct Scenario *scenario = NULL;
    struct GameDay *day = NULL;
    if (document->root != NULL && is_day(file)) {
        day = gameday_new(document, problems);
    } else if (document->root != NULL && file->is_environment) {
        environment = environment_new(document, &faildrill_kinds, "/project", problems);
    } else if (document->root != NULL) {
        struct ScenarioInput input = {
            .document = document,
            .kinds = &faildrill_kinds,
            .environment = with_environment ? corpus->environment : NULL,
        };
        scenario = scenario_new(&input, problems);
    }
    bool taken = environment != NULL || scenario != NULL || day != NULL;
    bool clean = document->root != NULL && problems_errors(problems) == 0;
    assert_int_equal(taken && problems_errors(problems) == 0, clean);
    if (clean)
        check_known(document, file, arena);
    struct Buf said = BUF(1 << 20);
    problems_sort(problems);
    problems_write(problems, &document, 1, &said);
    buf_free(&said);
    gameday_free(day);
    scenario_free(scenario);
    environment_free(environment);
    problems_free(problems);
    arena_free(arena);
    return clean;
}

static void test_no_mutation_crashes_hangs_or_slips_a_key_in(void **state)
{
    (void)state;
    struct Corpus corpus = corpus_open(1);
    char *text = arena_zero(corpus.arena, TEXT_MOST, 1);
    for (size_t i = 0; i < MUTATIONS; i++) {
        const struct File *file = &corpus.files[i % corpus.count];
        size_t size = file->size;
        memcpy(text, file->text, size + 1);
        for (uint64_t n = 1 + draw(&corpus, 4); n > 0; n--)
            mutate_once(&corpus, text, &size);
        struct Mono began = mono_now();
        corpus.accepted += read_mutation(&corpus, file, text, size, i % 2 == 0);
        if (mono_since(began, mono_now()) > LONGEST_NS) {
            print_error("mutation %zu of %s took too long:\n%s\n", i, file->path, text);
            fail();
        }
    }
    /* Some mutations are harmless: were none, the files would not be good to begin with. */
    assert_in_range(corpus.accepted, MUTATIONS / 100, MUTATIONS / 2);
    corpus_close(&corpus);
}

/* Where `key` stands in the text of the document. */
static size_t offset_of(const char *text, struct Where where)
{
    size_t at = 0;
    for (uint32_t line = 1; line < where.line; line++)
        at += strcspn(text + at, "\n") + 1;
    return at + where.column - 1;
}

struct KeyList {
    const struct Node *keys[2048];
    size_t count;
};

static void gather_keys(const struct Node *node, struct KeyList *keys)
{
    for (size_t i = 0; node->type != NODE_SCALAR && i < node->count; i++) {
        if (node->type == NODE_MAP && keys->count < COUNT_OF(keys->keys))
            keys->keys[keys->count++] = node->keys[i];
        gather_keys(node->items[i], keys);
    }
}

/* Every key of every good file, misspelt: refused, but for names that a file may choose itself. */
static void test_every_misspelt_key_is_refused(void **state)
{
    (void)state;
    struct Corpus corpus = corpus_open(2);
    char *text = arena_zero(corpus.arena, TEXT_MOST, 1);
    for (size_t i = 0; i < corpus.count; i++) {
        const struct File *file = &corpus.files[i];
        struct Problems *problems = problems_new();
        const struct Document *document =
            document_parse(file->path, file->text, file->size, corpus.arena, problems);
        struct KeyList *keys = arena_zero(corpus.arena, 1, sizeof *keys);
        gather_keys(document->root, keys);
        assert_true(keys->count > 2);
        for (size_t k = 0; k < keys->count; k++) {
            size_t size = file->size;
            memcpy(text, file->text, size + 1);
            size_t at = offset_of(text, keys->keys[k]->where) + (file->text[0] == '"');
            splice(text, &size, at, 0, "zq_", 3);
            /* Taken only where the oracle knows the key: a name, or a word that is optional. */
            read_mutation(&corpus, file, text, size, false);
        }
        problems_free(problems);
    }
    corpus_close(&corpus);
}

static void test_the_good_files_are_good(void **state)
{
    (void)state;
    struct Corpus corpus = corpus_open(3);
    for (size_t i = 0; i < corpus.count; i++) {
        const struct File *file = &corpus.files[i];
        if (!read_mutation(&corpus, file, file->text, file->size, false))
            print_error("%s is not good\n", file->path);
        assert_true(read_mutation(&corpus, file, file->text, file->size, false));
    }
    corpus_close(&corpus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_good_files_are_good),
        cmocka_unit_test(test_every_misspelt_key_is_refused),
        cmocka_unit_test(test_no_mutation_crashes_hangs_or_slips_a_key_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

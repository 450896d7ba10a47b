/* model_include_test.c - fragments: what is merged, what is hashed, what is refused. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../runner/model/include.h"
#include "model_case.h"

#include <string.h>

#include "../../runner/base/text.h"
#include "../../runner/schema/yaml_write.h"

struct Fragment {
    const char *path, *text;
};
struct Files {
    struct Arena *arena;
    const struct Fragment *at;
    size_t count, reads;
};

static const struct Document *read_one(void *data, const char *beside, const char *name,
                                       struct Where where, struct Problems *problems)
{
    struct Files *files = data;
    (void)beside;
    files->reads++;
    for (size_t n = 0; n < files->count; n++)
        if (text_equal(files->at[n].path, name))
            return document_parse(name, files->at[n].text, strlen(files->at[n].text), files->arena,
                                  problems);
    problems_say(problems, ERR_NOT_FOUND, where, NULL, "no %s", name);
    return NULL;
}

#define SCENARIO                                                                                   \
    "scenario: x\ninclude: [watch.yaml]\ntargets: {victim: {role: api}}\n"                         \
    "steps: [{kill: victim}]\nexpect: {shop: {max_outage: 5s}}\n"
#define PLAIN                                                                                      \
    "scenario: x\ntargets: {victim: {role: api}}\nparams: {watch_pace: {type: duration, default: " \
    "2s}}\nprobes: {shop: {http: \"http://127.0.0.1/\", every: \"${param.watch_pace}\"}}\n"        \
    "steps: [{kill: victim}]\nexpect: {shop: {max_errors: 5%, max_outage: 5s}}\n"
#define WATCH                                                                                      \
    "fragment: watch\nparams: {pace: {type: duration, default: 2s}}\n"                             \
    "probes: {shop: {http: \"http://127.0.0.1/\", every: \"${param.pace}\"}}\n"                    \
    "expect: {shop: {max_errors: 5%}}\n"

static struct Scenario *scenario_of(const char *text, struct Files *files,
                                    struct Problems *problems)
{
    const struct Document *document =
        document_parse("x.yaml", text, strlen(text), files->arena, problems);
    struct IncludeInput input = {
        .document = document, .kinds = &faildrill_kinds, .read = read_one, .data = files};
    struct ScenarioInput of = {.kinds = &faildrill_kinds};
    of.document = include_expand(&input, files->arena, problems);
    return of.document->root != NULL ? scenario_new(&of, problems) : NULL;
}

static void test_what_is_included_means_what_it_says_in_place(void **state)
{
    (void)state;
    static const struct Fragment at[] = {{"watch.yaml", WATCH}};
    struct Files files = {.arena = arena_new("test", 64u << 20), .at = at, .count = 1};
    struct Problems *problems = problems_new();

    struct Scenario *included = scenario_of(SCENARIO, &files, problems);
    struct Scenario *plain = scenario_of(PLAIN, &files, problems);

    assert_int_equal(problems_errors(problems), 0);
    assert_string_equal(included->text_hash, plain->text_hash);
    assert_string_equal(included->behaviour_hash, plain->behaviour_hash);
    assert_non_null(strstr(included->text, "watch_pace"));
    scenario_free(included);
    scenario_free(plain);
    problems_free(problems);
    arena_free(files.arena);
}

static void test_another_byte_in_a_fragment_is_another_text(void **state)
{
    (void)state;
    static const struct Fragment at[] = {{"watch.yaml", WATCH}};
    static const struct Fragment other[] = {
        {"watch.yaml", "fragment: watch\nprobes: {shop: {http: \"http://127.0.0.1/\", every: 3s}}\n"
                       "expect: {shop: {max_errors: 5%}}\n"}};
    struct Files files = {.arena = arena_new("test", 64u << 20), .at = at, .count = 1};
    struct Problems *problems = problems_new();

    struct Scenario *before = scenario_of(SCENARIO, &files, problems);
    files.at = other;
    struct Scenario *after = scenario_of(SCENARIO, &files, problems);

    assert_int_equal(problems_errors(problems), 0);
    assert_string_not_equal(before->text_hash, after->text_hash);
    scenario_free(before);
    scenario_free(after);
    problems_free(problems);
    arena_free(files.arena);
}

/* Shell text: what a parameter holds never becomes a part of it, wherever it was given. */
static void test_a_value_is_never_pasted_into_a_script(void **state)
{
    (void)state;
    static const struct Fragment at[] = {
        {"work.yaml", "fragment: work\nparams: {word: a}\n"
                      "steps: [{run: \"echo ${param.word}\", target: victim}]\n"}};
    struct Files files = {.arena = arena_new("test", 64u << 20), .at = at, .count = 1};
    struct Problems *problems = problems_new();

    struct Scenario *scenario = scenario_of(
        "scenario: x\ninclude: {file: work.yaml, with: {word: \"$(id); '\\\"\"}}\n"
        "targets: {victim: {role: api}}\nprobes: {shop: {http: \"http://127.0.0.1/\"}}\n"
        "steps: [{kill: victim}]\nexpect: {shop: {max_errors: 5%}}\n",
        &files, problems);

    assert_int_equal(problems_errors(problems), 0);
    const struct StepSpec *steps = scenario->steps.items;
    assert_string_equal(steps[0].script, "echo ${param.work_word}");
    assert_int_equal(scenario->steps.count, 2);
    scenario_free(scenario);
    problems_free(problems);
    arena_free(files.arena);
}

static void test_a_fragment_that_doubles_itself_ends_at_once(void **state)
{
    (void)state;
    static const struct Fragment at[] = {
        {"watch.yaml", "fragment: watch\ninclude: [a.yaml, a.yaml, a.yaml, a.yaml]\n"},
        {"a.yaml", "fragment: a\ninclude: [b.yaml, b.yaml, b.yaml, b.yaml]\n"},
        {"b.yaml", "fragment: b\ninclude: [c.yaml, c.yaml, c.yaml, c.yaml]\n"},
        {"c.yaml", "fragment: c\ninclude: [d.yaml, d.yaml, d.yaml, d.yaml]\n"},
        {"d.yaml", "fragment: d\n"}};
    struct Files files = {.arena = arena_new("test", 64u << 20), .at = at, .count = 5};
    struct Problems *problems = problems_new();

    assert_null(scenario_of(SCENARIO, &files, problems));

    assert_true(problems_errors(problems) > 0);
    assert_true(files.reads < 400);
    problems_free(problems);
    arena_free(files.arena);
}

static void test_a_tree_that_is_written_reads_the_same(void **state)
{
    (void)state;
    static const char text[] = "a: [1, {b: \"\", c: , d: [], e: {}}, [], [[x]], {f: {g: [h]}}]\n"
                               "'yes': \"tab\\there\\n \\\"q\\\" \\\\ \\u00e9 \\u2028\"\nk: |\n  "
                               "two\n  lines\nl: a plain one\n";
    struct Arena *arena = arena_new("test", 64u << 20);
    struct Problems *problems = problems_new();
    struct Buf once = BUF(1 << 16), twice = BUF(1 << 16);
    const struct Document *first = document_parse("a.yaml", text, strlen(text), arena, problems);
    assert_non_null(first->root);
    yaml_write(first->root, &once);

    const struct Document *second = document_parse("a.yaml", once.text, once.size, arena, problems);
    assert_non_null(second->root);
    yaml_write(second->root, &twice);

    assert_string_equal(once.text, twice.text);
    assert_string_equal(node_get(second->root, "yes")->text, node_get(first->root, "yes")->text);
    assert_string_equal(node_get(second->root, "k")->text, "two\nlines\n");
    assert_int_equal(node_get(second->root, "a")->count, 5);
    buf_free(&once);
    buf_free(&twice);
    problems_free(problems);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_included_means_what_it_says_in_place),
        cmocka_unit_test(test_another_byte_in_a_fragment_is_another_text),
        cmocka_unit_test(test_a_value_is_never_pasted_into_a_script),
        cmocka_unit_test(test_a_fragment_that_doubles_itself_ends_at_once),
        cmocka_unit_test(test_a_tree_that_is_written_reads_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

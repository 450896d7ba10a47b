/* schema_describe_test.c - messages, explain, JSON Schema, reference and canonical JSON. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "schema_sample.h"

static void assert_explains(const char *path, const char *expected)
{
    struct Buf out = BUF(1u << 20);
    struct Err err;
    assert_true(explain_path(&(struct Tables){&sample_file, 1, sample_sets, COUNT_OF(sample_sets)},
                             path, &out, &err));
    assert_string_equal(out.text, expected);
    buf_free(&out);
}

static void test_a_field_is_explained_by_its_path_or_the_end_of_it(void **state)
{
    static const char expected[] = "sample.checks.every\n"
                                   "  Time between two attempts.\n"
                                   "  type     duration\n"
                                   "  default  1s\n"
                                   "  range    from 1ms to 1h\n"
                                   "  example  every: 50ms\n";
    (void)state;
    assert_explains("sample.checks.every", expected);
    assert_explains("checks.every", expected);
    assert_explains("every", expected);
}

static void test_a_field_is_explained_through_its_kind(void **state)
{
    (void)state;
    assert_explains("checks.http.every", "sample.checks.http.every\n"
                                         "  Time between two attempts.\n"
                                         "  type     duration\n"
                                         "  default  1s\n"
                                         "  range    from 1ms to 1h\n"
                                         "  example  every: 50ms\n");
}

static void test_a_kind_is_explained_with_its_keys(void **state)
{
    (void)state;
    assert_explains("http", "sample.checks.http\n"
                            "  Asks a web server.\n"
                            "  `http:` Where.\n"
                            "  type     text\n"
                            "  default  required\n"
                            "  example  http: http://127.0.0.1/\n"
                            "\n"
                            "  method  text  GET  How.\n"
                            "  ok      keys       What is good.\n"
                            "\n"
                            "  and what every check has: every timeout\n");
}

static void test_a_record_is_explained_by_its_name(void **state)
{
    (void)state;
    assert_explains("check", "sample.checks\n"
                             "  What is asked.\n"
                             "  type     names, each a check\n"
                             "\n"
                             "  one of:\n"
                             "  http   Asks a web server.\n"
                             "  store  Asks a database.\n"
                             "  run    Runs a command.\n"
                             "\n"
                             "  every    duration  1s  Time between two attempts.\n"
                             "  timeout  duration  2s  When an attempt is too late.\n");
}

static void test_choices_are_explained_one_by_one(void **state)
{
    (void)state;
    assert_explains("colour", "sample.colour\n"
                              "  Of its paint.\n"
                              "  type     one of red, green\n"
                              "  default  green\n"
                              "  choices  red: Like roses.\n"
                              "           green: Like grass.\n");
}

static void test_an_unknown_word_names_the_nearest(void **state)
{
    (void)state;
    struct Buf out = BUF(1u << 20);
    struct Err err;
    assert_false(explain_path(&(struct Tables){&sample_file, 1, sample_sets, COUNT_OF(sample_sets)},
                              "checks.evry", &out, &err));
    assert_string_equal(err.message, "there is no word 'checks.evry'");
    assert_string_equal(err.hint, "did you mean `every`?");
    assert_string_equal(err.allowed, "sample");
    buf_free(&out);
}

static json_t *write_schema(void)
{
    struct Buf out = BUF(1u << 20);
    struct Json json = json_begin(&out, true);
    json_schema_write(&sample_file, sample_sets, COUNT_OF(sample_sets), &json);
    json_error_t error;
    json_t *schema = json_loads(out.text, JSON_REJECT_DUPLICATES, &error);
    if (schema == NULL)
        fail_msg("%s at %d", error.text, error.line);
    buf_free(&out);
    return schema;
}

/* Each "$ref" names a definition that exists. */
static void check_refs(const json_t *schema, json_t *value)
{
    const char *key = NULL;
    json_t *member = NULL;
    size_t index = 0;
    if (json_is_array(value)) {
        json_array_foreach(value, index, member) check_refs(schema, member);
    }
    json_object_foreach(value, key, member)
    {
        if (strcmp(key, "$ref") == 0 && json_is_string(member)) {
            const char *path = json_string_value(member);
            assert_int_equal(strncmp(path, "#/definitions/", 14), 0);
            assert_non_null(json_object_get(json_object_get(schema, "definitions"), path + 14));
        }
        check_refs(schema, member);
    }
}

static void test_the_json_schema_is_closed_and_whole(void **state)
{
    (void)state;
    json_t *schema = write_schema();

    assert_string_equal(json_string_value(json_object_get(schema, "$schema")),
                        "http://json-schema.org/draft-07/schema#");
    check_refs(schema, schema);
    json_t *definitions = json_object_get(schema, "definitions");
    json_t *kinds = json_object_get(json_object_get(definitions, "check"), "anyOf");
    assert_int_equal(json_array_size(kinds), 4); /* three kinds, and those whose name is enough */
    json_t *web = json_array_get(kinds, 0);
    assert_true(json_is_false(json_object_get(web, "additionalProperties")));
    assert_string_equal(json_string_value(json_array_get(json_object_get(web, "required"), 0)),
                        "http");
    json_t *properties = json_object_get(web, "properties");
    assert_int_equal(json_object_size(properties), 5);
    json_t *every = json_object_get(properties, "every");
    assert_string_equal(json_string_value(json_object_get(every, "description")),
                        "Time between two attempts. Example: `every: 50ms`");
    assert_string_equal(json_string_value(json_object_get(every, "default")), "1s");
    json_decref(schema);
}

static void test_the_reference_has_every_word_once(void **state)
{
    (void)state;
    struct Buf out = BUF(1u << 20);
    reference_write(&sample_file, 1, sample_sets, COUNT_OF(sample_sets), &out);

    const char *every = strstr(out.text, "| `every` | duration, from 1ms to 1h | `1s` | "
                                         "Time between two attempts. Example: `every: 50ms` |\n");
    assert_non_null(every);
    assert_null(strstr(every + 1, "| `every` |"));
    assert_non_null(strstr(out.text, "#### check: `http`\nAsks a web server.\n"));
    assert_non_null(strstr(out.text, "| `http` | text | required | Where."));
    assert_non_null(strstr(out.text, "Inside `store: {...}`:\n"));
    buf_free(&out);
}

static void write_canonical(const char *text, unsigned without, struct Buf *out)
{
    struct Arena *arena = arena_new("test", 16u << 20);
    struct Problems *problems = problems_new();
    struct Decode decode = {.arena = arena,
                            .problems = problems,
                            .sets = sample_sets,
                            .set_count = COUNT_OF(sample_sets),
                            .reference = sample_reference};
    struct Sample sample = {.title = NULL};
    const struct Document *document = document_parse("f.yaml", text, strlen(text), arena, problems);
    assert_true(decode_record(&decode, document->root, &sample_record, &sample));
    struct Json json = json_begin(out, false);
    canonical_write(&sample_record, &sample, without, &json);
    problems_free(problems);
    arena_free(arena);
}

static void assert_same_canonical(const char *a, const char *b, unsigned without, bool same)
{
    struct Buf left = BUF(1u << 20), right = BUF(1u << 20);
    write_canonical(a, without, &left);
    write_canonical(b, without, &right);
    assert_int_equal(strcmp(left.text, right.text) == 0, same);
    buf_free(&left);
    buf_free(&right);
}

static void test_canonical_json_is_sorted_and_complete(void **state)
{
    (void)state;
    struct Buf out = BUF(1u << 20);
    write_canonical("sample: s\n"
                    "vars: {b: 1, a: 2}\n"
                    "checks: {z: {run: x, every: 1000ms}, a: {http: u, ok: {max_lost: 3}}}\n"
                    "any: {y: [1, 2], x: no}\n"
                    "local: {}\n"
                    "pick: 34%\n"
                    "share: 0.5%\n",
                    0, &out);
    assert_string_equal(
        out.text, "{\"always\":{\"must_notice\":false},\"any\":{\"x\":\"no\",\"y\":[\"1\",\"2\"]},"
                  "\"checks\":{\"a\":{\"every\":\"1s\",\"http\":\"u\",\"method\":\"GET\","
                  "\"ok\":{\"max_lost\":3,\"must_notice\":false},\"timeout\":\"2s\"},"
                  "\"z\":{\"every\":\"1s\",\"run\":\"x\",\"timeout\":\"2s\"}},"
                  "\"colour\":\"green\",\"count\":1,\"local\":{},\"loud\":false,\"pick\":\"34%\","
                  "\"rate\":\"0s\",\"sample\":\"s\",\"share\":\"0.5%\",\"size\":\"0B\","
                  "\"vars\":{\"a\":\"2\",\"b\":\"1\"}}");
    buf_free(&out);
}

static void test_equal_meaning_is_equal_bytes(void **state)
{
    (void)state;
    assert_same_canonical("sample: s\ncount: 2\nlimit: {within: 90s}\n",
                          "limit:\n  within: 1m30s # so\ncount: \"${param.machines}\"\n"
                          "colour: green\nsample: 's'\n",
                          0, true);
    assert_same_canonical("sample: s\ncount: 2\n", "sample: s\ncount: 3\n", 0, false);
    assert_same_canonical("sample: s\nsteps: [{run: a}, {run: b}]\n",
                          "sample: s\nsteps: [{run: b}, {run: a}]\n", 0, false);
}

static void test_prose_and_judgement_can_be_left_out(void **state)
{
    static const char one[] = "sample: s\nowner: me\nlimit: {within: 5s}\n";
    static const char other[] = "sample: s\nowner: you\nlimit: {within: 6s}\n";
    static const char prose[] = "sample: s\nowner: you\nlimit: {within: 5s}\n";
    (void)state;
    assert_same_canonical(one, other, FIELD_PROSE | FIELD_JUDGE, true);
    assert_same_canonical(one, other, FIELD_PROSE, false);
    assert_same_canonical(one, prose, FIELD_PROSE, true);
    assert_same_canonical(one, prose, 0, false);
}

static void add_problem(struct Problems *problems, uint32_t line, uint32_t column, uint32_t width)
{
    struct Err err;
    struct Where where = {.file = "f.yaml", .line = line, .column = column, .width = width};
    err_set(&err, ERR_ROLE, where, "role `redis_cache` is not in environment `staging`");
    err_at(&err, "staging has: api, worker");
    err_note(&err, "defined in environments/staging.yaml:3");
    problems_add(problems, &err);
}

static void assert_written(const char *text, struct Problems *problems, const char *expected)
{
    struct Document document = {.path = "f.yaml", .text = text, .size = strlen(text)};
    const struct Document *documents[] = {&document};
    struct Buf out = BUF(1u << 20);
    problems_sort(problems);
    problems_write(problems, documents, 1, &out);
    assert_string_equal(out.text, expected);
    buf_free(&out);
    problems_free(problems);
}

static void test_a_problem_is_shown_with_its_line_and_carets(void **state)
{
    (void)state;
    struct Problems *problems = problems_new();
    add_problem(problems, 10, 19, 11);
    assert_written("\n\n\n\n\n\n\n\n\n  primary: {role: redis_cache, is: primary}\n", problems,
                   "error[E203]: role `redis_cache` is not in environment `staging`\n"
                   "   --> f.yaml:10:19\n"
                   "   |\n"
                   "10 |   primary: {role: redis_cache, is: primary}\n"
                   "   |                   ^^^^^^^^^^^ staging has: api, worker\n"
                   "   = note: defined in environments/staging.yaml:3\n");
}

static void test_carets_stand_under_wide_and_marked_characters(void **state)
{
    (void)state;
    struct Problems *problems = problems_new();
    add_problem(problems, 1, 6, 3);
    assert_written("\xe6\x97\xa5\xe6\x9c\xac: \tabc", problems,
                   "error[E203]: role `redis_cache` is not in environment `staging`\n"
                   "  --> f.yaml:1:6\n"
                   "  |\n"
                   "1 | \xe6\x97\xa5\xe6\x9c\xac: \\tabc\n"
                   "  |         ^^^ staging has: api, worker\n"
                   "  = note: defined in environments/staging.yaml:3\n");
}

static void test_a_place_past_the_end_still_has_its_caret(void **state)
{
    (void)state;
    struct Problems *problems = problems_new();
    add_problem(problems, 1, 9, 4);
    add_problem(problems, 7, 1, 4);
    assert_written("ab", problems,
                   "error[E203]: role `redis_cache` is not in environment `staging`\n"
                   "  --> f.yaml:1:9\n"
                   "  |\n"
                   "1 | ab\n"
                   "  |   ^ staging has: api, worker\n"
                   "  = note: defined in environments/staging.yaml:3\n"
                   "error[E203]: role `redis_cache` is not in environment `staging`\n"
                   "  --> f.yaml:7:1\n"
                   "  = note: staging has: api, worker\n"
                   "  = note: defined in environments/staging.yaml:3\n");
}

static void test_long_lines_are_cut_around_the_caret(void **state)
{
    (void)state;
    struct Problems *problems = problems_new();
    char text[3000];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    memcpy(text + 1500, "here", 4);
    add_problem(problems, 1, 1501, 4);
    struct Document document = {.path = "f.yaml", .text = text, .size = sizeof(text) - 1};
    const struct Document *documents[] = {&document};
    struct Buf out = BUF(1u << 20);

    problems_write(problems, documents, 1, &out);

    const char *line = strstr(out.text, "1 | ...xxx");
    const char *caret = strstr(out.text, "^^^^ staging");
    assert_non_null(line);
    assert_non_null(caret);
    const char *here = strstr(line, "here");
    const char *below = strrchr(out.text, '\n');
    assert_true(strchr(line, '\n') - line < 110);
    while (below > caret || *below != '\n')
        below--;
    assert_int_equal(here - line, caret - (below + 1));
    buf_free(&out);
    problems_free(problems);
}

static void test_twenty_are_shown_and_the_others_counted(void **state)
{
    (void)state;
    struct Problems *problems = problems_new();
    for (int n = 0; n < 23; n++)
        problems_say(problems, ERR_FILE, (struct Where){.file = "g.yaml"}, NULL, "no");
    struct Buf out = BUF(1u << 20);

    problems_write(problems, NULL, 0, &out);

    static const char one[] = "error[E002]: no\n  --> g.yaml\n";
    assert_int_equal(out.size, 20 * strlen(one) + strlen("and 3 more\n"));
    assert_non_null(strstr(out.text, one));
    assert_non_null(strstr(out.text, "\nand 3 more\n"));
    buf_free(&out);
    problems_free(problems);
}

static void test_warnings_say_so_and_control_characters_are_shown(void **state)
{
    (void)state;
    struct Problems *problems = problems_new();
    problems_say(problems, ERR_W_PROBE_RATE, NOWHERE, "ask more often", "slow\x1b[31m");
    assert_written("", problems, "warning[W304]: slow\\x1b[31m\n  = help: ask more often\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_field_is_explained_by_its_path_or_the_end_of_it),
        cmocka_unit_test(test_a_field_is_explained_through_its_kind),
        cmocka_unit_test(test_a_kind_is_explained_with_its_keys),
        cmocka_unit_test(test_a_record_is_explained_by_its_name),
        cmocka_unit_test(test_choices_are_explained_one_by_one),
        cmocka_unit_test(test_an_unknown_word_names_the_nearest),
        cmocka_unit_test(test_the_json_schema_is_closed_and_whole),
        cmocka_unit_test(test_the_reference_has_every_word_once),
        cmocka_unit_test(test_canonical_json_is_sorted_and_complete),
        cmocka_unit_test(test_equal_meaning_is_equal_bytes),
        cmocka_unit_test(test_prose_and_judgement_can_be_left_out),
        cmocka_unit_test(test_a_problem_is_shown_with_its_line_and_carets),
        cmocka_unit_test(test_carets_stand_under_wide_and_marked_characters),
        cmocka_unit_test(test_a_place_past_the_end_still_has_its_caret),
        cmocka_unit_test(test_long_lines_are_cut_around_the_caret),
        cmocka_unit_test(test_twenty_are_shown_and_the_others_counted),
        cmocka_unit_test(test_warnings_say_so_and_control_characters_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* schema_decode_test.c - a table of fields turns a tree into structs, or says what is wrong. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schema_sample.h"

struct Run {
    struct Arena *arena;
    struct Problems *problems;
    struct Decode decode;
    struct Sample sample;
    struct Buf written;
    bool good;
};

static struct Run decode_with(const char *text, RefFn *reference)
{
    struct Run run = {.arena = arena_new("test", 16u << 20),
                      .problems = problems_new(),
                      .written = BUF(1u << 20)};
    const struct Document *document =
        document_parse("f.yaml", text, strlen(text), run.arena, run.problems);
    run.decode = (struct Decode){.arena = run.arena,
                                 .problems = run.problems,
                                 .sets = sample_sets,
                                 .set_count = COUNT_OF(sample_sets),
                                 .reference = reference};
    assert_non_null(document->root);
    run.good = decode_record(&run.decode, document->root, &sample_record, &run.sample);
    problems_sort(run.problems);
    problems_write(run.problems, &document, 1, &run.written);
    assert_int_equal(run.good, problems_errors(run.problems) == 0);
    return run;
}

static struct Run decode(const char *text)
{
    return decode_with(text, NULL);
}

static void close_run(struct Run *run)
{
    buf_free(&run->written);
    problems_free(run->problems);
    arena_free(run->arena);
}

/* The first problem of a file that begins with `sample: s`, on the line that follows. */
static void assert_says(const char *line, enum ErrCode code, const char *message, const char *at)
{
    char text[1024];
    snprintf(text, sizeof(text), "sample: s\n%s\n", line);
    struct Run run = decode_with(text, sample_reference);
    assert_false(run.good);
    assert_int_equal(problems_count(run.problems), 1);
    const struct Err *err = problems_at(run.problems, 0);
    assert_string_equal(err->message, message);
    assert_string_equal(err->at, at);
    assert_int_equal(err->code, code);
    close_run(&run);
}

static void assert_good(const char *line)
{
    char text[1024];
    snprintf(text, sizeof(text), "sample: s\n%s\n", line);
    struct Run run = decode_with(text, sample_reference);
    assert_string_equal(run.written.text, "");
    close_run(&run);
}

static void test_every_type_is_read(void **state)
{
    (void)state;
    struct Run run = decode("sample: my_sample\n"
                            "owner: team-data\n"
                            "colour: red\n"
                            "count: 3\n"
                            "rate: 20/s\n"
                            "size: 64MiB\n"
                            "share: 34%\n"
                            "pick: 50%\n"
                            "tags: [a, 'b c']\n"
                            "days: Mon\n"
                            "vars: {x: 1, y: two}\n"
                            "limit: {within: 1m30s, max_lost: 12s}\n"
                            "any: [1, {a: b}]\n"
                            "loud: true\n");

    assert_string_equal(run.written.text, "");
    assert_string_equal(run.sample.title, "my_sample");
    assert_string_equal(run.sample.owner, "team-data");
    assert_int_equal(run.sample.colour, COLOUR_RED);
    assert_int_equal(run.sample.count, 3);
    assert_int_equal(run.sample.rate_ns, 50000000);
    assert_int_equal(run.sample.size_bytes, 64 << 20);
    assert_int_equal(run.sample.share, 340000);
    assert_int_equal(run.sample.pick.type, PICK_SHARE);
    assert_int_equal(run.sample.pick.value, 500000);
    assert_int_equal(run.sample.tags.count, 2);
    assert_string_equal(((const char **)run.sample.tags.items)[1], "b c");
    assert_int_equal(run.sample.days.count, 1);
    const struct TextPair *vars = run.sample.vars.items;
    assert_string_equal(vars[1].name, "y");
    assert_string_equal(vars[1].value, "two");
    assert_int_equal(vars[1].where.column, 17);
    assert_int_equal(run.sample.limit->within_ns, 90000000000);
    assert_true(run.sample.limit->max_lost.given && run.sample.limit->max_lost.is_duration);
    assert_int_equal(run.sample.any->type, NODE_LIST);
    assert_true(run.sample.loud);
    close_run(&run);
}

static void test_what_is_missing_gets_its_default(void **state)
{
    (void)state;
    struct Run run = decode("sample: s\n");

    assert_true(run.good);
    assert_int_equal(run.sample.colour, COLOUR_GREEN);
    assert_int_equal(run.sample.count, 1);
    assert_int_equal(run.sample.rate_ns, 0);
    assert_true(run.sample.share == FIELD_NOT_GIVEN);
    assert_null(run.sample.owner);
    assert_null(run.sample.limit);
    assert_null(run.sample.reach.variant);
    assert_non_null(run.sample.always);
    assert_true(run.sample.always->within_ns == FIELD_NOT_GIVEN);
    assert_false(run.sample.always->max_lost.given);
    close_run(&run);
}

static void test_a_kind_stands_beside_the_fields_of_its_record(void **state)
{
    (void)state;
    struct Run run = decode("sample: s\n"
                            "checks:\n"
                            "  shop: {http: 'http://x/', method: HEAD, every: 50ms}\n"
                            "  db: {store: {role: redis, hosts: [a, b]}}\n");

    assert_string_equal(run.written.text, "");
    assert_int_equal(run.sample.checks.count, 2);
    const struct Check *checks = run.sample.checks.items;
    const struct Web *web = checks[0].kind.config;
    assert_string_equal(checks[0].name, "shop");
    assert_ptr_equal(checks[0].kind.variant, &check_kinds[0]);
    assert_int_equal(checks[0].kind.where.line, 3);
    assert_int_equal(checks[0].kind.where.column, 10);
    assert_string_equal(web->url, "http://x/");
    assert_string_equal(web->method, "HEAD");
    assert_int_equal(checks[0].every_ns, 50000000);
    assert_int_equal(checks[0].timeout_ns, 2000000000);
    assert_int_equal(checks[0].node->type, NODE_MAP);
    const struct Store *store = checks[1].kind.config;
    assert_string_equal(store->role, "redis");
    assert_int_equal(store->hosts.count, 2);
    close_run(&run);
}

static void test_a_kind_that_needs_no_value_is_its_name(void **state)
{
    (void)state;
    struct Run run = decode("sample: s\nlocal: {}\n");
    assert_true(run.good);
    assert_string_equal(run.sample.reach.variant->name, "local");
    close_run(&run);

    static const struct Field fields[] = {{.name = NULL}};
    static const struct Record reach = {
        .name = "reach", .size = sizeof(struct Chosen), .fields = fields, .variants = "reach"};
    struct Run other = decode("sample: s\nany: local\nowner: store\n");
    struct Chosen chosen = {.variant = NULL};
    assert_true(decode_record(&other.decode, other.sample.any, &reach, &chosen));
    assert_string_equal(chosen.variant->name, "local");
    struct Node store = {.type = NODE_SCALAR, .text = "store"};
    assert_false(decode_record(&other.decode, &store, &reach, &chosen));
    assert_string_equal(problems_last(other.problems)->message, "the key `role` is missing");
    close_run(&other);
}

static void test_one_alone_counts_as_a_list_of_one(void **state)
{
    (void)state;
    struct Run run = decode("sample: s\ntags: one\nsteps: {run: 'echo ${HOME} $x'}\n");

    assert_true(run.good);
    assert_int_equal(run.sample.tags.count, 1);
    assert_int_equal(run.sample.steps.count, 1);
    const struct Check *step = run.sample.steps.items;
    assert_string_equal(((const struct Shell *)step->kind.config)->script, "echo ${HOME} $x");
    close_run(&run);
}

static void test_an_unknown_key_shows_the_nearest_and_what_is_allowed(void **state)
{
    (void)state;
    struct Run run = decode("sample: s\n"
                            "checks:\n"
                            "  shop: {http: x, evry: 1s}\n");

    assert_string_equal(run.written.text, "error[E104]: unknown key `evry`\n"
                                          "  --> f.yaml:3:19\n"
                                          "  |\n"
                                          "3 |   shop: {http: x, evry: 1s}\n"
                                          "  |                   ^^^^ did you mean `every`?\n"
                                          "  = allowed here: method, ok, every, timeout\n"
                                          "  = help: faildrill explain check\n");
    close_run(&run);
}

static void test_a_key_of_another_kind_says_whose_it_is(void **state)
{
    (void)state;
    struct Run run = decode("sample: s\nchecks: {a: {run: x, method: GET}}\n");

    assert_int_equal(problems_count(run.problems), 1);
    assert_string_equal(problems_at(run.problems, 0)->note, "`method` belongs to: http");
    close_run(&run);
}

static void test_a_subject_is_no_key_of_its_own(void **state)
{
    (void)state;
    assert_says("checks: {a: {http: x, url: y}}", ERR_UNKNOWN_KEY, "unknown key `url`", "");
}

static void test_no_kind_and_two_kinds_are_errors(void **state)
{
    (void)state;
    struct Run run = decode("sample: s\nchecks: {a: {every: 1s}}\n");
    assert_int_equal(problems_count(run.problems), 1);
    assert_string_equal(problems_at(run.problems, 0)->message,
                        "a check needs one of the keys that say its kind");
    assert_string_equal(problems_at(run.problems, 0)->allowed, "http, store, run");
    close_run(&run);

    assert_says("checks: {a: {http: x, run: y}}", ERR_VALUE,
                "`http` and `run` cannot stand together", "one kind of check; `http` is on line 2");
}

static void test_a_misspelt_kind_is_one_problem(void **state)
{
    (void)state;
    assert_says("checks: {a: {htp: x}}", ERR_UNKNOWN_KEY, "unknown key `htp`",
                "did you mean `http`?");
}

static void test_a_required_key_is_missed(void **state)
{
    (void)state;
    struct Run run = decode("owner: me\n");
    assert_string_equal(problems_at(run.problems, 0)->message, "the key `sample` is missing");
    assert_string_equal(problems_at(run.problems, 0)->at, "like `sample: my_sample`");
    close_run(&run);
    assert_says("checks: {a: {store: {}}}", ERR_REQUIRED, "the key `role` is missing",
                "like `role: redis`");
    assert_says("checks: {a: {http: }}", ERR_TYPE, "`http` has no value",
                "like `http: http://127.0.0.1/`");
}

static void test_numbers_without_their_unit_say_what_to_write(void **state)
{
    (void)state;
    assert_says("limit: {within: 200 ms}", ERR_TYPE, "'200 ms' is not a duration",
                "write it like 200ms");
    assert_says("limit: {within: 30}", ERR_TYPE, "'30' is not a duration", "write it like 30s");
    assert_says("limit: {within: 5 minutes}", ERR_TYPE, "'5 minutes' is not a duration",
                "write it like 5m");
    assert_says("limit: {within: 1 min 30 sec}", ERR_TYPE, "'1 min 30 sec' is not a duration",
                "write it like 1m30s");
    assert_says("limit: {within: soon}", ERR_TYPE, "'soon' is not a duration",
                "a duration is a number and a unit, like 30s");
    assert_says("size: 5mb", ERR_TYPE, "'5mb' is not a size", "write it like 5MB");
    assert_says("share: 34", ERR_TYPE, "'34' is not a share", "write it like 34%");
    assert_says("rate: 20 per second", ERR_TYPE, "'20 per second' is not a rate",
                "write it like 20/s");
    assert_says("count: 012", ERR_TYPE, "'012' is not a number", "a number has no zeros before it");
    assert_says("count: 1.5", ERR_TYPE, "'1.5' is not a number",
                "it must be a whole number, like 3");
    assert_says("limit: {max_lost: many}", ERR_TYPE, "'many' is not a count or a duration",
                "a count of writes, or their worth: 12s");
}

static void test_a_truth_value_is_true_or_false(void **state)
{
    (void)state;
    assert_good("loud: false");
    assert_says("loud: yes", ERR_TYPE, "'yes' is not true or false", "write it like true");
    assert_says("loud: off", ERR_TYPE, "'off' is not true or false", "write it like false");
    assert_says("loud: True", ERR_TYPE, "'True' is not true or false", "write it like true");
    assert_says("loud: maybe", ERR_TYPE, "'maybe' is not true or false", "write true or false");
}

static void test_values_out_of_range_say_the_range(void **state)
{
    (void)state;
    assert_says("count: 11", ERR_VALUE, "`count` cannot be 11", "from 1 to 10");
    assert_says("checks: {a: {run: x, every: 100us}}", ERR_VALUE, "`every` cannot be 100us",
                "from 1ms to 1h");
    assert_says("share: 101%", ERR_VALUE, "`share` cannot be 101%", "at most 100%");
    assert_says("limit: {within: 0s}", ERR_VALUE, "`within` cannot be 0s", "at least 1ns");
    assert_says("limit: {max_lost: -1}", ERR_VALUE, "a loss cannot be -1", "at least 0");
    assert_says("pick: 0", ERR_VALUE, "one cannot pick 0", "at least 1 host, at most 100%");
    assert_says("steps: []", ERR_VALUE, "`steps` has 0 entries", "from 1 to 3");
}

static void test_a_choice_is_one_of_the_words(void **state)
{
    (void)state;
    assert_says("colour: gren", ERR_VALUE, "`colour` cannot be 'gren'", "did you mean `green`?");
    assert_says("days: [Mon, Fri]", ERR_VALUE, "`days` cannot be 'Fri'", "");
}

static void test_the_wrong_shape_is_named(void **state)
{
    (void)state;
    assert_says("owner: [a]", ERR_TYPE, "`owner` must be a text, not a list", "");
    assert_says("owner:", ERR_TYPE, "`owner` has no value", "");
    assert_says("limit: 5", ERR_TYPE, "a limit is written as keys and values, like {key: value}",
                "");
    assert_says("checks: [a]", ERR_TYPE, "`checks` must be a group of names, not a list", "");
    assert_says("tags: {a: b}", ERR_TYPE, "`tags` must be a text, not a group of keys", "");
    assert_says("vars: {a: [b]}", ERR_TYPE, "`a` must be a text, not a list", "");
    assert_says("steps:", ERR_TYPE, "`steps` has no value", "");
}

static void test_names_are_written_as_names(void **state)
{
    (void)state;
    assert_good("checks: {my_check2: {run: x}}");
    assert_good("hosts: {10.0.0.1: {}, pg-1.example.net: {}}");
    assert_says("checks: {my-check: {run: x}}", ERR_NAME, "'my-check' is not a name",
                "letters, digits and underscores, a letter first");
    assert_says("checks: {'no': {run: x}}", ERR_NAME, "a name cannot be `no`",
                "other readers of YAML take it for a truth value");
    assert_says("hosts: {a b: {}}", ERR_NAME, "'a b' is not a host's name",
                "letters, digits, dots, dashes and underscores");
    struct Run run = decode("sample: My-Sample\n");
    assert_string_equal(problems_at(run.problems, 0)->message,
                        "'My-Sample' is not a snake_case name");
    assert_string_equal(problems_at(run.problems, 0)->at, "write `my_sample`");
    close_run(&run);
}

static void test_references_are_filled_in(void **state)
{
    (void)state;
    struct Run run = decode_with("sample: s\n"
                                 "count: \"${param.machines}\"\n"
                                 "owner: team-${param.machines}-${env.site}\n"
                                 "limit: {within: \"${param.pace}\"}\n"
                                 "vars: {x: \"a ${param.pace} b\"}\n"
                                 "steps: {run: 'echo ${param.pace} ${x} $y'}\n",
                                 sample_reference);

    assert_string_equal(run.written.text, "");
    assert_int_equal(run.sample.count, 2);
    assert_string_equal(run.sample.owner, "team-2-${env.site}");
    assert_int_equal(run.sample.limit->within_ns, 250000000);
    assert_string_equal(((const struct TextPair *)run.sample.vars.items)->value, "a 250ms b");
    const struct Check *step = run.sample.steps.items;
    assert_string_equal(((const struct Shell *)step->kind.config)->script,
                        "echo ${param.pace} ${x} $y");
    close_run(&run);
}

static void test_a_number_that_comes_later_keeps_its_default(void **state)
{
    (void)state;
    struct Run run =
        decode_with("sample: s\ncount: \"${env.n}\"\nshare: \"${env.share}\"\n", sample_reference);

    assert_true(run.good);
    assert_int_equal(run.sample.count, 1);
    assert_true(run.sample.share == FIELD_NOT_GIVEN);
    assert_int_equal(run.decode.later.count, 2);
    assert_string_equal(((const char **)run.decode.later.items)[0], "count: ${env.n}");
    close_run(&run);
}

static void test_a_reference_to_nothing_is_shown_at_its_place(void **state)
{
    (void)state;
    struct Run run = decode_with("sample: s\nowner: \"ab ${param.machnes} c\"\n", sample_reference);
    assert_string_equal(run.written.text,
                        "error[E201]: `${param.machnes}` names nothing that exists\n"
                        "  --> f.yaml:2:12\n"
                        "  |\n"
                        "2 | owner: \"ab ${param.machnes} c\"\n"
                        "  |            ^^^^^^^^^^^^^^^^ did you mean `${param.machines}`?\n"
                        "  = allowed here: pace, machines\n");
    close_run(&run);
    assert_says("owner: ${params.pace}", ERR_REFERENCE, "there is no `${params.pace}` here",
                "did you mean `${param.pace}`?");
    assert_says("steps: {run: 'x ${param.no_such_name} y'}", ERR_REFERENCE,
                "`${param.no_such_name}` names nothing that exists", "");
}

static void test_a_secret_never_stands_in_a_file(void **state)
{
    (void)state;
    assert_good("checks: {a: {store: {role: r, password: \"${secret.redis}\"}}}");
    assert_says("checks: {a: {store: {role: r, password: hunter2}}}", ERR_TYPE,
                "`password` must not stand in a file", "write \"${secret.NAME}\"");
    assert_says("checks: {a: {store: {role: r, password: \"x${secret.redis}\"}}}", ERR_TYPE,
                "`password` must not stand in a file", "write \"${secret.NAME}\"");
    assert_says("checks: {a: {store: {role: r, password: \"${secret.other}\"}}}", ERR_REFERENCE,
                "`${secret.other}` names nothing that exists", "");
}

static void test_rules_between_fields_run_once_all_fields_are_good(void **state)
{
    (void)state;
    assert_says("limit: {must_notice: true}", ERR_RULE, "`must_notice` needs `within`", "");
    assert_says("limit: {must_notice: true, within: x}", ERR_TYPE, "'x' is not a duration",
                "a duration is a number and a unit, like 30s");
}

static void test_all_problems_come_at_once_and_none_twice(void **state)
{
    (void)state;
    struct Run run = decode("colour: blue\n"
                            "cont: 2\n"
                            "count: 0\n"
                            "limit: {within: ${param.x}, max_lost: -1}\n"
                            "checks: {a: {http: x, every: 1}, b: {run: y, foo: z}}\n");
    static const enum ErrCode codes[] = {ERR_REQUIRED, ERR_VALUE, ERR_UNKNOWN_KEY, ERR_VALUE,
                                         ERR_UNQUOTED, ERR_VALUE, ERR_TYPE,        ERR_UNKNOWN_KEY};

    assert_int_equal(problems_count(run.problems), COUNT_OF(codes));
    for (size_t n = 1; n < COUNT_OF(codes); n++) {
        const struct Err *err = problems_at(run.problems, n);
        const struct Err *before = problems_at(run.problems, n - 1);
        assert_true(err->where.line >= before->where.line);
    }
    size_t seen[ERR_COUNT] = {0};
    for (size_t n = 0; n < COUNT_OF(codes); n++) {
        seen[problems_at(run.problems, n)->code]++;
        seen[codes[n]] += 100;
    }
    for (size_t n = 0; n < ERR_COUNT; n++)
        assert_int_equal(seen[n] % 100, seen[n] / 100);
    close_run(&run);
}

static enum RefAnswer long_reference(void *data, const char *ns, const char *name,
                                     const char **value, const char *const **names, size_t *count)
{
    static char text[5000];
    (void)data, (void)ns, (void)name, (void)names, (void)count;
    memset(text, 'x', sizeof(text) - 1);
    *value = text;
    return REF_VALUE;
}

static void test_filling_in_has_an_end(void **state)
{
    (void)state;
    struct Run run = decode_with("sample: s\nowner: ${a.b}${a.b}\n", long_reference);

    assert_int_equal(problems_count(run.problems), 1);
    assert_int_equal(problems_at(run.problems, 0)->code, ERR_LIMIT);
    close_run(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type_is_read),
        cmocka_unit_test(test_what_is_missing_gets_its_default),
        cmocka_unit_test(test_a_kind_stands_beside_the_fields_of_its_record),
        cmocka_unit_test(test_a_kind_that_needs_no_value_is_its_name),
        cmocka_unit_test(test_one_alone_counts_as_a_list_of_one),
        cmocka_unit_test(test_an_unknown_key_shows_the_nearest_and_what_is_allowed),
        cmocka_unit_test(test_a_key_of_another_kind_says_whose_it_is),
        cmocka_unit_test(test_a_subject_is_no_key_of_its_own),
        cmocka_unit_test(test_no_kind_and_two_kinds_are_errors),
        cmocka_unit_test(test_a_misspelt_kind_is_one_problem),
        cmocka_unit_test(test_a_required_key_is_missed),
        cmocka_unit_test(test_numbers_without_their_unit_say_what_to_write),
        cmocka_unit_test(test_a_truth_value_is_true_or_false),
        cmocka_unit_test(test_values_out_of_range_say_the_range),
        cmocka_unit_test(test_a_choice_is_one_of_the_words),
        cmocka_unit_test(test_the_wrong_shape_is_named),
        cmocka_unit_test(test_names_are_written_as_names),
        cmocka_unit_test(test_references_are_filled_in),
        cmocka_unit_test(test_a_number_that_comes_later_keeps_its_default),
        cmocka_unit_test(test_a_reference_to_nothing_is_shown_at_its_place),
        cmocka_unit_test(test_a_secret_never_stands_in_a_file),
        cmocka_unit_test(test_rules_between_fields_run_once_all_fields_are_good),
        cmocka_unit_test(test_all_problems_come_at_once_and_none_twice),
        cmocka_unit_test(test_filling_in_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

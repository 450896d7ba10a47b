/* schema_document_test.c - files become trees with places, and what we do not read is refused. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runner/base/buf.h"
#include "../../runner/schema/describe.h"

struct Read {
    struct Arena *arena;
    struct Problems *problems;
    const struct Document *document;
    struct Buf written;
};

static struct Read read_bytes(const char *text, size_t size)
{
    struct Read read = {.arena = arena_new("test", 16u << 20),
                        .problems = problems_new(),
                        .written = BUF(1u << 20)};
    read.document = document_parse("f.yaml", text, size, read.arena, read.problems);
    problems_sort(read.problems);
    problems_write(read.problems, &read.document, 1, &read.written);
    return read;
}

static struct Read read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

static void close_read(struct Read *read)
{
    buf_free(&read->written);
    problems_free(read->problems);
    arena_free(read->arena);
}

static void assert_says(const char *text, const char *expected)
{
    struct Read read = read_text(text);
    assert_string_equal(read.written.text, expected);
    close_read(&read);
}

static void assert_refused(const char *text, enum ErrCode code, uint32_t line, uint32_t column)
{
    struct Read read = read_text(text);
    assert_int_equal(problems_count(read.problems), 1);
    const struct Err *err = problems_at(read.problems, 0);
    assert_int_equal(err->code, code);
    assert_int_equal(err->where.line, line);
    assert_int_equal(err->where.column, column);
    close_read(&read);
}

static void test_values_know_their_place(void **state)
{
    (void)state;
    struct Read read = read_text("a: 1\nüb: {c: 'two', d: [x, \"y\"]}\n");

    const struct Node *map = node_get(read.document->root, "üb");
    const struct Node *two = node_get(map, "c");
    const struct Node *list = node_get(map, "d");

    assert_int_equal(problems_count(read.problems), 0);
    assert_string_equal(two->text, "two");
    assert_true(two->quoted);
    assert_int_equal(two->where.line, 2);
    assert_int_equal(two->where.column, 9);
    assert_int_equal(two->where.width, 5);
    assert_string_equal(two->where.file, "f.yaml");
    assert_int_equal(list->type, NODE_LIST);
    assert_int_equal(list->count, 2);
    assert_false(list->items[0]->quoted);
    assert_int_equal(node_key(map, "d")->where.column, 16);
    assert_null(node_get(map, "e"));
    assert_null(node_get(two, "e"));
    assert_null(node_get(NULL, "e"));
    close_read(&read);
}

static void test_no_type_is_guessed(void **state)
{
    (void)state;
    struct Read read = read_text("a: no\nb: 012\nc: 1e3\nd: ~\ne:\nf: |\n  x\n  y\n");

    assert_string_equal(node_get(read.document->root, "a")->text, "no");
    assert_string_equal(node_get(read.document->root, "b")->text, "012");
    assert_string_equal(node_get(read.document->root, "c")->text, "1e3");
    assert_string_equal(node_get(read.document->root, "d")->text, "~");
    assert_string_equal(node_get(read.document->root, "e")->text, "");
    assert_string_equal(node_get(read.document->root, "f")->text, "x\ny\n");
    assert_true(node_get(read.document->root, "f")->quoted);
    close_read(&read);
}

static void test_an_unquoted_reference_is_the_only_problem_at_its_place(void **state)
{
    (void)state;
    struct Read read = read_text("targets:\n"
                                 "  victim: {role: api, pick: ${param.machines}}\n"
                                 "after: 1\n");

    assert_string_equal(read.written.text,
                        "error[E009]: `${...}` inside `{ }` must be quoted\n"
                        "  --> f.yaml:2:29\n"
                        "  |\n"
                        "2 |   victim: {role: api, pick: ${param.machines}}\n"
                        "  |                             ^^^^^^^^^^^^^^^^^ write "
                        "\"${param.machines}\"\n");
    const struct Node *victim = node_get(node_get(read.document->root, "targets"), "victim");
    assert_string_equal(node_get(victim, "pick")->text, "${param.machines}");
    assert_true(node_get(victim, "pick")->broken);
    assert_false(node_get(victim, "role")->broken);
    assert_string_equal(node_get(read.document->root, "after")->text, "1");
    close_read(&read);
}

static void test_all_unquoted_references_are_found_and_the_rest_is_read(void **state)
{
    (void)state;
    struct Read read = read_text("a: {x: ${env.a}, y: b${env.b}/c}\n"
                                 "b: [${env.c}]\n"
                                 "c: ${env.d}\n"
                                 "d: 1\n"
                                 "d: 2\n");

    assert_int_equal(problems_count(read.problems), 4);
    assert_int_equal(problems_at(read.problems, 0)->where.column, 8);
    assert_string_equal(problems_at(read.problems, 1)->at, "write \"b${env.b}/c\"");
    assert_string_equal(problems_at(read.problems, 2)->message,
                        "`${...}` inside `[ ]` must be quoted");
    assert_int_equal(problems_at(read.problems, 3)->code, ERR_DUPLICATE_KEY);
    assert_false(node_get(read.document->root, "c")->broken);
    close_read(&read);
}

static void test_an_unquoted_reference_without_an_end_stops_the_reading(void **state)
{
    (void)state;
    assert_refused("a: {x: ${env.a\n}", ERR_UNQUOTED, 1, 8);
    assert_refused("a: {x: ${a: [}", ERR_UNQUOTED, 1, 8);
}

static void test_more_unquoted_references_than_are_mended_still_end(void **state)
{
    (void)state;
    struct Buf text = BUF(100000);
    for (int n = 0; n < 50; n++)
        buf_printf(&text, "k%d: {x: ${env.a}}\n", n);

    struct Read read = read_text(text.text);

    assert_int_equal(problems_count(read.problems), 21);
    assert_null(read.document->root);
    close_read(&read);
    buf_free(&text);
}

static void test_features_are_refused_with_a_place(void **state)
{
    (void)state;
    assert_refused("a: &x 1\n", ERR_YAML_FEATURE, 1, 4);
    assert_refused("a: !!int 1\n", ERR_YAML_FEATURE, 1, 4);
    assert_refused("a: ! 1\n", ERR_YAML_FEATURE, 1, 4);
    assert_refused("<<: {a: 1}\n", ERR_YAML_FEATURE, 1, 1);
    assert_refused("a: 1\n---\nb: 2\n", ERR_YAML_FEATURE, 2, 1);
    assert_refused("%YAML 1.1\n---\na: 1\n", ERR_YAML_FEATURE, 1, 1);
    assert_refused("? [a]\n: 1\n", ERR_TYPE, 1, 3);
    assert_refused("? \n: 1\n", ERR_TYPE, 1, 2);
}

static void test_an_alias_is_refused_and_the_rest_is_read(void **state)
{
    (void)state;
    struct Read read = read_text("a: &x 1\nb: *x\nc: 3\n");

    assert_int_equal(problems_count(read.problems), 2);
    assert_true(node_get(read.document->root, "b")->broken);
    assert_string_equal(node_get(read.document->root, "c")->text, "3");
    close_read(&read);
}

static void test_a_key_that_stands_twice_names_the_first(void **state)
{
    (void)state;
    assert_says("every: 1s\ntimeout: 2s\nevery: 3s\n", "error[E007]: the key `every` stands twice\n"
                                                       "  --> f.yaml:3:1\n"
                                                       "  |\n"
                                                       "3 | every: 3s\n"
                                                       "  | ^^^^^ it stands on line 1 already\n");
}

static void test_syntax_errors_say_what_helps(void **state)
{
    (void)state;
    assert_says("a:\n\tb: 1\n",
                "error[E003]: this is not YAML: found character that cannot start any token\n"
                "  --> f.yaml:2:1\n"
                "  |\n"
                "2 | \\tb: 1\n"
                "  | ^^\n"
                "  = help: indent with blanks, not with tabs\n");
    assert_says("a: [1,\n2\nb: 1\n",
                "error[E003]: this is not YAML: did not find expected ',' or ']'\n"
                "  --> f.yaml:3:2\n"
                "  |\n"
                "3 | b: 1\n"
                "  |  ^\n"
                "  = note: while parsing a flow sequence that begins on line 1\n");
    assert_says("", "error[E003]: the file is empty\n  --> f.yaml:1:1\n  |\n1 | \n  | ^\n");
    assert_says("# only this\n", "error[E003]: the file is empty\n"
                                  "  --> f.yaml:1:1\n  |\n1 | # only this\n  | ^\n");
}

static void test_bytes_that_are_no_text_are_refused_at_their_place(void **state)
{
    (void)state;
    assert_refused("a: \xff\n", ERR_BYTES, 1, 4);
    assert_refused("a: \xc0\x80\n", ERR_BYTES, 1, 4);
    assert_refused("a: 1\nb: \x01\n", ERR_BYTES, 2, 4);
    assert_refused("a: \xef\xbb\xbf\n", ERR_BYTES, 1, 4);
    assert_refused("a: \xe2\x80\xae\n", ERR_BYTES, 1, 4);
    assert_refused("a: \xc2\x85\n", ERR_BYTES, 1, 4);
    assert_refused("a: \"\\0\"\n", ERR_BYTES, 1, 4);
    struct Read nul = read_bytes("a: \0b", 5);
    assert_int_equal(problems_at(nul.problems, 0)->code, ERR_BYTES);
    close_read(&nul);
    struct Read mark = read_text("\xef\xbb\xbf"
                                 "a: 1\n");
    assert_int_equal(problems_count(mark.problems), 0);
    close_read(&mark);
}

/* `count` times `part`, in a new Buf. */
static struct Buf repeated(const char *part, size_t count)
{
    struct Buf buf = BUF(4u << 20);
    for (size_t n = 0; n < count; n++)
        buf_put(&buf, part);
    return buf;
}

static void test_nesting_bombs_end_at_once(void **state)
{
    static const char *const bombs[] = {"[", "{a: ", "- ", "[[", "{", "[{a: "};
    (void)state;
    for (size_t n = 0; n < COUNT_OF(bombs); n++) {
        struct Buf text = repeated(bombs[n], 200000 / strlen(bombs[n]));

        struct Read read = read_bytes(text.text, text.size);

        assert_null(read.document->root);
        assert_int_equal(problems_count(read.problems), 1);
        assert_int_equal(problems_at(read.problems, 0)->code, ERR_LIMIT);
        close_read(&read);
        buf_free(&text);
    }
}

static void test_32_levels_are_read_and_33_are_not(void **state)
{
    (void)state;
    struct Buf good = repeated("[", 32), bad = repeated("[", 33);
    for (int n = 0; n < 33; n++) {
        if (n < 32)
            buf_char(&good, ']');
        buf_char(&bad, ']');
    }

    struct Read read = read_text(good.text);
    assert_int_equal(problems_count(read.problems), 0);
    close_read(&read);
    assert_refused(bad.text, ERR_LIMIT, 1, 33);
    buf_free(&good);
    buf_free(&bad);
}

static void test_alias_bombs_stay_small(void **state)
{
    (void)state;
    struct Buf text = BUF(100000);
    buf_put(&text, "a0: &a0 [x, x]\n");
    for (int n = 1; n < 60; n++)
        buf_printf(&text, "a%d: &a%d [*a%d, *a%d]\n", n, n, n - 1, n - 1);

    struct Read read = read_text(text.text);

    assert_int_equal(problems_count(read.problems), 60 + 2 * 59);
    close_read(&read);
    buf_free(&text);
}

static void test_files_of_256_kib_are_read_and_larger_ones_are_not(void **state)
{
    (void)state;
    struct Buf text = repeated("# comment\n", 256 * 1024 / 10);
    buf_put(&text, "a: 1");
    assert_int_equal(text.size, 256 * 1024);

    struct Read read = read_bytes(text.text, text.size);
    assert_int_equal(problems_count(read.problems), 0);
    close_read(&read);
    buf_char(&text, '\n');
    read = read_bytes(text.text, text.size);
    assert_int_equal(problems_at(read.problems, 0)->code, ERR_LIMIT);
    close_read(&read);
    buf_free(&text);
}

static void test_scalars_of_8_kib_are_read_and_larger_ones_are_not(void **state)
{
    (void)state;
    struct Buf text = repeated("x", 8 * 1024);

    struct Read read = read_text(text.text);
    assert_int_equal(problems_count(read.problems), 0);
    close_read(&read);
    buf_char(&text, 'x');
    read = read_text(text.text);
    assert_int_equal(problems_at(read.problems, 0)->code, ERR_LIMIT);
    assert_non_null(read.document->root);
    close_read(&read);
    buf_free(&text);
}

static void test_more_than_20000_values_are_too_many(void **state)
{
    (void)state;
    struct Buf text = repeated("- x\n", 19990);

    struct Read read = read_text(text.text);
    assert_int_equal(problems_count(read.problems), 0);
    close_read(&read);
    buf_put(&text, "- x\n- x\n- x\n- x\n- x\n- x\n- x\n- x\n- x\n- x\n");
    read = read_text(text.text);
    assert_int_equal(problems_at(read.problems, 0)->code, ERR_LIMIT);
    close_read(&read);
    buf_free(&text);
}

static void test_what_cannot_be_read_says_why(void **state)
{
    (void)state;
    char folder[] = "/tmp/faildrill-test-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/f.yaml", folder);
    struct Arena *arena = arena_new("test", 16u << 20);
    struct Problems *problems = problems_new();

    assert_null(document_read(path, arena, problems)->root);
    assert_null(document_read(folder, arena, problems)->root);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "a: 1\n", 5), 5);
    assert_non_null(document_read(path, arena, problems)->root);
    assert_int_equal(fchmod(fd, 0666), 0);
    assert_null(document_read(path, arena, problems)->root);

    assert_int_equal(problems_count(problems), 3);
    assert_string_equal(problems_at(problems, 0)->message,
                        "the file cannot be read: No such file or directory");
    assert_string_equal(problems_at(problems, 1)->message, "this is not a regular file");
    assert_string_equal(problems_at(problems, 2)->message, "everybody may change the file");
    close(fd);
    unlink(path);
    rmdir(folder);
    problems_free(problems);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_know_their_place),
        cmocka_unit_test(test_no_type_is_guessed),
        cmocka_unit_test(test_an_unquoted_reference_is_the_only_problem_at_its_place),
        cmocka_unit_test(test_all_unquoted_references_are_found_and_the_rest_is_read),
        cmocka_unit_test(test_an_unquoted_reference_without_an_end_stops_the_reading),
        cmocka_unit_test(test_more_unquoted_references_than_are_mended_still_end),
        cmocka_unit_test(test_features_are_refused_with_a_place),
        cmocka_unit_test(test_an_alias_is_refused_and_the_rest_is_read),
        cmocka_unit_test(test_a_key_that_stands_twice_names_the_first),
        cmocka_unit_test(test_syntax_errors_say_what_helps),
        cmocka_unit_test(test_bytes_that_are_no_text_are_refused_at_their_place),
        cmocka_unit_test(test_nesting_bombs_end_at_once),
        cmocka_unit_test(test_32_levels_are_read_and_33_are_not),
        cmocka_unit_test(test_alias_bombs_stay_small),
        cmocka_unit_test(test_files_of_256_kib_are_read_and_larger_ones_are_not),
        cmocka_unit_test(test_scalars_of_8_kib_are_read_and_larger_ones_are_not),
        cmocka_unit_test(test_more_than_20000_values_are_too_many),
        cmocka_unit_test(test_what_cannot_be_read_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* model_procedure_fill_test.c - captured values in commands: data, whole, and no secret. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../../runner/model/procedure_fill.h"
#include "../../runner/transports/process.h"

static struct Arena *arena;
static const struct Token token = {.text = "01k2abcdefghjkmnpqrstvwxyz"};

/* The undo's second word, filled in; NULL where it cannot be. */
static const char *filled(const char *word, const struct TextPair *pairs, size_t count,
                          struct Err *err)
{
    const char *argv[] = {"sh", word, NULL};
    struct Command command = {.what = "undo", .argv = argv};
    struct Procedure procedure = {.undo = {.at = &command, .count = 1}}, out;
    struct List captured = {.items = (void *)(uintptr_t)pairs, .count = count};
    if (!procedure_fill(&procedure, &token, &captured, arena, &out, err))
        return NULL;
    assert_string_equal(out.undo.at[0].argv[0], "sh");
    assert_null(out.undo.at[0].argv[2]);
    assert_string_equal(procedure.undo.at[0].argv[1], word);
    return out.undo.at[0].argv[1];
}

static void test_a_value_is_one_word_of_sh(void **state)
{
    static const char *const values[] = {
        "plain", "two words", "it's", "$(touch /tmp/x)", "`id`;", "a\nb", "\\", "\"", "-n", "*"};
    struct Err err;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(values); i++) {
        struct TextPair pair = {.name = "size", .value = values[i]};
        const char *word = arena_printf(arena, "x=%s\n[ \"$x\" = \"$WANT\" ]",
                                        capture_mark(&token, "size", arena));
        const char *text = filled(word, &pair, 1, &err);

        assert_non_null(text);
        const char *argv[] = {"env", arena_printf(arena, "WANT=%s", values[i]), "sh", "-c", text,
                              NULL};
        struct Buf said = BUF(400);
        assert_true(process_output(argv, &said, mono_add(mono_now(), 60 * NS_PER_S), &err));
        buf_free(&said);
    }
}

static void test_names_that_begin_alike_are_two(void **state)
{
    struct TextPair pairs[] = {{.name = "a", .value = "1"}, {.name = "a_b", .value = "2"}};
    struct Err err;
    (void)state;

    const char *word =
        arena_printf(arena, "%s %s %s", capture_mark(&token, "a_b", arena),
                     capture_mark(&token, "a", arena), capture_mark(&token, "a", arena));

    assert_string_equal(filled(word, pairs, 2, &err), "2 1 1");
}

/* What a host prints cannot name another value, nor itself. */
static void test_a_value_is_not_looked_at_again(void **state)
{
    const char *mark = capture_mark(&token, "a", arena);
    struct TextPair pair = {.name = "a", .value = mark};
    struct Err err;
    (void)state;

    assert_non_null(strstr(filled(mark, &pair, 1, &err), mark));
}

/* Quoted twice and more, 4096 quotes would not go to a host as a whole. */
static void test_what_would_be_cut_off_is_refused(void **state)
{
    char quotes[4097] = "";
    struct TextPair pair = {.name = "a", .value = quotes};
    const char *mark = capture_mark(&token, "a", arena);
    struct Buf many = BUF(1 << 20);
    struct Err err;
    (void)state;
    memset(quotes, '\'', sizeof quotes - 1);
    for (int n = 0; n < 30; n++)
        buf_put(&many, mark);

    assert_null(filled(many.text, &pair, 1, &err));
    assert_string_equal(err.message, "what was captured is too long for the commands of a fault");
    buf_free(&many);
}

static void test_what_was_not_captured_is_refused(void **state)
{
    struct Err err;
    (void)state;

    assert_null(filled(capture_mark(&token, "label", arena), NULL, 0, &err));
    assert_string_equal(err.message, "`label` was not captured");
    assert_string_equal(filled("@other:label@ $1", NULL, 0, &err), "@other:label@ $1");
}

int main(void)
{
    arena = arena_new("test", 16 << 20);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_value_is_one_word_of_sh),
        cmocka_unit_test(test_names_that_begin_alike_are_two),
        cmocka_unit_test(test_a_value_is_not_looked_at_again),
        cmocka_unit_test(test_what_would_be_cut_off_is_refused),
        cmocka_unit_test(test_what_was_not_captured_is_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}

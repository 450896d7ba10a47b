/* cli_options_test.c - argv is read by the tables, in any order, and nothing is guessed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../runner/base/text.h"
#include "../../runner/cli/help.h"
#include "../../runner/cli/options.h"

static const struct Option OWN[] = {
    {"seed", 0, "N", false, "Draws the same hosts."},
    {"param", 'p', "NAME=VALUE", true, "Gives a parameter a value."},
    {"dry", 'd', NULL, false, "Changes nothing."},
    {.name = NULL},
};
static const struct Verb VERB = {.name = "plan", .takes = "FILE", .options = OWN};

struct Line {
    struct Cli cli;
    struct Err err;
    bool good;
    int at;
};

/* Words up to NULL, as after the verb. */
static struct Line line_of(const char *const *words)
{
    struct Line line = {.cli = {.verb = &VERB, .arena = arena_new("test", 1 << 20)}};
    char **argv = arena_zero(line.cli.arena, 32, sizeof *argv);
    int argc = 0;
    argv[argc++] = arena_text(line.cli.arena, "plan");
    for (; *words != NULL; words++)
        argv[argc++] = arena_text(line.cli.arena, *words);
    line.good = options_of_verb(&line.cli, argc, argv, &line.err);
    return line;
}
#define LINE(...) line_of((const char *const[]){__VA_ARGS__, NULL})

static void line_close(struct Line *line)
{
    arena_free(line->cli.arena);
}

static void test_options_and_words_stand_in_any_order(void **state)
{
    (void)state;
    struct Line line = LINE("drill", "-e", "staging", "-d", "--seed=41", "-q");

    assert_true(line.good);
    assert_string_equal(cli_option(&line.cli, "env"), "staging");
    assert_string_equal(cli_option(&line.cli, "seed"), "41");
    assert_string_equal(cli_option(&line.cli, "dry"), "");
    assert_null(cli_option(&line.cli, "json"));
    assert_int_equal(line.cli.arg_count, 1);
    assert_string_equal(line.cli.args[0], "drill");
    line_close(&line);
}

static void test_two_dashes_end_the_options(void **state)
{
    (void)state;
    struct Line line = LINE("--", "-d");
    assert_true(line.good);
    assert_null(cli_option(&line.cli, "dry"));
    assert_string_equal(line.cli.args[0], "-d");
    line_close(&line);
}

static void test_the_last_value_counts(void **state)
{
    (void)state;
    struct Line line = LINE("--seed", "1", "--seed", "2");
    assert_string_equal(cli_option(&line.cli, "seed"), "2");
    line_close(&line);
}

static void test_parameters_are_gathered(void **state)
{
    (void)state;
    struct Line line = LINE("-p", "a=1", "-p", "b=x=y", "-pc=");
    assert_true(line.good);
    assert_int_equal(line.cli.param_count, 3);
    assert_string_equal(line.cli.params[0].name, "a");
    assert_string_equal(line.cli.params[1].value, "x=y");
    assert_string_equal(line.cli.params[2].value, "");
    line_close(&line);
}

static void assert_refused(struct Line line, const char *message, const char *hint)
{
    assert_false(line.good);
    assert_int_equal(line.err.code, ERR_USAGE);
    assert_string_equal(line.err.message, message);
    assert_string_equal(line.err.hint, hint);
    line_close(&line);
}

static void test_what_is_not_understood_is_named(void **state)
{
    (void)state;
    assert_refused(LINE("--sed", "1", "x"), "unknown option '--sed'",
                   "did you mean --seed? faildrill help plan");
    assert_refused(LINE("--see", "1"), "unknown option '--see'",
                   "did you mean --seed? faildrill help plan");
    assert_refused(LINE("--see=1"), "unknown option '--see=1'",
                   "did you mean --seed? faildrill help plan");
    assert_refused(LINE("-x"), "unknown option '-x'", "faildrill help plan");
    assert_refused(LINE("-dx"), "unknown option '-x'", "faildrill help plan");
    assert_refused(LINE("--seed"), "option '--seed' needs a value", "");
    assert_refused(LINE("-e"), "option '--env' needs a value", "");
    assert_refused(LINE("--dry=yes"), "option '--dry' takes no value", "");
    assert_refused(LINE("-p", "a"), "'-p a' is not NAME=VALUE", "");
    assert_refused(LINE("-p", "=a"), "'-p =a' is not NAME=VALUE", "");
}

static void test_options_may_stand_before_the_verb(void **state)
{
    (void)state;
    struct Line line = {.cli = {.arena = arena_new("test", 1 << 20)}};
    char words[5][16] = {"faildrill", "-C", "/tmp", "plan", "--seed"};
    char *argv[] = {words[0], words[1], words[2], words[3], words[4], NULL};

    assert_true(options_before_verb(&line.cli, 5, argv, &line.at, &line.err));

    assert_int_equal(line.at, 3);
    assert_string_equal(options_value(&line.cli, "directory"), "/tmp");
    line_close(&line);
}

static void test_durations_are_read_as_in_files(void **state)
{
    (void)state;
    struct Line line = LINE("--seed", "180d");
    int64_t ns = 7;
    assert_true(cli_duration(&line.cli, "seed", &ns, &line.err));
    assert_true(ns == 180 * 24 * 3600 * NS_PER_S);
    assert_true(cli_duration(&line.cli, "param", &ns, &line.err));
    assert_true(ns == 180 * 24 * 3600 * NS_PER_S);
    line_close(&line);
}

/* ---- The table of verbs. ---- */
static void test_every_verb_is_described(void **state)
{
    (void)state;
    size_t count;
    const struct Verb *const *verbs = cli_verbs(&count);
    for (size_t i = 0; i < count; i++) {
        const struct Verb *verb = verbs[i];
        struct Buf out = BUF(32 << 10);
        help_verb(verb, &out);
        size_t lines = 0;
        for (size_t k = 0; k < out.size; k++)
            lines += out.text[k] == '\n';
        assert_true(lines < 40);
        assert_true(text_starts(out.text, "  faildrill "));
        assert_true(text_starts(verb->next, "Next: faildrill "));
        assert_false(text_ends(verb->summary, "."));
        assert_true(text_is_name(verb->name, false));
        assert_non_null(verb->run);
        assert_true(verb->most == -1 || verb->most >= verb->least);
        for (const struct Option *own = verb->options; own != NULL && own->name != NULL; own++) {
            assert_true(text_ends(own->doc, "."));
            for (const struct Option *all = CLI_GLOBALS; all->name != NULL; all++) {
                assert_string_not_equal(own->name, all->name);
                assert_true(own->letter == 0 || own->letter != all->letter);
            }
        }
        buf_free(&out);
    }
}

static void test_an_unknown_verb_gets_the_nearest(void **state)
{
    (void)state;
    struct Err err;
    assert_null(help_find("vaildate", &err));
    assert_string_equal(err.message, "there is no verb 'vaildate'");
    assert_string_equal(err.hint,
                        "did you mean `faildrill validate`? All of them: faildrill help all");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_and_words_stand_in_any_order),
        cmocka_unit_test(test_two_dashes_end_the_options),
        cmocka_unit_test(test_the_last_value_counts),
        cmocka_unit_test(test_parameters_are_gathered),
        cmocka_unit_test(test_what_is_not_understood_is_named),
        cmocka_unit_test(test_options_may_stand_before_the_verb),
        cmocka_unit_test(test_durations_are_read_as_in_files),
        cmocka_unit_test(test_every_verb_is_described),
        cmocka_unit_test(test_an_unknown_verb_gets_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

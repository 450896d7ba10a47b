/* transports_quote_test.c - no value that we quote is ever run, by any of the shells there are. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../runner/model/procedure.h"
#include "../../runner/transports/process.h"
#include "../../runner/transports/quote.h"

#define PAYLOADS 320

/* Each would make the file `pwned` if any of it were run; # stands for the command that does. */
static const char *const seeds[] = {
    "#",           ";#",
    ";#;",         "&#&",
    "|#",          "||#",
    "&&#",         "$(#)",
    "`#`",         "'$(#)'",
    "\"$(#)\"",    "';#;'",
    "\";#;\"",     "'\"'\"';#;'",
    "\\';#;\\'",   "'\\'';#;'\\''",
    "\n#\n",       "a\n#\nb",
    "${x:-$(#)}",  "${x:=`#`}",
    "$((`#`))",    "<(#)",
    ">(#)",        "{a,$(#)}",
    "~$(#)",       "$'\\x27;#'",
    "$\"`#`\"",    "!#",
    "^x^#",        "*;#",
    "?;#",         "[;#",
    "#;",          "--;#",
    "-c #",        "\\\n;#",
    "\t;#\t",      " ;# ",
    "'",           "\"",
    "\\",          "$",
    "`",           "''",
    "'''",         "\\'",
    "'\\",         "$(",
    "${",          "((",
    "x=$(#)",      "x='`#`'",
    "exec #",      "eval #",
    ". #",         "trap # EXIT",
    "if #; then",  "() { #; }; x",
    "EOF\n#\nEOF", "\xff';#;'",
    "\xc3';#",     "\x01;#",
    "\x7f`#`",     "%s$(#)",
    "%n;#",
};
static const char *const wraps[] = {"%s", "a%sb", "'%s'", "\"%s\"", "\\%s"};

static const char *payload(size_t index, char out[256])
{
    char middle[160] = "";
    const char *seed = seeds[index % COUNT_OF(seeds)];
    size_t used = 0;
    for (; *seed != '\0' && used + 16 < sizeof middle; seed++) {
        char one[2] = {*seed, '\0'};
        used += (size_t)snprintf(middle + used, sizeof middle - used, "%s",
                                 *seed == '#' ? "touch pwned" : one);
    }
    const char *wrap = wraps[index / COUNT_OF(seeds) % COUNT_OF(wraps)];
    const char *hole = strstr(wrap, "%s");
    snprintf(out, 256, "%.*s%s%s", (int)(hole - wrap), wrap, middle, hole + 2);
    return out;
}

/* Runs the script with the shell in an empty folder; its output, and whether `pwned` came to be. */
static void run(const char *const *shell, const char *script, struct Buf *out, bool *pwned)
{
    char folder[] = "/tmp/fd-quote-XXXXXX", *was = getcwd(NULL, 0);
    const char *argv[6];
    size_t count = 0;
    struct Err err;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    while (shell[count] != NULL && count < 3) {
        argv[count] = shell[count];
        count++;
    }
    argv[count++] = "-c";
    argv[count++] = script;
    argv[count] = NULL;
    assert_true(process_output(argv, out, mono_add(mono_now(), 60 * NS_PER_S), &err));
    *pwned = access("pwned", F_OK) == 0;
    (void)unlink("pwned");
    assert_int_equal(chdir(was), 0);
    assert_int_equal(rmdir(folder), 0);
    free(was);
}

static bool has_shell(const char *const *shell)
{
    struct Buf out = BUF(64);
    struct Err err;
    const char *const argv[] = {shell[0], shell[1] != NULL ? shell[1] : "-c",
                                shell[1] != NULL ? "-c" : ":", ":", NULL};
    bool good = process_output(argv, &out, mono_add(mono_now(), 30 * NS_PER_S), &err);
    buf_free(&out);
    return good;
}

/* All payloads as words of one command, and as values of assignments, come back byte for byte. */
static void shell_runs_none(const char *const *shell)
{
    struct Buf words = BUF(1 << 20), values = BUF(1 << 20), want = BUF(1 << 20), got = BUF(1 << 20);
    char text[256];
    bool pwned = true;
    if (!has_shell(shell)) {
        print_message("skip: no %s here\n", shell[0]);
        skip();
    }
    buf_put(&words, "printf '%s\\001'");
    for (size_t i = 0; i < PAYLOADS; i++) {
        payload(i, text);
        buf_char(&words, ' ');
        shell_text(&words, text);
        quote_assignment(&values, "value", text);
        buf_put(&values, "printf '%s\\001' \"$value\"\n");
        buf_printf(&want, "%s\001", text);
    }

    run(shell, words.text, &got, &pwned);
    assert_false(pwned);
    assert_int_equal(got.size, want.size);
    assert_memory_equal(got.text, want.text, want.size);
    buf_clear(&got);
    run(shell, values.text, &got, &pwned);
    assert_false(pwned);
    assert_int_equal(got.size, want.size);
    assert_memory_equal(got.text, want.text, want.size);
    buf_free(&words);
    buf_free(&values);
    buf_free(&want);
    buf_free(&got);
}

static void test_dash_runs_no_payload(void **state)
{
    (void)state;
    shell_runs_none((const char *const[]){"dash", NULL});
}

static void test_bash_runs_no_payload(void **state)
{
    (void)state;
    shell_runs_none((const char *const[]){"bash", NULL});
}

static void test_busybox_runs_no_payload(void **state)
{
    (void)state;
    shell_runs_none((const char *const[]){"busybox", "sh", NULL});
}

static void test_a_seed_run_bare_would_be_seen(void **state)
{
    (void)state;
    struct Buf out = BUF(4096);
    bool pwned = false;
    run((const char *const[]){"sh", NULL}, ":;touch pwned", &out, &pwned);
    assert_true(pwned);
    buf_free(&out);
}

static void test_words_of_several_lines_are_refused(void **state)
{
    (void)state;
    struct Buf out = BUF(4096);
    assert_false(shell_quote(&out, "a\nb"));
    assert_false(shell_quote(&out, "a\rb"));
    assert_false(quote_line(&out, (const char *const[]){"sh", "-c", "a\nb", NULL}));
    assert_int_equal(out.size, 0);
    assert_true(quote_line(&out, (const char *const[]){"sh", "-c", "it's", "", NULL}));
    assert_string_equal(out.text, "sh -c 'it'\\''s' ''");
    buf_free(&out);
}

static void test_a_process_that_hangs_is_left_at_the_deadline(void **state)
{
    (void)state;
    struct Err err;
    struct Buf out = BUF(64);
    struct Mono begin = mono_now();
    const char *const argv[] = {"sleep", "1000", NULL};
    assert_false(process_output(argv, &out, mono_add(begin, 100 * NS_PER_MS), &err));
    assert_int_equal(err.code, ERR_TIMEOUT);
    assert_true(mono_since(begin, mono_now()) < 4 * NS_PER_S);
    buf_free(&out);
}

static void test_a_program_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct Err err;
    assert_null(process_start((const char *const[]){"/no/such/program", NULL}, &err));
    assert_string_equal(err.message, "cannot start '/no/such/program': No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dash_runs_no_payload),
        cmocka_unit_test(test_bash_runs_no_payload),
        cmocka_unit_test(test_busybox_runs_no_payload),
        cmocka_unit_test(test_a_seed_run_bare_would_be_seen),
        cmocka_unit_test(test_words_of_several_lines_are_refused),
        cmocka_unit_test(test_a_process_that_hangs_is_left_at_the_deadline),
        cmocka_unit_test(test_a_program_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

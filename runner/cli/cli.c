/* cli.c - from argv to a verb and its exit status. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include "../base/text.h"
#include "../model/redact.h"
#include "help.h"
#include "options.h"
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { CLI_MEMORY = 512 << 20, HELP_MOST = 32 << 10, PRINTED_MOST = 64 << 20 };

int cli_print(const struct Buf *text, int status)
{
    struct Buf clean = BUF(PRINTED_MOST);
    redact(text->text, &clean);
    size_t written = fwrite(clean.text, 1, clean.size, stdout);
    bool whole = written == clean.size && !clean.cut;
    buf_free(&clean);
    if (!whole || fflush(stdout) != 0) {
        fputs("faildrill: standard output does not take the result\n", stderr);
        return err_status(ERR_OWN);
    }
    return status;
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0';
}

static bool wants_color(const char *option, bool tty)
{
    if (is_set("NO_COLOR"))
        return false;
    if (text_equal(option, "always"))
        return true;
    if (text_equal(option, "never"))
        return false;
    if (is_set("CLICOLOR_FORCE") && !text_equal(getenv("CLICOLOR_FORCE"), "0"))
        return true;
    const char *term = getenv("TERM");
    return tty && term != NULL && !text_equal(term, "dumb");
}

static bool voices_ready(struct Cli *cli, struct Err *err)
{
    const char *color = options_value(cli, "color");
    if (color != NULL && !text_equal(color, "auto") && !text_equal(color, "always") &&
        !text_equal(color, "never"))
        return err_set(err, ERR_USAGE, NOWHERE, "--color %s: auto, always or never", color);
    bool unicode = options_value(cli, "ascii") == NULL && text_equal(nl_langinfo(CODESET), "UTF-8");
    bool out = isatty(STDOUT_FILENO) == 1, errors = isatty(STDERR_FILENO) == 1;
    cli->out = (struct Voice){.tty = out, .color = wants_color(color, out), .unicode = unicode};
    cli->err =
        (struct Voice){.tty = errors, .color = wants_color(color, errors), .unicode = unicode};
    return true;
}

static bool count_fits(const struct Cli *cli, struct Err *err)
{
    const struct Verb *verb = cli->verb;
    if (cli->arg_count < (size_t)verb->least) {
        err_set(err, ERR_USAGE, NOWHERE, "%s needs %s", verb->name, verb->takes);
        return err_hint(err, "faildrill help %s", verb->name);
    }
    if (verb->most >= 0 && cli->arg_count > (size_t)verb->most) {
        err_set(err, ERR_USAGE, NOWHERE, "%s does not take '%s'", verb->name,
                cli->args[verb->most]);
        return err_hint(err, "faildrill help %s", verb->name);
    }
    return true;
}

/* Everything that a verb may rely on. */
static bool ready(struct Cli *cli, struct Err *err)
{
    if (!voices_ready(cli, err) || !count_fits(cli, err))
        return false;
    const char *directory = options_value(cli, "directory");
    if (directory != NULL && chdir(directory) != 0)
        return err_set(err, ERR_USAGE, NOWHERE, "-C %s: %m", directory);
    cli->environment = options_value(cli, "env");
    cli->json = options_value(cli, "json") != NULL;
    cli->quiet = options_value(cli, "quiet") != NULL;
    cli->verbose = options_value(cli, "verbose") != NULL;
    cli->may_ask = options_value(cli, "no-input") == NULL && isatty(STDIN_FILENO) == 1;
    return true;
}

static int project_ready(struct Cli *cli)
{
    struct Problems *problems = problems_new();
    bool found = project_find(".", cli->arena, &cli->documents, problems, &cli->project);
    int status = found ? 0 : cli_problems(cli, problems);
    problems_free(problems);
    if (status == 0)
        cli->state = project_state(&cli->project, options_value(cli, "state"), cli->arena);
    return status;
}

static int show_help(const struct Cli *cli)
{
    struct Buf text = BUF(HELP_MOST);
    struct Err err;
    int status = 0;
    if (cli->verb != NULL)
        help_verb(cli->verb, &text);
    else if (cli->arg_count == 0)
        help_first_screen(&text);
    else if (text_equal(cli->args[0], "all"))
        help_all(&text);
    else {
        const struct Verb *verb = help_find(cli->args[0], &err);
        if (verb != NULL)
            help_verb(verb, &text);
        else
            status = cli_fail(cli, &err);
    }
    status = cli_print(&text, status);
    buf_free(&text);
    return status;
}

static int run_verb(struct Cli *cli, int argc, char **argv)
{
    struct Err err;
    if (!options_of_verb(cli, argc, argv, &err))
        return cli_fail(cli, &err);
    if (options_value(cli, "help") != NULL)
        return show_help(cli);
    if (!ready(cli, &err))
        return cli_fail(cli, &err);
    int status = project_ready(cli);
    return status != 0 ? status : cli->verb->run(cli);
}

static int dispatch(struct Cli *cli, int argc, char **argv)
{
    struct Err err;
    if (argc == 2 && text_equal(argv[1], "--version")) {
        puts("faildrill " CLI_VERSION);
        return 0;
    }
    int at = 0;
    if (!options_before_verb(cli, argc, argv, &at, &err))
        return cli_fail(cli, &err);
    bool asks = at < argc && text_equal(argv[at], "help");
    if (asks || at >= argc) {
        cli->args = (const char *const *)(argv + at + (asks ? 1 : 0));
        cli->arg_count = asks ? (size_t)(argc - at - 1) : 0;
        return show_help(cli);
    }
    cli->verb = help_find(argv[at], &err);
    if (cli->verb == NULL)
        return cli_fail(cli, &err);
    return run_verb(cli, argc - at, argv + at);
}

int cli_main(const struct Kinds *kinds, int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    /* No core and no look into our memory or environment: values of secrets may be anywhere there.
     * Not by a limit of size or a filter: what we start would inherit those, services too. */
    prctl(PR_SET_DUMPABLE, 0);
    /* A reader that went away must not end us in the middle of an undo. */
    sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    struct Arena *arena = arena_new("command line", CLI_MEMORY);
    struct Cli cli = {.kinds = kinds, .arena = arena};
    int status = dispatch(&cli, argc, argv);
    arena_free(arena);
    return status;
}

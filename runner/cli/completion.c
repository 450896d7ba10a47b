/* completion.c - what may stand next on the command line, for bash, zsh and fish. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "drill.h"

#include <string.h>
#include <unistd.h>

#include "../base/text.h"
#include "help.h"
#include "try.h"

static int completion(struct Cli *cli);
const struct Verb verb_completion = {
    .name = "completion",
    .takes = "SHELL",
    .least = 1,
    .most = -1,
    .summary = "what the Tab key needs, for bash, zsh or fish",
    .examples = "  faildrill completion fish | source     # in config.fish\n"
                "  source <(faildrill completion bash)    # in ~/.bashrc; zsh in ~/.zshrc\n",
    .next = "Next: faildrill help all",
    .run = completion,
};

/* The shells only carry words: `completion words WORD...` answers with what the last of them, which
 * may be empty and unfinished, can become, one a line. */
static const char *const SHELLS[] = {"bash", "zsh", "fish"};
static const char *const SCRIPTS[] = {
    "_faildrill() {\n"
    "    local IFS=$'\\n'\n"
    "    COMPREPLY=($(\"${COMP_WORDS[0]}\" completion words -- "
    "\"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null))\n"
    "}\n"
    "complete -o default -F _faildrill faildrill\n",

    "_faildrill() {\n"
    "    local -a found\n"
    "    found=(${(f)\"$(${words[1]} completion words -- \"${(@)words[2,$CURRENT]}\" "
    "2>/dev/null)\"})\n"
    "    if (( $#found )); then compadd -- $found; else _files; fi\n"
    "}\n"
    "compdef _faildrill faildrill\n",

    "function __faildrill\n"
    "    set -l words (commandline -opc) (commandline -ct)\n"
    "    $words[1] completion words -- $words[2..-1] 2>/dev/null\n"
    "end\n"
    "complete -c faildrill -a '(__faildrill)'\n",
};

/* What is on the line before the word that is being typed. */
struct Line {
    struct Cli *cli;
    const struct Verb *verb;      /* NULL: it comes next */
    const struct Option *pending; /* waits for its value */
    const char *typed;
    struct Buf out;
};

static void offer(struct Line *line, const char *word)
{
    if (text_starts(word, line->typed))
        buf_printf(&line->out, "%s\n", word);
}

static const struct Option *option_of(const struct Option *rows, const char *word)
{
    for (; rows != NULL && rows->name != NULL; rows++) {
        const char letter[] = {'-', rows->letter, '\0'};
        if (text_starts(word, "--") ? text_equal(word + 2, rows->name)
                                    : rows->letter != 0 && text_equal(word, letter))
            return rows;
    }
    return NULL;
}

/* Only what decides which files there are is acted upon; whatever is wrong, `run` will say. */
static void take_value(struct Line *line, const char *value)
{
    struct Cli *cli = line->cli;
    struct Problems *problems = problems_new();
    if (text_equal(line->pending->name, "directory") && chdir(value) == 0 &&
        project_find(".", cli->arena, &cli->documents, problems, &cli->project))
        cli->state = project_state(&cli->project, NULL, cli->arena);
    if (text_equal(line->pending->name, "state"))
        cli->state = project_state(&cli->project, value, cli->arena);
    if (text_equal(line->pending->name, "env"))
        cli->environment = value;
    problems_free(problems);
    line->pending = NULL;
}

static void take_word(struct Line *line, const char *word)
{
    struct Err ignored;
    if (line->pending != NULL) {
        take_value(line, word);
        return;
    }
    if (word[0] != '-') {
        if (line->verb == NULL)
            line->verb = help_find(word, &ignored);
        return;
    }
    const struct Option *option = option_of(CLI_GLOBALS, word);
    if (option == NULL && line->verb != NULL)
        option = option_of(line->verb->options, word);
    if (option != NULL && option->value != NULL)
        line->pending = option;
}

/* A scenario or environment by its name: the file's, without folder and end. */
static void offer_files(struct Line *line, const struct List *paths)
{
    const char *const *path = paths->items;
    for (size_t i = 0; i < paths->count; i++) {
        const char *slash = strrchr(path[i], '/');
        const char *name = slash != NULL ? slash + 1 : path[i];
        offer(line, arena_bytes(line->cli->arena, name, strlen(name) - strlen(".yaml")));
    }
}

static void offer_scenarios(struct Line *line)
{
    struct List paths = {0};
    project_scenarios(&line->cli->project, line->cli->arena, &paths);
    offer_files(line, &paths);
}

static void offer_environments(struct Line *line)
{
    struct List paths = {0};
    project_environments(&line->cli->project, line->cli->arena, &paths);
    offer_files(line, &paths);
}

/* The newest first; nothing is made where nothing ran yet. */
static void offer_runs(struct Line *line)
{
    struct Cli *cli = line->cli;
    struct Err ignored;
    struct List rows = {0};
    const struct History of = {.environment = cli->environment};
    offer(line, "last");
    if (access(cli->state, F_OK) != 0)
        return;
    struct Store *store = store_open(cli->state, &ignored);
    if (store == NULL)
        return;
    if (store_runs(store, &of, cli->arena, &rows, &ignored))
        for (size_t i = 0; i < rows.count; i++)
            offer(line, short_id(((const struct RunRow *)rows.items)[i].id));
    store_close(store);
}

static void offer_options(struct Line *line, const struct Option *rows)
{
    for (; rows != NULL && rows->name != NULL; rows++)
        offer(line, arena_printf(line->cli->arena, "--%s", rows->name));
}

static void offer_verbs(struct Line *line)
{
    size_t count;
    const struct Verb *const *verbs = cli_verbs(&count);
    for (size_t i = 0; i < count; i++)
        offer(line, verbs[i]->name);
    offer(line, "help");
}

static void offer_next(struct Line *line)
{
    if (line->pending != NULL) {
        if (text_equal(line->pending->name, "env") || text_equal(line->pending->name, "confirm"))
            offer_environments(line);
        return;
    }
    if (line->typed[0] == '-') {
        offer_options(line, line->verb != NULL ? line->verb->options : NULL);
        if (line->verb != NULL && line->verb->breaks)
            offer_options(line, try_verbs(line->cli->kinds, line->cli->arena));
        offer_options(line, CLI_GLOBALS);
        return;
    }
    const char *takes = line->verb != NULL ? line->verb->takes : "VERB";
    if (text_equal(takes, "VERB"))
        offer_verbs(line);
    if (strstr(takes, "FILE") != NULL || strstr(takes, "SCENARIO") != NULL)
        offer_scenarios(line);
    if (strstr(takes, "ENV") != NULL)
        offer_environments(line);
    if (strstr(takes, "RUN") != NULL)
        offer_runs(line);
    for (size_t i = 0; text_equal(takes, "SHELL") && i < COUNT_OF(SHELLS); i++)
        offer(line, SHELLS[i]);
}

static int completion(struct Cli *cli)
{
    struct Line line = {.cli = cli, .typed = "", .out = BUF(1U << 20)};
    int status = 0;
    if (text_equal(cli->args[0], "words")) {
        for (size_t i = 1; i + 1 < cli->arg_count; i++)
            take_word(&line, cli->args[i]);
        if (cli->arg_count > 1)
            line.typed = cli->args[cli->arg_count - 1];
        offer_next(&line);
        status = cli_print(&line.out, 0);
    } else {
        for (size_t i = 0; i < COUNT_OF(SHELLS); i++)
            if (text_equal(cli->args[0], SHELLS[i]))
                buf_put(&line.out, SCRIPTS[i]);
        struct Err err;
        err_set(&err, ERR_USAGE, NOWHERE, "there is no completion for '%s'", cli->args[0]);
        err_hint(&err, "bash, zsh or fish");
        status = line.out.size > 0 ? cli_print(&line.out, 0) : cli_fail(cli, &err);
    }
    buf_free(&line.out);
    return status;
}

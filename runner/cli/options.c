/* options.c - argv, read by the tables of options. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "../base/duration.h"
#include "../base/text.h"
#include "try.h"
#include <getopt.h>
#include <string.h>

enum { OPTIONS_MOST = 96, FIRST_LONG = 256 };

const struct Option CLI_GLOBALS[] = {
    {"env", 'e', "NAME", false, "The environment; there is no default."},
    {"directory", 'C', "DIR", false, "Works as if started in that folder."},
    {"state", 0, "DIR", false, "Where runs and their history are kept (FAILDRILL_STATE)."},
    {"json", 0, NULL, false, "Writes the result as JSON."},
    {"color", 0, "WHEN", false, "Colours: auto, always or never; NO_COLOR is respected."},
    {"ascii", 0, NULL, false, "Writes no character beyond ASCII."},
    {"quiet", 'q', NULL, false, "Leaves out progress and warnings."},
    {"verbose", 'v', NULL, false, "Says more."},
    {"no-input", 0, NULL, false, "Never asks; says which option to give instead."},
    {"help", 'h', NULL, false, "Shows what the verb does, with examples."},
    {.name = NULL},
};

/* The rows that count now, in one list: getopt's own tables are made from it. */
struct Rows {
    const struct Option *rows[OPTIONS_MOST];
    size_t count;
    struct option longs[OPTIONS_MOST + 1];
    char shorts[2 * OPTIONS_MOST + 3];
};

static void known_add(struct Rows *known, const struct Option *rows)
{
    for (; rows != NULL && rows->name != NULL; rows++) {
        if (known->count == OPTIONS_MOST)
            bug("more than %d options", OPTIONS_MOST);
        known->rows[known->count++] = rows;
    }
}

/* "+": stop at the first plain word; ":": tell a missing value from an unknown option. */
static void known_ready(struct Rows *known, bool stop_at_word)
{
    size_t used = 0;
    if (stop_at_word)
        known->shorts[used++] = '+';
    known->shorts[used++] = ':';
    for (size_t i = 0; i < known->count; i++) {
        const struct Option *row = known->rows[i];
        known->longs[i] = (struct option){
            .name = row->name,
            .has_arg = row->value != NULL ? required_argument : no_argument,
            .val = FIRST_LONG + (int)i,
        };
        if (row->letter == 0)
            continue;
        known->shorts[used++] = row->letter;
        if (row->value != NULL)
            known->shorts[used++] = ':';
    }
    known->shorts[used] = '\0';
}

static const struct Option *known_find(const struct Rows *known, int code)
{
    if (code >= FIRST_LONG)
        return known->rows[code - FIRST_LONG];
    for (size_t i = 0; i < known->count; i++)
        if (known->rows[i]->letter != 0 && known->rows[i]->letter == code)
            return known->rows[i];
    return NULL;
}

static bool refuse_unknown(const struct Cli *cli, const struct Rows *known, const char *word,
                           struct Err *err)
{
    err_set(err, ERR_USAGE, NOWHERE, "unknown option '%s'", word);
    const char *verb = cli->verb != NULL ? cli->verb->name : "";
    if (text_starts(word, "--")) {
        const char *names[OPTIONS_MOST];
        for (size_t i = 0; i < known->count; i++)
            names[i] = known->rows[i]->name;
        char name[64] = "";
        size_t size = strcspn(word + 2, "=");
        if (size < sizeof name)
            memcpy(name, word + 2, size);
        const char *nearest = text_nearest(name, names, known->count);
        if (nearest != NULL)
            return err_hint(err, "did you mean --%s? faildrill help %s", nearest, verb);
    }
    return err_hint(err, "faildrill help %s", verb);
}

static bool take(struct Cli *cli, const struct Option *option, const char *value, struct Err *err)
{
    struct OptionGiven *given = list_add(&cli->given, cli->arena, sizeof *given);
    given->option = option;
    given->value = value != NULL ? value : "";
    if (!text_equal(option->name, "param"))
        return true;

    const char *equals = strchr(value, '=');
    if (equals == NULL || equals == value)
        return err_set(err, ERR_USAGE, NOWHERE, "'-p %s' is not NAME=VALUE", value);
    struct List params = {(void *)(uintptr_t)cli->params, cli->param_count};
    struct ParamValue *param = list_add(&params, cli->arena, sizeof *param);
    param->name = arena_bytes(cli->arena, value, (size_t)(equals - value));
    param->value = equals + 1;
    cli->params = params.items;
    cli->param_count = params.count;
    return true;
}

/* The word that getopt has just read as this long option. */
static const char *word_of(const struct Option *option, char **argv)
{
    bool apart = option->value != NULL && optarg == argv[optind - 1];
    return argv[optind - (apart ? 2 : 1)];
}

/* getopt takes the beginning of a name too; a script that relied on it would break one day. */
static bool is_cut_short(const struct Option *option, char **argv)
{
    const char *word = word_of(option, argv) + 2;
    return strcspn(word, "=") != strlen(option->name);
}

/* getopt has state of its own: setting optind to 0 begins anew. */
static bool read_options(struct Cli *cli, struct Rows *known, int argc, char **argv,
                         struct Err *err)
{
    opterr = 0;
    optind = 0;
    for (;;) {
        int code = getopt_long(argc, argv, known->shorts, known->longs, NULL);
        if (code == -1)
            return true;
        if (code == ':') {
            const struct Option *option = known_find(known, optopt);
            return err_set(err, ERR_USAGE, NOWHERE, "option '--%s' needs a value",
                           option != NULL ? option->name : "?");
        }
        if (code == '?' && optopt >= FIRST_LONG)
            return err_set(err, ERR_USAGE, NOWHERE, "option '--%s' takes no value",
                           known_find(known, optopt)->name);
        if (code == '?') {
            char letter[3] = {'-', (char)optopt, '\0'};
            return refuse_unknown(cli, known, optopt > 0 ? letter : argv[optind - 1], err);
        }
        if (code >= FIRST_LONG && is_cut_short(known_find(known, code), argv))
            return refuse_unknown(cli, known, word_of(known_find(known, code), argv), err);
        if (!take(cli, known_find(known, code), optarg, err))
            return false;
    }
}

bool options_before_verb(struct Cli *cli, int argc, char **argv, int *at, struct Err *err)
{
    struct Rows known = {.count = 0};
    known_add(&known, CLI_GLOBALS);
    known_ready(&known, true);
    if (!read_options(cli, &known, argc, argv, err))
        return false;
    *at = optind;
    return true;
}

bool options_of_verb(struct Cli *cli, int argc, char **argv, struct Err *err)
{
    struct Rows known = {.count = 0};
    known_add(&known, CLI_GLOBALS);
    known_add(&known, cli->verb->options);
    if (cli->verb->breaks)
        known_add(&known, try_verbs(cli->kinds, cli->arena));
    known_ready(&known, false);
    if (!read_options(cli, &known, argc, argv, err))
        return false;
    cli->args = (const char *const *)(argv + optind);
    cli->arg_count = (size_t)(argc - optind);
    return true;
}

const char *options_value(const struct Cli *cli, const char *name)
{
    const struct OptionGiven *given = cli->given.items;
    for (size_t i = cli->given.count; i > 0; i--)
        if (text_equal(given[i - 1].option->name, name))
            return given[i - 1].value;
    return NULL;
}

const char *cli_option(const struct Cli *cli, const char *name)
{
    return options_value(cli, name);
}

bool cli_duration(const struct Cli *cli, const char *name, int64_t *ns, struct Err *err)
{
    const char *text = options_value(cli, name);
    const char *why = NULL;
    if (text == NULL || duration_parse(text, ns, &why))
        return true;
    return err_set(err, ERR_USAGE, NOWHERE, "--%s %s: %s", name, text, why);
}

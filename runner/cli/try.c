/* try.c - `try`: one line makes a scenario and an environment, and runs them as any other. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "try.h"

#include <string.h>
#include <unistd.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "../model/plan.h"
#include "drill.h"

#define HOLD_MOST (10 * NS_PER_S)
#define RECOVER_NS (30 * NS_PER_S) /* of a fault that is not held */

enum { TEXT_MOST = 16 << 10, SEEDS = 4096, NAMES_MOST = 100 };

static const struct Option OPTIONS[] = {
    {.name = "on", .value = "HOST", .doc = "Who is hit: a host, or one of a role that there is."},
    {.name = "for", .value = "TIME", .doc = "How long; without it once, and undone at the end."},
    {.name = "probe",
     .value = "URL",
     .doc = "http://, https:// or tcp:// to ask meanwhile; default: the host's sshd."},
    {.name = "set", .value = "K=V", .many = true, .doc = "A word of the verb, like by=200ms."},
    {.name = "unit", .value = "NAME", .doc = "Of a host that is new here: its systemd unit."},
    {.name = "service",
     .value = "NAME",
     .doc = "Or its service, by /etc/init.d and /run/NAME.pid."},
    {.name = "ssh-config", .letter = 'F', .value = "FILE", .doc = "And how ssh knows it."},
    {.name = "confirm", .value = "NAME", .doc = "The environment's name, instead of typing."},
    {.name = NULL},
};

struct Try {
    struct Cli *cli;
    const char *verb, *on, *role, *environment;
    const struct Environment *known; /* that there is already, or NULL */
    struct List meant;               /* of const struct Target *: who may be hit */
    int64_t for_ns, seed;            /* -1: none */
    struct Buf scenario, made;       /* their texts; made: of a new environment */
};

/* ---- Which verb: those that want nothing but whom they hit. ---- */

static bool may_be_tried(const struct FaultKind *kind)
{
    for (const struct Field *field = kind->config.fields; field->name != NULL; field++)
        if (text_equal(field->name, "target") && field->type == FIELD_ANY)
            return (field->flags & FIELD_SUBJECT) != 0;
    return false;
}

const struct Option *try_verbs(const struct Kinds *kinds, struct Arena *arena)
{
    struct List rows = {.items = NULL};
    for (size_t at = 0; kinds->faults[at] != NULL; at++)
        if (may_be_tried(kinds->faults[at]))
            *(struct Option *)list_add(&rows, arena, sizeof(struct Option)) =
                (struct Option){.name = kinds->faults[at]->name, .doc = kinds->faults[at]->summary};
    list_add(&rows, arena, sizeof(struct Option));
    return rows.items;
}

static bool read_verb(struct Try *try, struct Err *err)
{
    const struct OptionGiven *given = try->cli->given.items;
    const struct FaultKind *const *faults = try->cli->kinds->faults;
    for (size_t n = 0; n < try->cli->given.count; n++)
        for (size_t at = 0; faults[at] != NULL; at++) {
            if (!text_equal(faults[at]->name, given[n].option->name))
                continue;
            if (try->verb != NULL)
                return err_set(err, ERR_USAGE, NOWHERE, "one thing at a time: --%s or --%s",
                               try->verb, faults[at]->name);
            try->verb = faults[at]->name;
        }
    if (try->verb != NULL)
        return true;
    err_set(err, ERR_USAGE, NOWHERE, "what is to be done to %s?", try->on);
    return err_hint(err, "--isolate, --kill, --freeze, --loss ...: faildrill help try");
}

/* ---- Whom: a host or a role of the environment, or a host that is new. ---- */

static bool is_same(const struct Target *host, const struct Target *other)
{
    return text_equal(host->name, other->name) || text_equal(host->name, other->address) ||
           text_equal(host->address, other->name) ||
           (host->address != NULL && text_equal(host->address, other->address));
}

static bool knows(const struct Environment *environment, const struct List *meant)
{
    struct Target *const *hosts = environment->hosts.items;
    const struct Target *const *mine = meant->items;
    for (size_t at = 0; at < environment->hosts.count; at++)
        for (size_t n = 0; n < meant->count; n++)
            if (is_same(mine[n], hosts[at]))
                return true;
    return false;
}

static bool refuse_protected(const struct Environment *environment, struct Err *err)
{
    err_set(err, ERR_REFUSED, NOWHERE, "environment '%s' is protected", environment->name);
    return err_hint(err, "write a scenario, let it pass elsewhere, then plan and run it there");
}

/* A host of a protected environment stays one under any other name. */
static int look_at_others(struct Try *try)
{
    struct List paths = {.items = NULL};
    struct Err err;
    int status = 0;
    project_environments(&try->cli->project, try->cli->arena, &paths);
    const char *const *path = paths.items;
    for (size_t at = 0; at < paths.count && status == 0; at++) {
        struct Loaded other;
        status = cli_load(try->cli, NULL, path[at], &other);
        if (status != 0)
            return status;
        if (other.environment->is_protected &&
            (!environment_resolve(other.environment, &err) ||
             (knows(other.environment, &try->meant) && !refuse_protected(other.environment, &err))))
            status = cli_fail(try->cli, &err);
        cli_unload(&other);
    }
    return status;
}

/* The first seed that draws this host of the role: the file says who it was. */
static bool draw(struct Try *try, const struct Role *role, struct Err *err)
{
    const struct Target **order = arena_zero(try->cli->arena, role->host_count, sizeof(void *));
    for (try->seed = 0; try->seed < SEEDS; try->seed++) {
        target_order((uint64_t)try->seed, "victim", role, order);
        if (text_equal(order[0]->name, try->on) || text_equal(role->name, try->on))
            return true;
    }
    return err_set(err, ERR_OWN, NOWHERE, "no seed draws '%s'", try->on);
}

static bool find_known(struct Try *try, struct Err *err)
{
    const struct Role *roles = try->known->roles.items;
    for (size_t at = 0; at < try->known->roles.count; at++) {
        bool all = text_equal(roles[at].name, try->on);
        for (size_t n = 0; n < roles[at].host_count; n++)
            if (all || text_equal(roles[at].hosts[n]->name, try->on))
                *(const struct Target **)list_add(&try->meant, try->cli->arena, sizeof(void *)) =
                    roles[at].hosts[n];
        if (try->meant.count == 0)
            continue;
        try->role = roles[at].name;
        return draw(try, &roles[at], err);
    }
    err_set(err, ERR_HOST, NOWHERE, "environment '%s' has no host and no role '%s'",
            try->environment, try->on);
    return err_hint(err, "another -e NAME makes an environment for a host that is new");
}

/* It becomes a word of a list in a file: a comma would make two hosts of it. */
static bool is_plain(const struct Try *try, struct Err *err)
{
    static const char LETTERS[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    if (try->on[0] != '\0' && strchr("._-", try->on[0]) == NULL &&
        strspn(try->on, LETTERS) == strlen(try->on))
        return true;
    err_set(err, ERR_USAGE, NOWHERE, "'--on %s' is not the name of one host", try->on);
    return err_hint(err, "One host at a time: letters, digits, '.', '-' and '_'.");
}

/* ---- The two texts. ---- */

static void write_environment(struct Try *try)
{
    struct Cli *cli = try->cli;
    const char *config = cli_option(cli, "ssh-config"), *unit = cli_option(cli, "unit");
    const char *service = cli_option(cli, "service");
    char here[4096] = "";
    try->role = "tried";
    buf_printf(&try->made, "environment: %s\n", try->environment);
    if (config != NULL && config[0] != '/' && getcwd(here, sizeof here) == NULL)
        here[0] = '\0';
    if (config != NULL)
        buf_printf(&try->made, "ssh: {config: \"%s%s%s\"}\n", config[0] == '/' ? "" : here,
                   config[0] == '/' ? "" : "/", config);
    buf_printf(&try->made, "roles:\n  tried:\n    hosts: [%s]\n", try->on);
    if (unit != NULL)
        buf_printf(&try->made, "    unit: %s\n", unit);
    if (service != NULL)
        buf_printf(&try->made,
                   "    service: {pidfile: /run/%s.pid, start: \"/etc/init.d/%s start\", "
                   "stop: \"/etc/init.d/%s stop\"}\n",
                   service, service, service);
}

static bool write_probe(struct Try *try, struct Err *err)
{
    const char *url = cli_option(try->cli, "probe");
    if (url == NULL)
        buf_put(&try->scenario, "  service: {tcp: \"${target.victim.address}:22\"");
    else if (text_starts(url, "http://") || text_starts(url, "https://"))
        buf_printf(&try->scenario, "  service: {http: \"%s\"", url);
    else if (text_starts(url, "tcp://"))
        buf_printf(&try->scenario, "  service: {tcp: \"%s\"", url + strlen("tcp://"));
    else
        return err_set(err, ERR_USAGE, NOWHERE, "--probe %s: http://, https:// or tcp://", url);
    buf_put(&try->scenario, ", every: 100ms}\n");
    return true;
}

static bool write_step(struct Try *try, struct Err *err)
{
    const struct OptionGiven *given = try->cli->given.items;
    char text[32];
    buf_printf(&try->scenario, "steps:\n  - %s: victim\n", try->verb);
    for (size_t n = 0; n < try->cli->given.count; n++) {
        const char *pair = given[n].value, *equals = strchr(pair, '=');
        if (!text_equal(given[n].option->name, "set"))
            continue;
        if (equals == NULL || equals == pair || equals[1] == '\0' || strchr(pair, '\n') != NULL)
            return err_set(err, ERR_USAGE, NOWHERE, "'--set %s' is not NAME=VALUE", pair);
        buf_printf(&try->scenario, "    %.*s: %s\n", (int)(equals - pair), pair, equals + 1);
    }
    if (try->for_ns >= 0) {
        duration_write(try->for_ns, text);
        buf_printf(&try->scenario, "    for: %s\n", text);
    }
    return true;
}

/* What the undo mends is no recovery: a fault that is held leaves time for the service to come back
 * by itself, and a quarter of it to see that this lasts. */
static bool write_scenario(struct Try *try, const char *name, struct Err *err)
{
    char hold[32], recover[32], halt[32];
    int64_t hold_ns = try->for_ns < 0 ? HOLD_MOST / 2 : try->for_ns / 4;
    hold_ns = hold_ns > HOLD_MOST ? HOLD_MOST : hold_ns;
    int64_t recover_ns = try->for_ns < 0 ? RECOVER_NS : try->for_ns - hold_ns;
    duration_write(hold_ns, hold);
    duration_write(recover_ns, recover);
    duration_write(recover_ns + 60 * NS_PER_S, halt);
    buf_clear(&try->scenario);
    buf_printf(&try->scenario,
               "scenario: %s\ntargets:\n  victim: {role: %s, pick: 1, seed: %lld}\nprobes:\n", name,
               try->role, (long long)try->seed);
    if (!write_probe(try, err))
        return false;
    buf_printf(&try->scenario, "hold: %s\nsteady: {for: %s}\n", hold, hold);
    if (!write_step(try, err))
        return false;
    buf_printf(&try->scenario,
               "halt:\n  service: {max_outage: %s}\nexpect:\n  service: {recover_within: %s}\n",
               halt, recover);
    return true;
}

static const char *as_name(struct Try *try)
{
    char *name = arena_printf(try->cli->arena, "try_%s_%s", try->verb, try->on);
    for (char *at = name; *at != '\0'; at++) {
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
        else if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_", *at) == NULL)
            *at = '_';
    }
    return name;
}

/* A file of this very text is one that was tried before; another one keeps its name. */
static bool is_free(struct Try *try, const char *name, bool *there)
{
    struct Problems *problems = problems_new();
    struct Err err;
    const char *path;
    *there = project_scenario(&try->cli->project, name, try->cli->arena, &path, &err);
    const struct Document *document =
        *there ? document_read(path, try->cli->arena, problems) : NULL;
    problems_free(problems);
    return !*there || (document->text != NULL && text_equal(document->text, try->scenario.text));
}

static bool save(struct Try *try, const char **name, struct Err *err)
{
    struct Cli *cli = try->cli;
    const char *stem = as_name(try);
    bool there = false;
    *name = stem;
    for (int n = 2;; n++) {
        if (!write_scenario(try, *name, err))
            return false;
        if (is_free(try, *name, &there))
            break;
        if (n == NAMES_MOST)
            return err_set(err, ERR_USAGE, NOWHERE, "scenarios/%s.yaml is there already", stem);
        *name = arena_printf(cli->arena, "%s_%d", stem, n);
    }
    return (try->known != NULL ||
            cli_write_new(cli, arena_printf(cli->arena, "environments/%s.yaml", try->environment),
                          try->made.text, err)) &&
           (there || cli_write_new(cli, arena_printf(cli->arena, "scenarios/%s.yaml", *name),
                                   try->scenario.text, err));
}

/* ---- All of it. ---- */

/* The address of a host that is new, as ssh knows it. */
static int look_at_new(struct Try *try)
{
    struct Cli *cli = try->cli;
    struct Problems *problems = problems_new();
    struct Err err;
    const struct Document *document =
        document_parse(arena_printf(cli->arena, "%s.yaml", try->environment), try->made.text,
                       try->made.size, cli->arena, problems);
    struct Environment *environment =
        document->root != NULL ? environment_new(document, cli->kinds, cli->project.dir, problems)
                               : NULL;
    bool one = environment == NULL || environment->hosts.count == 1 ||
               err_set(&err, ERR_USAGE, NOWHERE, "'--on %s' is not one host", try->on);
    int status = environment == NULL                               ? cli_problems(cli, problems)
                 : !one || !environment_resolve(environment, &err) ? cli_fail(cli, &err)
                                                                   : 0;
    if (status == 0) {
        try->meant = environment->hosts;
        status = look_at_others(try);
    }
    environment_free(environment);
    problems_free(problems);
    return status;
}

static int prepare(struct Try *try, struct Loaded *loaded)
{
    struct Err err;
    const char *path, *name = NULL;
    int status = 0;
    if (project_environment(&try->cli->project, try->environment, try->cli->arena, &path, &err)) {
        status = cli_load(try->cli, NULL, try->environment, loaded);
        try->known = loaded->environment;
        if (status == 0 &&
            (try->known->is_protected
                 ? !refuse_protected(try->known, &err)
                 : !find_known(try, &err) || !environment_resolve(loaded->environment, &err)))
            status = cli_fail(try->cli, &err);
        if (status == 0)
            status = look_at_others(try);
    } else if (!is_plain(try, &err)) {
        status = cli_fail(try->cli, &err);
    } else {
        write_environment(try);
        status = look_at_new(try);
    }
    if (status == 0 && !save(try, &name, &err))
        status = cli_fail(try->cli, &err);
    const char **args = arena_zero(try->cli->arena, 1, sizeof *args);
    args[0] = name;
    try->cli->args = args;
    try->cli->arg_count = 1;
    try->cli->environment = try->environment;
    return status;
}

static int verb(struct Cli *cli)
{
    struct Err err;
    struct Loaded loaded = {.environment = NULL};
    struct Try try = {.cli = cli,
                      .on = cli_option(cli, "on"),
                      .environment = cli->environment != NULL ? cli->environment : "tried",
                      .for_ns = -1,
                      .scenario = BUF(TEXT_MOST),
                      .made = BUF(TEXT_MOST)};
    bool good = true;
    if (try.on == NULL || !text_is_name(try.environment, true))
        good = err_set(&err, ERR_USAGE, NOWHERE,
                       try.on == NULL ? "try needs --on HOST" : "-e wants a plain name");
    good = good && read_verb(&try, &err) && cli_duration(cli, "for", &try.for_ns, &err);
    int status = good ? prepare(&try, &loaded) : cli_fail(cli, &err);
    buf_free(&try.scenario);
    buf_free(&try.made);
    cli_unload(&loaded);
    return status == 0 ? verb_run.run(cli) : status;
}

const struct Verb verb_try = {
    .name = "try",
    .takes = "",
    .summary = "one line: break one thing on one host, and see; never where protected",
    .options = OPTIONS,
    .breaks = true,
    .examples = "  faildrill try --on api-1 --isolate --for 20s --probe https://shop.example.net\n"
                "  faildrill try -e staging --on api --delay --set by=200ms --for 20s\n"
                "  faildrill explain scenario.steps              the verbs, each an option here\n",
    .next = "Next: faildrill plan -e ENV SCENARIO; both files are yours to edit",
    .asks = true,
    .run = verb,
};

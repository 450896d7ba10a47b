/* validate.c - reads files, says everything that is wrong with them, contacts nothing. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include "../base/text.h"
#include "../model/gameday.h"
#include "../model/include.h"

enum { EXPANDED_MEMORY = 64 << 20, EXPANDED_MOST = 1 << 20 };

static const struct Option OPTIONS[] = {
    {"strict", 0, NULL, false, "Counts warnings as errors."},
    {"format", 0, "NAME", false, "text, or github for annotations of a pull request."},
    {"param", 'p', "NAME=VALUE", true, "Gives a parameter of the scenario a value."},
    {"expand", 0, NULL, false,
     "Prints one scenario with all that it includes; with --json, the text that is hashed."},
    {.name = NULL},
};

static int validate(struct Cli *cli);
const struct Verb verb_validate = {
    .name = "validate",
    .takes = "[FILE...]",
    .most = -1,
    .summary = "checks files, all errors at once; contacts nothing",
    .options = OPTIONS,
    .examples = "  faildrill validate                                 all of the project\n"
                "  faildrill validate -e staging redis_primary_dies   against one environment\n"
                "  faildrill validate --strict --format github        in CI\n"
                "  faildrill validate --expand redis_primary_dies     with all that it includes\n",
    .next = "Next: faildrill plan -e staging SCENARIO",
    .run = validate,
};

/* What was looked at, for the line at the end. */
struct Tally {
    struct Environment *environment; /* of -e; scenarios are checked against it */
    size_t scenarios, environments, fragments, gamedays;
    struct Buf expanded; /* of the last scenario, where --expand asks for it */
};

/* As YAML, or the canonical JSON of which the text hash is made. */
static void put_expanded(const struct Cli *cli, const struct Scenario *scenario, struct Buf *out)
{
    buf_clear(out);
    if (cli->json) {
        buf_printf(out, "%s\n", scenario->canonical);
        return;
    }
    buf_printf(out, "# %s, with what it includes; text sha256:%s\n", scenario->path,
               scenario->text_hash);
    buf_put(out, scenario->text);
}

static void check_expanded(struct Cli *cli, const struct Document *document, struct Tally *tally,
                           struct Problems *problems)
{
    struct ScenarioInput input = {
        .document = document,
        .kinds = cli->kinds,
        .environment = tally->environment,
        .params = cli->params,
        .param_count = cli->param_count,
    };
    struct Scenario *scenario = scenario_new(&input, problems);
    if (scenario != NULL && cli_option(cli, "expand") != NULL && problems_errors(problems) == 0)
        put_expanded(cli, scenario, &tally->expanded);
    scenario_free(scenario);
}

/* The drills that it names must be there; each is checked as a file of its own. */
static void check_gameday(struct Cli *cli, const struct Document *document,
                          struct Problems *problems)
{
    struct GameDay *day = gameday_new(document, problems);
    const struct DayDrill *drills = day != NULL ? day->drills.items : NULL;
    for (size_t at = 0; day != NULL && at < day->drills.count; at++) {
        struct Err err;
        const char *path;
        if (project_scenario(&cli->project, drills[at].scenario, cli->arena, &path, &err))
            continue;
        err.where = node_get(drills[at].node, "scenario")->where;
        problems_add(problems, &err);
    }
    gameday_free(day);
}

static void check_scenario(struct Cli *cli, const struct Document *document, struct Tally *tally,
                           struct Problems *problems)
{
    struct Arena *arena = arena_new("expanded", EXPANDED_MEMORY);
    const struct Document *whole = cli_expand(cli, document, arena, problems);
    tally->scenarios++;
    if (whole->root != NULL)
        check_expanded(cli, whole, tally, problems);
    arena_free(arena);
}

/* The first key says what a file is. */
static void check_file(struct Cli *cli, const char *path, struct Tally *tally,
                       struct Problems *problems)
{
    if (cli_document(cli, path) != NULL)
        return;
    const struct Document *document = cli_read(cli, path, problems);
    if (document->root == NULL)
        return;
    const struct Node *root = document->root;
    const char *first = root->type == NODE_MAP && root->count > 0 ? root->keys[0]->text : "";
    if (text_equal(first, "environment")) {
        tally->environments++;
        environment_free(environment_new(document, cli->kinds, cli->project.dir, problems));
    } else if (text_equal(first, "scenario")) {
        check_scenario(cli, document, tally, problems);
    } else if (text_equal(first, "fragment")) {
        tally->fragments++;
        (void)fragment_check(document, cli->kinds, cli->arena, problems);
    } else if (text_equal(first, "gameday")) {
        tally->gamedays++;
        check_gameday(cli, document, problems);
    } else if (!text_equal(first, "project")) {
        problems_say(problems, ERR_KIND_OF_FILE, root->where,
                     "the first key is `scenario:`, `environment:`, `fragment:`, `gameday:` or "
                     "`project:`",
                     "this file does not say what it is");
    }
}

static void check_named(struct Cli *cli, struct Tally *tally, struct Problems *problems)
{
    for (size_t i = 0; i < cli->arg_count; i++) {
        const char *path;
        struct Err err, unused;
        if (project_scenario(&cli->project, cli->args[i], cli->arena, &path, &err) ||
            project_environment(&cli->project, cli->args[i], cli->arena, &path, &unused))
            check_file(cli, path, tally, problems);
        else
            problems_add(problems, &err);
    }
}

static void check_all(struct Cli *cli, struct Tally *tally, struct Problems *problems)
{
    struct List paths = {.items = NULL};
    project_environments(&cli->project, cli->arena, &paths);
    project_scenarios(&cli->project, cli->arena, &paths);
    const char *const *path = paths.items;
    for (size_t i = 0; i < paths.count; i++)
        check_file(cli, path[i], tally, problems);
}

/* ::error file=a.yaml,line=3,col=9,title=E104::unknown key. GitHub wants % and line ends escaped.
 */
static void put_github(const struct Problems *problems, struct Buf *out)
{
    for (size_t i = 0; i < problems_count(problems); i++) {
        const struct Err *err = problems_at(problems, i);
        buf_printf(out, "::%s ", err_status(err->code) != 0 ? "error" : "warning");
        if (err->where.file != NULL)
            buf_printf(out, "file=%s,line=%u,col=%u,", err->where.file, err->where.line,
                       err->where.column);
        buf_printf(out, "title=%s::", err_number(err->code));
        const char *parts[] = {err->message, err->at, err->hint};
        for (size_t k = 0; k < COUNT_OF(parts); k++) {
            if (parts[k][0] != '\0' && k > 0)
                buf_put(out, "; ");
            for (const char *c = parts[k]; *c != '\0'; c++) {
                if (*c == '%' || *c == '\n' || *c == '\r')
                    buf_printf(out, "%%%02X", (unsigned)*c);
                else
                    buf_char(out, *c);
            }
        }
        buf_char(out, '\n');
    }
}

static void put_json(const struct Problems *problems, struct Buf *out)
{
    struct Json json = json_begin(out, true);
    json_open_object(&json);
    json_put_int(&json, "errors", (int64_t)problems_errors(problems));
    json_put_int(&json, "warnings", (int64_t)problems_warnings(problems));
    json_key(&json, "problems");
    json_open_array(&json);
    for (size_t i = 0; i < problems_count(problems); i++) {
        const struct Err *err = problems_at(problems, i);
        const char *texts[] = {err->message, err->at, err->allowed, err->note, err->hint};
        static const char *const keys[] = {"message", "at", "allowed", "note", "help"};
        json_open_object(&json);
        json_put_text(&json, "code", err_number(err->code));
        json_put_text(&json, "file", err->where.file);
        json_put_int(&json, "line", err->where.line);
        json_put_int(&json, "column", err->where.column);
        for (size_t k = 0; k < COUNT_OF(keys); k++)
            if (texts[k][0] != '\0')
                json_put_text(&json, keys[k], texts[k]);
        json_end(&json);
    }
    json_end(&json);
    json_end(&json);
    buf_char(out, '\n');
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void put_tally(const struct Tally *tally, size_t warnings, bool strict, struct Buf *out)
{
    char fragments[48] = "";
    if (tally->fragments > 0)
        snprintf(fragments, sizeof fragments, ", %zu fragment%s", tally->fragments,
                 plural(tally->fragments));
    if (warnings > 0 && strict)
        buf_printf(out, "%zu warning%s, and --strict counts %s.\n", warnings, plural(warnings),
                   warnings == 1 ? "it" : "them");
    else
        buf_printf(out, "%zu scenario%s%s and %zu environment%s are right; %zu warning%s.\n",
                   tally->scenarios, plural(tally->scenarios), fragments, tally->environments,
                   plural(tally->environments), warnings, plural(warnings));
    if (tally->gamedays > 0 && !(warnings > 0 && strict))
        buf_printf(out, "%zu game day%s right.\n", tally->gamedays,
                   tally->gamedays == 1 ? " is" : "s are");
}

static int say(struct Cli *cli, const struct Tally *tally, struct Problems *problems)
{
    bool strict = cli_option(cli, "strict") != NULL;
    size_t warnings = problems_warnings(problems);
    int status = 0;
    struct Buf out = BUF(2 << 20);
    bool github = text_equal(cli_option(cli, "format"), "github");
    buf_put(&out, tally->expanded.text);
    if (github || (cli->json && tally->expanded.size == 0)) {
        problems_sort(problems);
        if (github)
            put_github(problems, &out);
        else
            put_json(problems, &out);
        status = problems_status(problems);
    } else {
        status = cli_problems(cli, problems);
        if (status == 0 && (!cli->quiet || strict) && tally->expanded.size == 0)
            put_tally(tally, warnings, strict, &out);
    }
    if (status == 0 && strict && warnings > 0)
        status = err_status(ERR_USAGE);
    status = cli_print(&out, status);
    buf_free(&out);
    return status;
}

static int validate(struct Cli *cli)
{
    const char *format = cli_option(cli, "format");
    struct Err err;
    if (format != NULL && !text_equal(format, "text") && !text_equal(format, "github")) {
        err_set(&err, ERR_USAGE, NOWHERE, "--format %s: text or github", format);
        return cli_fail(cli, &err);
    }
    if (cli_option(cli, "expand") != NULL && cli->arg_count != 1) {
        err_set(&err, ERR_USAGE, NOWHERE, "--expand needs one scenario");
        return cli_fail(cli, &err);
    }
    struct Problems *problems = problems_new();
    struct Tally tally = {.scenarios = 0, .expanded = BUF(EXPANDED_MOST)};
    struct Loaded loaded = {.environment = NULL};
    int status = 0;
    if (cli->environment != NULL)
        status = cli_load(cli, NULL, cli->environment, &loaded);
    if (status == 0) {
        tally.environment = loaded.environment;
        tally.environments = loaded.environment != NULL ? 1 : 0;
        if (cli->arg_count > 0)
            check_named(cli, &tally, problems);
        else
            check_all(cli, &tally, problems);
        status = say(cli, &tally, problems);
    }
    cli_unload(&loaded);
    problems_free(problems);
    buf_free(&tally.expanded);
    return status;
}

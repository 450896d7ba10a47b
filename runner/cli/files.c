/* files.c - scenario and environment files, read together; problems, printed together. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include "../base/text.h"
#include "../engine/inventory.h"
#include "../model/include.h"
#include "../model/redact.h"
#include <stdlib.h>
#include <time.h>

enum { PROBLEMS_MOST = 1 << 20 };

static size_t files_with_errors(const struct Problems *problems)
{
    size_t files = 0;
    const char *last = NULL;
    for (size_t i = 0; i < problems_count(problems); i++) {
        const struct Err *err = problems_at(problems, i);
        if (err_status(err->code) == 0 || err->where.file == NULL)
            continue;
        if (last == NULL || !text_equal(last, err->where.file))
            files++;
        last = err->where.file;
    }
    return files;
}

static void put_problems(const struct Cli *cli, struct Problems *problems, struct Buf *out)
{
    problems_sort(problems);
    const struct Document *const *documents = cli->documents.items;
    problems_write(problems, documents, cli->documents.count, out);
    size_t errors = problems_errors(problems), read = cli->documents.count;
    if (errors == 0)
        return;
    size_t files = files_with_errors(problems);
    buf_printf(out, "%zu error%s", errors, errors == 1 ? "" : "s");
    if (files > 0)
        buf_printf(out, " in %zu of %zu file%s", files, read, read == 1 ? "" : "s");
    buf_put(out, ". Nothing was contacted.\n");
}

/* What a service or a host answered may stand in a message, and a secret in that. */
static void put_clean(const struct Buf *text)
{
    struct Buf clean = BUF(2 * PROBLEMS_MOST);
    redact(text->text, &clean);
    fwrite(clean.text, 1, clean.size, stderr);
    buf_free(&clean);
}

int cli_problems(const struct Cli *cli, struct Problems *problems)
{
    if (problems_errors(problems) == 0 && (cli->quiet || problems_count(problems) == 0))
        return 0;
    struct Buf text = BUF(PROBLEMS_MOST);
    put_problems(cli, problems, &text);
    put_clean(&text);
    buf_free(&text);
    return problems_status(problems);
}

int cli_fail(const struct Cli *cli, const struct Err *err)
{
    struct Problems *problems = problems_new();
    problems_add(problems, err);
    struct Buf text = BUF(PROBLEMS_MOST);
    problems_write(problems, cli->documents.items, cli->documents.count, &text);
    put_clean(&text);
    buf_free(&text);
    problems_free(problems);
    return err_status(err->code);
}

bool cli_environment_named(const struct Cli *cli, struct Err *err)
{
    if (cli->environment != NULL)
        return true;
    err_set(err, ERR_REFUSED, NOWHERE, "no environment was named, and there is no default");
    struct List paths = {.items = NULL};
    project_environments(&cli->project, cli->arena, &paths);
    const char *const *path = paths.items;
    for (size_t i = 0; i < paths.count; i++)
        err_allow(err, path[i]);
    return err_hint(err, "say -e NAME");
}

const struct Document *cli_read(struct Cli *cli, const char *path, struct Problems *problems)
{
    const struct Document *document = document_read(path, cli->arena, problems);
    const struct Document **slot = list_add(&cli->documents, cli->arena, sizeof(void *));
    *slot = document;
    return document;
}

const struct Document *cli_document(const struct Cli *cli, const char *path)
{
    const struct Document *const *documents = cli->documents.items;
    for (size_t at = 0; at < cli->documents.count; at++)
        if (text_equal(documents[at]->path, path))
            return documents[at];
    return NULL;
}

static const struct Document *read_fragment(void *data, const char *beside, const char *name,
                                            struct Where where, struct Problems *problems)
{
    struct Cli *cli = data;
    struct Err err;
    const char *path;
    if (!project_file(&cli->project, beside, name, cli->arena, &path, &err)) {
        problems_say(problems, err.code, where, NULL, "%s", err.message);
        return NULL;
    }
    const struct Document *read = cli_document(cli, path);
    return read != NULL ? read : cli_read(cli, path, problems);
}

const struct Document *cli_expand(struct Cli *cli, const struct Document *scenario,
                                  struct Arena *arena, struct Problems *problems)
{
    struct IncludeInput input = {
        .document = scenario, .kinds = cli->kinds, .read = read_fragment, .data = cli};
    return include_expand(&input, arena, problems);
}

static void load_environment(struct Cli *cli, const char *name, struct Problems *problems,
                             struct Loaded *out)
{
    struct Err err;
    const char *path;
    if (!project_environment(&cli->project, name, cli->arena, &path, &err)) {
        problems_add(problems, &err);
        return;
    }
    out->environment_document = cli_read(cli, path, problems);
    if (out->environment_document->root != NULL)
        out->environment =
            environment_new(out->environment_document, cli->kinds, cli->project.dir, problems);
}

static void make_scenario(struct Cli *cli, struct Problems *problems, struct Loaded *out)
{
    struct ScenarioInput input = {
        .document = out->scenario_document,
        .kinds = cli->kinds,
        .environment = out->environment,
        .params = cli->params,
        .param_count = cli->param_count,
    };
    out->scenario = scenario_new(&input, problems);
}

static void load_scenario(struct Cli *cli, const char *name, struct Problems *problems,
                          struct Loaded *out)
{
    struct Err err;
    const char *path;
    if (!project_scenario(&cli->project, name, cli->arena, &path, &err)) {
        problems_add(problems, &err);
        return;
    }
    out->scenario_document = cli_expand(cli, cli_read(cli, path, problems), cli->arena, problems);
    if (out->scenario_document->root == NULL)
        return;
    cli_ask_params(cli, out->scenario_document->root);
    make_scenario(cli, problems, out);
}

/* What is left is looked for without it as well, with whom the file itself names. */
static bool goes_on_without(const struct Cli *cli, const struct Problems *problems)
{
    if (!text_equal(cli->verb->name, "undo"))
        return false;
    for (size_t at = 0; at < problems_count(problems); at++) {
        const struct Err *err = problems_at(problems, at);
        struct Buf line = BUF(1000), clean = BUF(2000);
        buf_printf(&line, "warning: %s:%u:%u: %s", err->where.file != NULL ? err->where.file : "?",
                   (unsigned)err->where.line, (unsigned)err->where.column, err->message);
        redact(line.text, &clean);
        fprintf(stderr, "%s\n", clean.text);
        buf_free(&line);
        buf_free(&clean);
    }
    return true;
}

/* The files are clean as they stand; now with the hosts that the inventory has today. What was
 * said of them is said again. */
static struct Problems *load_inventory(struct Cli *cli, struct Problems *problems,
                                       struct Loaded *out)
{
    if (out->environment == NULL || out->environment->inventory.count == 0 || !cli->verb->asks ||
        problems_errors(problems) > 0)
        return problems;
    struct Problems *again = problems_new();
    struct Environment *asked = inventory_ask(out->environment, out->environment_document,
                                              cli->kinds, cli->project.dir, cli->arena, again);
    if (asked == NULL && goes_on_without(cli, again)) {
        problems_free(again);
        return problems;
    }
    problems_free(problems);
    environment_free(out->environment);
    out->environment = asked;
    if (asked == NULL || out->scenario == NULL)
        return again;
    scenario_free(out->scenario);
    make_scenario(cli, again, out);
    return again;
}

int cli_load(struct Cli *cli, const char *scenario, const char *environment, struct Loaded *out)
{
    *out = (struct Loaded){.environment = NULL};
    struct Problems *problems = problems_new();
    if (environment != NULL)
        load_environment(cli, environment, problems, out);
    if (scenario != NULL)
        load_scenario(cli, scenario, problems, out);
    problems = load_inventory(cli, problems, out);
    int status = cli_problems(cli, problems);
    problems_free(problems);
    if (status != 0)
        cli_unload(out);
    else if (out->environment != NULL && out->environment->timezone != NULL) {
        setenv("TZ", out->environment->timezone, 1); /* wall_local() shows that zone from here on */
        tzset();
    }
    return status;
}

void cli_unload(struct Loaded *loaded)
{
    scenario_free(loaded->scenario);
    environment_free(loaded->environment);
    *loaded = (struct Loaded){.environment = NULL};
}

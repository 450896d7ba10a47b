/* init.c - a project, an environment and a first scenario, as files to be edited. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/text.h"
#include "init_template.h"

static const struct Option OPTIONS[] = {
    {"from-ssh", 0, "HOST", true,
     "Writes an environment (staging, or -e) with this host; again for the next."},
    {"from", 0, "NAME", false,
     "A template: machine, redis_sentinel, patroni, partition, restore, dns or disk."},
    {.name = NULL},
};

static int init(struct Cli *cli);
const struct Verb verb_init = {
    .name = "init",
    .takes = "[NAME]",
    .most = 1,
    .summary = "a project to start from; with NAME a scenario of 15 lines",
    .options = OPTIONS,
    .examples =
        "  faildrill init --from-ssh api-1 --from-ssh api-2    hosts as `ssh HOST` knows them\n"
        "  faildrill init lose_a_machine\n"
        "  faildrill init names_are_gone --from dns\n",
    .next = "Next: faildrill validate   then   faildrill doctor staging",
    .on_first_screen = true,
    .run = init,
};

static const char PROJECT[] = "project: %s\n";
static const char ENVIRONMENT[] =
    "# yaml-language-server: $schema=../.faildrill/schema/environment.json\n"
    "environment: %s\n"
    "roles:\n"
    "  api:                                   # what they do; scenarios name roles, never hosts\n"
    "    hosts: [%s]\n"
    "#   unit: shop-api.service               # how it is run: kill, stop, freeze and restart ask\n"
    "# endpoints:\n"
    "#   shop: https://shop.example.net/healthz\n"
    "# protected: true                        # production: its name is typed to run a drill\n";

bool cli_write_new(struct Cli *cli, const char *path, const char *text, struct Err *err)
{
    const char *whole = arena_printf(cli->arena, "%s/%s", cli->project.dir, path);
    for (const char *at = strchr(path, '/'); at != NULL; at = strchr(at + 1, '/')) {
        const char *folder = arena_bytes(cli->arena, path, (size_t)(at - path));
        folder = arena_printf(cli->arena, "%s/%s", cli->project.dir, folder);
        if (mkdir(folder, 0777) != 0 && errno != EEXIST)
            return err_set(err, ERR_FILE, NOWHERE, "%s: %s", folder, strerror(errno));
    }
    FILE *file = fopen(whole, "wxe");
    if (file == NULL && errno == EEXIST) {
        err_set(err, ERR_USAGE, NOWHERE, "%s is there already", path);
        return err_hint(err, "nothing was changed; another name, or edit it");
    }
    bool written = file != NULL && fputs(text, file) >= 0;
    written = file != NULL && fclose(file) == 0 && written;
    if (!written)
        return err_set(err, ERR_FILE, NOWHERE, "%s: %s", whole, strerror(errno));
    printf("wrote %s\n", path);
    return true;
}

/* A name for the project: its folder's, where that is one. */
static const char *project_name(struct Cli *cli)
{
    const char *slash = strrchr(cli->project.dir, '/');
    char *name = arena_text(cli->arena, slash != NULL ? slash + 1 : "");
    for (char *at = name; *at != '\0'; at++) {
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
        else if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_", *at) == NULL)
            *at = '_';
    }
    return *name >= 'a' && *name <= 'z' ? name : "drills";
}

static bool write_project(struct Cli *cli, struct Err *err)
{
    if (cli->project.path != NULL)
        return true;
    const char *folder = arena_printf(cli->arena, "%s/.faildrill/schema", cli->project.dir);
    return cli_write_new(cli, "faildrill.yaml",
                         arena_printf(cli->arena, PROJECT, project_name(cli)), err) &&
           cli_write_new(cli, ".faildrill/.gitignore", "*\n", err) &&
           schema_save(cli, NULL, folder, err);
}

/* By the names that ssh knows; who they are `doctor` will say. */
static bool write_environment(struct Cli *cli, struct Err *err)
{
    struct Buf hosts = BUF(1U << 16);
    const struct OptionGiven *given = cli->given.items;
    for (size_t i = 0; i < cli->given.count; i++)
        if (text_equal(given[i].option->name, "from-ssh"))
            buf_printf(&hosts, "%s%s", hosts.size > 0 ? ", " : "", given[i].value);
    const char *name = cli->environment != NULL ? cli->environment : "staging";
    bool good = hosts.size == 0 ||
                cli_write_new(cli, arena_printf(cli->arena, "environments/%s.yaml", name),
                              arena_printf(cli->arena, ENVIRONMENT, name, hosts.text), err);
    buf_free(&hosts);
    return good;
}

/* The first role with that system; NULL: any system. */
static const struct Role *role_with(const struct Environment *environment, const char *system)
{
    const struct Role *roles = environment != NULL ? environment->roles.items : NULL;
    for (size_t i = 0; roles != NULL && i < environment->roles.count; i++)
        if (roles[i].system != NULL &&
            (system == NULL || text_equal(roles[i].system->name, system)))
            return &roles[i];
    return NULL;
}

/* Where no template is named, a role that has a leader comes before the others. */
static const char *scenario_text(struct Cli *cli, const char *name,
                                 const struct Environment *environment, struct Err *err)
{
    const struct Role *led = role_with(environment, NULL);
    const char *from = cli_option(cli, "from");
    const struct Template *template = template_find(from != NULL  ? from
                                                    : led != NULL ? led->system->name
                                                                  : "machine",
                                                    err);
    if (template == NULL && from == NULL)
        template = template_find("machine", err);
    if (template == NULL)
        return NULL;
    const struct Role *role = role_with(environment, template->name);
    bool of_any = strstr(template->text, "is: primary") == NULL;
    if (role == NULL && of_any && environment != NULL && environment->roles.count > 0)
        role = environment->roles.items;
    const char *of = role != NULL ? role->name : template->role;
    const char *probe = "tcp: \"${target.victim.address}:22\"";
    if (environment != NULL && environment->endpoints.count > 0) {
        const struct TextPair *endpoint = environment->endpoints.items;
        const char *kind = text_starts(endpoint->value, "http") ? "http" : "tcp";
        probe = arena_printf(cli->arena, "%s: \"${endpoint.%s}\"", kind, endpoint->name);
    }
    return template_fill(template, name, of, probe, cli->arena);
}

/* For -e, else for the first that there is, else for nobody in particular. */
static int write_scenario(struct Cli *cli, const char *name)
{
    struct Err err;
    struct Loaded loaded = {0};
    struct List paths = {0};
    const char *environment = cli->environment;
    project_environments(&cli->project, cli->arena, &paths);
    if (environment == NULL && paths.count > 0)
        environment = *(const char *const *)paths.items;
    int status = environment != NULL ? cli_load(cli, NULL, environment, &loaded) : 0;
    if (status != 0)
        return status;
    const char *text = scenario_text(cli, name, loaded.environment, &err);
    if (text == NULL ||
        !cli_write_new(cli, arena_printf(cli->arena, "scenarios/%s.yaml", name), text, &err))
        status = cli_fail(cli, &err);
    cli_unload(&loaded);
    return status;
}

static bool is_name(const char *text)
{
    return text[0] >= 'a' && text[0] <= 'z' &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static int init(struct Cli *cli)
{
    struct Err err;
    const char *name = cli->arg_count > 0 ? cli->args[0] : NULL;
    bool named = name == NULL || is_name(name) ||
                 err_set(&err, ERR_USAGE, NOWHERE, "'%s' is not a snake_case name", name);
    if (!named || !write_project(cli, &err) || !write_environment(cli, &err))
        return cli_fail(cli, &err);
    int status = name != NULL ? write_scenario(cli, name) : 0;
    const struct Buf nothing = BUF(1);
    return cli_print(&nothing, status);
}

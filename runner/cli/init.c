/* init.c - a project, an environment and a first scenario, as files to be edited. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/text.h"

static const struct Option OPTIONS[] = {
    {"from-ssh", 0, "HOST", true,
     "Writes an environment (staging, or -e) with this host; again for the next."},
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
        "  faildrill init lose_a_machine\n",
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
static const char MACHINE[] =
    "# yaml-language-server: $schema=../.faildrill/schema/scenario.json\n"
    "scenario: %s\n"
    "hypothesis: Users hardly notice when one machine of %s is lost.\n"
    "targets:\n"
    "  victim: {role: %s, pick: 1}\n"
    "probes:\n"
    "  service: {%s, every: 100ms}\n"
    "steps:\n"
    "  - isolate: victim                      # silence, as if its power were cut; our ssh stays\n"
    "    for: 60s\n"
    "halt:\n"
    "  service: {max_outage: 45s}             # stop at once and undo\n"
    "expect:\n"
    "  service: {recover_within: 20s}\n";
static const char PRIMARY[] =
    "# yaml-language-server: $schema=../.faildrill/schema/scenario.json\n"
    "scenario: %s\n"
    "hypothesis: When the primary of %s dies, writes go on within 20s and none is lost.\n"
    "targets:\n"
    "  primary: {role: %s, is: primary}\n"
    "probes:\n"
    "  writes: {ledger: %s, every: 50ms}      # numbered writes, read back at the end\n"
    "  primary: {primary: %s, every: 250ms}   # asks every host whether it leads\n"
    "steps:\n"
    "  - {kill: primary, for: 60s}            # longer than the failover takes\n"
    "halt:\n"
    "  writes: {max_outage: 45s}              # stop at once and undo\n"
    "expect:\n"
    "  writes: {recover_within: 20s, max_lost: 0}\n"
    "  primary: {failover_within: 20s}\n";

/* Under the project's folder, with the folders above it. What is there already stays. */
static bool write_new(struct Cli *cli, const char *path, const char *text, struct Err *err)
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
    return write_new(cli, "faildrill.yaml", arena_printf(cli->arena, PROJECT, project_name(cli)),
                     err) &&
           write_new(cli, ".faildrill/.gitignore", "*\n", err) &&
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
    bool good =
        hosts.size == 0 || write_new(cli, arena_printf(cli->arena, "environments/%s.yaml", name),
                                     arena_printf(cli->arena, ENVIRONMENT, name, hosts.text), err);
    buf_free(&hosts);
    return good;
}

/* The first role of the environment decides, those with a leader before the others. */
static const struct Role *first_role(const struct Environment *environment)
{
    const struct Role *roles = environment != NULL ? environment->roles.items : NULL;
    size_t count = environment != NULL ? environment->roles.count : 0;
    for (size_t i = 0; i < count; i++)
        if (roles[i].system != NULL)
            return &roles[i];
    return count > 0 ? roles : NULL;
}

static const char *scenario_text(struct Cli *cli, const char *name,
                                 const struct Environment *environment)
{
    const struct Role *role = first_role(environment);
    const char *of = role != NULL ? role->name : "api";
    if (role != NULL && role->system != NULL)
        return arena_printf(cli->arena, PRIMARY, name, of, of, of, of);
    const char *probe = "tcp: \"${target.victim.address}:22\"";
    if (environment != NULL && environment->endpoints.count > 0) {
        const struct TextPair *endpoint = environment->endpoints.items;
        const char *kind = text_starts(endpoint->value, "http") ? "http" : "tcp";
        probe = arena_printf(cli->arena, "%s: \"${endpoint.%s}\"", kind, endpoint->name);
    }
    return arena_printf(cli->arena, MACHINE, name, of, of, probe);
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
    const char *text = scenario_text(cli, name, loaded.environment);
    if (!write_new(cli, arena_printf(cli->arena, "scenarios/%s.yaml", name), text, &err))
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

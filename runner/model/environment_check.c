/* environment_check.c - rules between the values of an environment. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "environment_build.h"

#include "../base/text.h"
#include "file_rules.h"
#include "node_edit.h"
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

/* A problem at the value of `key` in `map`, or at the map where the key is missing. */
__attribute__((format(printf, 5, 6))) static struct Err *
say(struct EnvironmentBuild *build, enum ErrCode code, const struct Node *map, const char *key,
    const char *format, ...)
{
    const struct Node *node = node_get(map, key);
    char message[sizeof(((struct Err *)NULL)->message)];
    va_list values;
    va_start(values, format);
    vsnprintf(message, sizeof message, format, values);
    va_end(values);
    problems_say(build->problems, code, node != NULL ? node->where : map->where, NULL, "%s",
                 message);
    build->good = false;
    return problems_last(build->problems);
}

static bool is_absolute(const char *path)
{
    return path[0] == '/' && path[1] != '\0' && path[1] != '/';
}

static bool only(const char *text, const char *letters)
{
    return text[0] != '\0' && text[strspn(text, letters)] == '\0';
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* ---- A host. ---- */
void environment_check_host(struct EnvironmentBuild *build, const struct HostFields *host,
                            bool described)
{
    if (!described)
        return;
    if (host->address != NULL && !only(host->address, LETTERS ".:-%_"))
        err_at(say(build, ERR_VALUE, host->node, "address", "'%s' is no address", host->address),
               "an IP address or a name");
    const char *key = host->host_key;
    if (key != NULL &&
        (!text_starts(key, "SHA256:") || strlen(key) != 50 || !only(key + 7, LETTERS "+/")))
        err_at(say(build, ERR_VALUE, host->node, "host_key", "'%s' is no fingerprint", key),
               "as `ssh-keygen -lf` prints it: SHA256: and 43 characters");
    const char *id = host->machine_id;
    if (id != NULL && (strlen(id) != 64 || !only(id, "0123456789abcdef")))
        err_at(say(build, ERR_VALUE, host->node, "machine_id",
                   "'%s' is not the hash of a machine id", id),
               "64 hex digits, as `faildrill doctor` prints them");
}

void environment_check_again(struct EnvironmentBuild *build, const struct RoleFields *role,
                             const struct HostFields *host, const struct Target *known)
{
    bool described = host->node->type == NODE_MAP && host->node->count > 0;
    struct Where first = known->where, here = host->node->where;
    if (described && first.line == here.line && first.column == here.column)
        described = false; /* in a group of the inventory it is as it is described here */
    const struct Node *other = node_get(role->node, "reach");
    if (other == NULL && role->zone != NULL && !text_equal(role->zone, known->zone))
        other = node_get(role->node, "zone");
    if (!described && other == NULL)
        return;
    struct Where where = described ? host->node->where : other->where;
    problems_say(build->problems, ERR_RULE, where,
                 "describe it where it stands first, and name it here",
                 "host '%s' is described twice", host->name);
    err_note(problems_last(build->problems), "it stands in line %u already", known->where.line);
    build->good = false;
}

/* ---- A role. ---- */
static void check_way_to_run(struct EnvironmentBuild *build, const struct RoleFields *role)
{
    int ways = (role->unit != NULL) + (role->service != NULL) + (role->process != NULL) +
               (role->container != NULL) + (role->pods != NULL);
    if (ways > 1)
        err_hint(say(build, ERR_RULE, role->node, "", "role '%s' is run in more than one way",
                     role->name),
                 "keep one of unit, service, process, container, pods");
    bool starts = role->start != NULL && role->container == NULL;
    if (role->process == NULL && (role->args != NULL || starts))
        err_hint(say(build, ERR_RULE, role->node, role->args != NULL ? "args" : "start",
                     "`%s` belongs to `process`", role->args != NULL ? "args" : "start"),
                 "name the executable: process: /usr/bin/app");
}

void environment_check_role(struct EnvironmentBuild *build, const struct RoleFields *role)
{
    check_way_to_run(build, role);
    environment_check_hosts(build, role);
    environment_check_group(build, role);
    const char *unit = role->unit;
    if (unit != NULL && (!only(unit, LETTERS ":-_.\\@") || unit[0] == '-'))
        err_at(say(build, ERR_VALUE, role->node, "unit", "'%s' is no unit", unit),
               "a name like redis-server.service");
    if (role->process != NULL && !is_absolute(role->process))
        err_at(say(build, ERR_VALUE, role->node, "process", "'%s' is not absolute", role->process),
               "a path like /usr/bin/app");
    const char *container = role->container;
    if (container != NULL &&
        (!only(container, LETTERS "_.-") || strchr("_.-", container[0]) != NULL))
        err_at(say(build, ERR_VALUE, role->node, "container", "'%s' is no container's name",
                   container),
               "a name like shop-worker, or an id");
    if (role->service != NULL && !is_absolute(role->service->pidfile))
        err_at(say(build, ERR_VALUE, node_get(role->node, "service"), "pidfile",
                   "'%s' is not absolute", role->service->pidfile),
               "a path like /run/app.pid");
}

/* ---- The rest. ---- */
static void check_word(void *data, const struct Node *word)
{
    struct EnvironmentBuild *build = data;
    if (!reference_present(word->text))
        return;
    problems_say(build->problems, ERR_REFERENCE, word->where, NULL,
                 "the command of a secret cannot refer to anything");
    build->good = false;
}

static void check_secrets(struct EnvironmentBuild *build)
{
    const struct SecretFields *secrets = build->fields->secrets.items;
    for (size_t i = 0; i < build->fields->secrets.count; i++) {
        const struct Node *command = node_get(secrets[i].node, "cmd");
        int sources = (secrets[i].env != NULL) + (secrets[i].file != NULL) + (command != NULL);
        node_each_scalar(command, check_word, build);
        if (sources != 1)
            err_hint(say(build, ERR_RULE, secrets[i].node, "",
                         "secret '%s' needs exactly one source", secrets[i].name),
                     "env: VARIABLE, file: /absolute/path, or cmd: [WORD, ...]");
        else if (secrets[i].file != NULL && !is_absolute(secrets[i].file))
            err_at(say(build, ERR_VALUE, secrets[i].node, "file", "'%s' is not absolute",
                       secrets[i].file),
                   "a path like /run/secrets/redis");
        else if (secrets[i].env != NULL && !text_is_name(secrets[i].env, false))
            err_at(say(build, ERR_VALUE, secrets[i].node, "env", "'%s' is no variable's name",
                       secrets[i].env),
                   "a name like STAGING_PASSWORD");
    }
}

static void check_passed_in(struct EnvironmentBuild *build)
{
    const struct Environment *environment = build->environment;
    if (environment->passed_in == NULL)
        return;
    const struct Node *passed_in = build->fields->gate->passed_in->node;
    const char *from = environment->passed_in->environment;
    if (text_same_name(from, environment->name))
        err_hint(say(build, ERR_RULE, passed_in, "environment", "'%s' would have to pass in itself",
                     from),
                 "name the environment that comes first, such as staging");
}

static void check_keep(struct EnvironmentBuild *build, const struct Node *gate)
{
    const struct Environment *environment = build->environment;
    const struct KeepHealthy *keep = environment->limits.keep.items;
    const struct Node *map = node_get(gate, "keep_healthy");
    for (size_t i = 0; i < environment->limits.keep.count; i++) {
        const struct Role *role = environment_role(environment, keep[i].role);
        if (role == NULL) {
            struct Err *err =
                say(build, ERR_ROLE, map, keep[i].role, "there is no role '%s' here", keep[i].role);
            const struct Role *roles = environment->roles.items;
            for (size_t k = 0; k < environment->roles.count; k++)
                err_allow(err, roles[k].name);
        } else if (role->service.pods == NULL && !role_is_open(role) &&
                   (size_t)keep[i].count > role->host_count) {
            err_at(say(build, ERR_RULE, map, keep[i].role, "role '%s' has %zu host%s", role->name,
                       role->host_count, role->host_count == 1 ? "" : "s"),
                   "no more than that can be kept");
        }
    }
}

static void check_forbidden_hosts(struct EnvironmentBuild *build, const struct Node *forbid)
{
    const struct Environment *environment = build->environment;
    const char *const *names = environment->limits.forbidden_hosts.items;
    for (size_t i = 0; i < environment->limits.forbidden_hosts.count; i++) {
        if (environment_host(environment, names[i]) != NULL || inventory_is_open(build))
            continue;
        struct Err *err =
            say(build, ERR_HOST, forbid, "hosts", "there is no host '%s' here", names[i]);
        struct Target *const *hosts = environment->hosts.items;
        for (size_t k = 0; k < environment->hosts.count; k++)
            err_allow(err, hosts[k]->name);
    }
}

static void check_forbidden_faults(struct EnvironmentBuild *build, const struct Node *forbid)
{
    const char *const *words = build->environment->limits.forbidden_faults.items;
    for (size_t i = 0; i < build->environment->limits.forbidden_faults.count; i++) {
        if (kinds_has_verb(build->kinds, words[i]))
            continue;
        err_hint(say(build, ERR_VALUE, forbid, "faults", "there is no verb '%s'", words[i]),
                 "faildrill explain steps");
    }
}

static void check_switch(struct EnvironmentBuild *build, const struct Node *gate)
{
    const char *at = build->environment->freeze_switch;
    if (at != NULL && !is_absolute(at) && !text_starts(at, "http://") &&
        !text_starts(at, "https://"))
        err_at(say(build, ERR_VALUE, gate, "freeze_switch", "'%s' cannot be asked", at),
               "an absolute path, or a URL");
}

static void check_branch(struct EnvironmentBuild *build, const struct Node *gate)
{
    const char *branch = build->environment->from_git;
    if (branch != NULL && (!only(branch, LETTERS "/._-") || strchr("/.-", branch[0]) != NULL ||
                           strstr(branch, "..") != NULL))
        err_at(say(build, ERR_VALUE, gate, "from_git", "'%s' is no branch", branch),
               "a name like main or origin/main");
}

static void check_gate(struct EnvironmentBuild *build)
{
    const struct GateFields *gate = build->fields->gate;
    if (gate == NULL)
        return;
    check_passed_in(build);
    check_keep(build, gate->node);
    check_switch(build, gate->node);
    check_branch(build, gate->node);
    if (gate->forbid != NULL) {
        check_forbidden_hosts(build, gate->forbid->node);
        check_forbidden_faults(build, gate->forbid->node);
    }
}

static void check_lock(struct EnvironmentBuild *build)
{
    const struct Environment *environment = build->environment;
    if (environment->lock_host == NULL || inventory_is_open(build) ||
        environment_host(environment, environment->lock_host) != NULL)
        return;
    struct Err *err = say(build, ERR_HOST, build->root, "lock", "there is no host '%s' here",
                          environment->lock_host);
    struct Target *const *hosts = environment->hosts.items;
    for (size_t i = 0; i < environment->hosts.count; i++)
        err_allow(err, hosts[i]->name);
}

struct Place {
    struct EnvironmentBuild *build;
    const struct Node *scalar;
};

static void check_reference(void *data, const char *ns, const char *name, size_t start, size_t size)
{
    struct Place *place = data;
    (void)start;
    (void)size;
    if (text_equal(ns, "env"))
        return;
    problems_say(place->build->problems, ERR_REFERENCE, place->scalar->where, NULL,
                 "there is no `${%s.%s}` in an endpoint", ns, name);
    place->build->good = false;
}

static void check_endpoint(void *data, const struct Node *scalar)
{
    reference_each(scalar->text, check_reference, &(struct Place){data, scalar});
}

static void check_nested(void *data, const struct Node *scalar)
{
    struct EnvironmentBuild *build = data;
    if (strstr(scalar->text, "${") == NULL)
        return;
    problems_say(build->problems, ERR_REFERENCE, scalar->where, NULL,
                 "a value under `vars` cannot refer to another");
    build->good = false;
}

/* In shell text a secret is a variable; everywhere else it is a whole value. */
static void check_alone(struct EnvironmentBuild *build, const struct Node *node)
{
    if (node == NULL || node->type != NODE_MAP) {
        secret_stands_alone(node, build->problems, &build->good);
        return;
    }
    for (size_t i = 0; i < node->count; i++)
        if (!text_equal(node->keys[i]->text, "power"))
            check_alone(build, node->items[i]);
}

void environment_check(struct EnvironmentBuild *build)
{
    const struct Environment *environment = build->environment;
    if (!text_is_name(environment->name, true))
        err_at(say(build, ERR_NAME, build->root, "environment", "'%s' is not a name",
                   environment->name),
               "letters, digits, dashes and underscores, a letter first");
    else if (!file_is_named(environment->path, environment->name))
        err_hint(say(build, ERR_NAME, build->root, "environment",
                     "environment '%s' does not stand in a file of that name", environment->name),
                 "rename one of them: -e %s looks for %s.yaml", environment->name,
                 environment->name);
    if (environment->timezone != NULL && zone_read(environment->timezone, build->arena) == NULL)
        err_at(say(build, ERR_VALUE, build->root, "timezone", "there is no time zone '%s'",
                   environment->timezone),
               "a name like Europe/Berlin or UTC");
    check_secrets(build);
    check_gate(build);
    check_lock(build);
    node_each_scalar(node_get(build->root, "vars"), check_nested, build);
    check_alone(build, node_get(build->root, "roles"));
    check_alone(build, node_get(node_get(build->root, "gate"), "only_if"));
    node_each_scalar(node_get(build->root, "endpoints"), check_endpoint, build);
}

/* environment_fields.c - every key of an environment file. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "environment_fields.h"

#include "../base/clock.h"
#include "../base/text.h"
#include "node_edit.h"
#include <stddef.h>

#define DAY_NS (24 * 3600 * NS_PER_S)

static const struct Field REACH_FIELDS[] = {
    {.name = "", .type = FIELD_NODE, .offset = offsetof(struct ReachFields, node)},
    {.name = NULL},
};
const struct Record REACH_RECORD = {
    .name = "reach",
    .doc = "How commands get to a host.",
    .size = sizeof(struct ReachFields),
    .fields = REACH_FIELDS,
    .variants = "reach",
    .variant_offset = offsetof(struct ReachFields, kind),
};

static const struct Field HOST_FIELDS[] = {
    {.name = "",
     .type = FIELD_NAME,
     .offset = offsetof(struct HostFields, name),
     .flags = FIELD_HOST},
    {.name = "address",
     .type = FIELD_TEXT,
     .offset = offsetof(struct HostFields, address),
     .example = "10.10.0.31",
     .doc = "What probes and rules use: an IP address or a name that resolves; default: what "
            "ssh_config says."},
    {.name = "host_key",
     .type = FIELD_TEXT,
     .offset = offsetof(struct HostFields, host_key),
     .example = "\"SHA256:uNiVztksCsDhcc0u9e8BrrJXVGPcDmIUdqRrRRXXqIw\"",
     .doc = "The only ssh host key that is accepted; default: what known_hosts says."},
    {.name = "machine_id",
     .type = FIELD_TEXT,
     .offset = offsetof(struct HostFields, machine_id),
     .example = "\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"",
     .doc = "The hash of /etc/machine-id that `doctor` prints; another machine is refused."},
    {.name = "reach",
     .type = FIELD_RECORD,
     .offset = offsetof(struct HostFields, reach),
     .of = &REACH_RECORD,
     .example = "local",
     .doc = "How commands get to this host."},
    {.name = "", .type = FIELD_NODE, .offset = offsetof(struct HostFields, node)},
    {.name = NULL},
};
static const struct Record HOST_RECORD = {
    .name = "host",
    .doc = "One host; every key may be left out.",
    .size = sizeof(struct HostFields),
    .fields = HOST_FIELDS,
};

static const struct Field SERVICE_FIELDS[] = {
    {.name = "pidfile",
     .type = FIELD_TEXT,
     .offset = offsetof(struct ServiceFields, pidfile),
     .flags = FIELD_REQUIRED,
     .example = "/run/redis/redis-server.pid",
     .doc = "The absolute path of the file that holds the main process' number."},
    {.name = "start",
     .type = FIELD_TEXT,
     .offset = offsetof(struct ServiceFields, start),
     .flags = FIELD_REQUIRED,
     .example = "\"/etc/init.d/redis-server start\"",
     .doc = "The shell line that starts it, as root."},
    {.name = "stop",
     .type = FIELD_TEXT,
     .offset = offsetof(struct ServiceFields, stop),
     .flags = FIELD_REQUIRED,
     .example = "\"/etc/init.d/redis-server stop\"",
     .doc = "The shell line that stops it cleanly, as root."},
    {.name = NULL},
};
static const struct Record SERVICE_RECORD = {
    .name = "service",
    .doc = "A service without systemd.",
    .size = sizeof(struct ServiceFields),
    .fields = SERVICE_FIELDS,
};

static const struct Field ROLE_FIELDS[] = {
    {.name = "",
     .type = FIELD_NAME,
     .offset = offsetof(struct RoleFields, name),
     .flags = FIELD_SNAKE},
    {.name = "hosts",
     .type = FIELD_MAP,
     .offset = offsetof(struct RoleFields, hosts),
     .flags = FIELD_REQUIRED | FIELD_NAMES,
     .min = 1,
     .max = 500,
     .of = &HOST_RECORD,
     .example = "{redis-1: {address: 10.10.0.31}}",
     .doc = "The hosts of the role; a list of names where nothing is to be said about them."},
    {.name = "unit",
     .type = FIELD_TEXT,
     .offset = offsetof(struct RoleFields, unit),
     .example = "redis-server.service",
     .doc = "The systemd unit that runs the service."},
    {.name = "service",
     .type = FIELD_RECORD,
     .offset = offsetof(struct RoleFields, service),
     .of = &SERVICE_RECORD,
     .example = "{pidfile: /run/app.pid, start: \"/etc/init.d/app start\", stop: \"/etc/init.d/app "
                "stop\"}",
     .doc = "How the service is run without systemd."},
    {.name = "process",
     .type = FIELD_TEXT,
     .offset = offsetof(struct RoleFields, process),
     .example = "/usr/bin/app",
     .doc =
         "The absolute path of the executable, where neither unit nor pidfile names the service."},
    {.name = "args",
     .type = FIELD_TEXT,
     .offset = offsetof(struct RoleFields, args),
     .example = "\"--port 8080\"",
     .doc = "With `process:` a text that its command line must hold."},
    {.name = "start",
     .type = FIELD_TEXT,
     .offset = offsetof(struct RoleFields, start),
     .example = "\"/usr/local/bin/start-app\"",
     .doc = "With `process:` the shell line that starts it, as root."},
    {.name = "reach",
     .type = FIELD_RECORD,
     .offset = offsetof(struct RoleFields, reach),
     .of = &REACH_RECORD,
     .example = "local",
     .doc = "How commands get to the hosts of this role."},
    {.name = "", .type = FIELD_NODE, .offset = offsetof(struct RoleFields, node)},
    {.name = NULL},
};
static const struct Record ROLE_RECORD = {
    .name = "role",
    .doc = "Hosts that do the same work; one key may say which system they form.",
    .size = sizeof(struct RoleFields),
    .fields = ROLE_FIELDS,
    .variants = "system",
    .variant_offset = offsetof(struct RoleFields, system),
    .variant_optional = true,
};

static const struct Field SECRET_FIELDS[] = {
    {.name = "",
     .type = FIELD_NAME,
     .offset = offsetof(struct SecretFields, name),
     .flags = FIELD_SNAKE},
    {.name = "env",
     .type = FIELD_TEXT,
     .offset = offsetof(struct SecretFields, env),
     .example = "STAGING_REDIS_PASSWORD",
     .doc = "The variable of the process environment that holds the value."},
    {.name = "file",
     .type = FIELD_TEXT,
     .offset = offsetof(struct SecretFields, file),
     .example = "/run/secrets/redis_staging",
     .doc = "The file that holds the value; only its owner may read it."},
    {.name = "", .type = FIELD_NODE, .offset = offsetof(struct SecretFields, node)},
    {.name = NULL},
};
static const struct Record SECRET_RECORD = {
    .name = "secret",
    .doc = "Where a secret's value comes from: exactly one of the keys.",
    .size = sizeof(struct SecretFields),
    .fields = SECRET_FIELDS,
};

static const struct Field PASSED_IN_FIELDS[] = {
    {.name = "environment",
     .type = FIELD_TEXT,
     .offset = offsetof(struct PassedInFields, environment),
     .flags = FIELD_REQUIRED,
     .example = "staging",
     .doc = "The environment in which the same text must have passed."},
    {.name = "within",
     .type = FIELD_DURATION,
     .offset = offsetof(struct PassedInFields, within_ns),
     .fallback = "14d",
     .min = NS_PER_S,
     .max = 3650 * DAY_NS,
     .example = "14d",
     .doc = "How long ago a pass may be."},
    {.name = "times",
     .type = FIELD_INT,
     .offset = offsetof(struct PassedInFields, times),
     .fallback = "1",
     .min = 1,
     .max = 100,
     .example = "1",
     .doc = "How many passes are wanted."},
    {.name = "", .type = FIELD_NODE, .offset = offsetof(struct PassedInFields, node)},
    {.name = NULL},
};
static const struct Record PASSED_IN_RECORD = {
    .name = "passed_in",
    .doc = "The same scenario text must have passed elsewhere first.",
    .size = sizeof(struct PassedInFields),
    .fields = PASSED_IN_FIELDS,
};

static const struct Field GATE_FIELDS[] = {
    {.name = "passed_in",
     .type = FIELD_RECORD,
     .offset = offsetof(struct GateFields, passed_in),
     .of = &PASSED_IN_RECORD,
     .example = "{environment: staging, within: 14d}",
     .doc = "The same scenario text must have passed elsewhere first."},
    {.name = NULL},
};
static const struct Record GATE_RECORD = {
    .name = "gate",
    .doc = "The rules that must hold before a run may begin.",
    .size = sizeof(struct GateFields),
    .fields = GATE_FIELDS,
};

static const struct Field ENVIRONMENT_FIELDS[] = {
    {.name = "environment",
     .type = FIELD_TEXT,
     .offset = offsetof(struct EnvironmentFields, name),
     .flags = FIELD_REQUIRED,
     .example = "staging",
     .doc = "The name, as -e wants it; the same as the file's."},
    {.name = "protected",
     .type = FIELD_BOOL,
     .offset = offsetof(struct EnvironmentFields, is_protected),
     .fallback = "false",
     .example = "true",
     .doc = "The name must be typed before a run, and every drill needs a halt rule."},
    {.name = "timezone",
     .type = FIELD_TEXT,
     .offset = offsetof(struct EnvironmentFields, timezone),
     .example = "Europe/Berlin",
     .doc = "The zone in which times are shown; default: that of this machine."},
    {.name = "roles",
     .type = FIELD_MAP,
     .offset = offsetof(struct EnvironmentFields, roles),
     .flags = FIELD_REQUIRED,
     .min = 1,
     .max = 500,
     .of = &ROLE_RECORD,
     .example = "{api: {hosts: [api-1, api-2], unit: shop-api.service}}",
     .doc = "What scenarios call hosts by."},
    {.name = "endpoints",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct EnvironmentFields, endpoints),
     .example = "{api: \"https://api.staging.example.net\"}",
     .doc = "Addresses for ${endpoint.NAME}."},
    {.name = "vars",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct EnvironmentFields, vars),
     .example = "{region: eu-1}",
     .doc = "Values for ${env.NAME}."},
    {.name = "secrets",
     .type = FIELD_MAP,
     .offset = offsetof(struct EnvironmentFields, secrets),
     .of = &SECRET_RECORD,
     .example = "{redis: {file: /run/secrets/redis_staging}}",
     .doc = "Sources of the values for ${secret.NAME}; a value itself never stands in a file of "
            "ours."},
    {.name = "gate",
     .type = FIELD_RECORD,
     .offset = offsetof(struct EnvironmentFields, gate),
     .of = &GATE_RECORD,
     .example = "{passed_in: {environment: staging}}",
     .doc = "The rules that must hold before a run may begin."},
    {.name = "lock",
     .type = FIELD_TEXT,
     .offset = offsetof(struct EnvironmentFields, lock),
     .example = "redis-1",
     .doc = "The host that holds the lock of the environment; default: the first."},
    {.name = "", .type = FIELD_NODE, .offset = offsetof(struct EnvironmentFields, node)},
    {.name = NULL},
};
/* `ssh:` here is the transport's own variant, so that its keys are declared where they are read. */
const struct Record ENVIRONMENT_RECORD = {
    .name = "environment",
    .doc = "An environment: hosts, what connects to them, secrets and the gate.",
    .size = sizeof(struct EnvironmentFields),
    .fields = ENVIRONMENT_FIELDS,
    .variants = "reach",
    .variant_offset = offsetof(struct EnvironmentFields, reach),
    .variant_optional = true,
};

/* ---- Short forms. ---- */
static const struct Node *hosts_long(const struct Node *hosts, struct Arena *arena,
                                     struct Problems *problems)
{
    if (hosts->type != NODE_LIST)
        return hosts;
    struct NodeEdit edit = node_edit_map(hosts, arena);
    for (size_t i = 0; i < hosts->count; i++) {
        const struct Node *name = hosts->items[i];
        if (name->type != NODE_SCALAR)
            problems_say(problems, ERR_TYPE, name->where,
                         "hosts: {NAME: {address: ADDRESS}} says more about them",
                         "a list of hosts holds names");
        else if (node_edit_has(&edit, name->text))
            problems_say(problems, ERR_DUPLICATE_KEY, name->where, NULL,
                         "the host '%s' stands twice", name->text);
        else
            node_edit_put(&edit, name, node_empty_map(name->where, arena));
    }
    edit.broken = edit.keys.count < hosts->count; /* said above; the table need not say it again */
    return node_edit_end(&edit);
}

const struct Node *environment_long_form(const struct Node *root, struct Arena *arena,
                                         struct Problems *problems)
{
    const struct Node *roles = node_get(root, "roles");
    if (roles == NULL || roles->type != NODE_MAP)
        return root;
    struct NodeEdit edit = node_edit_map(roles, arena);
    for (size_t i = 0; i < roles->count; i++) {
        const struct Node *role = roles->items[i];
        const struct Node *hosts = node_get(role, "hosts");
        if (hosts != NULL)
            role = node_replace(role, "hosts", hosts_long(hosts, arena, problems), arena);
        node_edit_put(&edit, roles->keys[i], role);
    }
    return node_replace(root, "roles", node_edit_end(&edit), arena);
}

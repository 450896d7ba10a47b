/* environment.c - from an environment file to hosts and roles. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "environment.h"

#include "../base/text.h"
#include "environment_build.h"
#include "needs.h"
#include "node_edit.h"
#include <string.h>

enum { ENVIRONMENT_MEMORY = 64 << 20 };

/* ---- ${ns.name} inside an environment file. ---- */
static const char *const HOST_WORDS[] = {"name", "address"};

static enum RefAnswer answer_pairs(struct EnvironmentBuild *build, const char *key,
                                   const char *name, const char **value, const char *const **names,
                                   size_t *count)
{
    const struct Node *map = node_get(build->root, key);
    const struct Node *node = node_get(map, name);
    if (node != NULL) {
        if (node->type != NODE_SCALAR)
            return REF_LATER; /* its own table says what is wrong with it */
        *value = node->text;
        return REF_VALUE;
    }
    struct List found = {.items = NULL};
    for (size_t i = 0; map != NULL && map->type == NODE_MAP && i < map->count; i++) {
        const char **slot = list_add(&found, build->arena, sizeof *slot);
        *slot = map->keys[i]->text;
    }
    *names = found.items;
    *count = found.count;
    return REF_UNKNOWN;
}

static enum RefAnswer answer(void *data, const char *ns, const char *name, const char **value,
                             const char *const **names, size_t *count)
{
    struct EnvironmentBuild *build = data;
    if (text_equal(ns, "env"))
        return answer_pairs(build, "vars", name, value, names, count);
    if (text_equal(ns, "endpoint")) {
        enum RefAnswer found = answer_pairs(build, "endpoints", name, value, names, count);
        if (found != REF_VALUE || !reference_present(*value))
            return found;
        bool of_another = strstr(*value, "${endpoint.") != NULL; /* perhaps itself */
        return !of_another && reference_fill(&build->decode, *value, NOWHERE, value) ? REF_VALUE
                                                                                     : REF_UNKNOWN;
    }
    if (text_equal(ns, "secret")) {
        enum RefAnswer found = answer_pairs(build, "secrets", name, value, names, count);
        return found == REF_VALUE ? REF_LATER : found;
    }
    if (!text_equal(ns, "host"))
        return REF_NO_SPACE;
    *names = HOST_WORDS;
    *count = COUNT_OF(HOST_WORDS);
    if (!text_equal(name, "name") && !text_equal(name, "address"))
        return REF_UNKNOWN;
    if (build->host == NULL)
        return REF_LATER;
    bool by_address = text_equal(name, "address") && build->host->address != NULL;
    *value = by_address ? build->host->address : build->host->name;
    return REF_VALUE;
}

/* ---- How a host is reached: its own, its role's, the environment's, else ssh. ---- */
static const struct TransportKind *default_reach(const struct Kinds *kinds)
{
    for (size_t i = 0; kinds->transports[i] != NULL; i++)
        if (text_equal(kinds->transports[i]->name, "ssh"))
            return kinds->transports[i];
    return kinds->transports[0];
}

/* The value of `reach:` that counts for this host, as a node that REACH_RECORD decodes. */
static const struct Node *reach_node(const struct EnvironmentBuild *build,
                                     const struct RoleFields *role, const struct HostFields *host)
{
    if (host->reach != NULL)
        return node_get(host->node, "reach");
    if (role->reach != NULL)
        return node_get(role->node, "reach");
    struct Where where = host->node->where;
    const struct Variant *variant = build->fields->reach.variant;
    if (variant != NULL)
        return node_single(variant->name, node_get(build->root, variant->name), build->arena);
    return node_single(default_reach(build->kinds)->name, node_empty_map(where, build->arena),
                       build->arena);
}

/* A path in the transport's config is written relative to the project, not to where one stands. */
static void make_absolute(struct EnvironmentBuild *build, const struct TransportKind *kind,
                          void *config)
{
    for (const struct Field *field = kind->config.fields; field->name != NULL; field++) {
        if (field->type != FIELD_TEXT || !text_equal(field->name, "config"))
            continue;
        const char **path = (const char **)((unsigned char *)config + field->offset);
        if (*path != NULL && (*path)[0] != '/' && (*path)[0] != '~')
            *path = arena_printf(build->arena, "%s/%s", build->project_dir, *path);
    }
}

/* Decoded anew for each host, for its ${host.name}; problems were reported the first time. */
static void set_reach(struct EnvironmentBuild *build, const struct RoleFields *role,
                      const struct HostFields *host, struct Target *target)
{
    struct Problems *said_before = problems_new();
    struct Decode decode = build->decode;
    decode.problems = said_before;
    build->host = target;
    struct ReachFields reach = {.node = NULL};
    if (decode_record(&decode, reach_node(build, role, host), &REACH_RECORD, &reach) &&
        reach.kind.variant != NULL) {
        target->reach = reach.kind.variant->kind;
        target->reach_config = reach.kind.config;
        make_absolute(build, target->reach, reach.kind.config);
    } else {
        build->good = false;
    }
    build->host = NULL;
    if (problems_errors(said_before) > 0 && problems_errors(build->problems) == 0)
        problems_add(build->problems, problems_at(said_before, 0));
    problems_free(said_before);
}

/* ---- Hosts and roles. ---- */
static struct Target *find_host(const struct Environment *environment, const char *name)
{
    struct Target *const *hosts = environment->hosts.items;
    for (size_t i = 0; i < environment->hosts.count; i++)
        if (text_equal(hosts[i]->name, name))
            return hosts[i];
    return NULL;
}

static struct Target *add_host(struct EnvironmentBuild *build, const struct RoleFields *role,
                               const struct HostFields *host)
{
    struct Target *target = find_host(build->environment, host->name);
    bool described = host->node->type == NODE_MAP && host->node->count > 0;
    if (target != NULL) {
        environment_check_again(build, role, host, target);
        return target;
    }
    target = arena_zero(build->arena, 1, sizeof *target);
    struct Target **slot = list_add(&build->environment->hosts, build->arena, sizeof *slot);
    *slot = target;
    target->name = host->name;
    target->address = host->address;
    target->host_key = host->host_key;
    target->machine_id = host->machine_id;
    target->zone = host->zone != NULL ? host->zone : role->zone;
    target->where = host->node->where;
    set_reach(build, role, host, target);
    environment_set_power(build, role, host, target);
    environment_check_host(build, host, described);
    return target;
}

static struct Service service_of(struct EnvironmentBuild *build, const struct RoleFields *role)
{
    struct Service service = {
        .unit = role->unit, .exe = role->process, .args = role->args, .container = role->container};
    service.start = role->start;
    if (role->service != NULL) {
        service.pidfile = role->service->pidfile;
        service.start = role->service->start;
        service.stop = role->service->stop;
        service.stays_dead = role->service->restart == 1;
    }
    if (role->pods != NULL)
        service.pods = environment_pods(build, role);
    return service;
}

static void add_role(struct EnvironmentBuild *build, const struct RoleFields *fields)
{
    struct Role *role = list_add(&build->environment->roles, build->arena, sizeof *role);
    const struct Target **hosts = arena_zero(build->arena, fields->hosts.count, sizeof *hosts);
    const struct HostFields *host = fields->hosts.items;
    for (size_t i = 0; i < fields->hosts.count; i++)
        hosts[i] = add_host(build, fields, &host[i]);
    role->name = fields->name;
    const struct Node *named = node_get(fields->node, "hosts");
    if (named != NULL && named->type == NODE_SCALAR)
        role->group = named->text;
    role->hosts = hosts;
    role->host_count = fields->hosts.count;
    role->service = service_of(build, fields);
    role->where = fields->node->where;
    if (fields->system.variant != NULL) {
        role->system = fields->system.variant->kind;
        role->system_config = fields->system.config;
    }
    environment_check_role(build, fields);
}

static const struct Target *find_for_system(void *data, const char *name)
{
    return find_host(data, name);
}

static void bind_systems(struct EnvironmentBuild *build)
{
    const struct RoleFields *fields = build->fields->roles.items;
    for (size_t i = 0; i < build->fields->roles.count; i++) {
        const struct SystemKind *kind =
            fields[i].system.variant != NULL ? fields[i].system.variant->kind : NULL;
        if (kind != NULL && kind->bind != NULL)
            kind->bind(fields[i].system.config, find_for_system, build->environment);
    }
}

static void add_secrets(struct EnvironmentBuild *build)
{
    const struct SecretFields *fields = build->fields->secrets.items;
    for (size_t i = 0; i < build->fields->secrets.count; i++) {
        struct SecretSpec *secret =
            list_add(&build->environment->secrets, build->arena, sizeof *secret);
        secret->name = fields[i].name;
        secret->source = fields[i].env != NULL    ? SECRET_ENV
                         : fields[i].file != NULL ? SECRET_FILE
                                                  : SECRET_COMMAND;
        secret->at = fields[i].env != NULL ? fields[i].env : fields[i].file;
        secret->argv = fields[i].command;
        if (secret->source == SECRET_COMMAND && secret->argv.count > 0)
            secret->at = ((const char *const *)secret->argv.items)[0];
        secret->where = fields[i].node->where;
    }
}

static void add_limits(struct EnvironmentBuild *build, const struct GateFields *gate)
{
    struct GateLimits *limits = &build->environment->limits;
    const struct KeepFields *keep = gate->keep_healthy.items;
    limits->longest_ns = gate->longest_ns;
    limits->per_day = gate->per_day;
    for (size_t i = 0; i < gate->keep_healthy.count; i++)
        *(struct KeepHealthy *)list_add(&limits->keep, build->arena, sizeof(struct KeepHealthy)) =
            (struct KeepHealthy){
                .role = keep[i].role, .count = keep[i].count, .where = keep[i].node->where};
    if (gate->blast_radius != NULL) {
        limits->hosts = gate->blast_radius->hosts;
        limits->of_role = gate->blast_radius->of_role;
    }
    if (gate->forbid != NULL) {
        limits->forbidden_hosts = gate->forbid->hosts;
        limits->forbidden_faults = gate->forbid->faults;
        limits->forbidden_classes = gate->forbid->classes;
    }
}

/* A path in a file is written relative to the project, not to where one stands. */
static const char *beside_project(const struct EnvironmentBuild *build, const char *path)
{
    return path == NULL || path[0] == '/'
               ? path
               : arena_printf(build->arena, "%s/%s", build->project_dir, path);
}

static void add_approvals(struct EnvironmentBuild *build, const struct ApprovalsFields *fields)
{
    if (fields == NULL)
        return;
    struct ApprovalsWanted *wanted = arena_zero(build->arena, 1, sizeof *wanted);
    *wanted = (struct ApprovalsWanted){.need = fields->need,
                                       .valid_ns = fields->valid_ns,
                                       .from = beside_project(build, fields->from)};
    build->environment->approvals = wanted;
}

static void add_gate(struct EnvironmentBuild *build)
{
    const struct GateFields *gate = build->fields->gate;
    if (gate == NULL)
        return;
    add_limits(build, gate);
    environment_set_times(build, gate);
    environment_set_only_if(build, gate);
    build->environment->freeze_switch = gate->freeze_switch;
    add_approvals(build, gate->approvals);
    build->environment->from_git = gate->from_git;
    build->environment->node_opt_in = gate->node_opt_in;
    build->environment->wait_steady_ns = gate->wait_steady_ns;
    if (gate->passed_in == NULL)
        return;
    const struct PassedInFields *from = gate->passed_in;
    struct PassedIn *passed_in = arena_zero(build->arena, 1, sizeof *passed_in);
    *passed_in = (struct PassedIn){.environment = from->environment,
                                   .signed_by = beside_project(build, from->signed_by),
                                   .within_ns = from->within_ns,
                                   .times = from->times,
                                   .where = from->node->where};
    build->environment->passed_in = passed_in;
}

static void build_values(struct EnvironmentBuild *build)
{
    struct Environment *environment = build->environment;
    const struct EnvironmentFields *fields = build->fields;
    environment->name = fields->name;
    environment->is_protected = fields->is_protected;
    environment->timezone = fields->timezone;
    environment->endpoints = fields->endpoints;
    environment->vars = fields->vars;
    environment_set_inventory(build);
    const struct RoleFields *roles = fields->roles.items;
    for (size_t i = 0; i < fields->roles.count; i++)
        add_role(build, &roles[i]);
    environment->notify = fields->notify;
    environment->silence = fields->silence;
    add_secrets(build);
    add_gate(build);
    if (fields->receipts != NULL)
        environment->receipt_key = beside_project(build, fields->receipts->sign_with);
    environment->lock_host = fields->lock != NULL ? fields->lock : inventory_lock_host(environment);
    environment_check(build);
    if (build->good && !inventory_is_open(build))
        bind_systems(build);
}

struct Environment *environment_new(const struct Document *document, const struct Kinds *kinds,
                                    const char *project_dir, struct Problems *problems)
{
    return environment_with(document, NULL, kinds, project_dir, problems);
}

struct Environment *environment_with(const struct Document *document,
                                     const struct Inventory *inventory, const struct Kinds *kinds,
                                     const char *project_dir, struct Problems *problems)
{
    struct Arena *arena = arena_new("environment", ENVIRONMENT_MEMORY);
    struct Environment *environment = arena_zero(arena, 1, sizeof *environment);
    environment->arena = arena;
    environment->path = arena_text(arena, document->path);
    environment->text = arena_bytes(arena, document->text, document->size);

    size_t set_count;
    const struct VariantSet *sets = kinds_sets(kinds, arena, &set_count);
    size_t before = problems_errors(problems);
    struct EnvironmentFields fields = {.name = NULL};
    struct EnvironmentBuild build = {
        .environment = environment,
        .fields = &fields,
        .kinds = kinds,
        .project_dir = arena_text(arena, project_dir),
        .root = document->root,
        .inventory = inventory,
        .arena = arena,
        .problems = problems,
        .good = true,
    };
    build.decode =
        (struct Decode){.arena = arena, .problems = problems, .sets = sets, .set_count = set_count};
    build.decode.reference = answer;
    build.decode.reference_data = &build;
    build.good = needs_met(build.root, problems);
    build.root = environment_sources(&build, build.root);
    if (build.good && inventory != NULL)
        build.root = inventory_apply(&build, build.root);
    inventory_hash(environment, document);
    if (build.good && decode_record(&build.decode, build.root, &ENVIRONMENT_RECORD, &fields)) {
        build_values(&build);
        if (build.good && problems_errors(problems) == before)
            return environment;
    }
    environment_free(environment);
    return NULL;
}

void environment_free(struct Environment *environment)
{
    if (environment != NULL)
        arena_free(environment->arena);
}

const struct Role *environment_role(const struct Environment *environment, const char *name)
{
    const struct Role *roles = environment->roles.items;
    for (size_t i = 0; i < environment->roles.count; i++)
        if (text_equal(roles[i].name, name))
            return &roles[i];
    return NULL;
}

const struct Target *environment_host(const struct Environment *environment, const char *name)
{
    return find_host(environment, name);
}

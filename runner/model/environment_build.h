/* environment_build.h - what environment.c and its checks share while a file becomes values. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_ENVIRONMENT_BUILD_H
#define FD_MODEL_ENVIRONMENT_BUILD_H

#include "environment.h"
#include "environment_fields.h"
#include "inventory.h"

struct EnvironmentBuild {
    struct Environment *environment;
    const struct EnvironmentFields *fields;
    const struct Kinds *kinds;
    const char *project_dir;
    const struct Node *root;
    struct Arena *arena;
    struct Problems *problems;
    struct Decode decode;
    const struct Inventory *inventory; /* NULL: nobody asked it, or there is none */
    const struct Target *host;         /* whose ${host.name} is asked for; NULL: later */
    bool good;                         /* no rule was broken so far */
};

/* Rules between values; each adds its problems and clears `good`. */
void environment_check_host(struct EnvironmentBuild *build, const struct HostFields *host,
                            bool described);
/* The host stands in another role already: it may be described once. */
void environment_check_again(struct EnvironmentBuild *build, const struct RoleFields *role,
                             const struct HostFields *host, const struct Target *known);
void environment_check_role(struct EnvironmentBuild *build, const struct RoleFields *role);
void environment_check(struct EnvironmentBuild *build);
/* environment_times.c: windows, freeze and the zone that they are meant in. */
void environment_set_times(struct EnvironmentBuild *build, const struct GateFields *gate);
/* environment_only_if.c: the probes of the gate. */
void environment_set_only_if(struct EnvironmentBuild *build, const struct GateFields *gate);
/* environment_pods.c: a role of pods, which has no host before they are found. */
const struct Pods *environment_pods(struct EnvironmentBuild *build, const struct RoleFields *role);
void environment_check_hosts(struct EnvironmentBuild *build, const struct RoleFields *role);
/* environment_inventory.c: groups of an inventory in the place of hosts. */
bool inventory_is_open(const struct EnvironmentBuild *build); /* some hosts are not known yet */
void environment_set_inventory(struct EnvironmentBuild *build);
void environment_check_group(struct EnvironmentBuild *build, const struct RoleFields *role);
/* environment_sources.c: the file with a secret for each that says itself whence it comes. */
const struct Node *environment_sources(struct EnvironmentBuild *build, const struct Node *root);
/* SHA-256 of the file, and of what was taken of its inventory as if the file said it. */
void inventory_hash(struct Environment *environment, const struct Document *document);
/* The first host that the file itself names, which another inventory leaves where it is; else the
 * first one; NULL where there is none. */
const char *inventory_lock_host(const struct Environment *environment);
/* inventory_apply.c: the file with the hosts of each group in its place; its groups are in the
 * environment then. */
const struct Node *inventory_apply(struct EnvironmentBuild *build, const struct Node *root);
/* environment_power.c: the host's own `power`, its role's, the environment's, or none. */
void environment_set_power(struct EnvironmentBuild *build, const struct RoleFields *role,
                           const struct HostFields *host, struct Target *target);

#endif

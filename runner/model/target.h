/* target.h - a host of the environment, and a role. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_TARGET_H
#define FD_MODEL_TARGET_H

#include "../base/arena.h"
#include "../base/clock.h"
#include "../base/text.h"
#include "../schema/field.h"

struct TransportKind;
struct SystemKind;

/* Pods of a cluster, as kubectl on the runner's machine finds them. */
struct Pods {
    const char *context, *space, *selector;
};

/* How a role's service is run on its hosts: exactly one of unit, pidfile, exe,
 * container, pods. */
struct Service {
    const char *unit;         /* systemd unit; NULL without systemd */
    const char *pidfile;      /* absolute path; with start and stop */
    const char *start, *stop; /* shell lines, run by the host's sh as root; NULL where unknown */
    bool stays_dead;          /* of pidfile: nobody starts it again after a crash */
    const char *exe; /* `process:` absolute path of the executable; args NULL or text that must
                        stand in its command line */
    const char *args;
    const char *container;   /* its name or id, as the engine on the host knows it */
    const struct Pods *pods; /* its hosts are these, found anew by each command (pods_find) */
};

/* Lines for sh on the runner's own machine (model/power.h); as the environment has them. */
struct Power {
    const char *down, *up, *status;
};

/* In the environment's arena, all of it. */
struct Target {
    const char *name;
    const char *address;  /* what probes and rules use: numeric IPv4/IPv6, or a name that resolves;
                             NULL until `ssh -G` or the resolver said it (environment_resolve) */
    const char *host_key; /* "SHA256:...", the only one accepted; NULL: known_hosts decides */
    const char *machine_id; /* SHA-256 hex of /etc/machine-id, or NULL */
    const char *zone;
    const struct TransportKind *reach;
    const void *reach_config;  /* decoded by reach->config */
    const struct Power *power; /* NULL: nobody outside can give it back its power */
    const char *root; /* where our folders lie: NULL = /run/faildrill, as root; else this very
                         machine, a folder of ours alone, as who we are */
    const char *uid;  /* of a pod, which its name outlives; NULL: it is none */
    struct Where where;
};

struct Role {
    const char *name;
    const char *group;                 /* of the inventory that has its hosts; NULL: the file has */
    const struct Target *const *hosts; /* in file order */
    size_t host_count;
    struct Service service;
    const struct SystemKind *system; /* NULL: nobody leads */
    const void *system_config;
    struct Where where;
};

/* The role says how its service is run. */
static inline bool role_is_run(const struct Role *role)
{
    const struct Service *service = &role->service;
    return service->unit != NULL || service->pidfile != NULL || service->exe != NULL ||
           service->container != NULL || service->pods != NULL;
}

/* As clients reach it. */
static inline const char *target_address(const struct Target *target)
{
    return target->address != NULL ? target->address : target->name;
}

/* Its hosts are not known yet: pods, or a group of an inventory that nobody asked. */
static inline bool role_is_open(const struct Role *role)
{
    return role->host_count == 0 && (role->service.pods != NULL || role->group != NULL);
}

/* One of its hosts by name; NULL: it has none of that name. */
static inline const struct Target *role_host(const struct Role *role, const char *name)
{
    for (size_t n = 0; n < role->host_count; n++)
        if (text_equal(role->hosts[n]->name, name))
            return role->hosts[n];
    return NULL;
}

/* The run's ULID in lower case, drawn in `plan`; on every trace left on a node. */
struct Token {
    char text[32];
};

#endif

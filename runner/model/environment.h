/* environment.h - what an environment file says: hosts, roles, secrets, gate. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_ENVIRONMENT_H
#define FD_MODEL_ENVIRONMENT_H

#include "../schema/decode.h"
#include "kinds.h"
#include "target.h"

enum SecretSource { SECRET_ENV, SECRET_FILE };
struct SecretSpec {
    const char *name;
    enum SecretSource source;
    const char *at;
    struct Where where;
};
/* gate: {passed_in: {environment: staging, within: 14d, times: 1}} */
struct PassedIn {
    const char *environment;
    int64_t within_ns, times;
    struct Where where;
};

struct Environment {
    const char *name, *path;
    bool is_protected;
    struct List hosts;                /* of struct Target *: each once, in file order */
    struct List roles;                /* of struct Role */
    struct List endpoints, vars;      /* of struct TextPair */
    struct List secrets;              /* of struct SecretSpec */
    const struct PassedIn *passed_in; /* NULL = not asked */
    const char *lock_host;            /* never NULL: `lock:`, else the first */
    const char *timezone;             /* "Europe/Berlin", or NULL */
    char hash[65];                    /* SHA-256 of the file */
    const char *text;
    struct Arena *arena; /* owns all of it: environment_free() */
};
/* Decodes and checks all; nothing is contacted. `project_dir` makes relative paths (ssh config)
 * absolute. */
struct Environment *environment_new(const struct Document *document, const struct Kinds *kinds,
                                    const char *project_dir, struct Problems *problems);
void environment_free(struct Environment *environment); /* accepts NULL */
const struct Role *environment_role(const struct Environment *environment, const char *name);
const struct Target *environment_host(const struct Environment *environment, const char *name);
/* Other roles that a host carries, "haproxy, etcd", or "". */
void environment_roles_of(const struct Environment *environment, const struct Target *host,
                          const struct Role *except, struct Buf *out);
/* Reads the secrets' values (env, or file 0600 owned by us) into mlocked memory; text that still
 * says
 * ${secret.NAME} is looked up there. */
bool environment_unlock(struct Environment *environment, struct Err *err) MUST_CHECK;
/* Hosts without an address get the one that their transport knows, before anybody asks for it. */
bool environment_resolve(struct Environment *environment, struct Err *err) MUST_CHECK;
/* "${secret.redis}" -> its value; other text as it is; NULL stays NULL. Borrowed; never store or
 * print it. */
const char *environment_secret(const char *text);

#endif

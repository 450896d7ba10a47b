/* environment.h - what an environment file says: hosts, roles, secrets, gate. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_ENVIRONMENT_H
#define FD_MODEL_ENVIRONMENT_H

#include "../schema/decode.h"
#include "kinds.h"
#include "target.h"
#include "times.h"

enum SecretSource { SECRET_ENV, SECRET_FILE, SECRET_COMMAND };
struct SecretSpec {
    const char *name;
    enum SecretSource source;
    const char *at;   /* variable or path; of a command its first word */
    struct List argv; /* of const char *: SECRET_COMMAND */
    struct Where where;
};
/* gate: {passed_in: {environment: staging, within: 14d, times: 1}} */
struct PassedIn {
    const char *environment;
    const char
        *signed_by; /* allowed signers of receipts, an absolute path; NULL = our store alone */
    int64_t within_ns, times;
    struct Where where;
};

/* gate: {approvals: {need: 1, from: approvers.signers, valid_for: 4h}} */
struct ApprovalsWanted {
    int64_t need, valid_ns; /* valid_ns: since the plan was made; 0 = as the plan says */
    const char *from;       /* allowed signers, an absolute path */
};

/* gate: {keep_healthy: {api: 2}} */
struct KeepHealthy {
    const char *role;
    int64_t count;
    struct Where where;
};
/* gate: {blast_radius, keep_healthy, longest_fault, forbid ...}; zeroed = no rule. */
struct GateLimits {
    int64_t hosts;      /* machines under a fault at once */
    int64_t of_role;    /* of each role on them, in millionths */
    int64_t longest_ns; /* from arming until the host undoes by itself */
    int64_t per_day;    /* runs in a day of the environment's zone */
    struct List keep;   /* of struct KeepHealthy */
    struct List forbidden_hosts, forbidden_faults, forbidden_classes; /* of const char * */
};

/* A rule that this command sets aside, on somebody's word: gate_override(). */
struct GateOverride {
    const char *rule, *who, *reason;
};

struct Environment {
    const char *name, *path;
    bool is_protected;
    struct List hosts;     /* of struct Target *: each once, in file order */
    struct List roles;     /* of struct Role */
    struct List inventory; /* of const char *: the command that prints it; none: empty */
    struct Where inventory_where;
    struct List groups;          /* of struct InventoryGroup: what was taken of it (inventory.h) */
    struct List listed;          /* of const char *: hosts that stand in it alone */
    struct List endpoints, vars; /* of struct TextPair */
    struct List secrets;         /* of struct SecretSpec */
    const struct PassedIn *passed_in; /* NULL = not asked */
    struct GateLimits limits;
    struct GateTimes times;
    int64_t wait_steady_ns; /* for the steady state before the first fault; 0 = as scenarios say */
    const struct ApprovalsWanted *approvals; /* NULL = not asked */
    struct List only_if;       /* of struct ProbeSpec: good before a run and all through it */
    const char *from_git;      /* the branch that files must equal; NULL = not asked */
    bool node_opt_in;          /* each host says itself what may be done there */
    const char *receipt_key;   /* signs a pass here, an absolute path; NULL = no receipts */
    const char *freeze_switch; /* an absolute path or a URL; NULL = none */
    const struct NotifyFields *notify;   /* environment_notify.h; NULL = nobody is told here */
    const struct SilenceFields *silence; /* NULL = none */
    struct List overrides;               /* of struct GateOverride; their rules are no more above */
    const char *lock_host; /* `lock:`, else the first; NULL: all are pods, yet to be found */
    const char *timezone;  /* "Europe/Berlin", or NULL */
    char hash[65];         /* SHA-256 of the file, and of what was taken of its inventory */
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
/* Runs argv to its end and takes its output; as process_output() of the floor above. */
typedef bool SecretRunFn(const char *const *argv, struct Buf *out, struct Mono deadline,
                         struct Err *err);
/* Reads the secrets' values (env, file 0600 owned by us, or what a command prints) into mlocked
 * memory; text that still says ${secret.NAME} is looked up there. A variable is taken out of our
 * process environment, so that no child of ours has it. */
bool environment_unlock(struct Environment *environment, SecretRunFn *run,
                        struct Err *err) MUST_CHECK;
/* Takes the variables of secrets out of our process environment, before any program is started;
 * environment_unlock still finds them. */
void environment_hide(const struct Environment *environment);
/* Hosts without an address get the one that their transport knows, before anybody asks for it. */
bool environment_resolve(struct Environment *environment, struct Err *err) MUST_CHECK;
/* "${secret.redis}" -> its value; other text as it is; NULL stays NULL. Borrowed; never store or
 * print it. */
const char *environment_secret(const char *text);

#endif

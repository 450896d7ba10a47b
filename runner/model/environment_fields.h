/* environment_fields.h - an environment file as its tables decode it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_ENVIRONMENT_FIELDS_H
#define FD_MODEL_ENVIRONMENT_FIELDS_H

#include "../schema/decode.h"
#include "environment_notify.h"

struct ReachFields {
    struct Chosen kind; /* of the set "reach" */
    const struct Node *node;
};
struct PowerFields {
    const char *down, *up, *status;
    const struct Node *node;
};
struct HostFields {
    const char *name, *address, *host_key, *machine_id, *zone;
    const struct ReachFields *reach;
    const struct PowerFields *power;
    const struct Node *node;
};
struct ServiceFields {
    const char *pidfile, *start, *stop;
    int restart; /* 1: never */
};
struct PodsFields {
    const char *context, *space, *selector;
    const struct Node *node;
};
struct RoleFields {
    const char *name;
    struct List hosts; /* of struct HostFields */
    const char *unit, *process, *args, *start, *container, *zone;
    const struct ServiceFields *service;
    const struct PodsFields *pods;
    const struct ReachFields *reach;
    const struct PowerFields *power;
    struct Chosen system; /* of the set "system" */
    const struct Node *node;
};
struct SecretFields {
    const char *name, *env, *file;
    struct List command; /* of const char * */
    const struct Node *node;
};
struct PassedInFields {
    const char *environment, *signed_by;
    int64_t within_ns, times;
    const struct Node *node;
};
struct ApprovalsFields {
    int64_t need, valid_ns;
    const char *from;
};
struct BlastRadiusFields {
    int64_t hosts, of_role;
};
struct KeepFields {
    const char *role;
    int64_t count;
    const struct Node *node;
};
struct ForbidFields {
    struct List hosts, faults, classes; /* of const char * */
    const struct Node *node;
};
struct GateFields {
    const struct PassedInFields *passed_in;
    const struct ApprovalsFields *approvals;
    const struct BlastRadiusFields *blast_radius;
    struct List keep_healthy; /* of struct KeepFields */
    int64_t longest_ns, per_day, wait_steady_ns;
    const struct ForbidFields *forbid;
    struct List windows, freeze; /* of const char * */
    struct List only_if;         /* of struct ProbeFields */
    const char *freeze_switch, *from_git;
    bool node_opt_in;
    const struct Node *node;
};
struct InventoryFields {
    struct List run; /* of const char * */
    const struct Node *node;
};
struct ReceiptsFields {
    const char *sign_with;
};
struct EnvironmentFields {
    const char *name, *needs, *timezone, *lock;
    bool is_protected;
    struct Chosen reach; /* `ssh:` and its like, for all hosts */
    const struct InventoryFields *inventory;
    struct List roles, endpoints, vars, secrets;
    const struct GateFields *gate;
    const struct ReceiptsFields *receipts;
    const struct PowerFields *power;
    const struct NotifyFields *notify;
    const struct SilenceFields *silence;
    const struct Node *node;
};

extern const struct Record ENVIRONMENT_RECORD;
extern const struct Record REACH_RECORD;                  /* struct ReachFields */
extern const struct Record GATE_RECORD, MORE_GATE_RECORD; /* struct GateFields */
extern const struct Record RECEIPTS_RECORD;               /* struct ReceiptsFields */
extern const struct Record SECRET_RECORD;                 /* struct SecretFields */
extern const struct Record INVENTORY_RECORD;              /* struct InventoryFields */
extern const struct Record POWER_RECORD;                  /* struct PowerFields */
extern const struct Record PODS_RECORD;                   /* struct PodsFields */

#endif

/* mariadb_system.h - what the files of mariadb share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_MARIADB_SYSTEM_H
#define FD_SYSTEMS_MARIADB_SYSTEM_H

#include "mariadb_access.h"

enum { MARIADB_HOSTS_MAX = 15 };

struct MariadbConfig {
    struct MariadbAccess access; /* first: the ledger looks for it there */
    const char *admin, *admin_password, *replication, *replication_password, *option_file;
};

struct Mariadb {
    const struct MariadbConfig *config;
    const struct Role *role;
    struct Asking asking;
    struct MariadbPool pool;
};

/* What one host says of itself. */
struct MariadbLook {
    bool refused;                                /* nobody listens there */
    bool says, shows;                            /* its variables came; its replication did */
    bool read_only, strict;                      /* strict: gtid_strict_mode */
    bool follows, runs;                          /* it is a replica; both of its threads run */
    char server[24], version[40], position[200]; /* the last is that of its binary log */
    char source[64];                             /* whom it follows */
    int64_t behind_s;                            /* -1: unknown */
    char error[200];
    bool semi_source, semi_replica, semi_on; /* semi-sync: wished for, taken part in, in effect */
    int64_t semi_timeout_ms, semi_clients, semi_fallbacks;
    bool durable, logs; /* flushes each commit; has a binary log */
};
/* The first member of each kind of question that looks at all hosts, or at one. */
struct MariadbAsk {
    struct Ask ask; /* first */
    struct Mariadb *system;
    struct MariadbLook hosts[MARIADB_HOSTS_MAX];
    size_t looking;
    bool (*then)(struct MariadbAsk *mine); /* all were looked at; true: it asks on. May be NULL */
};
void mariadb_look(struct MariadbAsk *mine, size_t host);
void mariadb_look_all(struct MariadbAsk *mine);
bool mariadb_leads(const struct MariadbLook *look); /* takes writes, and follows nobody */
/* The host that leads, or host_count: nobody, or nobody knows. Where several do, the one that most
 * of the others follow. */
size_t mariadb_primary(const struct MariadbAsk *mine, size_t *count);
size_t mariadb_host_at(const struct Mariadb *system, const char *address);

/* ---- by file: mariadb_ask.c, mariadb_whole.c, mariadb_prospect.c, mariadb_act.c,
 * mariadb_rejoin.c ---- */
void mariadb_ask_standing(void *system, const struct Target *host, struct Mono deadline,
                          StandingFn *done, void *data);
void mariadb_ask_control(void *system, struct Mono deadline, StandingFn *done, void *data);
void mariadb_find_primary(void *system, struct Mono deadline,
                          void (*done)(void *data, const char *address, uint16_t port), void *data);
void mariadb_ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data);
void mariadb_ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data);
void mariadb_failover(void *system, struct Mono deadline,
                      void (*done)(void *data, enum Known accepted, const char *why), void *data);
bool mariadb_plan_rejoin(const void *config, const struct PlanInput *input, struct Arena *arena,
                         struct Commands *out, struct Err *err);

#endif

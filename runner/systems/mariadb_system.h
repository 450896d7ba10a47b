/* mariadb_system.h - what the files of mariadb share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_MARIADB_SYSTEM_H
#define FD_SYSTEMS_MARIADB_SYSTEM_H

#include "mariadb_access.h"
#include "remote.h"

enum { MARIADB_HOSTS_MAX = 15 };

struct MariadbConfig {
    struct MariadbAccess access; /* first: the ledger looks for it there */
    const char *admin, *admin_password, *config_file, *option_file;
};

struct Mariadb {
    const struct MariadbConfig *config;
    const struct Role *role;
    struct Asking asking;
    struct MariadbPool pool;
    struct Remote *remote;
    char owes[300]; /* who does not follow the one that was promoted; or "" */
};

enum { MARIADB_POSITION_MAX = 1000 };
/* What one host says of itself. */
struct MariadbLook {
    bool says, shows; /* its variables came; its replication did */
    bool refused;     /* nobody listens there, or somebody on the way refuses, as a firewall does */
    char error[200];  /* it lives, and does not answer a question */
    bool read_only;   /* false: it takes writes */
    bool strict, logs_all; /* gtid_strict_mode; has a binary log, also of what it replicates */
    bool durable;          /* flushes each commit */
    char server[24], version[40];
    char log[MARIADB_POSITION_MAX];      /* gtid_binlog_state: all that it ever logged */
    char followed[MARIADB_POSITION_MAX]; /* gtid_slave_pos: what it had as a replica */
    size_t connections;                  /* whom it follows, by any name; of the first: */
    bool named, by_gtid, runs, applies;  /* runs: both of its threads do, connected */
    char source[64], received[MARIADB_POSITION_MAX], broken[200];
    int64_t source_port, behind_s;           /* -1: unknown */
    bool semi_source, semi_replica, semi_on; /* semi-sync: wished for, taken part in, in effect */
    bool semi_after_sync;                    /* it waits before others can read what it wrote */
    int64_t semi_timeout_ms, semi_clients, semi_fallbacks;
};
/* The first member of each kind of question that looks at all hosts, or at one. */
struct MariadbAsk {
    struct Ask ask; /* first */
    struct Mariadb *system;
    struct MariadbLook hosts[MARIADB_HOSTS_MAX];
    size_t looking;
    bool (*each)(struct MariadbAsk *mine, size_t host); /* a host has; false: enough. May be NULL */
    bool (*then)(struct MariadbAsk *mine); /* all were looked at; true: it asks on. May be NULL */
};
void *mariadb_ask_begin(struct Mariadb *system, size_t size, struct Mono deadline,
                        void (*finish)(struct Ask *ask));
void mariadb_look(struct MariadbAsk *mine, size_t host, struct Mono deadline);
void mariadb_look_all(struct MariadbAsk *mine, struct Mono deadline);
bool mariadb_answers(const struct MariadbLook *look);
bool mariadb_leads(const struct MariadbLook *look);   /* takes writes, and follows nobody */
bool mariadb_follows(const struct MariadbLook *look); /* takes none, and follows one */
/* The host that leads, of several the one that was a replica last; host_count: nobody, or nobody
 * knows which. `count` (may be NULL): how many do. */
size_t mariadb_primary(const struct MariadbAsk *mine, size_t *count);
/* Whom a host follows; host_count: none of the role. */
size_t mariadb_source(const struct MariadbAsk *mine, size_t host);

/* ---- mariadb_gtid.c: lists of DOMAIN-SERVER-NUMBER ---- */
/* Each transaction of `b` is among those that `a` and `more` (may be "") end with. Unknown where
 * one is no such list, or was cut off. */
enum Known gtid_covers(const char *a, const char *more, const char *b);
/* Whether a replica that had followed to `a` had followed further than one to `b`. */
enum Known gtid_later(const char *a, const char *b);
/* All that it has, applied or only received, is among what the other has. */
enum Known mariadb_covers(const struct MariadbLook *look, const struct MariadbLook *other);

/* ---- mariadb_act.c ---- */
/* Who of those that were looked at is promoted: who is wished for, or who has most; host_count:
 * nobody, and why: there could be two primaries, or what another replica alone has would be lost by
 * our choice. */
size_t mariadb_choose(const struct Role *role, const struct MariadbLook *hosts,
                      const struct FailoverWish *wish, char *why, size_t size);
void mariadb_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
                      void (*done)(void *data, enum Known accepted, const char *why), void *data);
/* ---- mariadb_follow.c: those that have no more than the new primary follow it; who does not is
 * `owes` ---- */
void mariadb_let_follow(struct Mariadb *system, size_t primary, const bool *followers);

/* ---- mariadb_runs.c: a host says itself, by its `reach:`, whether MariaDB runs there ---- */
void mariadb_ask_runs(struct Ask *ask, struct Mariadb *system, size_t host, AskFn *fn);
enum Known mariadb_runs(const struct Answer *answer);

/* ---- by file: mariadb_ask.c, mariadb_whole.c, mariadb_prospect.c, mariadb_rejoin.c ---- */
void mariadb_ask_standing(void *system, const struct Target *host, struct Mono deadline,
                          StandingFn *done, void *data);
void mariadb_ask_control(void *system, struct Mono deadline, StandingFn *done, void *data);
void mariadb_find_primary(void *system, struct Mono deadline,
                          void (*done)(void *data, const char *address, uint16_t port), void *data);
void mariadb_find_last(void *system, struct Mono deadline,
                       void (*done)(void *data, const struct Target *host, size_t primaries),
                       void *data);
void mariadb_ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data);
void mariadb_ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data);
bool mariadb_plan_rejoin(const void *config, const struct PlanInput *input, struct Arena *arena,
                         struct Commands *out, struct Err *err);
void mariadb_plan_ready(const void *config, const struct PlanInput *input, struct Arena *arena,
                        struct Commands *out);

#endif

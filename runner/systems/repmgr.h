/* repmgr.h - what the files of repmgr share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_REPMGR_H
#define FD_SYSTEMS_REPMGR_H

#include "postgres.h"

struct RepmgrConfig {
    struct PostgresConfig postgres; /* first */
    const char *file, *database;    /* repmgr.conf on the hosts; where its tables are */
};
struct Repmgr {
    struct Postgres postgres; /* first */
    const struct RepmgrConfig *config;
    char *dsn;                                         /* of repmgr's own database */
    struct PostgresClient *tables[POSTGRES_HOSTS_MAX]; /* NULL until the first use */
};

/* What repmgr's tables and memory on one host say; all zero where they gave no answer. */
struct RepmgrLook {
    bool answered;
    char error[120];
    bool runs, paused; /* repmgrd */
    char primary[300]; /* name and address of each active primary, with blanks between */
    size_t primary_count;
    char inactive[200]; /* names of nodes that are registered and not active */
    int64_t
        connect_timeout_s; /* the longest of all nodes; 0: one has none, and waits as TCP does */
    char version[24];      /* empty: not known */
};
void repmgr_take(struct RepmgrLook *look, const struct Answer *answer);
/* False: our side has no way to send it. */
bool repmgr_look_at(struct Ask *ask, struct Repmgr *system, size_t host, AskFn *fn);
/* The role's host that these tables have as the only primary, or host_count. */
size_t repmgr_primary(const struct Role *role, const struct RepmgrLook *look);
/* True, and what in `out`: the tables of this host name another primary than PostgreSQL has
 * (host_count: none), or none of the role. */
bool repmgr_differs(const struct Role *role, const struct RepmgrLook *look, size_t primary,
                    size_t host, char *out, size_t size);

/* The settings of repmgr.conf that decide a failover, as one host has them. */
struct RepmgrSettings {
    bool known;
    bool includes;             /* other files, which are not read: nothing of it is known */
    bool automatic, consensus; /* failover, primary_visibility_consensus */
    int64_t attempts, interval_s, monitor_s, rerun_s, priority;
};
void repmgr_read_settings(const char *text, struct RepmgrSettings *out);
extern const struct KnobTable repmgr_knobs;

/* Who of those that were looked at takes over in a planned switchover; host_count: nobody, and why.
 */
size_t repmgr_choose(const struct Role *role, const struct HostLook *hosts,
                     const struct FailoverWish *wish, char *why, size_t size);
/* Whether a host said that repmgr would switch over to it; else why not: nothing was begun. */
bool repmgr_is_ready(const struct Answer *answer, char *why, size_t size);
/* What a host's word of its switchover comes to. */
enum Known repmgr_switched(const struct Answer *answer, char *why, size_t size);

/* ---- by file: repmgr_ask.c, repmgr_prospect.c, repmgr_act.c ---- */
void repmgr_ask_control(void *system, struct Mono deadline, StandingFn *done, void *data);
void repmgr_ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data);
void repmgr_ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data);
void repmgr_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
                     void (*done)(void *data, enum Known accepted, const char *why), void *data);
bool repmgr_plan_rejoin(const void *config, const struct PlanInput *input, struct Arena *arena,
                        struct Commands *out, struct Err *err);

#endif

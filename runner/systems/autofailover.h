/* autofailover.h - what the files of pg_auto_failover share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_AUTOFAILOVER_H
#define FD_SYSTEMS_AUTOFAILOVER_H

#include "postgres.h"

struct AutofailoverConfig {
    struct PostgresConfig postgres; /* first */
    const char *monitor, *monitor_password, *formation;
    int64_t group;
    char monitor_host[256]; /* of its dsn */
    uint16_t monitor_port;
};
struct Autofailover {
    struct Postgres postgres; /* first */
    const struct AutofailoverConfig *config;
    struct PostgresClient *monitor;    /* NULL until the first use */
    const struct Target *first_leader; /* when the failure was first looked for; NULL = not yet */
};

/* A node as the monitor has it. */
struct MonitorNode {
    size_t host; /* of the role; host_count: none of them */
    char name[64], state[32], goal[32];
    int64_t health, priority; /* health: 1 good, 0 bad, -1 not looked at yet */
};
struct MonitorLook {
    bool answered;
    char error[160]; /* why not, in its own words */
    struct MonitorNode nodes[POSTGRES_HOSTS_MAX];
    size_t count;
};
void monitor_take(struct MonitorLook *look, const struct Role *role, const struct Answer *answer);
/* A statement to the monitor. False: our side has no way to send it. */
bool monitor_ask(struct Ask *ask, struct Autofailover *system, const struct PostgresQuery *query,
                 AskFn *fn);
/* The same, for all nodes of the role's formation and group. */
bool monitor_look_at(struct Ask *ask, struct Autofailover *system, AskFn *fn);
/* The role's host that leads, and is to, by these; host_count: none, or it is on its way. */
size_t monitor_leader(const struct MonitorLook *look, const struct Role *role);
bool monitor_leads(const char *state); /* it takes writes in it */

extern const struct KnobTable autofailover_knobs;

/* ---- by file: autofailover_ask.c, autofailover_prospect.c, autofailover_act.c ---- */
void autofailover_ask_control(void *system, struct Mono deadline, StandingFn *done, void *data);
void autofailover_ask_detected(void *system, struct Mono deadline,
                               void (*done)(void *data, enum Known detected), void *data);
void autofailover_ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done,
                                 void *data);
void autofailover_ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data);
void autofailover_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
                           void (*done)(void *data, enum Known accepted, const char *why),
                           void *data);
void autofailover_ask_fit(void *system, const struct Target *host, struct Mono deadline,
                          void (*done)(void *data, enum Known fit, const char *why), void *data);

#endif

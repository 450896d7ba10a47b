/* galera.h - what the files of galera share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_GALERA_H
#define FD_SYSTEMS_GALERA_H

#include "mariadb_access.h"

enum { GALERA_HOSTS_MAX = 15 };

struct GaleraConfig {
    struct MariadbAccess access; /* first: the ledger looks for it there */
};
struct Galera {
    const struct GaleraConfig *config;
    const struct Role *role;
    struct Asking asking;
    struct MariadbPool pool;
};

/* What one node says of itself. */
struct GaleraLook {
    bool refused; /* nobody listens there, or a firewall says so; not: unreachable */
    bool says;
    bool on, ready, primary, synced, desynced; /* primary: in the Primary component */
    bool joins;                                /* its start looks for the others */
    bool shut;                                 /* read_only or wsrep_reject_queries */
    int64_t size, index;                       /* of its view; its own place in it */
    char status[24], state[40];                /* as it says it: non-Primary; Joining */
    char cluster[40], view[24], node[40], version[40];
    char options[4000]; /* of the provider */
    char error[200];
};
/* The first member of each kind of question. */
struct GaleraAsk {
    struct Ask ask; /* first */
    struct Galera *system;
    struct GaleraLook hosts[GALERA_HOSTS_MAX];
};
void galera_look(struct GaleraAsk *mine, size_t host, AskFn *each); /* each may be NULL */
/* Whether a wsrep_cluster_address names somebody: one that names nobody begins a cluster of its own
 * at each start. */
bool galera_joins(const char *address);
bool galera_is_member(const struct GaleraLook *look); /* of the Primary component */
bool galera_serves(const struct GaleraLook *look);    /* and it takes writes */
/* The first node of the Primary component, or host_count: nobody says that it is. */
size_t galera_first(const struct GaleraAsk *mine, size_t *count);

void galera_ask_standing(void *system, const struct Target *host, struct Mono deadline,
                         StandingFn *done, void *data);
void galera_ask_control(void *system, struct Mono deadline, StandingFn *done, void *data);
void galera_find_primary(void *system, struct Mono deadline,
                         void (*done)(void *data, const char *address, uint16_t port), void *data);
void galera_ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data);
void galera_ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data);

#endif

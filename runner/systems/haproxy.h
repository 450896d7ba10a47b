/* haproxy.h - what the files of haproxy share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_HAPROXY_H
#define FD_SYSTEMS_HAPROXY_H

#include "../clients/http.h"
#include "../model/system.h"
#include "asking.h"
#include "remote.h"

enum { HAPROXY_HOSTS_MAX = 50, PROXIES_MAX = 15 };

struct HaproxyConfig {
    struct List stats;                       /* of const char * */
    struct List proxies;                     /* of const char * */
    const struct Target *hosts[PROXIES_MAX]; /* of `proxies`, bound */
    const char *backend, *user, *password, *config_file;
    int64_t inter_ns, fastinter_ns, check_ns; /* as people say, where there are no `proxies` */
};
struct Haproxy {
    const struct HaproxyConfig *config;
    const struct Role *role;
    struct HttpClient *http;
    struct Asking asking;
    struct Role proxies; /* the hosts of the proxies, for `remote` */
    struct Remote *remote;
    const struct Target *first; /* who took the traffic at the first look for a failure */
};

/* What one proxy has of one server. */
enum ServerState { SERVER_UNSEEN, SERVER_DOWN, SERVER_UP, SERVER_TAKES /* the traffic */ };
struct Server {
    enum ServerState state;
    char status[32], check[32];
    uint16_t port;
    int64_t rise, fall; /* -1: it does not say */
};
/* Reads a proxy's page; false where it is none, or has no such backend. */
bool haproxy_read(const struct Haproxy *system, const char *bytes, size_t size,
                  struct Server servers[HAPROXY_HOSTS_MAX]);

/* How a server is checked: the longest of all servers at all proxies. */
struct Checks {
    size_t read; /* proxies whose file said it; 0: nothing is known */
    int64_t inter_ns, fastinter_ns, check_ns;
    bool unread[PROXIES_MAX], differ;
};
/* ---- by file: haproxy_files.c, haproxy_ask.c ---- */
/* Asks for the file on each of `proxies`; where there are none, it is what people say, at once. */
void haproxy_ask_files(struct Haproxy *system, struct Ask *ask, AskFn *fn, struct Checks *checks);
void haproxy_take_file(struct Checks *checks, size_t proxy, const struct Answer *answer);
void haproxy_ask_standing(void *system, const struct Target *host, struct Mono deadline,
                          StandingFn *done, void *data);
void haproxy_ask_control(void *system, struct Mono deadline, StandingFn *done, void *data);
void haproxy_find_primary(void *system, struct Mono deadline,
                          void (*done)(void *data, const char *address, uint16_t port), void *data);
void haproxy_ask_detected(void *system, struct Mono deadline,
                          void (*done)(void *data, enum Known detected), void *data);
void haproxy_ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data);
void haproxy_ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data);

extern const struct KnobTable haproxy_knobs;

#endif

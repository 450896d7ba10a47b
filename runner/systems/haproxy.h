/* haproxy.h - what the files of haproxy share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_HAPROXY_H
#define FD_SYSTEMS_HAPROXY_H

#include "../clients/http.h"
#include "../model/system.h"
#include "asking.h"

enum { HAPROXY_HOSTS_MAX = 50, PROXIES_MAX = 15 };

struct HaproxyConfig {
    struct List stats; /* of const char * */
    const char *backend, *user, *password;
    int64_t inter_ns, fastinter_ns, check_ns;
};
struct Haproxy {
    const struct HaproxyConfig *config;
    const struct Role *role;
    struct HttpClient *http;
    struct Asking asking;
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

/* ---- by file: haproxy_ask.c ---- */
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

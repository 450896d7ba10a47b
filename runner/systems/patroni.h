/* patroni.h - what the files of patroni share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_PATRONI_H
#define FD_SYSTEMS_PATRONI_H

#include "../clients/http.h"
#include "../clients/json_find.h"
#include "../model/system.h"
#include "asking.h"
#include "postgres_access.h"

enum { PATRONI_HOSTS_MAX = 15 };

struct PatroniConfig {
    struct PostgresAccess access; /* first: the ledger looks for it there */
    int64_t port;
    bool tls;
    const char *rest_user, *rest_password;
};

struct Patroni {
    const struct PatroniConfig *config;
    const struct Role *role;
    struct HttpClient *http;
    struct Asking asking;
    char first_leader[64]; /* when the failure was first looked for; "" = not yet */
};

/* GET of a path of a host's REST API, or a POST where there is a body. */
struct PatroniRequest {
    const char *path, *body;
    struct Mono deadline;
};
void patroni_ask_host(struct Ask *ask, struct Patroni *system, size_t index,
                      const struct PatroniRequest *request, AskFn *fn);
void patroni_ask_hosts(struct Ask *ask, struct Patroni *system, const char *path, AskFn *fn);
/* The answer's JSON, or NULL; json_text_free() takes either. */
struct JsonText *patroni_json(const struct Answer *answer);
/* The text at a path, "" where there is none. */
void member_text(const struct JsonText *json, const char *path, char *out, size_t size);
int64_t member_number(const struct JsonText *json, const char *path, int64_t otherwise);
bool member_is_true(const struct JsonText *json, const char *path);
bool patroni_leads(const char *role); /* "master", "primary": it takes writes */
/* False where its PostgreSQL did not answer it: the role beside it is what it was or may be. */
bool patroni_knows(const char *state);
/* The role's host by the address under which a member is known, or host_count. */
size_t patroni_host_at(const struct Patroni *system, const char *address);

extern const struct KnobTable patroni_knobs;

/* ---- by file: patroni_ask.c, patroni_whole.c, patroni_prospect.c, patroni_act.c,
 * patroni_ledger.c ---- */
void patroni_ask_standing(void *system, const struct Target *host, struct Mono deadline,
                          StandingFn *done, void *data);
void patroni_ask_control(void *system, struct Mono deadline, StandingFn *done, void *data);
void patroni_find_primary(void *system, struct Mono deadline,
                          void (*done)(void *data, const char *address, uint16_t port), void *data);
void patroni_ask_detected(void *system, struct Mono deadline,
                          void (*done)(void *data, enum Known detected), void *data);
void patroni_ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data);
void patroni_ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data);
void patroni_ask_fit(void *system, const struct Target *host, struct Mono deadline,
                     void (*done)(void *data, enum Known fit, const char *why), void *data);
void patroni_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
                      void (*done)(void *data, enum Known accepted, const char *why), void *data);

#endif

/* etcd.h - what the files of etcd share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_ETCD_H
#define FD_SYSTEMS_ETCD_H

#include "../clients/http.h"
#include "../clients/json_find.h"
#include "elected.h"
#include "remote.h"

struct EtcdConfig {
    int64_t port, election_ns;
    bool tls;
    const char *key_prefix, *config_file; /* config_file "": election_ns is what people say */
};
/* What a member said of itself, to one question (roll_kept). */
struct EtcdMember {
    char id[24], leader[24], version[24], errors[80];
    int64_t index, applied;
    bool learner;
};
struct Etcd {
    struct Elected elected; /* first */
    const struct EtcdConfig *config;
    struct HttpClient *http;
    struct Remote *remote; /* for its file */
};

/* One call of etcd's JSON gateway: path "/v3/kv/put". */
struct EtcdRequest {
    const struct EtcdConfig *config;
    struct HttpClient *http;
    const char *address, *path, *body;
    uint16_t port;
    bool keep;
    struct Mono deadline;
};
struct Call *etcd_call(const struct EtcdRequest *request, CallDone *done, void *data);
/* Text at a path of a JSON answer, "" where there is none. */
void etcd_text(const struct JsonText *json, const char *path, char *out, size_t size);
int64_t etcd_number(const struct JsonText *json, const char *path, int64_t otherwise);

/* ---- by file: etcd_act.c, etcd_prospect.c, etcd_ledger.c ---- */
void etcd_ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data);
extern const struct KnobTable etcd_knobs;
void etcd_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
                   void (*done)(void *data, enum Known accepted, const char *why), void *data);
extern const struct LedgerKind etcd_ledger;

#endif

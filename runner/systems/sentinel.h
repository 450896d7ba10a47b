/* sentinel.h - what the files of redis_sentinel share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_SENTINEL_H
#define FD_SYSTEMS_SENTINEL_H

#include "../clients/redis.h"
#include "../model/system.h"

enum { SENTINELS_MAX = 15 };

struct SentinelConfig {
    const char *master;
    struct List sentinels; /* of const char *: hosts of the environment, or host:port */
    int64_t port, sentinel_port;
    const char *user, *password, *sentinel_password;
    bool tls;
    const char *key_prefix, *config_file;
    const struct Target
        *hosts[SENTINELS_MAX]; /* by sentinel; NULL: not a host of the environment */
};
/* Where the sentinel listens. `host` must hold 256 bytes. False: its text names no place. */
bool sentinel_endpoint(const struct SentinelConfig *config, size_t index, char host[256],
                       struct Endpoint *out);
void redis_endpoint(const void *config, const struct Target *host, struct Endpoint *out);

struct Sentinel {
    const struct SentinelConfig *config;
    const struct Role *role;
    struct Loop *loop;
    struct Line **hosts, **sentinels; /* opened by their first use; as many as there are */
    size_t sentinel_count;
    struct Question *questions;
    struct Part *orphans; /* calls whose question has ended: kept, so that their connections are */
    int64_t first_epoch;  /* config-epoch when the failure was first looked for; -1 = not yet */
};

/* One question: several commands to several servers at once, and one end. A kind of question has a
 * struct of its own with this first. Freed after finish. */
struct Question {
    struct Sentinel *system;
    struct Question *next;
    struct Part *parts;
    struct Timer *timer;
    bool (*after)(struct Question *question); /* when the timer fires */
    struct Mono asked, deadline;
    size_t waiting; /* parts, and the timer */
    /* Nothing is waited for any more, or a part knew enough: says what came of it. */
    void (*finish)(struct Question *question);
};
/* False: enough is known. May ask and wait for more. */
typedef bool PartFn(struct Question *question, size_t index, const struct Answer *answer);

void *question_begin(struct Sentinel *system, size_t size, struct Mono deadline,
                     void (*finish)(struct Question *question));
/* A command (words, NULL-ended) to a host of the role, to a sentinel, to all sentinels. */
void ask_host(struct Question *question, size_t index, PartFn *fn, const char *const *words);
void ask_sentinel(struct Question *question, size_t index, PartFn *fn, const char *const *words);
void ask_sentinels(struct Question *question, PartFn *fn, const char *const *words);
/* `after` in so many nanoseconds, at the deadline at the latest. */
void question_wait(struct Question *question, int64_t ns, bool (*after)(struct Question *));
/* All that is asked at first was asked: where nobody could be, it ends soon. */
void question_go(struct Question *question);
void questions_cancel(struct Sentinel *system);
void lines_close(struct Line **lines, size_t count); /* after questions_cancel */

/* The index of the role's host with that address (port NULL: any); role->host_count: it is none. */
size_t sentinel_host_at(const struct Sentinel *system, const char *address, const char *port);
int64_t number_of(const char *text, int64_t otherwise); /* text may be NULL */

/* ---- by file: sentinel_ask.c, sentinel_whole.c, sentinel_prospect.c, sentinel_act.c,
 * sentinel_rejoin.c ---- */
void sentinel_ask_standing(void *system, const struct Target *host, struct Mono deadline,
                           StandingFn *done, void *data);
void sentinel_ask_control(void *system, struct Mono deadline, StandingFn *done, void *data);
void sentinel_find_primary(void *system, struct Mono deadline,
                           void (*done)(void *data, const char *address, uint16_t port),
                           void *data);
void sentinel_ask_detected(void *system, struct Mono deadline,
                           void (*done)(void *data, enum Known detected), void *data);
void sentinel_ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data);
void sentinel_ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data);
void sentinel_failover(void *system, struct Mono deadline,
                       void (*done)(void *data, enum Known accepted, const char *why), void *data);
void sentinel_snapshot(void *system, const struct Target *host, struct Mono deadline,
                       void (*done)(void *data, enum Known saved, const char *why), void *data);
bool sentinel_plan_rejoin(const void *config, const struct PlanInput *input, struct Arena *arena,
                          struct Commands *out, struct Err *err);
extern const struct LedgerKind redis_ledger;

#endif

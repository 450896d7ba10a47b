/* redis_system.h - what the systems share that are made of Redis. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_REDIS_SYSTEM_H
#define FD_SYSTEMS_REDIS_SYSTEM_H

#include "../clients/redis.h"
#include "../model/system.h"
#include "../schema/decode.h"
#include "remote.h"

/* The first member of the config of each. */
struct RedisAccess {
    int64_t port;
    const char *user, *password;
    bool tls;
    const char *key_prefix, *config_file;
    char
        tag[16]; /* "{7}" in front of a ledger's keys: the slot that they fall into; "" elsewhere */
};
#define REDIS_ACCESS_FIELDS /* rows of its table */                                                \
    {.name = "port",                                                                               \
     .type = FIELD_INT,                                                                            \
     .offset = offsetof(struct RedisAccess, port),                                                 \
     .fallback = "6379",                                                                           \
     .min = 1,                                                                                     \
     .max = 65535,                                                                                 \
     .example = "6379",                                                                            \
     .doc = "The port of Redis on the role's hosts."},                                             \
        {.name = "user",                                                                           \
         .type = FIELD_TEXT,                                                                       \
         .offset = offsetof(struct RedisAccess, user),                                             \
         .example = "drill",                                                                       \
         .doc = "The user to log in as, where Redis has ACLs."},                                   \
        {.name = "password",                                                                       \
         .type = FIELD_TEXT,                                                                       \
         .offset = offsetof(struct RedisAccess, password),                                         \
         .flags = FIELD_SECRET,                                                                    \
         .example = "\"${secret.redis}\"",                                                         \
         .doc = "The password of Redis."},                                                         \
        {.name = "tls",                                                                            \
         .type = FIELD_BOOL,                                                                       \
         .offset = offsetof(struct RedisAccess, tls),                                              \
         .fallback = "false",                                                                      \
         .example = "true",                                                                        \
         .doc = "Redis and Sentinels speak TLS."},                                                 \
        {.name = "key_prefix",                                                                     \
         .type = FIELD_TEXT,                                                                       \
         .offset = offsetof(struct RedisAccess, key_prefix),                                       \
         .fallback = "\"faildrill:\"",                                                             \
         .example = "\"drill:\"",                                                                  \
         .doc = "What the keys of ledgers begin with."},                                           \
    {                                                                                              \
        .name = "config", .type = FIELD_TEXT, .offset = offsetof(struct RedisAccess, config_file), \
        .fallback = "/etc/redis/redis.conf", .example = "/etc/redis/6379.conf",                    \
        .doc = "The file on the hosts that Redis is started with; a former primary finds the new " \
               "one "                                                                              \
               "in it."                                                                            \
    }
void redis_access_check(const struct RedisAccess *access, const struct Node *node,
                        struct Decode *decode);
void redis_endpoint(const void *config, const struct Target *host, struct Endpoint *out);

/* The first member of each system's own. */
struct RedisSystem {
    const struct RedisAccess *access;
    const struct Role *role;
    struct Loop *loop;
    struct Line **hosts; /* opened by their first use; as many as the role has */
    struct Question *questions;
    struct Part *orphans; /* calls whose question has ended: kept, so that their connections are */
};
void *redis_system_new(size_t size, const void *config, const struct Role *role, struct Loop *loop);
/* Fit a SystemKind as they are; close for systems without other servers than the hosts. */
void redis_system_cancel(void *system);
void redis_system_close(void *system);
/* The index of the role's host with that address (port NULL: any); role->host_count: it is none. */
size_t redis_host_at(const struct RedisSystem *system, const char *address, const char *port);

/* One question: several commands to several servers at once, and one end. A kind of question has a
 * struct of its own with this first. Freed after finish. */
struct Question {
    struct RedisSystem *system;
    struct Question *next;
    struct Part *parts;
    struct Timer *timer;
    bool (*after)(struct Question *question); /* when the timer fires */
    struct Mono asked, deadline;
    size_t waiting; /* parts, and the timer */
    bool lasts;     /* ends with the system alone: what it does must not be left half done */
    /* Nothing is waited for any more, or a part knew enough: says what came of it. */
    void (*finish)(struct Question *question);
};
/* False: enough is known. May ask and wait for more. */
typedef bool PartFn(struct Question *question, size_t index, const struct Answer *answer);
struct PartOf {
    PartFn *fn;
    size_t index;
};
void *question_begin(struct RedisSystem *system, size_t size, struct Mono deadline,
                     void (*finish)(struct Question *question));
/* A command (words, NULL-ended) to a host of the role, to all of them, over a line of one's own. */
void ask_host(struct Question *question, size_t index, PartFn *fn, const char *const *words);
void ask_hosts(struct Question *question, PartFn *fn, const char *const *words);
void ask_line(struct Question *question, struct Line **place, const struct Endpoint *at,
              const struct PartOf *part, const char *const *words);
/* A command on a host of the role, by its `reach:`. */
void ask_remote(struct Question *question, struct Remote *remote, const struct PartOf *of,
                const char *const *argv, struct Mono deadline);
/* `after` in so many nanoseconds, at the deadline at the latest. */
void question_wait(struct Question *question, int64_t ns, bool (*after)(struct Question *));
/* All that is asked at first was asked: where nobody could be, it ends soon. */
void question_go(struct Question *question);
void questions_cancel(struct RedisSystem *system);      /* but those that last */
void questions_end(struct RedisSystem *system);         /* all of them */
void lines_close(struct Line **lines, size_t count);    /* after questions_end */
int64_t number_of(const char *text, int64_t otherwise); /* text may be NULL */

/* ---- redis_ask.c: fit a SystemKind as they are ---- */
void redis_ask_standing(void *system, const struct Target *host, struct Mono deadline,
                        StandingFn *done, void *data);
void redis_snapshot(void *system, const struct Target *host, struct Mono deadline,
                    void (*done)(void *data, enum Known saved, const char *why), void *data);
/* A question that ends in yes, no or unknown, and why. */
struct ActQuestion {
    struct Question question; /* first */
    bool sent;
    size_t host;
    enum Known answer;
    char why[200];
    void (*done)(void *data, enum Known answer, const char *why);
    void *data;
};
struct ActQuestion *act_begin(struct RedisSystem *system, size_t size, struct Mono deadline,
                              void (*done)(void *data, enum Known answer, const char *why),
                              void *data);
bool act_say(struct ActQuestion *mine, enum Known answer, const char *why); /* always false */

/* How a client that asks one server after the other finds the primary; one that is silent is not
 * waited for, and the first that knows is believed. */
struct FindQuestion {
    struct Question question; /* first */
    size_t next;              /* server to ask */
    char address[64];         /* "": nobody said */
    uint16_t port;
    void (*ask_next)(struct FindQuestion *mine); /* the one at `next`, and counts it on */
    size_t count;                                /* of servers */
    void (*done)(void *data, const char *address, uint16_t port);
    void *data;
};
void find_go(struct FindQuestion *mine);
struct FindQuestion *find_begin(struct RedisSystem *system, struct Mono deadline,
                                void (*done)(void *data, const char *address, uint16_t port),
                                void *data);
void find_at_next(struct FindQuestion *mine);

extern const struct LedgerKind redis_ledger;

#endif

/* postgres.h - what the files of postgres share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_POSTGRES_H
#define FD_SYSTEMS_POSTGRES_H

#include <stddef.h>

#include "../model/system.h"
#include "asking.h"
#include "postgres_access.h"
#include "remote.h"

enum { POSTGRES_HOSTS_MAX = 15 };

struct PostgresConfig {
    struct PostgresAccess access; /* first: the ledger looks for it there */
    bool proxy;
    const char *config_file, *rewind;
};

/* For a config with a PostgresConfig first. */
#define POSTGRES_ACCESS_FIELDS                                                                     \
    {.name = "dsn",                                                                                \
     .type = FIELD_TEXT,                                                                           \
     .offset = offsetof(struct PostgresConfig, access.dsn),                                        \
     .flags = FIELD_REQUIRED,                                                                      \
     .example = "\"postgresql://drill@pg-1.staging.example.net/shop\"",                            \
     .doc = "How clients connect: user, database and options; its host is replaced by whichever "  \
            "host of the role takes writes, as libpq does with several hosts."},                   \
        {.name = "password",                                                                       \
         .type = FIELD_TEXT,                                                                       \
         .offset = offsetof(struct PostgresConfig, access.password),                               \
         .flags = FIELD_SECRET,                                                                    \
         .example = "\"${secret.db}\"",                                                            \
         .doc = "The password of the DSN's user."},                                                \
        {.name = "proxy",                                                                          \
         .type = FIELD_BOOL,                                                                       \
         .offset = offsetof(struct PostgresConfig, proxy),                                         \
         .fallback = "false",                                                                      \
         .example = "true",                                                                        \
         .doc = "The DSN's host is a proxy or a floating address, and clients go there."},         \
        {.name = "db_port",                                                                        \
         .type = FIELD_INT,                                                                        \
         .offset = offsetof(struct PostgresConfig, access.db_port),                                \
         .fallback = "5432",                                                                       \
         .min = 1,                                                                                 \
         .max = 65535,                                                                             \
         .example = "5432",                                                                        \
         .doc = "The port of PostgreSQL on the role's hosts."},                                    \
    {                                                                                              \
        .name = "ledger_table", .type = FIELD_TEXT,                                                \
        .offset = offsetof(struct PostgresConfig, access.ledger_table),                            \
        .fallback = "faildrill_ledger", .example = "drill.ledger",                                 \
        .doc =                                                                                     \
            "The table of ledgers; made by the first write where it is missing, a run's rows are " \
            "deleted at its end."                                                                  \
    }
#define POSTGRES_REWIND_FIELDS                                                                     \
    {.name = "config",                                                                             \
     .type = FIELD_TEXT,                                                                           \
     .offset = offsetof(struct PostgresConfig, config_file),                                       \
     .fallback = "/etc/postgresql/15/main/postgresql.conf",                                        \
     .example = "/var/lib/pgsql/data/postgresql.conf",                                             \
     .doc = "The file on the hosts that PostgreSQL is started with; it says where the data is."},  \
    {                                                                                              \
        .name = "rewind", .type = FIELD_TEXT, .offset = offsetof(struct PostgresConfig, rewind),   \
        .fallback = "\"user=postgres dbname=postgres\"",                                           \
        .example = "\"user=rewinder dbname=postgres\"",                                            \
        .doc = "How a former primary asks the others who leads, and logs in for pg_rewind, in "    \
               "libpq's words; a password stands in the host's own .pgpass. Other than a "         \
               "superuser it "                                                                     \
               "needs pg_wal_replay_resume, and what pg_rewind needs."                             \
    }

struct Postgres {
    const struct PostgresConfig *config;
    const struct Role *role;
    struct Asking asking;
    struct Remote *remote;
    struct PostgresClient *lines[POSTGRES_HOSTS_MAX]; /* NULL until the first use */
    bool opens_late; /* who is promoted is read-only at first, and leads once it takes writes */
};

/* What one host says of itself; all zero where it did not answer. */
struct HostLook {
    bool answered;
    bool refused;    /* nobody listens there, or somebody on the way refuses, as a firewall does */
    char error[120]; /* it lives, and answers no question */
    bool replica, writable;
    int64_t timeline, location; /* of the log: written, or received */
    char identity[24];          /* of the whole system */
    char streams[400];          /* addresses that stream from it, with blanks between */
    int64_t in_sync;            /* of those, how many a commit may wait for */
    char waits_for[80];         /* synchronous_standby_names */
    char commit[16];            /* synchronous_commit */
    char version[24];
    bool rewinds;  /* pg_rewind can bring it back */
    bool promotes; /* our user may */
    bool sees;     /* our user sees who streams */
    bool paused;   /* its replay is */
    bool receives; /* it streams from somebody */
};
/* One question to one host or all; a kind of question has a struct of its own with this first. */
struct Look {
    struct Ask ask; /* first */
    struct Postgres *system;
    struct HostLook hosts[POSTGRES_HOSTS_MAX];
    size_t over; /* hosts that answered, or will not */
    /* A host has answered or will not. False: enough is known. May be NULL. */
    bool (*more)(struct Look *look, size_t host);
};
void *look_begin(struct Postgres *system, size_t size, struct Mono deadline,
                 void (*finish)(struct Ask *ask));
void look_at_host(struct Look *look, size_t host, struct Mono deadline);
void look_at_all(struct Look *look, struct Mono deadline);
/* A statement of another kind to a host. False: our side has no way to send it. */
bool look_send(struct Look *look, size_t host, const char *text, AskFn *fn);
/* The primary of the highest timeline; host_count: none, or two of the same. */
size_t look_primary(const struct Look *look);
/* How many say that they are. */
size_t look_primaries(const struct Look *look);
/* Who of those that were looked at is promoted: who is wished for, or who has most of the log;
 * host_count: nobody, and why: there could be two primaries, or what another replica alone has
 * would be lost by our choice. */
size_t postgres_choose(const struct Role *role, const struct HostLook *hosts,
                       const struct FailoverWish *wish, char *why, size_t size);

/* Asks a host whether PostgreSQL runs there, by its `reach:` and not by PostgreSQL's port: a
 * refused connection alone does not say that it is stopped. */
void postgres_ask_host(struct Ask *ask, struct Postgres *system, size_t host, AskFn *fn);
/* What came of it. Unknown where the host gave no answer. */
enum Known postgres_runs(const struct Answer *answer);

/* ---- for a system that is PostgreSQL failed over by somebody else ---- */

/* Of a config with a PostgresConfig first; of its file and login only where it has them. */
void postgres_check(const void *record, const struct Node *node, struct Decode *decode);
void postgres_front(const void *config, struct Endpoint *out);
/* Of a system with a Postgres first. False, with *err: the role has too many hosts. */
bool postgres_begin(struct Postgres *system, const struct PostgresConfig *config,
                    const struct Role *role, struct Loop *loop, struct Err *err);
void postgres_cancel(void *system);
void postgres_end(struct Postgres *system);

/* What redundancy is judged by; a system's own struct has it first. */
struct PostgresWhole {
    struct Look look; /* first */
    struct Redundancy redundancy;
    char lacks[300];  /* for sure; the first reason counts */
    char unseen[300]; /* what nobody can tell */
    RedundancyFn *done;
    void *data;
};
void postgres_judge_whole(struct PostgresWhole *whole);
void postgres_tell_whole(struct PostgresWhole *whole);

enum { POSTGRES_KNOBS_MAX = 18, POSTGRES_VALUE_MAX = 80 };
/* What a prospect is made of; a system's own struct has it first. */
struct PostgresOutlook {
    struct Look look; /* first */
    struct Knob knobs[POSTGRES_KNOBS_MAX];
    char values[POSTGRES_KNOBS_MAX][POSTGRES_VALUE_MAX];
    size_t knob_count;
    char not_ready[300], loss[200];
    int64_t cool_down_ns; /* as Prospect has it */
    ProspectFn *done;
    void *data;
};
void postgres_knob(struct PostgresOutlook *outlook, const char *name, const char *value);
/* The first trap counts. */
void postgres_trap(struct PostgresOutlook *outlook, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Hosts and primary, by their own word: traps, knobs, what can be lost. */
void postgres_judge(struct PostgresOutlook *outlook);
void postgres_tell(struct PostgresOutlook *outlook, struct Span failover, struct Span planned);

extern const struct KnobTable postgres_knobs; /* postgres_prospect.c */

/* ---- by file: postgres_look.c, postgres_prospect.c, postgres_act.c, postgres_rejoin.c ---- */
void postgres_ask_standing(void *system, const struct Target *host, struct Mono deadline,
                           StandingFn *done, void *data);
void postgres_ask_control(void *system, struct Mono deadline, StandingFn *done, void *data);
void postgres_find_primary(void *system, struct Mono deadline,
                           void (*done)(void *data, const char *address, uint16_t port),
                           void *data);
void postgres_find_last(void *system, struct Mono deadline,
                        void (*done)(void *data, const struct Target *host, size_t primaries),
                        void *data);
void postgres_ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data);
void postgres_ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data);
void postgres_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
                       void (*done)(void *data, enum Known accepted, const char *why), void *data);
bool postgres_plan_rejoin(const void *config, const struct PlanInput *input, struct Arena *arena,
                          struct Commands *out, struct Err *err);
/* For who has another that promotes of itself: one that was started as a primary is looked after
 * for so many seconds, and stopped where another leads. */
void postgres_plan_watched(const struct PostgresConfig *config, const struct PlanInput *input,
                           int watch_s, struct Arena *arena, struct Commands *out);
void postgres_plan_ready(const void *config, const struct PlanInput *input, struct Arena *arena,
                         struct Commands *out);

#endif

/* system.h - a database or service kind that knows who leads. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_SYSTEM_H
#define FD_MODEL_SYSTEM_H

#include "../io/loop.h"
#include "fault.h"
#include "knobs.h"
#include "ledger.h"

enum Rank { RANK_UNKNOWN, RANK_PRIMARY, RANK_REPLICA, RANK_OTHER };
struct Standing { /* one host, asked directly, never through a proxy */
    const struct Target
        *host; /* NULL from ask_control: an address that is none of the role's hosts */
    enum Rank rank;
    enum Known writable;
    char epoch[64], identity[64];
    char pid[16]; /* the server's, as it sees itself; "" where it does not say */
    struct Mono asked, answered;
};
struct Redundancy {
    uint32_t members, in_sync;
    int64_t lag_bytes;
    enum Known complete;
    const char *why;
};
/* What the state of a primary's disk means for killing it (DESIGN.md 12.2). */
enum Persistence {
    PERSIST_UNKNOWN,
    PERSIST_ALL /* AOF */,
    PERSIST_SNAPSHOT /* RDB only */,
    PERSIST_NONE
};
struct Prospect { /* what the configuration as read now promises; borrowed for the call */
    const struct Knob *knobs;
    size_t knob_count;
    struct Span failover;    /* expected range; computed, printed beside what was measured */
    struct Span planned;     /* of one that is asked for; high 0: as the other */
    struct Span handover;    /* of one that is asked of a primary that runs; high 0: as `planned` */
    const char *no_handover; /* why a primary that runs cannot be asked for that; NULL: it can */
    int64_t
        cool_down_ns; /* > 0: no failover will start before; the drill is refused and says when */
    const char *not_ready;        /* NULL, or the trap (FAILOVER.md B.11) in a sentence */
    enum Persistence persistence; /* of the present primary */
    int64_t keys_at_risk; /* PERSIST_SNAPSHOT, PERSIST_NONE: changes since the last snapshot, or all
                             keys; -1 unknown */
    const char *durable;  /* "AOF", "WAL": what a killed primary comes back with; NULL unknown */
    const char *loss;     /* "loss possible: min-replicas-to-write 0", or NULL */
    size_t voters; /* needs_majority: how many are counted, the role's hosts or not; 0 unknown */
    const char *no_return; /* why a primary that was killed or cut off may stay out; or NULL */
};
typedef void StandingFn(void *data, const struct Standing *standing);
typedef void RedundancyFn(void *data, const struct Redundancy *redundancy);
typedef void ProspectFn(void *data, const struct Prospect *prospect);

/* What a `failover` step asks for beyond "another primary". */
struct FailoverWish {
    const struct Target *to; /* NULL: whoever the system takes */
    bool forced;             /* also where acknowledged writes may be lost by it */
};

/* Asynchronous on the loop it was opened on (conductor; the `primary` probe opens one of its own on
 * the prober's). Every question ends once, in its done function, with an answer or with unknown; at
 * most one question of a kind and host at a time. One file a kind, in systems/. */
struct SystemKind {
    const char *name, *summary; /* the key under a role: "redis_sentinel" */
    struct Record config;
    /* Called once after decoding: host names in `config` become hosts. `find` gives NULL for a name
     * that is no host of the environment. May be NULL. */
    void (*bind)(void *config, const struct Target *(*find)(void *data, const char *name),
                 void *data);
    void *(*open)(const void *config, const struct Role *role, struct Loop *loop, struct Err *err);
    void (*ask_standing)(void *system, const struct Target *host, struct Mono deadline,
                         StandingFn *done, void *data);
    /* Who leads by the control plane's word: RANK_PRIMARY with the host, or unknown. NULL = it has
     * none. */
    void (*ask_control)(void *system, struct Mono deadline, StandingFn *done, void *data);
    void (*ask_redundancy)(void *system, struct Mono deadline, RedundancyFn *done, void *data);
    void (*ask_prospect)(void *system, struct Mono deadline, ProspectFn *done, void *data);
    /* First sight of the failure by the control plane since it was last called or opened (+sdown,
     * +odown): KNOWN_YES once detected. NULL = it has none. */
    void (*ask_detected)(void *system, struct Mono deadline,
                         void (*done)(void *data, enum Known detected), void *data);
    bool acts_on_hosts; /* failover is a command of ours on hosts of the role, whichever; else some
                           coordinator or the primary itself moves it */
    bool unwatched; /* only a step of ours or a person promotes, and nobody demotes: two primaries
                       stay two */
    bool never_demotes;  /* others promote by themselves, and nobody demotes who led: one that runs
                            and is hidden from them becomes the second of two */
    bool needs_majority; /* without one it stops, and a plain start of those that are away does not
                            begin it again: no drill takes so many away */
    /* Why a failover takes no host that is to lead, and why who led cannot be made primary again by
     * a planned one: sentence parts. NULL = it does, it can. */
    const char *takes_no_host, *never_back;
    /* Asynchronous trigger of a failover: accepted = the control plane said yes. NULL where it has
     * none. `to` is looked at right before: who does not follow the primary is refused. */
    void (*failover)(void *system, const struct FailoverWish *wish, struct Mono deadline,
                     void (*done)(void *data, enum Known accepted, const char *why), void *data);
    /* Whether this host could be made primary by a planned failover now; `why` of KNOWN_NO is a
     * sentence part. NULL = who follows can. */
    void (*ask_fit)(void *system, const struct Target *host, struct Mono deadline,
                    void (*done)(void *data, enum Known fit, const char *why), void *data);
    /* A snapshot before a kill (BGSAVE), done when the system says it is on disk. NULL = it has
     * none. */
    void (*snapshot)(void *system, const struct Target *host, struct Mono deadline,
                     void (*done)(void *data, enum Known saved, const char *why), void *data);
    /* Pure. How a former primary is started so that it comes back as a replica; stands in place of
     * "start the service" in every undo and guard. NULL = plain start is safe. */
    bool (*plan_rejoin)(const void *config, const struct PlanInput *input, struct Arena *arena,
                        struct Commands *out, struct Err *err);
    /* Pure. Looks that must succeed on a host before its service is stopped, for the rejoin to be
     * of use afterwards; they change nothing. NULL = there are none. */
    void (*plan_ready)(const void *config, const struct PlanInput *input, struct Arena *arena,
                       struct Commands *out);
    /* Pure. Whether a former primary comes back without leading again: by plan_rejoin, else by its
     * service's plain start; or (by_boot) as the boot of its machine starts it. NULL = it does: its
     * coordinator, or the server itself, sees to it. Where it does not, no fault takes the primary
     * away that would start it again (DESIGN.md 12.2). */
    bool (*returns_safely)(const void *config, bool by_boot);
    /* What a plain start makes of a primary, where that is no second one and yet nobody mends it: a
     * sentence part. A kill that somebody may revive is refused then, and the rejoin is also for
     * one that runs. NULL = maybe a second one. */
    const char *left_as;
    /* A command whose answer proves a write path, for client-like finding of the primary: host and
     * port where a client would connect now; used by ledgers and probes. Ends with numeric address
     * or unknown. */
    void (*find_primary)(void *system, struct Mono deadline,
                         void (*done)(void *data, const char *address, uint16_t port), void *data);
    /* Who decides what is lost where several take writes: the primary that was promoted last, and
     * how many say that they are one; host NULL: none, or nobody knows which. Leaves time to read
     * from it before the deadline. NULL = whom find_primary finds. */
    void (*find_last)(void *system, struct Mono deadline,
                      void (*done)(void *data, const struct Target *host, size_t primaries),
                      void *data);
    /* How a client connects to one of its hosts: address, port, TLS, user, secret. Borrowed from
     * config and host. */
    void (*endpoint)(const void *config, const struct Target *host, struct Endpoint *out);
    /* Where clients connect whoever leads: a proxy, a floating address. host NULL: there is none,
     * as where this is NULL; then find_primary says where. */
    void (*front)(const void *config, struct Endpoint *out);
    const struct KnobTable *knobs;   /* which of them decide a failover; NULL = nobody knows */
    const struct LedgerKind *ledger; /* NULL = it takes no numbered writes */
    void (*cancel)(void *system); /* forgets all open questions: no done function comes after it */
    void (*close)(void *system);
};

#endif

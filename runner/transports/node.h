/* node.h - what faildrill does on a host: facts, lock, guard, fence, undo, scan. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TRANSPORTS_NODE_H
#define FD_TRANSPORTS_NODE_H

#include "../model/fault.h"
#include "../model/transport.h"

/* Worker threads: everything here blocks, at most until its deadline + 250 ms, and needs neither
 * store nor scenario. A HostNode belongs to one thread. All scripts are constant texts (node.sh),
 * sent on stdin; values go before them as quoted assignments.
 *
 * On the host, all of it on tmpfs, root, 0700, and gone when nothing is left:
 *   /run/faildrill/undo           sh script for people: ends every fault here, without us
 *   /run/faildrill/lock/          mkdir is the lock: token, who, boot_id, deadline (uptime)
 *   /run/faildrill/TOKEN_N/       one fault: procedure parts, guard, armed, lease, cap, fence
 *                                 (flock), tomb, halt, saved state, log
 *   /run/motd.d/faildrill         login banner while a fault is armed */
struct HostNode;

/* Opens a session and asks who we are there (uid, or sudo -n). NULL on failure. */
struct HostNode *node_open(const struct Target *target, struct Mono deadline, struct Err *err);
void node_close(struct HostNode *node); /* accepts NULL; never waits */
const struct Target *node_target(const struct HostNode *node);

/* Read-only. `role` may be NULL. False only where the host did not answer: what it lacks is in
 * facts->missing. */
bool node_facts(struct HostNode *node, const struct Role *role, struct Mono deadline,
                struct Arena *arena, struct HostFacts *out, struct Err *err) MUST_CHECK;

/* Read-only. The pods of a cluster, in order of their names; in the arena. Asked of a node on this
 * machine. */
struct PodRow {
    const char *name, *uid, *address; /* address "-": it has none yet */
};
bool pods_list(struct HostNode *node, const struct Pods *pods, struct Mono deadline,
               struct Arena *arena, struct List *out, struct Err *err) MUST_CHECK;

/* Read-only. KNOWN_YES: the role's service runs there (without one: the host answers). */
enum Known node_serves(struct HostNode *node, const struct Role *role, struct Mono deadline,
                       struct Err *err) MUST_CHECK;
/* Read-only. What a unit, or an executable's path or name, means now: fills all but its name. */
bool node_names(struct HostNode *node, struct Named *named, struct Mono deadline,
                struct Arena *arena, struct Err *err) MUST_CHECK;
/* Read-only too: fills netem, tun, no_delay and root_qdisc. */
bool node_delays(struct HostNode *node, struct Mono deadline, struct Arena *arena,
                 struct HostFacts *facts, struct Err *err) MUST_CHECK;

/* One run per host. ERR_LOCKED names the holder and since when. Taking it again with the same token
 * succeeds. A lock is stale where its boot_id is another, or its deadline passed and no TOKEN_N is
 * left. */
struct NodeLock {
    const struct Token *token;
    const char *who;    /* "ana@drillbox, lose_an_api_machine in staging" */
    int64_t longest_ns; /* when a holder that vanished may be set aside */
};
bool node_lock(struct HostNode *node, const struct NodeLock *lock, struct Mono deadline,
               struct Err *err) MUST_CHECK;
bool node_unlock(struct HostNode *node, const struct Token *token, struct Mono deadline,
                 struct Err *err) MUST_CHECK;

/* Proof that a guard lives on the host: its token, the hash of its undo and its deadline were read
 * back and its process is alive. In the arena. */
struct Guarded;
struct ArmInput {
    const struct Procedure *procedure;
    const struct Token *token;
    uint32_t number;
    const char *what; /* "isolate", for banner and syslog */
    const char *who;
    const char *allow; /* "production freeze": its host must say so too; NULL: not asked */
};
/* save, arm, read back. On failure nothing is armed, or what is left is named in *err and found by
 * scan. */
const struct Guarded *guard_arm(struct HostNode *node, const struct ArmInput *input,
                                struct Mono deadline, struct Arena *arena,
                                struct Err *err) MUST_CHECK;
/* The host's boot id as armed, to be stored beside the procedure for UndoInput. */
const char *guarded_boot_id(const struct Guarded *guarded);
struct GuardState {
    bool alive;      /* the guard's process was seen */
    bool renewed;    /* the lease was extended, and the kernel's timer with it */
    bool halt_asked; /* somebody put `halt` into the folder */
    bool undone;     /* undone without us, and all_clear said so: by the guard, or by hand */
    bool rebooted;   /* another boot id: the guard is gone, and so is all that a reboot clears */
    enum Known in_place; /* the look of this second, where asked for */
    char said[160];      /* what it said; of KNOWN_YES only what follows "note: " is for people */
};
struct Watch {
    bool renew; /* extend the lease, never past the cap */
    bool look;  /* look at in_place */
};
/* One round trip. */
bool guard_watch(struct HostNode *node, const struct Guarded *guarded, struct Watch watch,
                 struct Mono deadline, struct GuardState *out, struct Err *err) MUST_CHECK;

enum Effect {
    EFFECT_NONE,
    EFFECT_PROVEN,
    EFFECT_UNKNOWN /* the answer got lost: counts as present */
};
/* ready() starts the fenced script of apply and in_place, which waits for a line; fire() writes
 * that line and returns when in_place has spoken: *t0 = [line written, proof received]. Between
 * them any time may pass. The script refuses to act when a tombstone stands, the boot id changed,
 * or the deadline is near. */
struct Firing;
struct Firing *node_ready(struct HostNode *node, const struct Guarded *guarded,
                          struct Mono deadline, struct Err *err) MUST_CHECK;
enum Effect node_fire(struct Firing *firing, struct Mono deadline, struct Moment *t0,
                      struct Err *err) MUST_CHECK;
/* Frees it, fired or not; accepts NULL. Where its node was closed meanwhile it can no longer be
 * fired: EFFECT_NONE. */
void node_unready(struct Firing *firing);

/* The same for what takes the whole host, sent to the host itself, which carries nothing of ours:
 * the script waits for the line a minute, and does nothing in another boot than `boot_id`. *sent is
 * right before the line; the answer may never come, and a link that is lost is no answer. */
struct Firing *node_strike_ready(struct HostNode *node, const char *strike, const char *boot_id,
                                 const char *allow, struct Mono deadline,
                                 struct Err *err) MUST_CHECK;
#define STRIKE_WAITS_NS (60 * NS_PER_S)
/* EFFECT_NONE: it refused. EFFECT_PROVEN is never said here: the next boot is the proof. */
enum Effect node_strike(struct Firing *firing, struct Mono deadline, struct Mono *sent,
                        struct Err *err) MUST_CHECK;
/* Which boot the host is in now. */
bool node_boot_id(struct HostNode *node, char out[64], struct Mono deadline,
                  struct Err *err) MUST_CHECK;

/* Undo by record, needing nothing but the token: tombstone, undo, all_clear, each bounded. `undo`
 * and `all_clear` are the shell texts as stored; they are sent along, so that a host whose folder
 * is gone (reboot) can still be looked at. KNOWN_YES: all_clear said so, just now. KNOWN_NO: it is
 * still there. */
struct UndoInput {
    const struct Token *token;
    uint32_t number;
    const char *undo, *all_clear; /* commands_shell() texts; NULL: what lies on the host (scan) */
    const char *boot_id; /* as armed; another one now and a class other than S: look only */
    enum FaultClass ends_by;
    bool *other_boot; /* NULL, or where to say that the host is in another boot than `boot_id` */
    bool plain;       /* never injected (a crash between arming and injecting): still looked at */
};
enum Known node_undo(struct HostNode *node, const struct UndoInput *input, struct Mono deadline,
                     struct Moment *undone, struct Buf *detail, struct Err *err) MUST_CHECK;
/* As node_undo, but only looks; detail may be NULL. */
enum Known node_look(struct HostNode *node, const struct UndoInput *input, struct Mono deadline,
                     struct Buf *detail, struct Err *err);
/* Ends the guard and removes TOKEN_N; with the last one banner and undo script go too. Only after
 * KNOWN_YES. */
bool node_disarm(struct HostNode *node, const struct Token *token, uint32_t number,
                 struct Mono deadline, struct Err *err) MUST_CHECK;
/* `halt` from any machine: every guard on the host undoes at its next look; of this token, or of
 * all where it is NULL. */
bool node_halt(struct HostNode *node, const struct Token *token, struct Mono deadline,
               struct Err *err) MUST_CHECK;

/* Every trace of ours on the host, whoever left it: nft tables, chains and sets fd_*, units fd-*,
 * /run/faildrill/, bind mounts from there. struct Trace in the arena. */
struct Trace {
    const char *kind, *id, *what, *who;
};
#define TRACE_UNSEEN "unseen" /* a kind: `what` says what could not be looked at */
bool node_scan(struct HostNode *node, struct Mono deadline, struct Arena *arena,
               struct List *traces, struct Err *err) MUST_CHECK;

/* A second connection to the host, opened and closed: what may cut our link proves that it did not.
 */
bool node_reachable(const struct Target *target, struct Mono deadline, struct Err *err) MUST_CHECK;

/* Plain work of a `run:` step, as the login user: LANGUAGE.md rule 10. Output is cut at 64 KiB. The
 * caller frees both buffers of `out`. */
struct RunText {
    const char *script;
    const struct TextPair *variables;
    size_t variable_count;
};
struct RunResult {
    int status;
    struct Buf out, errors;
};
bool node_run(struct HostNode *node, const struct RunText *input, struct Mono deadline,
              struct RunResult *out, struct Err *err) MUST_CHECK;

/* A listening socket on 127.0.0.1 whose connections the host makes to its own address:port (probes
 * `from:` a host). One thread of its own pumps it until closed. */
struct Forward;
struct Forward *forward_open(const struct Target *from, const char *address, uint16_t port,
                             struct Mono deadline, uint16_t *local_port,
                             struct Err *err) MUST_CHECK;
void forward_close(struct Forward *forward);

/* The exact bytes that arming and firing send to the host, for `plan` (and their hash): what
 * node_ready's script runs. */
void node_plan_text(const struct ArmInput *input, struct Buf *out);

#endif

/* fault.h - a kind of fault: one file in faults/, pure: from a config to a Procedure. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_FAULT_H
#define FD_MODEL_FAULT_H

#include "procedure.h"

enum Reversal {
    REVERSAL_UNDO, /* undo puts back what apply changed */
    REVERSAL_SELF, /* ends by itself (restart, failover); all_clear says when */
    REVERSAL_NONE  /* stays; the scenario must say `accept_no_undo: true` */
};

/* What `plan` and preflight learn of a host before anything is decided; all read-only. In the
 * arena of whoever asked. */
struct HostFacts {
    const struct Target *host;
    struct Mono asked;
    const char *boot_id, *machine_id_hash;
    const char *peer;      /* our address as the host sees it; "" without ssh */
    bool root;             /* commands run as root (directly or by sudo -n) */
    bool systemd;          /* PID 1 is systemd and systemd-run is there */
    bool flock, nft;       /* nft: a throw-away table could be added and deleted */
    bool iptables;         /* asked without nft: throw-away chains and a set that empties itself */
    const char *no_filter; /* why neither works; "" where one does, NULL: not asked */
    const char *keepers;   /* who may save or reload rules of iptables, for people; "" = none */
    enum Known active;     /* the role's service runs */
    const char *main_pid;  /* decimal, "" where none */
    const char *restart;   /* systemd: Restart=; "" elsewhere */
    int64_t freezer;    /* the service has a control group of its own, which version 1 or 2 of the
                           freezer stops; 0: it has none that we may write to */
    bool engine_starts; /* the container's engine can start it again by its name; of a pod: it has a
                           controller, which makes another */
    bool pod_has_name;  /* of a pod: its controller makes another of the same name, with its disk */
    int64_t pods_ready; /* of a pod: how many that its role's selector finds are ready */
    const char *addresses; /* by which others know it: numeric, with blanks between */
    const char *missing;   /* NULL, or what the host lacks, with the line that mends it */
    const char *sudoers;   /* lines that make us root by sudo; NULL where we are */
    bool netem, tun; /* it can delay packets: by tc, by a TUN device and python3; see no_delay */
    const char *no_delay;   /* NULL, or why neither is known to work; not asked, not known */
    const char *root_qdisc; /* "tbf 8001: on eth0": not the kernel's own, not to be touched; "" */
    bool contained;         /* it shares its kernel: not in the first pid namespace */
    bool sysrq;             /* /proc/sysrq-trigger is the kernel's, and ours to write */
    int64_t panic_s;    /* kernel.panic: > 0 reboots by itself so long after a panic; -1 unknown */
    const char *traces; /* faildrill traces found, as "ID of WHO ID"; "" = none */
    const char *unseen; /* what could not be looked at for traces; "" = nothing */
    const char *no_allow; /* why its /etc/faildrill.allow allows nothing; NULL: it can be read */
    const char *allow_environments, *allow_kinds; /* words with blanks between */
    int64_t allow_longest_ns;
};

/* Of packets, as seen from the host with the fault. */
enum Direction { DIRECTION_IN = 1, DIRECTION_OUT = 2, DIRECTION_BOTH = 3 };

/* `flap`: a network fault that comes and goes. */
struct Flap {
    int64_t bad_ns, good_ns; /* 0: it stays */
};

/* A host at the other end, and the numeric addresses by which it is known. */
struct Peer {
    const struct Target *host;
    const char *const *addresses;
    size_t address_count;
};

/* What a step's own `unit:` or `process:` is on a host. */
struct Named {
    const char *name;
    bool is_unit;
    const char *processes; /* of a `process:`: "PID:START PID:START"; "" = none */
    int64_t freezer;       /* as in HostFacts */
};

struct PlanInput {
    const struct Target *target;
    const struct Role *role;
    const struct Peer *peers; /* whom a network fault is about; none = everybody */
    size_t peer_count;
    struct Flap flap;
    bool cuts_link; /* our own ssh is not spared, and the cap alone ends it */
    const struct HostFacts *facts;
    const struct Token *token;
    uint32_t number; /* the fault's number in the run: traces carry TOKEN_NUMBER */
    int64_t hold_ns; /* `for`; -1 = until UNDOING */
    int64_t lease_ns, cap_ns;
    /* How a former primary is to be started again: in place of role->service start, in every undo.
     * Made by the system's plan_rejoin; empty = plain start is safe. */
    struct Commands rejoin;
    struct Commands ready;     /* looks before anything is armed: the rejoin can be of use */
    bool leave_stopped;        /* undo: {leave: stopped} */
    const struct Named *named; /* what the step's `unit:` or `process:` is; NULL = it has none */
    /* For kinds that take the machine: its provider's lines, ready to run here (NULL: none), and
     * every role that the host carries. */
    struct Power power;
    const struct Role *const *roles;
    size_t role_count;
};

/* What a step is that is no fault, but a request of the runner's own. */
struct PlainRequest {
    const char *url, *method, *body; /* body NULL = none */
    struct List headers;             /* of struct TextPair; a value may be a ${secret.NAME} */
    struct List status;              /* of const char *: the good ones; none = 200 to 299 */
    const char *contains;            /* what the body must contain, or NULL */
    const struct AwsSigv4 *signing;  /* or NULL */
};

struct FaultKind {
    const char *name, *summary; /* the step's word: "kill", "isolate" */
    enum Reversal reversal;
    bool may_cut_link; /* can cut our own way to the node: exempts FD_PEER and proves a second
                          connection */
    bool needs_service;
    bool on_pods;       /* knows roles that are pods */
    bool needs_filter;  /* nft, or iptables in its place */
    bool needs_delay;   /* asks for netem, tun and root_qdisc */
    bool partitions;    /* leaves a cut side, which may go on acknowledging writes */
    bool needs_power;   /* a power provider of the host */
    bool takes_machine; /* power_off, reboot: all that we have there dies with it (from_here) */
    bool stops_service; /* kill, stop: what the old primary does afterwards must be planned (rejoin)
                         */
    bool hangs_service; /* freeze: it keeps its sockets, and answers nobody */
    bool fills_late; /* its scripts stand as whole words of its commands: captures can be filled in
                        when it is armed */
    struct Record
        config; /* the step's own keys; FIELD_SUBJECT is the target (struct name "target") */
    /* Where the step is plain work of ours (`fault: false`): the request that we send; NULL = it is
     * a script for a host. */
    const struct PlainRequest *(*plain)(const void *config, struct Arena *arena);
    /* Pure: no I/O, no clock, no state. */
    bool (*plan)(const void *config, const struct PlanInput *input, struct Arena *arena,
                 struct Procedure *out, struct Err *err);
};
/* What a kind cannot forget: UNDO needs undo, in_place and all_clear; every kind a lease or a cap.
 */
bool procedure_check(const struct FaultKind *kind, const struct Procedure *procedure,
                     struct Err *err) MUST_CHECK;

#endif

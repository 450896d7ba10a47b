/* procedure.h - what a fault will do on one host, as data: printed, compared, stored. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_PROCEDURE_H
#define FD_MODEL_PROCEDURE_H

#include "../base/buf.h"
#include "target.h"

/* One command on the host. argv words are quoted by us, never pasted. In every script that runs
 * them these variables are set, and a command of `sh -c TEXT` may use them:
 *   FD_DIR    the fault's own folder on the node, /run/faildrill/TOKEN_N (tmpfs, root, 0700)
 *   FD_ID     TOKEN_N
 *   FD_PEER   the runner's address as the node sees it (from SSH_CONNECTION); empty without ssh
 *   FD_PORT   the port of the sshd that we came through; empty without ssh
 *   FD_LEASE  seconds until the guard acts as armed now, whole (the element timeout of class K)
 * The folder they start in is FD_DIR, and `service` (transports/service.sh) lies there: `sh service
 * VERB ...` records, signals and starts a service. Standard input is /dev/null, output goes to the
 * fault's log; 9 is not open (the fence's descriptor never leaks into services). An exit status of
 * 124 or more (timeout, not found, signal) is no answer: neither "in place" nor "all clear". */
struct Command {
    const char *what;        /* for people: "drop packets from db-1" */
    const char *const *argv; /* NULL-ended */
    int64_t timeout_ns;
};
struct Commands { /* stop at their first failure (exit status other than 0) */
    const struct Command *at;
    size_t count;
};

/* What ends it: K P R S. */
enum FaultClass { CLASS_KERNEL, CLASS_PROCESS, CLASS_REBOOT, CLASS_STICKY };

/* Its bytes hold durations, never instants. In the run's arena. */
struct Procedure {
    struct Commands save; /* before arming: into FD_DIR what undo needs; no change */
    struct Commands apply;
    struct Commands undo;      /* right to run twice, and where apply ran by half or never */
    struct Commands in_place;  /* reads only: succeeds while the fault is there */
    struct Commands all_clear; /* reads only: succeeds when no trace is left */
    struct Commands renew;     /* class K: winds the kernel timer up to FD_LEASE */
    /* Of a fault that takes the whole machine (from_here): all of the above run on the runner's
     * machine, where the guard watches over it, for a guard on the host dies with it. These two run
     * on the host. */
    struct Commands strike;   /* as the last thing that it does: our link goes with it */
    struct Commands returned; /* reads only: succeeds when it does again what it did before */
    bool hangs;               /* struck, it does not boot by itself: undo switches it off and on */
    enum FaultClass ends_by;
    bool from_here;
    bool cuts_link;           /* no renewal possible: the cap alone ends it */
    bool ends_on_primary;     /* of what it changes something might stay where the primary moves */
    bool once;                /* in_place is a fact of the past (killed once): looked at once */
    int64_t lease_ns, cap_ns; /* cap = planned duration + grace */
    const char *beware;       /* what may disturb it on this host, for people; NULL = nothing */
    const char *stays;        /* what will stay changed, for people; NULL = nothing */
};

char fault_class_letter(enum FaultClass ends_by); /* K P R S */
/* The commands as one POSIX shell text, each line quoted, ending at the first failure with its
 * status. The same bytes are printed by `plan`, hashed, stored, and run. */
#define SHELL_TEXT_MAX (256 * 1024)
const char *commands_shell(const struct Commands *commands, struct Arena *arena);
/* SHA-256 over all parts and durations in order, as hex. */
void procedure_hash(const struct Procedure *procedure, char out[65]);
/* A word for POSIX sh: 'it'\''s'; plain words stay bare. False, with nothing added, for CR and LF,
 * which no word of ours may hold; text of several lines goes by shell_text, which allows them. */
bool shell_quote(struct Buf *out, const char *word) MUST_CHECK;
void shell_text(struct Buf *out, const char *text);

#endif

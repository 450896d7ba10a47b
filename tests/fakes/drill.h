/* drill.h - one fault on one space, step by step, for the tests of guard, fence and undo. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TESTS_DRILL_H
#define FD_TESTS_DRILL_H

#include "../../runner/model/fault.h"
#include "../../runner/transports/node.h"
#include "cut.h"

/* Kinds as the tests vary them. */
enum DrillKind {
    DRILL_ISOLATE,
    DRILL_KILL,
    DRILL_KILL_KEPT,
    DRILL_STOP,
    DRILL_FREEZE,
    DRILL_RESTART,
    DRILL_RUN,
    DRILL_DELAY,
    DRILL_CHAINS, /* isolate, where there is no nft */
    DRILL_KINDS
};
const char *drill_kind_name(enum DrillKind kind);

struct Drill {
    struct Space space;
    struct Target target; /* by the transport that cuts */
    struct HostNode *node;
    struct Arena *arena;
    struct Role role;
    struct HostFacts facts;
    struct Token token;
    const struct FaultKind *fault;
    struct Procedure procedure;
    struct ArmInput arm;
    const struct Guarded *guarded;
    struct Firing *firing;
    struct UndoInput undo;
    struct Moment t0, undone;
    struct Buf before; /* the fingerprint of the host as it was */
    struct Err err;
};
/* A host with a service that runs; skips the test where there are no namespaces. */
void drill_open(struct Drill *drill, enum DrillKind kind, int64_t lease_ns, int64_t cap_ns);
void drill_close(struct Drill *drill);
struct Mono drill_in(int seconds);

/* Takes the fingerprint of the host with its service as it is now. */
void drill_look(struct Drill *drill);
/* Each asserts that it succeeds. */
void drill_lock(struct Drill *drill);
void drill_arm(struct Drill *drill);
void drill_ready(struct Drill *drill); /* with its lease renewed */
void drill_fire(struct Drill *drill);  /* ready, fire, proven */
bool drill_fires(struct Drill *drill); /* the same, where its lease may run out meanwhile */
void drill_undo(struct Drill *drill);  /* undo, disarm, unlock */
/* Fails unless the host is as it was within `seconds`. */
void drill_is_clean(struct Drill *drill, int seconds);
/* in_place, by the folder's own script. */
bool drill_in_place(const struct Drill *drill);

#endif

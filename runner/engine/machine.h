/* machine.h - faults that take a whole host: plan, seat of their guard, return. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_ENGINE_MACHINE_H
#define FD_ENGINE_MACHINE_H

#include "../model/plan.h"
#include "../transports/node.h"

/* The host's provider and roles, for FaultKind.plan. */
bool machine_plan(const struct Plan *plan, const struct Target *host, struct PlanInput *input,
                  struct Err *err) MUST_CHECK;

/* Whether the runner itself stands there: the same boot of the same machine. */
bool machine_is_this(const struct HostFacts *facts);

/* A guard on the host would die with it, so it lives on the runner's machine, as who we are, in
 * STATE/watch/TOKEN. */
bool machine_root(const char *state, const struct Token *token, struct Arena *arena,
                  const char **out, struct Err *err) MUST_CHECK;
/* STATE/WHAT/NAME as an absolute path, or a sentence why scripts cannot lie there. */
bool machine_folder(const char *state, const char *what, const char *name, struct Arena *arena,
                    const char **out, struct Err *err) MUST_CHECK;
/* That machine as a host; every call makes one with a thread of its own in Hosts. */
const struct Target *machine_seat(const struct Kinds *kinds, const char *root, struct Arena *arena);

/* Worker threads. Whether the host is back: in another boot, or in the same where nothing can
 * strike it any more, and `returned` says that it does what it did. `locked`: with our lock, which
 * went with its memory. */
struct MachineLook {
    const struct Token *token;
    uint32_t number;
    const char *boot_id, *returned;
    bool may_strike;             /* the line that strikes it may still be under way */
    const struct NodeLock *lock; /* to be taken again; NULL: not ours to hold */
};
struct UndoInput machine_back(const struct Token *token, uint32_t number, const char *returned);
enum Known machine_look(struct HostNode *node, const struct MachineLook *look, struct Mono deadline,
                        struct Buf *detail, struct Err *err) MUST_CHECK;

#endif

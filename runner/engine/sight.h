/* sight.h - what the systems of the roles say, asked all through a run. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_ENGINE_SIGHT_H
#define FD_ENGINE_SIGHT_H

#include "../model/plan.h"

/* Conductor. Each role with a system is asked four times a second: who leads (by the control plane,
 * then by the host itself), whether the failure was detected, whether redundancy is whole. An
 * answer that does not come is unknown and changes nothing. Times are brackets: [asked when it was
 * not yet so, answered when it was]. */
struct Sight;
struct Sight *sight_open(const struct Plan *plan, struct Loop *loop, struct Arena *arena,
                         struct Err *err);
void sight_tick(struct Sight *sight, struct Mono now);
void sight_fault(struct Sight *sight, struct Mono sent); /* the first fault was sent */
void sight_undo(struct Sight *sight, struct Mono sent);  /* the last undo was sent */
bool sight_whole(
    const struct Sight *sight); /* every role that was whole in BASELINE is whole now */
bool sight_answered(
    const struct Sight *sight); /* every role was asked for redundancy at least once */
const char *sight_lacking(const struct Sight *sight); /* why not whole, for people; never NULL */
/* Who leads a role now, by the control plane and itself; NULL = unknown. */
const struct Target *sight_primary(const struct Sight *sight, const struct Role *role);
/* Who led last before the first fault; NULL = unknown. */
const struct Target *sight_before(const struct Sight *sight, const struct Role *role);
/* Who leads it is known, and all of its redundancy was there when it was asked last. */
bool sight_redundant(const struct Sight *sight, const struct Role *role);
/* Whether this host could be made primary now by a planned failover. */
void sight_fit(const struct Sight *sight, const struct Role *role, const struct Target *host,
               struct Mono deadline, void (*done)(void *data, enum Known fit, const char *why),
               void *data);
/* The role is being given back to who led before. What was seen of it by the drill stays as it is
 * from now on: who led after it, what moved, when redundancy was whole again. Of other roles only
 * the last stays. */
void sight_back(struct Sight *sight, const struct Role *role, struct Mono sent);
/* [asked when it was not yet so, answered when it was]; high 0 = not yet. */
struct CameBack {
    struct Moment leads, whole; /* it leads again since; redundancy is whole again */
    uint32_t lost_again;        /* how often another led in between, before it was whole */
};
bool sight_came_back(const struct Sight *sight, const struct Role *role, struct CameBack *out);
/* Another one leads than before the first fault. */
bool sight_failed_over(const struct Sight *sight, const struct Role *role);
/* Triggers a failover; accepted: KNOWN_YES. */
void sight_failover(struct Sight *sight, const struct Role *role, const struct FailoverWish *wish,
                    struct Mono deadline,
                    void (*done)(void *data, enum Known accepted, const char *why), void *data);
void sight_snapshot(struct Sight *sight, const struct Role *role, const struct Target *host,
                    struct Mono deadline,
                    void (*done)(void *data, enum Known saved, const char *why), void *data);
/* Ends the role's open questions: of a failover, what was not begun by now is not begun. Not from
 * within an answer of the role's. */
void sight_drop(struct Sight *sight, const struct Role *role);
/* Ranks of the role's hosts, asked anew; ranks has host_count entries and stays valid until done
 * was called. Who asks again before that ends the earlier question: its done no longer comes. */
void sight_ranks(struct Sight *sight, const struct Role *role, struct Mono deadline,
                 enum Rank *ranks, void (*done)(void *data), void *data);
size_t sight_count(const struct Sight *sight);
struct RunSystem sight_system(const struct Sight *sight,
                              size_t index); /* as stored; texts in the arena */
/* Every change of who leads since the first fault, of struct RunMove, in order of time. */
const struct List *sight_moves(const struct Sight *sight, size_t index);
void sight_close(struct Sight *sight); /* accepts NULL */

#endif

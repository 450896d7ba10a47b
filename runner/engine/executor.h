/* executor.h - the only way from a plan to a fault. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_ENGINE_EXECUTOR_H
#define FD_ENGINE_EXECUTOR_H

#include "../store/store.h"
#include "../transports/node.h"

/* Worker thread. Fires what stands ready. Only a synced undo-log row can make an Armed, and only
 * with a guard that was read back: so nothing is injected that nobody would undo. */
enum Effect executor_fire(const struct Armed *armed, struct Firing *firing, struct Mono deadline,
                          struct Moment *t0, struct Err *err) MUST_CHECK;
/* Strikes a host that then has nothing of ours to guard it; where a provider is named, its guard
 * was fired before. */
enum Effect executor_strike(const struct Armed *armed, struct Firing *firing, struct Mono deadline,
                            struct Mono *sent, struct Err *err) MUST_CHECK;

#endif

/* executor.c - the only way from a plan to a fault. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "executor.h"

enum Effect executor_strike(const struct Armed *armed, struct Firing *firing, struct Mono deadline,
                            struct Mono *sent, struct Err *err)
{
    if (armed == NULL || firing == NULL)
        bug("a fault without a synced row");
    return node_strike(firing, deadline, sent, err);
}

enum Effect executor_fire(const struct Armed *armed, struct Firing *firing, struct Mono deadline,
                          struct Moment *t0, struct Err *err)
{
    if (armed == NULL || armed_guard(armed) == NULL)
        bug("a fault without a guard and a synced row");
    return node_fire(firing, deadline, t0, err);
}

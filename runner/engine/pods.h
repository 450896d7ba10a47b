/* pods.h - the hosts of roles that are pods. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_ENGINE_PODS_H
#define FD_ENGINE_PODS_H

#include "../model/environment.h"

/* Asks each cluster, by kubectl on this machine, who the pods of its roles are, and makes them the
 * hosts of those roles. What is done to them is guarded from a folder below `state`. Once, before
 * anything is planned. */
bool pods_find(struct Environment *environment, const struct Kinds *kinds, const char *state,
               struct Err *err) MUST_CHECK;
/* Where that is guarded from, as a host that can be scanned without any of the clusters. */
bool pods_seat(const struct Environment *environment, const struct Kinds *kinds, const char *state,
               const struct Target **out, struct Err *err) MUST_CHECK;

#endif

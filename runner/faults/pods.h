/* pods.h - kill and restart where a role is the pods of a cluster. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_FAULTS_PODS_H
#define FD_FAULTS_PODS_H

#include "commands.h"

/* kill: at once, as a crash; else as its own grace period wants. Its controller makes another one:
 * that is measured, and there is nothing to undo. */
bool pods_plan(const struct ServiceConfig *config, bool kill, const struct PlanInput *input,
               struct Arena *arena, struct Procedure *out, struct Err *err) MUST_CHECK;

#endif

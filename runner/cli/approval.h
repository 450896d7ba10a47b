/* approval.h - who signed a plan: files beside it, that travel with it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_APPROVAL_H
#define FD_CLI_APPROVAL_H

#include "drill.h"

#define APPROVAL_SPACE "faildrill"
#define REVOCATION_SPACE "faildrill-revoke"

/* Adds the rule `approvals` where the environment has it: enough people of its list, none of whom
 * made or runs the plan, signed its bytes as they are; none of the list took it back. */
bool gate_approvals(struct Drill *drill, struct List *rules);
/* PLAN.SIGNATURE-HASH.sig, or .revoked: names that do not meet where several people sign. */
const char *approval_path(struct Drill *drill, const char *plan, const struct Buf *signature,
                          bool revoked);

#endif

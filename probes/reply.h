/* reply.h - what the kinds of probe share: who answered, and fields of `ok`. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_PROBES_REPLY_H
#define FD_PROBES_REPLY_H

#include "../runner/clients/call.h"
#include "../runner/model/probe.h"

/* The role's host that has this address, or NULL. */
const struct Target *role_host_at(const struct Role *role, const char *address);

/* `ok: {under}` of every kind; stands in a record of the kind's own. */
/* What a detail may hold before secrets are taken out of it and it is cut off. */
enum { DETAIL_MOST = 4096 };
#define UNDER_DOC "An answer that comes later is a failure."

#endif

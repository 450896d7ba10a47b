/* reply.h - what the kinds of probe share: calls that were not answered, and fields of `ok`. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_PROBES_REPLY_H
#define FD_PROBES_REPLY_H

#include "../runner/clients/call.h"
#include "../runner/model/probe.h"

/* Of a call that was not answered; its texts are the answer's. */
struct Reply reply_of_end(const struct Answer *answer);
/* What a Redis server said instead of doing it. */
struct Reply reply_of_redis_error(const struct Answer *answer);
/* What a PostgreSQL said instead of doing it. */
struct Reply reply_of_postgres_error(const struct Answer *answer);
/* The address of a host, as clients reach it. */
const char *target_address(const struct Target *target);
/* The role's host that has this address, or NULL. */
const struct Target *role_host_at(const struct Role *role, const char *address);

/* `ok: {under}` of every kind; stands in a record of the kind's own. */
/* What a detail may hold before secrets are taken out of it and it is cut off. */
enum { DETAIL_MOST = 4096 };
#define UNDER_DOC "An answer that comes later is a failure."

#endif

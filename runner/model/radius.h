/* radius.h - how much of each role a fault touches, and what is left of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_RADIUS_H
#define FD_MODEL_RADIUS_H

#include "environment.h"

/* Two names of one machine: the same host, or the same address. Behind a loopback address many
 * machines may stand (forwarded ports). */
bool machine_same(const struct Target *a, const struct Target *b);
/* The host is one that the gate forbids, or stands on its machine. */
bool machine_forbidden(const struct Environment *environment, const struct Target *host);

/* Of one role: which of its hosts serve, in file order. */
struct RoleHealth {
    const struct Role *role;
    const enum Known *healthy;
};
/* Roles beside those that are drilled of which something must be left: they share a machine with
 * one of them, or the gate names them. Both lists are of const struct Role *. */
void radius_beside(const struct Environment *environment, const struct List *drilled,
                   struct Arena *arena, struct List *out);
/* Hosts that are under a fault at one time. */
struct RadiusInput {
    const struct Environment *environment;
    const struct Scenario *scenario;
    struct List touched; /* of const struct Target * */
    struct List healths; /* of struct RoleHealth; a role without a row is unknown */
};
struct RoleLeft {
    const struct Role *role;
    size_t touched, left;       /* left: untouched, and known to be healthy */
    const struct Target *doubt; /* an untouched one that is not healthy or unknown, or NULL */
    enum Known doubted;         /* KNOWN_NO or KNOWN_UNKNOWN, of `doubt` */
};
struct Radius {
    size_t machines;   /* touched */
    struct List roles; /* of struct RoleLeft: each role with a host on a touched machine */
};
void radius_measure(const struct RadiusInput *input, struct Arena *arena, struct Radius *out);
/* What is left of one role, touched or not. */
struct RoleLeft radius_role(const struct RadiusInput *input, const struct Role *role);
/* "haproxy (2 of 3 left), etcd (2 of 3 left)": the other roles on the machine of `host`; or "". */
void radius_carried(const struct RadiusInput *input, const struct Target *host,
                    const struct Role *except, struct Buf *out);

#endif

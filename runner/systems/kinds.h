/* kinds.h - the kinds of system there are; main.c makes a table of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_KINDS_H
#define FD_SYSTEMS_KINDS_H

#include "../model/system.h"

extern const struct SystemKind redis_system, redis_sentinel_system, redis_cluster_system,
    patroni_system, postgres_system, repmgr_system, autofailover_system;
extern const struct SystemKind etcd_system, rabbitmq_system, haproxy_system, vrrp_system,
    http_system, taught_system;
extern const struct SystemKind mariadb_system, galera_system;

#endif

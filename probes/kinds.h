/* kinds.h - the kinds of probe there are; main.c makes a table of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_PROBES_KINDS_H
#define FD_PROBES_KINDS_H

#include "../runner/model/probe.h"

extern const struct ProbeKind http_probe, tcp_probe, redis_probe, sql_probe;
extern const struct ProbeKind primary_probe, ledger_probe, prometheus_probe, alert_probe;
extern const struct ProbeKind dns_probe, tls_probe, icmp_probe, run_probe;

#endif

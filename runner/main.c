/* main.c - the composition root: the only file that names the kinds. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../probes/kinds.h"
#include "../reports/kinds.h"
#include "cli/cli.h"
#include "faults/kinds.h"
#include "systems/kinds.h"
#include "transports/kinds.h"

/* In the order that people should meet them. */
static const struct ProbeKind *const PROBES[] = {
    &http_probe,  &tcp_probe, &tls_probe,     &dns_probe,    &icmp_probe,
    &redis_probe, &sql_probe, &primary_probe, &ledger_probe, &prometheus_probe,
    &alert_probe, &run_probe, NULL,
};
static const struct FaultKind *const FAULTS[] = {
    &kill_fault,
    &stop_fault,
    &freeze_fault,
    &restart_fault,
    &isolate_fault,
    &cut_fault,
    &loss_fault,
    &rate_limit_fault,
    &dns_cut_fault,
    &delay_fault,
    &override_fault,
    &expire_certificate_fault,
    &cpu_load_fault,
    &memory_fill_fault,
    &disk_fill_fault,
    &replace_file_fault,
    &sysctl_fault,
    &disk_load_fault,
    &exhaust_fault,
    &clock_skew_fault,
    &lock_row_fault,
    &session_kill_fault,
    &pause_replication_fault,
    &read_only_fault,
    &set_config_fault,

    &power_off_fault,
    &reboot_fault,
    &crash_fault,
    &run_fault,
    &http_fault,
    NULL,
};
static const struct SystemKind *const SYSTEMS[] = {
    &redis_system,
    &redis_cluster_system,
    &redis_sentinel_system,
    &patroni_system,
    &postgres_system,
    &repmgr_system,
    &autofailover_system,
    &mariadb_system,
    &galera_system,
    &etcd_system,
    &rabbitmq_system,
    &haproxy_system,
    &vrrp_system,
    &http_system,
    &taught_system,
    NULL,
};
static const struct TransportKind *const TRANSPORTS[] = {
    &ssh_transport,
    &local_transport,
    &prefix_transport,
    NULL,
};
static const struct ReportFormat *const FORMATS[] = {
    &report_text,
    &report_json,
    &report_html,
    NULL,
};

/* Tests take the tables from here too. */
extern const struct Kinds faildrill_kinds;
const struct Kinds faildrill_kinds = {
    .probes = PROBES,
    .faults = FAULTS,
    .systems = SYSTEMS,
    .transports = TRANSPORTS,
    .formats = FORMATS,
};

int main(int argc, char **argv)
{
    return cli_main(&faildrill_kinds, argc, argv);
}

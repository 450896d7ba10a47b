/* kinds.h - the kinds of fault, for main.c. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_FAULTS_KINDS_H
#define FD_FAULTS_KINDS_H

#include "../model/fault.h"

extern const struct FaultKind kill_fault, stop_fault, freeze_fault, restart_fault, isolate_fault,
    cut_fault, loss_fault, rate_limit_fault, dns_cut_fault, delay_fault, override_fault,
    expire_certificate_fault, cpu_load_fault, memory_fill_fault, disk_fill_fault,
    replace_file_fault, sysctl_fault, disk_load_fault, exhaust_fault, clock_skew_fault,
    lock_row_fault, session_kill_fault, pause_replication_fault, read_only_fault, set_config_fault,
    power_off_fault, reboot_fault, crash_fault, http_fault, run_fault;

#endif

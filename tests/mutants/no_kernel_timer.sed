# no_kernel_timer.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says isolate is no longer ended by the kernel
# file runner/faults/network.c
# test tests/unit/faults_network_test : test_each_is_ended_by_the_kernel_and_touches_its_own_table_only
s/lease_timeout\[\] = " timeout \$\{FD_LEASE\}s"/lease_timeout[] = ""/

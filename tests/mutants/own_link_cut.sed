# own_link_cut.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says isolate cuts our own ssh
# file runner/faults/network.c
# test tests/unit/faults_network_test : test_our_own_way_is_exempt_first
s/ tcp dport \$FD_PORT accept/ tcp dport $FD_PORT drop/

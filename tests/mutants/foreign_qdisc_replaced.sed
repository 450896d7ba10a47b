# foreign_qdisc_replaced.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a root qdisc of somebody else is no obstacle
# file runner/faults/delay.c
# test tests/unit/faults_delay_test : test_a_root_qdisc_of_somebody_else_is_refused
s/if \(facts->netem && facts->root_qdisc != NULL && /if (false \&\& /

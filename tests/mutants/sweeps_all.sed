# sweeps_all.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says with the first of two faults the way out of the other goes
# file runner/transports/node.sh
# test tests/unit/transports_safety_test : test_the_way_out_stays_as_long_as_a_fault
s/^    faults_left && return 0$//

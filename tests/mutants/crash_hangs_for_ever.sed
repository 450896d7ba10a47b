# crash_hangs_for_ever.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a host that nobody can boot again is crashed
# file runner/faults/crash.c
# test tests/unit/faults_machine_test : test_a_crash_that_would_hang_needs_a_provider
s/(if \(procedure.hangs) && input->power.up == NULL\)/\1 \&\& false)/

# container_takes_sysrq.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says sysrq in a container takes the machine under it
# file runner/faults/machine.c
# test tests/unit/faults_machine_test : test_a_container_gets_no_sysrq
s/if \(input->facts->contained\)/if (false)/

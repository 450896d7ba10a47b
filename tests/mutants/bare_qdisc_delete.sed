# bare_qdisc_delete.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says the undo of a delay deletes any root qdisc
# file runner/faults/delay.sh
# test tests/unit/faults_delay_test : test_no_qdisc_is_replaced_and_none_deleted_but_by_its_handle
s/(tc qdisc del dev "\$device" root) handle fd1d:/\1/

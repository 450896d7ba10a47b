# stale_with_faults.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a lock is set aside though faults are left
# file runner/transports/drive.sh
# test tests/unit/transports_node_test : test_a_lock_with_a_fault_behind_it_is_never_stale
s/ && ! faults_left; \}$/; }/

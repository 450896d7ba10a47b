# environment_shared.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says two live runs hold one environment of one store
# file runner/store/lock.c
# test tests/unit/store_lock_test : test_of_two_processes_exactly_one_gets_the_lock
/^static bool may_take\(/,/^\}/ s/alive != KNOWN_NO \|\| holder\.open_faults > 0/holder.open_faults > 0/

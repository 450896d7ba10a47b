# dead_holder_freed.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says an environment is free though its holder died and left faults
# file runner/store/lock.c
# test tests/unit/store_lock_test : test_a_dead_holder_with_open_faults_stays_until_they_are_undone
/^static bool may_take\(/,/^\}/ { s/open_faults == 0/open_faults >= 0/; s/open_faults > 0/open_faults > 1000/ }

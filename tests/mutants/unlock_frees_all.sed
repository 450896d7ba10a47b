# unlock_frees_all.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a run that ends frees the environments of all others
# file runner/store/lock.c
# test tests/unit/store_lock_test : test_the_holder_may_take_it_again_and_others_after_it
s/"DELETE FROM locks WHERE run = \?"/"DELETE FROM locks WHERE run <> ? OR 1"/

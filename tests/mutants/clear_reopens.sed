# clear_reopens.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a fault that was proven clear may come back
# file runner/store/undolog.c
# test tests/unit/store_undolog_test : test_only_forward_steps_are_taken
s/^    \[FAULT_CLEAR\] = 0,$/    [FAULT_CLEAR] = 1U << FAULT_IN_EFFECT,/

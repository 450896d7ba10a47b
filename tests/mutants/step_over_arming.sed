# step_over_arming.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a fault that was never armed may be fired
# file runner/store/undolog.c
# test tests/unit/store_undolog_test : test_only_forward_steps_are_taken
s/^    \[FAULT_PLANNED\] = 1U << FAULT_ARMING,$/    [FAULT_PLANNED] = 1U << FAULT_ARMING | 1U << FAULT_INJECTING,/; s/from == FAULT_PLANNED \|\| //; s/^        1U << FAULT_ARMED \| 1U << FAULT_UNDOING/        1U << FAULT_ARMED | 1U << FAULT_INJECTING | 1U << FAULT_UNDOING/

# inject_before_arm.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a fault is fired without a guard and a synced row
# file runner/engine/executor.c
# test tests/unit/engine_executor_test : test_nothing_is_fired_that_was_not_armed
s/^    if \(armed == NULL \|\| armed_guard\(armed\) == NULL\)$/    if (armed == NULL \&\& t0 == NULL)/

# dead_guard_armed.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a guard that is dead counts as armed
# file runner/transports/node_guard.c
# test tests/unit/transports_safety_test : test_a_guard_that_does_not_live_is_not_armed
s/^    if \(!reply_get\(reply, "alive", NULL, 0\)\)$/    if (false)/

# applied_is_proven.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says an apply that says 0 counts as proven
# file runner/transports/node_fire.c
# test tests/unit/transports_safety_test : test_an_apply_that_does_nothing_is_not_proven
s/^    if \(strcmp\(place, "yes"\) == 0\)$/    if (strcmp(applied, "0") == 0)/

# last_healthy_taken.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says one fewer may stay healthy than the gate wants
# file runner/model/gate_limits.c
# test tests/unit/model_radius_test : test_keep_healthy_holds_for_roles_that_are_not_touched
s/holds = rows\[at\]\.left >= \(size_t\)wanted;/holds = rows[at].left + 1 >= (size_t)wanted;/

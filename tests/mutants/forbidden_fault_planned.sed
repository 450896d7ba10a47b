# forbidden_fault_planned.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a fault that the gate forbids is planned
# file runner/model/gate_limits.c
# test tests/unit/model_radius_test : test_what_is_forbidden_is_refused_by_its_name
/^bool gate_lists\(/,/^\}/ s/return true;/return words == NULL;/

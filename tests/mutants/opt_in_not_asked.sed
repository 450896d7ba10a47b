# opt_in_not_asked.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says no plan asks whether the host allows the fault
# file runner/model/gate_limits.c
# test tests/gate/helper_test.sh : one that lasts longer than the file says is not armed
/^static bool check_opt_in\(/,/^\}/ s/!plan->environment->node_opt_in/plan->environment->node_opt_in || plan->faults.count > 0/

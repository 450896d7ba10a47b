# any_length_allowed.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a fault may last longer than the gate allows
# file runner/model/gate_limits.c
# test tests/unit/model_radius_test : test_the_longest_fault_is_its_cap
s/bool holds = longest->procedure.cap_ns <= limit;/bool holds = limit > 0;/

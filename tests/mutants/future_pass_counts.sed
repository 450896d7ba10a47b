# future_pass_counts.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a pass from the future opens the gate
# file runner/model/gate.c
# test tests/unit/model_gate_test : test_a_pass_from_the_future_counts_for_nothing
s/pass->ended.ns <= input->now.ns && //

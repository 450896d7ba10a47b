# another_text_passes.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says any pass of the name opens the gate
# file runner/model/gate.c
# test tests/unit/model_gate_test : test_another_text_is_refused_with_the_difference
s/^        bool same = .*$/        bool same = true;/

# gate_open.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a protected environment needs no name
# file runner/model/gate.c
# test tests/unit/model_gate_test : test_a_protected_environment_wants_its_name
s/^    return named && passed && timely/    return (named || true) \&\& passed \&\& timely/

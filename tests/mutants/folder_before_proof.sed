# folder_before_proof.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says the folder goes before all is clear
# file runner/transports/node.sh
# test tests/unit/transports_safety_test : test_a_guard_tries_until_it_is_clear
s/^    guard_finish \|\| return 0$/    finish/

# guard_believes_its_undo.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says the guard takes the exit status of undo for the proof
# file runner/transports/node.sh
# test tests/unit/transports_safety_test : test_a_guard_tries_until_it_is_clear
s/^    look_clear$/    mv "$FD_DIR\/dirty" "$FD_DIR\/clean" 2>\/dev\/null; return 0/

# guard_gives_up.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says the guard tries its undo once
# file runner/transports/node.sh
# test tests/unit/transports_safety_test : test_a_guard_tries_until_it_is_clear
s/^    until finish; do$/    finish; while false; do/

# halt_not_checked.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a fault is fired on a host where a halt was asked for
# file runner/transports/node.sh
# test tests/unit/transports_safety_test : test_nothing_fires_where_a_halt_was_asked_for
s/^    \[ ! -e "\$FD_DIR\/halt" \] \|\| \{ refuse .*$//

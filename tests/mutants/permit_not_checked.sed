# permit_not_checked.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a command that comes after the undo acts
# file runner/transports/node.sh
# test tests/system/node_test run a_line_read : run: a_line_read_after_the_tombstone_does_nothing
s/^    \[ -e "\$FD_DIR\/permit" \] \|\| \{ refuse "it was undone before".*$//

# tombstone_not_written.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says an undo leaves the permit, so a late apply still acts
# file runner/transports/node.sh
# test tests/unit/transports_safety_test : test_what_was_undone_is_never_fired
s/^    \[ -e "\$FD_DIR\/tomb" \] \|\| mv "\$FD_DIR\/permit".*$/    :/

# exit_status_is_clear.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says the exit status of undo counts as all_clear
# file runner/transports/node.sh
# test tests/unit/transports_safety_test : test_an_undo_that_says_yes_is_not_believed
/^undo_and_look\(\) \{/,/^\}/ { s/^    part undo$/    part undo; known_by $?; [ "$known" != yes ] || { mv "$FD_DIR\/dirty" "$FD_DIR\/clean"; return 0; }/ }

# unknown_is_undone.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a host that does not answer counts as undone
# file runner/transports/node_undo.c
# test tests/system/node_test run undo_cut_before : run: undo_cut_before
s/^    enum Known known = KNOWN_UNKNOWN;$/    enum Known known = KNOWN_YES;/

# not_undone_is_finished.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a run that is not undone ends as if it were
# file runner/engine/run_states.c
# test tests/unit/engine_states_test : test_nothing_leaves_undoing_but_a_look
s/\{RUN_UNDOING, EVENT_NOT_UNDONE, RUN_DIRTY\}/{RUN_UNDOING, EVENT_NOT_UNDONE, RUN_SETTLING}/

# not_undone_is_finished.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a run that is not undone ends as if it were
# file runner/engine/run_states.c
# test tests/unit/engine_states_test : test_nothing_ends_but_past_always
s/\{RUN_ALWAYS, EVENT_NOT_UNDONE, RUN_DIRTY\}/{RUN_ALWAYS, EVENT_NOT_UNDONE, RUN_FINISHED}/

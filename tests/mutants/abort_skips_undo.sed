# abort_skips_undo.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says an abort ends the run at once
# file runner/engine/run_states.c
# test tests/unit/engine_states_test : test_every_abort_leads_to_undoing
s/\{RUN_STEPS, EVENT_ABORT, RUN_UNDOING\}/{RUN_STEPS, EVENT_ABORT, RUN_FINISHED}/

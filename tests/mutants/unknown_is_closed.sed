# unknown_is_closed.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a fault of which nobody knows is no longer listed
# file runner/store/undolog_open.c
# test tests/unit/store_undolog_test : test_every_state_from_arming_on_is_open_until_clear
s/<> 'CLEAR'/NOT IN ('CLEAR', 'UNKNOWN')/

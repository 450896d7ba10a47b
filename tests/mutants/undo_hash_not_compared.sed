# undo_hash_not_compared.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says the undo that lies on the host is not compared with ours
# file runner/transports/node_guard.c
# test tests/unit/transports_safety_test : test_an_undo_that_is_not_ours_is_not_armed
s/ \|\| strncmp\(hash, ours, 64\) != 0\)$/)/

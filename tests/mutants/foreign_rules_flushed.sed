# foreign_rules_flushed.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says the undo of isolate flushes all rules
# file runner/faults/network.c
# test tests/unit/transports_safety_test : test_rules_of_others_stay
s/^static const char undo_text\[\] = "nft -f - <<EOF\\n"$/static const char undo_text[] = "nft flush ruleset; nft -f - <<EOF\\n"/

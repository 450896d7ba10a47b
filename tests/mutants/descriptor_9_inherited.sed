# descriptor_9_inherited.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says what is started under the fence holds it for ever
# file runner/transports/node.sh
# test tests/unit/transports_safety_test : test_what_an_undo_starts_does_not_hold_the_fence
s/ 3<&- 8<&- 9<&-$/ 3<\&- 8<\&-/; s/ 9<&-//g

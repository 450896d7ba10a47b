# waiting_not_ended.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says those who wait for their line outlive the undo
# file runner/transports/family.sh
# test tests/unit/transports_safety_test : test_whoever_waits_for_a_line_ends_with_the_undo
/^end_waiting\(\) \{/a\    return 0

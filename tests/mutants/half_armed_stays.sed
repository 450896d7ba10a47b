# half_armed_stays.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says an arming that failed stays where its runner has died
# file runner/transports/drive.sh
# test tests/unit/transports_safety_test : test_an_arming_that_nobody_awaits_leaves_nothing
s/^    said=\$\(arm_or_leave_nothing\)$/    arm_or_leave_nothing; said=''/

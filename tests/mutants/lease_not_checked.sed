# lease_not_checked.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a fault is fired though its guard is about to act
# file runner/transports/node.sh
# test tests/unit/transports_safety_test : test_nothing_fires_at_the_end_of_a_lease
s/^    \[ \$\(\(lease - now\)\) -ge .*\{ refuse "its guard is about to act".*$//

# guard_by_the_wall_clock.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says the guard reckons by the wall clock
# file runner/transports/node.sh
# test tests/unit/transports_safety_test : test_a_guard_reckons_by_time_since_boot
s/^    read -r up _ <\/proc\/uptime$/    up=$(date +%s.%N); up=${up%???????}/

# dead_guard_fires.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a fault is fired though its guard is dead
# file runner/transports/node.sh
# test tests/system/node_test run no_guard : run: no_guard_no_fire
s/^    alive "\$pid" "\$pid_born" \|\| \{ refuse "its guard is dead".*$//

# fence_dropped.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says apply, undo and guard no longer keep apart
# file runner/transports/node.sh
# test tests/unit/transports_safety_test : test_an_apply_under_way_is_awaited
# test tests/system/node_test run late_apply : run: late_apply_never_wins
s/^    \{ \{ grab 9 "\$1" .*$/    shift; "$@"/

#!/usr/bin/env bash
# redis_killed_test.sh - runner and guard are killed at each second of a drill that kills a Redis primary.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/redis_killed_test.sh      ONLY: runner guard undoing fenced; TRY: 0 1 2 ...
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
export ONLY=${ONLY-$*}
in_lab redis

# shellcheck source=tests/databases/redis.sh
. "$root/tests/databases/redis.sh"

writes() {
    [[ $(redis "$1" incr "census:$1") =~ ^[0-9]+$ ]]
}
has_kept() {
    files_agree && [ "$(redis "$1" eval "return #redis.call('keys', 'kept:*')" 0)" = 1000 ]
}
# shellcheck source=tests/databases/killed.sh
. "$root/tests/databases/killed.sh"

wait_for 60 is_whole
before=$(leaders)
seq 1000 | sed 's/.*/set kept:& &/' | redis-cli -h "$net.1$before" >/dev/null
redis "$before" wait 2 5000 >/dev/null
kill_at_each_second

#!/usr/bin/env bash
# rigged_redis_others_test.sh - a Redis Cluster, and a Redis that people fail over, with settings made worse: mended.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/rigged_redis_others_test.sh      ONLY: cluster alone
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
export ONLY=${ONLY-$*}
in_lab redis-cluster redis
# shellcheck source=tests/databases/rigged.sh
. "$root/tests/databases/rigged.sh"

# set_line LINE: on every Redis.
set_line() {
    local n words last=3
    read -ra words <<<"$1"
    [ "$environment" != redis_cluster ] || last=6
    for ((n = 1; n <= last; n++)); do
        [ "$(redis-cli -h "$net.1$n" "${words[@]}")" = OK ] || return 1
    done
}
clients='  writes: {ledger: redis, every: 100ms}
  redis: {primary: redis, every: 250ms}'

export role=redis
rigged_in redis_cluster 10
if wanted cluster; then
    set_line 'CONFIG SET cluster-node-timeout 15000'
    scenario cluster '{kill: primary, for: 40s}' "$clients" '  writes: {recover_within: 30s}
  redis: {failover_within: 12s}'
    rigged cluster cluster-node-timeout=5000
fi
rigged_in redis_alone 11
if wanted alone; then # fenced late, by people
    scenario alone '{isolate: primary, at: 0s, for: 60s}
  - {stop: primary, at: 20s}
  - {failover: redis, forced: true, at: 34s}' "$clients
  stranded: {ledger: redis, from: primary, every: 100ms}" '  writes: {recover_within: 54s}
  redis: {failover_within: 54s}
  stranded: {max_lost: 15s}'
    doubts='min-replicas-to-write 0' contents='min-replicas-to-write 1'
    rigged alone min-replicas-to-write=1
fi
rigged_sum

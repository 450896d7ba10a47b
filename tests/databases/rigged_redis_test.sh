#!/usr/bin/env bash
# rigged_redis_test.sh - Redis with Sentinel with settings made worse: the right one is named, and mended.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/rigged_redis_test.sh      ONLY: down_after too_late unbounded lag
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
export ONLY=${ONLY-$*}
in_lab staging
# shellcheck source=tests/databases/rigged.sh
. "$root/tests/databases/rigged.sh"

# set_line LINE KNOB VALUE: on every Redis, or on every Sentinel.
set_line() {
    local n words port=6379
    read -ra words <<<"${1//<master>/shop}"
    case $1 in SENTINEL*) port=26379 ;; esac
    for n in 1 2 3; do
        [ "$(redis-cli -h "$net.1$n" -p "$port" "${words[@]}")" = OK ] || return 1
    done
}
clients='  writes: {ledger: redis, every: 100ms}
  redis: {primary: redis, every: 250ms}'

export role=redis
rigged_in staging 1
if wanted down_after; then
    set_line 'SENTINEL SET <master> down-after-milliseconds 12000'
    scenario down_after '{kill: primary, for: 25s}' "$clients" '  writes: {recover_within: 10s}
  redis: {failover_within: 9s}'
    rigged down_after down-after-milliseconds=3000
fi
if wanted too_late; then # undone before anybody was promoted
    set_line 'SENTINEL SET <master> down-after-milliseconds 60000'
    scenario too_late '{kill: primary, for: 20s}' "$clients" '  writes: {recover_within: 12s}
  redis: {failover_within: 12s}'
    rigged too_late down-after-milliseconds=5000
    set_line 'SENTINEL SET <master> down-after-milliseconds 2000'
fi
bounds='  writes: {recover_within: 20s}
  redis: {failover_within: 20s}
  stranded: {max_lost: 15s}'
stranded="$clients
  stranded: {ledger: redis, from: primary, every: 100ms}"
if wanted unbounded; then
    set_line 'CONFIG SET min-replicas-max-lag 10' && set_line 'CONFIG SET min-replicas-to-write 0'
    scenario unbounded '{isolate: primary, for: 30s}' "$stranded" "$bounds"
    rigged unbounded min-replicas-to-write=1
fi
if wanted lag; then
    set_line 'CONFIG SET min-replicas-to-write 1' && set_line 'CONFIG SET min-replicas-max-lag 60'
    scenario lag '{isolate: primary, for: 30s}' "$stranded" "$bounds"
    rigged lag min-replicas-max-lag=10
fi
rigged_sum

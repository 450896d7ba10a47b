#!/usr/bin/env bash
# parity_twins_test.sh - Patroni, PostgreSQL and Redis Cluster, each twice: equal ones are silent, each setting is named.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/parity_twins_test.sh      ONLY: patroni postgres cluster
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
for tool in patroni etcd haproxy psql curl; do
    command -v "$tool" >/dev/null || skip_all "there is no $tool here"
done
export ONLY=${ONLY-$*}
in_lab bare:1
# shellcheck source=tests/databases/parity.sh
. "$root/tests/databases/parity.sh"

# patroni_set PATH VALUE: JSON, at a path such as postgresql.use_pg_rewind.
patroni_set() {
    local body=$2 word words
    IFS=. read -ra words <<<"$1"
    for ((word = ${#words[@]} - 1; word >= 0; word--)); do body="{\"${words[word]}\": $body}"; done
    curl -sf -X PATCH -d "$body" "http://$other.11:8008/config" && wait_for 20 whole
}
whole() {
    "$FAILDRILL" -C "$work" doctor other --no-input
}
# postgres_set NAME VALUE, on each host; with a restart where it wants one.
postgres_set() {
    local n sql
    for n in 1 2 3; do
        sql="psql -XAtqw postgresql://postgres@$other.1$n/postgres"
        $sql -c "alter system set $1 = '$2'" && $sql -c 'select pg_reload_conf()' || return 1
        [ "$($sql -c "select pending_restart from pg_settings where name = '$1'")" = f ] ||
            in_twin "postgres-$n" /etc/init.d/postgres restart
    done
    wait_for 30 whole
}
cluster_set() {
    local n
    for n in 11 12 13 14 15 16; do
        [ "$(redis-cli -h "$other.$n" CONFIG SET "$1" "$2")" = OK ] || return 1
    done
}

if wanted patroni; then
    check "patroni: two of them are up" twins_of patroni patroni patroni_primary_dies
    check "patroni: an equal pair is silent" wait_for 30 is_silent
    for knob in 'ttl 13 10' 'loop_wait 3 2' 'retry_timeout 4 3' 'maximum_lag_on_failover 2097152 1048576' \
        'synchronous_mode false true' 'failsafe_mode true false' 'use_pg_rewind false true postgresql.'; do
        read -r knob value back path <<<"$knob"
        differs postgres "$knob" patroni_set "${path-}$knob" "$value" "$back"
    done
    twins_down
fi
if wanted postgres; then
    check "postgres: two of them are up" twins_of postgres postgres postgres_primary_dies
    check "postgres: an equal pair is silent" wait_for 30 is_silent
    differs postgres synchronous_standby_names postgres_set synchronous_standby_names 'ANY 1 (walreceiver)' ''
    differs postgres synchronous_commit postgres_set synchronous_commit local on
    differs postgres pg_rewind postgres_set wal_log_hints off on
    twins_down
fi
if wanted cluster; then
    check "cluster: two of them are up" twins_of redis_cluster redis_cluster redis_cluster_primary_dies
    check "cluster: an equal pair is silent" wait_for 30 is_silent
    for knob in 'cluster-node-timeout 15000 3000' 'cluster-replica-validity-factor 0 10' \
        'cluster-require-full-coverage no yes' 'cluster-allow-reads-when-down yes no'; do
        read -r knob value back <<<"$knob"
        differs redis "$knob" cluster_set "$knob" "$value" "$back"
    done
    twins_down
fi
parity_sum

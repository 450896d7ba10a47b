#!/usr/bin/env bash
# redis_cluster_test.sh - a Redis Cluster, drilled: what is lost, who has the slots, what is refused beforehand.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/redis_cluster_test.sh      ONLY: some scenarios of scenarios/redis_cluster, and: back traps
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
export ONLY=${ONLY-$*}
in_lab redis-cluster
# shellcheck source=tests/drills.sh
. "$root/tests/drills.sh"

drills_of redis_cluster redis_cluster
net=$(<"$LAB_STATE/net")
net=${net%.*}.$((${net##*.} + 10))

redis() {
    timeout 5 redis-cli -h "$net.1$1" "${@:2}" 2>&1
}
# owners: by number, the hosts that say that they have slot 0.
owners() {
    local n
    for n in 1 2 3 4 5 6; do
        ! redis $n cluster nodes | grep myself | grep -qE 'master.* connected (.* )?0-' || echo "$n"
    done
}
# Six nodes, all slots served, three replicas linked, and nobody holds another for down.
is_whole() {
    local n linked=0
    for n in 1 2 3 4 5 6; do
        redis $n cluster info | tr -d '\r' >"$work/info"
        grep -qx cluster_state:ok "$work/info" && grep -qx cluster_slots_ok:16384 "$work/info" || return 1
        redis $n cluster nodes | grep -q fail && return 1
        ! redis $n info replication | grep -q master_link_status:up || linked=$((linked + 1))
    done
    [ "$linked" -eq 3 ] && [ "$(owners | wc -l)" -eq 1 ]
}
# follows N: it is a replica of who has the slot now.
follows() {
    [ "$(redis "$1" role | head -n 3 | tr '\n' ' ')" = "slave $net.1$(owners) 6379 " ]
}
all_set() {
    local n
    for n in 1 2 3 4 5 6; do [ "$(redis $n config set "$@")" = OK ] || return 1; done
}

# ---- B.11: what is known beforehand to make a drill worthless ----

traps() {
    local n
    wait_for 60 is_whole
    all_set cluster-replica-no-failover yes
    check "no replica may be promoted: NOT READY, exit 3" refused 3 redis_cluster_primary_dies \
        'cluster-replica-no-failover is yes on every replica of the shard'
    all_set cluster-replica-no-failover no
    all_set appendonly no
    check "nothing is on disk: kill is REFUSED, exit 4" refused 4 redis_cluster_primary_dies \
        'kill of a Redis primary without persistence is refused'
    all_set appendonly yes
    n=$(redis 1 cluster nodes | grep slave | grep -F "$(redis "$(owners)" cluster myid)" | sed 's/^[^ ]* [0-9.]*\.1\([0-9]\):.*/\1/')
    "$lab" --state "$LAB_STATE" exec "redis-cluster-$n" /etc/init.d/redis-server stop
    check "the shard's replica is down: NOT READY, exit 3" refused 3 redis_cluster_failover \
        "Redis on redis-cluster-$n does not answer"
    "$lab" --state "$LAB_STATE" exec "redis-cluster-$n" /etc/init.d/redis-server start
    check "nothing was touched" wait_for 30 is_whole
}

check "the cluster is whole" wait_for 60 is_whole
for file in "$root"/scenarios/redis_cluster/*.yaml; do
    name=${file##*/}
    name=${name%.yaml}
    wanted "$name" || continue
    wait_for 60 is_whole
    before=$(owners)
    check "$name passes" passes "$name"
    row "$name"
    [[ $name != *_cut_from_clients ]] || check "$name: it is said that nobody saw it" nobody_saw redis shop
    case $name in
    *_isolated) check "$name: who is cut off loses what it acknowledged" holds 'led["stranded"]["lost"] > 0' ;;
    *_clients) check "$name: every acknowledged write is there, once" every_write writes shop ;;
    *) check "$name: every acknowledged write is there, once" every_write writes ;;
    esac
    case $name in
    *_cut_from_replicas | *_cut_from_clients) check "$name: the primary stays" test "$(owners)" = "$before" ;;
    *)
        check "$name: within the range that the knobs promise" as_predicted
        check "$name: the old primary is a replica of the new one" follows "$before"
        ;;
    esac
done
# ---- the role given back to who had it ----

gives_back() {
    passes redis_cluster_back && every_write writes && [ "$(owners)" = "$before" ] && gave_back redis
}
back() {
    sed 's/^scenario: .*/scenario: redis_cluster_back/; s/^  - failover: redis .*/  - {failover: redis, switch_back: true}/' \
        "$root/scenarios/redis_cluster/redis_cluster_failover.yaml" >"$work/own/redis_cluster_back.yaml"
    wait_for 60 is_whole
    before=$(owners)
    check "a failover and the way back: who had the slot has it again" gives_back
    say_back redis_cluster_back
}
! wanted back || back
! wanted traps || traps

#!/usr/bin/env bash
# galera_test.sh - MariaDB with Galera, drilled: what is lost, who may write, what comes back.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/galera_test.sh      ONLY: some scenarios of scenarios/galera, and: traps
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
for tool in mariadbd mariadb rsync; do
    command -v "$tool" >/dev/null || skip_all "there is no $tool here"
done
export ONLY=${ONLY-$*}
in_lab galera

net=$(<"$LAB_STATE/net")
net=${net%.*}.$((${net##*.} + 13))
# shellcheck source=tests/drills.sh
. "$root/tests/drills.sh"
drills_of galera galera

# sql N TEXT: as the lab's operator, to galera-N itself.
sql() {
    timeout 5 mariadb --no-defaults --protocol=tcp --connect-timeout=2 -h "$net.1$1" -u operator -N -B -e "$2" </dev/null
}
is_whole() {
    local n
    for n in 1 2 3; do
        [ "$(sql $n "select group_concat(variable_value order by variable_name) from information_schema.global_status
            where variable_name in ('wsrep_cluster_status', 'wsrep_ready', 'wsrep_cluster_size',
            'wsrep_local_state_comment')" 2>/dev/null)" = 3,Primary,Synced,ON ] || return 1
    done
}
is_tidy() {
    [ "$(sql 1 'select count(*) from shop.faildrill_ledger')" = 0 ]
}
# Each node has the same rows, also those of a write that was in doubt.
all_alike() {
    local n
    for n in 1 2 3; do sql $n 'checksum table shop.kept'; done | sort -u | wc -l | grep -qx 1
}
# Every node takes writes: that one does proves no second primary.
proves_no_split() {
    holds 'pri["galera"]["split_proven"] is False'
}
# While it is cut off, a node takes no write: asked all the time by an observer of our own.
watch_writes() {
    while :; do
        sql "$1" "set session wsrep_sync_wait = 0; insert into shop.kept values (1)" >/dev/null 2>&1 && echo ok || echo no
        sleep 0.2
    done
}
# The node is the first of the view; the observer goes to it as a client would.
cut_off_beside_an_observer() {
    local node n
    for n in 1 2 3; do
        [ "$(sql $n "show status like 'wsrep_local_index'")" != $'wsrep_local_index\t0' ] || node=$n
    done
    watch_writes "$node" >"$work/took" &
    watching=$!
    drill galera_node_cut_from_others
    kill "$watching"
    wait "$watching" 2>/dev/null
    cat "$work/said"
    uniq -c "$work/took"
    [ "$status" -eq 0 ] && [ "$(grep -c no "$work/took")" -gt 20 ] && wait_for 30 all_alike
}

traps() {
    wait_for 60 is_whole
    sql 2 'set global wsrep_desync = 1'
    check "a node that is desynced is refused" refused 3 galera_node_dies 'galera-2 is desynced'
    sql 2 'set global wsrep_desync = 0'
    sql 2 'set global read_only = 1'
    check "a node that takes no writes is refused" refused 3 galera_node_dies 'galera-2 takes no writes: read_only'
    sql 2 'set global read_only = 0'
    sql 2 'set global wsrep_reject_queries = "ALL"'
    check "a node that refuses clients is refused" refused 3 galera_node_dies 'galera-2 takes no writes: read_only or wsrep_reject_queries'
    sql 2 'set global wsrep_reject_queries = "NONE"'
    wait_for 20 is_whole
    for n in 1 2 3; do sql $n "set global wsrep_provider_options = 'pc.ignore_sb = true'"; done
    check "a cluster that allows split brain is refused" refused 3 galera_node_dies 'pc.ignore_sb is on'
    for n in 1 2 3; do sql $n "set global wsrep_provider_options = 'pc.ignore_sb = false'"; done
}

wait_for 60 is_whole
sql 1 'create table shop.kept (id int)'
for file in "$root"/scenarios/galera/*.yaml; do
    name=${file##*/}
    name=${name%.yaml}
    wanted "$name" || continue
    wait_for 60 is_whole
    if [ "$name" = galera_node_cut_from_others ]; then
        check "$name passes, and beside an observer the node takes no writes" cut_off_beside_an_observer
    else
        check "$name passes" passes "$name"
    fi
    row "$name"
    check "$name: every acknowledged write is there, once" every_write writes
    check "$name: two primaries are not said to acknowledge" proves_no_split
    check "$name: all of it is whole again" wait_for 60 is_whole
    check "$name: the ledger's rows are gone" is_tidy
    if [ "$name" = galera_node_cut_from_clients ]; then
        check "$name: it is said that nobody saw it" nobody_saw galera writes
    else
        check "$name: within the range that was predicted" as_predicted
    fi
done
! wanted traps || traps

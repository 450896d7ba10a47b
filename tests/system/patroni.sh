#!/usr/bin/env bash
# patroni.sh - PostgreSQL with Patroni, drilled for real: what is lost, who leads, what comes back.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/system/patroni.sh [SCENARIO...]     default: all of scenarios/patroni
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
for tool in patroni etcd haproxy psql; do
    command -v "$tool" >/dev/null || skip_all "there is no $tool here"
done
export ONLY=${ONLY-$*}
in_lab patroni

net=$(<"$LAB_STATE/net")
net=${net%.*}.$((${net##*.} + 5))
# shellcheck source=tests/drills.sh
. "$root/tests/drills.sh"
drills_of patroni patroni

# sql HOST TEXT: as the ledger's user, on the host itself (lb: through the proxy).
sql() {
    local at=$net.${1#patroni-}
    case $1 in lb) at=$net.21:5000 ;; patroni-*) at=$net.1${1#patroni-}:5432 ;; esac
    PGCONNECT_TIMEOUT=5 psql -w -Atqc "$2" "postgresql://drill@$at/shop"
}
# leaders: the hosts that take writes, by PostgreSQL's own word.
leaders() {
    local n
    for n in 1 2 3; do
        [ "$(sql patroni-$n 'select pg_is_in_recovery()' 2>/dev/null)" != f ] || echo "patroni-$n"
    done
}
one_leader() {
    [ "$(leaders | wc -l)" -eq 1 ]
}

# A thawed Patroni 3.0 may take the lock back from whoever has it: then writes are lost, and the run must say so.
passes_or_tells() {
    drill "$1"
    cat "$work/said"
    case $status in
    0) nothing_is_lost && moved ;;
    1) holds 'led["writes"]["lost"] > 0 and led["writes"]["read_back_complete"] == "yes"' && stayed ;;
    *) return 1 ;;
    esac
}
nothing_is_lost() {
    local probes
    probes=$(field '" ".join(led)')
    # shellcheck disable=SC2086
    [ -n "$probes" ] && every_write $probes
}
is_tidy() {
    [ "$(sql lb 'select count(*) from faildrill_ledger')" = 0 ]
}
moved() {
    [ -n "$before" ] && [ -n "$(leaders)" ] && [ "$(leaders)" != "$before" ]
}
# refuses_to HOST STATUS WORDS: nothing is done.
refuses_to() {
    given=(-p "host=$1")
    drill patroni_switchover_to
    cat "$work/said"
    given=()
    [ "$status" -eq "$2" ] && grep -qF -- "$3" "$work/said" && stayed
}
# Patroni hands over to a synchronous standby alone; by itself it has one of the two.
all_synchronous() {
    config '{"synchronous_node_count": 2}' && wait_for 60 is_synchronous 2
}

# ---- what scenarios/ does not show: a paused Patroni, replication that waits for nobody, an agent alone ----

# config JSON: PATCH of the cluster's configuration, until each host has it.
config() {
    python3 -c 'import sys, urllib.request as u
u.urlopen(u.Request(sys.argv[1], data=sys.argv[2].encode(), method="PATCH"), timeout=10).read()' \
        "http://$net.11:8008/config" "$1"
}
# replicas ROLE: those hosts to which Patroni gives it: replica, sync_standby.
replicas() {
    python3 -c 'import json, sys, urllib.request as u
for m in json.load(u.urlopen(sys.argv[1], timeout=5))["members"]:
    if m["role"] == sys.argv[2]: print("patroni-" + m["host"].split(".")[-1][1:])' "http://$net.11:8008/cluster" "$1"
}
is_synchronous() {
    [ "$(replicas sync_standby | wc -l)" -eq "$1" ]
}
# own NAME TEXT: a scenario of our own, with what follows its probes.
own() {
    cat >"$work/own/$1.yaml" <<END
scenario: $1
targets:
  primary: {role: postgres, is: primary}
probes:
  writes: {ledger: postgres, every: 50ms}
  stranded: {ledger: postgres, from: primary, every: 50ms}
  postgres: {primary: postgres, every: 250ms}
hold: 3s
observe: 3s
steady: {for: 3s}
steps:
$2
halt: {writes: {max_outage: 60s}}
expect:
$3
END
}
says_paused() {
    "$FAILDRILL" -C "$work" run -e patroni patroni_switchover --no-input >"$work/said" 2>&1
    [ $? -eq 3 ] && grep -q 'Patroni is paused (maintenance mode): no failover will start' "$work/said"
}
loses_what_nobody_had() {
    drill asynchronous
    cat "$work/said"
    [ "$status" -eq 1 ] && holds 'led["stranded"]["lost"] > 0 and led["writes"]["lost"] == 0' &&
        grep -q 'loss possible: asynchronous' "$work/plan"
}
sees_two_primaries() {
    drill agent_alone
    cat "$work/said"
    [ "$status" -eq 1 ] && holds 'pri["postgres"]["split"]["low_ns"] > 5e9'
}
on_their_own() {
    own asynchronous '  - {isolate: primary, for: 30s}' '  stranded: {max_lost: 0}
  postgres: {failover_within: 40s}'
    own agent_alone '  - {freeze: primary, process: patroni, for: 30s}' '  postgres: {max_split: 0s}
  stranded: {max_lost: 100000}'
    config '{"pause": true}'
    check "a paused Patroni is refused" wait_for 20 says_paused
    config '{"pause": null}'
    check "an agent alone that hangs makes two primaries, and they are seen" sees_two_primaries
    row agent_alone
    wait_for 60 one_leader
    config '{"synchronous_mode": false}'
    check "replication waits for nobody now" wait_for 30 is_synchronous 0
    "$FAILDRILL" -C "$work" plan -e patroni asynchronous >"$work/plan" 2>&1
    check "what a cut-off primary acknowledged to nobody's knowledge is counted" loses_what_nobody_had
    row asynchronous
}

for file in "$root"/scenarios/patroni/*.yaml; do
    name=${file##*/}
    name=${name%.yaml}
    wanted "$name" || continue
    wait_for 60 one_leader
    before=$(leaders)
    given=()
    case $name in
    *_switchover_to)
        check "$name: who leads already is refused" refuses_to "$before" 4 'it leads already'
        wait_for 30 is_synchronous 1
        to=$(replicas replica)
        check "$name: who is not synchronous is refused" refuses_to "$to" 7 "$to is no synchronous standby"
        ;;
    esac
    case $name in
    *_switchover_*) check "$name: both replicas are synchronous" all_synchronous ;;
    esac
    [ "$name" != patroni_switchover_to ] || given=(-p "host=$to")
    case $name in
    *_frozen) check "$name: who thaws is seen for what it does" passes_or_tells "$name" ;;
    *)
        check "$name passes" passes "$name"
        check "$name: every acknowledged write is there, once" nothing_is_lost
        ;;
    esac
    check "$name: the ledger's rows are gone" is_tidy
    check "$name: one host leads" wait_for 30 one_leader
    case $name in
    *_frozen) check "$name: within the range that the knobs promise" as_predicted ;;
    *_cut_from_replicas | *_cut_from_clients) check "$name: the primary stays" stayed ;;
    *_switchover_back)
        check "$name: who led leads again" stayed
        check "$name: the way back is measured by itself" gave_back postgres
        check "$name: within the range that the knobs promise" as_predicted
        say_back "$name"
        ;;
    *)
        check "$name: another leads" moved
        [ "$name" != patroni_switchover_to ] || check "$name: who was named leads" test "$(leaders)" = "$to"
        check "$name: within the range that the knobs promise" as_predicted
        ;;
    esac
    row "$name"
    given=()
    [[ $name != *_switchover_* ]] || config '{"synchronous_node_count": null}'
done
case " ${ONLY:-own} " in *" own "*) on_their_own ;; esac

#!/usr/bin/env bash
# redis_alone_test.sh - Redis with replicas and nobody who fails it over, drilled: what is lost, who leads, what returns.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/redis_alone_test.sh      ONLY: some scenarios of scenarios/redis_alone, and: traps guard
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
export ONLY=${ONLY-$*}
in_lab redis
# shellcheck source=tests/databases/drills.sh
. "$root/tests/databases/drills.sh"

export environment=redis_alone role=redis
net=$(<"$LAB_STATE/net")
net=${net%.*}.$((${net##*.} + 11))
mkdir "$work/own"
printf 'project: redis\nstate: state\nscenarios: [%s]\nenvironments: [%s]\n' \
    "$root/scenarios/redis_alone, own" "$LAB_STATE/environments" >"$work/faildrill.yaml"

redis() {
    timeout 5 redis-cli -h "$net.1$1" "${@:2}" 2>&1
}
# leaders: by number, the hosts that say that they lead.
leaders() {
    local n
    for n in 1 2 3; do
        [ "$(redis $n role | head -n 1)" != master ] || echo "$n"
    done
}
# One leads, and has two replicas in step.
is_whole() {
    local n
    n=$(leaders)
    [ ${#n} -eq 1 ] && [ "$(redis "$n" info replication | grep -c '^slave[0-9]*:.*state=online')" -eq 2 ]
}
# follows N: it is a replica of who leads now.
follows() {
    [ "$(redis "$1" role | head -n 3 | tr '\n' ' ')" = "slave $net.1$(leaders) 6379 " ]
}
all_set() {
    local n
    for n in 1 2 3; do [ "$(redis $n config set "$@")" = OK ] || return 1; done
}

# ---- B.11: what is known beforehand to make a drill worthless, or worse ----

# An empty primary that restarts would wipe its replicas.
traps() {
    wait_for 60 is_whole
    redis "$(leaders)" set trap:key kept >/dev/null
    all_set appendonly no
    check "nothing is on disk: kill is REFUSED, exit 4" refused 4 redis_alone_primary_restarts \
        'kill of a Redis primary without persistence is refused'
    all_set save '3600 1'
    check "snapshots alone: kill is REFUSED, exit 4" refused 4 redis_alone_primary_restarts 'it has snapshots (RDB) alone'
    all_set save ''
    all_set appendonly yes
    check "nothing was touched" test "$(redis 1 get trap:key) $(redis 2 get trap:key) $(redis 3 get trap:key)" = 'kept kept kept'
}

# ---- the runner is killed: its guards put back what it broke, and do no harm ----

# Until ended: how many led at once, at most.
watch_leaders() {
    local n most=0
    while :; do
        n=$(leaders | wc -l)
        [ "$n" -le "$most" ] || echo "$((most = n))" >"$work/most"
    done
}
keys_everywhere() {
    local n
    for n in 1 2 3; do [ "$(redis $n get "guard:$1:500")" = 500 ] || return 1; done
}
is_undone() {
    "$FAILDRILL" -C "$work" undo --no-input
    ! "$lab" --state "$LAB_STATE" exec "redis-$before" test -e /run/faildrill
}
# guard NAME STEPS: the drill's runner is killed once who is expected leads; the host comes back by itself.
guard() {
    local runner watching
    cat >"$work/own/$1.yaml" <<END
scenario: $1
targets:
  primary: {role: redis, is: primary}
probes:
  writes: {ledger: redis, every: 100ms}
hold: 3s
observe: 60s
steady: {for: 1s}
undo: {lease: 4s, grace: 60s}
steps:
$2
expect:
  writes: {max_lost: 1s}
END
    wait_for 60 is_whole
    before=$(leaders)
    seq 500 | sed "s/.*/set guard:$1:& &/" | redis-cli -h "$net.1$before" >/dev/null
    redis "$before" wait 2 5000 >/dev/null
    echo 0 >"$work/most"
    watch_leaders &
    watching=$!
    "$FAILDRILL" -C "$work" run -e redis_alone "$1" --no-input >"$work/said" 2>&1 &
    runner=$!
    check "$1: it comes to where the runner is killed" wait_for 60 "$3"
    kill -9 "$runner"
    wait "$runner" 2>/dev/null
    check "$1: the guard starts Redis" wait_for 60 answers "$before"
    check "$1: one leads, two follow" wait_for 60 is_whole
    check "$1: every key is on every host" keys_everywhere "$1"
    kill "$watching"
    wait "$watching" 2>/dev/null
    check "$1: no two led at any time" test "$(<"$work/most")" = 1
    check "$1: undone, and nothing is left" wait_for 30 is_undone
}
answers() {
    [ "$(redis "$1" ping)" = PONG ]
}
is_down() {
    ! answers "$before"
}
is_promoted() {
    is_down && [ -n "$(leaders)" ]
}
guards() {
    guard guard_alone "  - {kill: primary, for: 50s}" is_down
    check "guard_alone: nobody took over, and it leads again" test "$(leaders)" = "$before"
    guard guard_after_failover "  - {kill: primary}
  - {failover: redis}" is_promoted
    check "guard_after_failover: it came back as a replica" follows "$before"
}

check "one leads, two follow" wait_for 60 is_whole
for file in "$root"/scenarios/redis_alone/*.yaml; do
    name=${file##*/}
    name=${name%.yaml}
    wanted "$name" || continue
    wait_for 60 is_whole
    before=$(leaders)
    begun=$SECONDS
    check "$name passes" passes "$name"
    row "$name"
    case $name in
    *_dies) check "$name: no more is lost than was on its way" test "$(field 'led["writes"]["lost"] <= 10')" = True ;;
    *_clients) check "$name: every acknowledged write is there, once" every_write writes shop ;;
    *) check "$name: every acknowledged write is there, once" every_write writes ;;
    esac
    case $name in
    *_failover | *_dies)
        check "$name: the old primary is a replica of the new one" follows "$before"
        check "$name: and so is the other one" wait_for 30 is_whole
        ;;
    *) check "$name: the primary stays" test "$(leaders)" = "$before" ;;
    esac
done
! wanted traps || traps
! wanted guard || guards

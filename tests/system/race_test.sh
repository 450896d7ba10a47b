#!/usr/bin/env bash
# race_test.sh - of two runners that begin at once on one environment exactly one goes on, each of 50 times.
# SPDX-License-Identifier: Apache-2.0
# PAIRS: how many pairs (default 50). A third of them share a store; another are two people on two machines, with no
# more in common than the hosts; and the last have environments of their own, whose locks lie on different hosts. What a fault did is counted on the hosts themselves.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # what is quoted is for the host
. "${BASH_SOURCE[0]%/*}/../lib.sh"
lanes=3
in_lab "bare:$((3 * lanes))"

pairs=${PAIRS:-50}
# The hosts of lane N, in an environment of their own: nobody races with another lane.
hosts_of() {
    echo "bare-$((3 * $1 + 1))" "bare-$((3 * $1 + 2))" "bare-$((3 * $1 + 3))"
}
# Ends only by a halt: whoever comes later, however late, finds it under way.
# project DIR LANE SEED [ORDER]
project() {
    local dir=$1 lane=$2 name
    mkdir -p "$dir/scenarios" "$dir/environments"
    echo 'project: race' >"$dir/faildrill.yaml"
    {
        printf 'environment: here\nroles:\n  idle:\n    hosts:\n'
        for name in $(hosts_of "$lane" | tr ' ' '\n' | "${4:-cat}"); do
            printf '      %s: {address: %s}\n' "$name" "$(<"$LAB_STATE/hosts/$name/address")"
        done
        cat <<ENVIRONMENT
    service: {pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}
    reach: {prefix: [$lab, --state, $LAB_STATE, exec, "\${host.name}"]}
ENVIRONMENT
    } >"$dir/environments/here.yaml"
    cat >"$dir/scenarios/drill.yaml" <<SCENARIO
scenario: drill
targets: {victim: {role: idle, pick: 2, seed: $3}}
probes: {door: {tcp: "$(<"$LAB_STATE/hosts/$name/address"):22", every: 100ms, timeout: 2s}}
steady: {for: 300ms}
hold: 300ms
observe: 0s
settle: 60s
steps:
  - run: "echo broken >>/run/broken"
    target: victim
    fault: true
    undo: "touch /run/mended"
    proof: "test -e /run/broken && test ! -e /run/mended"
    for: 5m
halt: {door: {max_outage: 4m}}
expect: {door: {max_outage: 4m}}
undo: {lease: 30s, grace: 20s}
SCENARIO
}
# How often a fault was applied to the lane's hosts, and what lies there of ours.
applied() {
    local name
    for name in $(hosts_of "$1"); do
        "$lab" exec "$name" sh -c 'cat /run/broken 2>/dev/null; ls -A /run/faildrill 2>/dev/null'
    done
}
forget() {
    local name
    for name in $(hosts_of "$1"); do "$lab" exec "$name" rm -f /run/broken /run/mended; done
}
has_ended() {
    [ -e "$1.status" ]
}
# runner DIR OUT: in the background; its status is in OUT.status.
runner() {
    rm -f "$2" "$2.status"
    (
        "$FAILDRILL" -C "$1" --no-input run -e here drill >"$2" 2>&1 &
        echo $! >"$2.pid"
        wait $!
        echo $? >"$2.status.new"
        mv "$2.status.new" "$2.status"
    ) &
}
complain() {
    echo "$1"
    sed 's/^/  one: /' "$work/$2/one"
    sed 's/^/  two: /' "$work/$2/two"
    return 1
}
# starved LANE: one of them did not get its answer in time from a machine that others keep busy. That is no race: 99.
starved() {
    grep -qE 'in time|timed out|late' "$work/$1/one" "$work/$1/two" || return 1
    ! applied "$1" | grep -qv broken || return 1
    return 0
}
stop_both() {
    local which
    for which in one two; do
        has_ended "$work/$1/$which" || kill -TERM "$(<"$work/$1/$which.pid")"
    done
    wait_for 180 eval 'has_ended "$work/$1/one" && has_ended "$work/$1/two"'
}
# The second refusal, or the first one's end, before the fault: nobody goes on.
nobody() {
    complain "$1" "$2"
    stop_both "$2"
    ! starved "$2" || return 99
    return 1
}
# pair LANE ROUND FIRST SECOND: the projects of two runners.
pair() {
    local lane=$1 out=$work/$1 winner loser status
    forget "$lane"
    runner "$3" "$out/one"
    runner "$4" "$out/two"
    wait_for 180 eval 'has_ended "$out/one" || has_ended "$out/two"' ||
        complain "round $2: both go on" "$lane" || return
    winner=two loser=one
    has_ended "$out/one" || winner=one loser=two
    status=$(<"$out/$loser.status")
    # By the store or by a host; or it saw the other's folder when it looked at the hosts.
    [ "$status" = 4 ] || [ "$status" = 3 ] || nobody "round $2: the one that ended says $status" "$lane" || return
    wait_for 180 eval 'grep -q "proven (" "$out/$winner" && [ "$(applied "$lane" | grep -c broken)" -eq 2 ] ||
        has_ended "$out/$winner"' || complain "round $2: the other does nothing" "$lane" || return
    ! has_ended "$out/$winner" || nobody "round $2: none goes on" "$lane" || return
    kill -TERM "$(<"$out/$winner.pid")"
    wait_for 180 has_ended "$out/$winner" || complain "round $2: it does not halt" "$lane" || return
    [ "$(<"$out/$winner.status")" = 5 ] ||
        nobody "round $2: halted with $(<"$out/$winner.status")" "$lane" || return
    [ "$(applied "$lane" | sort | uniq -c | tr -s ' \n' ' ')" = ' 2 broken ' ] ||
        complain "round $2: it left $(applied "$lane")" "$lane" || return
    echo "$status" >>"$out/refusals"
}
# again ARGUMENT...: of pair; anew where the machine was too busy for either.
again() {
    local tries status
    for tries in 1 2 3 4; do
        pair "$@" && return
        status=$?
        [ "$status" -eq 99 ] || return "$status"
        echo "round $2: begun anew, $tries"
    done
    return 1
}
lane() {
    local round
    mkdir -p "$work/$1"
    # Two machines, two seeds: they need not mean the same hosts.
    project "$work/$1/here" "$1" 1
    project "$work/$1/there" "$1" 2
    project "$work/$1/across" "$1" 3 tac
    for ((round = $1; round < pairs; round += lanes)); do
        case $((round / lanes % 3)) in
        0) again "$1" "$round" "$work/$1/here" "$work/$1/across" || return 1 ;;
        1) again "$1" "$round" "$work/$1/here" "$work/$1/there" || return 1 ;;
        2) again "$1" "$round" "$work/$1/here" "$work/$1/here" || return 1 ;;
        esac
    done
}
race() {
    local n going=() bad=0
    for ((n = 0; n < lanes; n++)); do
        lane "$n" &
        going+=($!)
    done
    for n in "${going[@]}"; do wait "$n" || bad=1; done
    cat "$work"/*/refusals | sort | uniq -c
    [ "$bad" -eq 0 ] && [ "$(cat "$work"/*/refusals | wc -l)" -eq "$pairs" ]
}
check "$pairs pairs of runners at once: exactly one goes on each time, the other did nothing" race
[ -z "${SHOW-}" ] || cat "$work/check.out"

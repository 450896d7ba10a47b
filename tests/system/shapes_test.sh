#!/usr/bin/env bash
# shapes_test.sh - who reaches whom while a cut is in effect, by real packets: exactly as the plan's edges say.
# SPDX-License-Identifier: Apache-2.0
# SHAPES=all takes every shape (make shapes); else those three that differ most.
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:5

# shellcheck source=tests/system/network.sh
. "${BASH_SOURCE[0]%/*}/network.sh"
hosts_ready 5
token=none
all=(1 2 3 4 5)

# scenario STEP: one step, the insides of {...}.
scenario() {
    cat >"$work/project/scenarios/shape.yaml" <<END
scenario: shape
targets:
  one: {role: all}
  two: {role: host_2}
  three: {role: host_3}
probes:
  ssh: {tcp: "${v4[1]}:22", every: 200ms}
steady: {for: 300ms}
hold: 300ms
observe: 10m
steps:
  - {$1}
expect:
  ssh: {max_outage: 60s}
undo: {lease: 10s, grace: 30s}
END
}
# The edges of the plan as lines "FROM TO".
planned() {
    drill plan -e here shape --json >"$work/plan.json" 2>"$work/plan.err" || { cat "$work/plan.json" "$work/plan.err" >&2; return 1; }
    python3 -c '
import json, sys
plan = json.load(open(sys.argv[1]))
print(plan["token"])
for edge in plan["edges"]:
    if edge["now"]:
        print(edge["from"], edge["to"])' "$work/plan.json" >"$work/plan.lines"
    token=$(head -n 1 "$work/plan.lines")
    tail -n +2 "$work/plan.lines" | sort >"$work/edges"
    [ -s "$work/edges" ]
}
# cut_off FAMILY: lines "FROM TO" of all that was not heard; part of it is an error.
cut_off() {
    local at to count
    local -n address=$1
    local -a talkers=()
    for at in "${all[@]}"; do
        "$lab" exec "bare-$at" "${traffic[@]}" say "bare-$at" 20 60 5 "${address[@]:1}" >/dev/null &
        talkers+=($!)
    done
    wait "${talkers[@]}"
    for to in "${all[@]}"; do
        "$lab" exec "bare-$to" "${traffic[@]}" heard >"$work/heard"
        for at in "${all[@]}"; do
            count=$(awk -v word="bare-$at" '$1 == word { print $2 }' "$work/heard")
            case ${count:-0} in
            20) ;;
            0) echo "bare-$at bare-$to" ;;
            *) echo "bare-$at bare-$to in part: $count of 20" ;;
            esac
        done
    done | sort
}
as_planned() {
    cut_off "$1" >"$work/measured"
    diff "$work/edges" "$work/measured"
}
nothing_is_cut() {
    cut_off "$1" >"$work/measured"
    cat "$work/measured"
    [ ! -s "$work/measured" ]
}
# shape NAME STEP EDGES: planned, run as planned, measured from both ends.
shape() {
    scenario "$2"
    check "$1: planned" planned
    check "$1: $3 edges" test "$(wc -l <"$work/edges")" -eq "$3"
    drill_begin "$token"
    check "$1: in effect" wait_for 60 grep -q 'state *OBSERVING' "$work/run.out"
    check "$1: who hears whom by IPv4 is as planned" as_planned v4
    check "$1: who hears whom by IPv6 is as planned" as_planned v6
    [ $# -lt 4 ] || check "$1: $4" "${@:5}"
    check "$1: a new ssh connection gets in everywhere" ssh_works 5
    drill_end
    check "$1: all undone, exit 5" test "$status" = 5
}
reaches() {
    local said
    said=$("$lab" exec "bare-$1" "${traffic[@]}" reach "$2" "$3")
    echo "$said, wanted $4"
    [ "$said" = "$4" ]
}

check "nothing is cut before, by IPv4" nothing_is_cut v4
check "nothing is cut before, by IPv6" nothing_is_cut v6
if [ "${SHAPES-}" = all ]; then
    shape halves 'cut: {shape: halves, of: all}' 12
    shape majority 'cut: {shape: majority, of: all}' 12
    shape bridge 'cut: {shape: bridge, of: all}' 8
    shape "one and its peers" 'cut: {between: [one, peers]}' 8
fi
shape minority 'cut: {shape: minority, of: all}' 12
shape ring 'cut: {shape: ring, of: all}' 10
shape "one way" 'cut: {from: two, to: [three, host_4]}' 2
check "nothing is cut afterwards, by IPv4" nothing_is_cut v4
check "nothing is left on a host" nothing_left 5

# ---- ports, and being refused ----

scenario 'cut: {between: [two, three]}, ports: [6379], with: reject'
check "ports: planned" planned
drill_begin "$token"
check "ports: in effect" wait_for 60 grep -q 'state *OBSERVING' "$work/run.out"
check "ports: refused at once on that port, by IPv4" reaches 2 "${v4[3]}" 6379 refused
check "ports: refused at once on that port, by IPv6" reaches 3 "${v6[2]}" 6379 refused
check "ports: another port is open" reaches 2 "${v4[3]}" 7000 open
check "ports: another host is open" reaches 1 "${v4[3]}" 6379 open
check "ports: datagrams on other ports are heard" nothing_is_cut v6
drill_end
check "ports: all undone, exit 5" test "$status" = 5

check "nothing is left on a host, again" nothing_left 5

# alone.sh - what the tests of databases share that nobody watches over: drills of their primary, losses beside an observer.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# Sourced after tests/drills.sh; `role` is whose primary is drilled.
within=10s

# scenario NAME STEPS [PROBE UNDO EXPECTATION]
scenario() {
    cat >"$work/own/$1.yaml" <<END
scenario: $1
targets:
  primary: {role: $role, is: primary, stays: true}
probes:
  $role: {primary: $role, every: 250ms}
${3-}
hold: 3s
observe: 3s
steady: {for: 3s}
undo: {within: $within${4-}}
steps:
$2
halt: {$role: {max_outage: 60s}}
expect:
  $role: {max_split: 0s}
${5-}
END
}
# judged NAME: the drill comes to its end; what is expected may be missed.
judged() {
    drill "$1"
    cat "$work/said"
    [ "$status" -le 1 ]
}
# As many are lost, but for one that was under way when it was stopped; and those that the report names are among them.
# $work/acknowledged is what the cut-off primary carried out, $work/rows what another primary has: writer and number end a line.
same_as_observed() {
    local ours theirs
    ours=$(field "sum(l['lost'] for l in r['ledgers'])")
    comm -23 "$work/acknowledged" "$work/rows" | awk '{ print $(NF - 1), $NF }' | sort >"$work/theirs"
    theirs=$(wc -l <"$work/theirs")
    field "'\n'.join('%d %d' % (x['writer'], x['number']) for l in r['ledgers'] for x in l['first_lost'])" | sort >"$work/ours"
    echo "we say $ours of $(field "led['stranded']['acked']"), the observer $theirs; named $(wc -l <"$work/ours")"
    [ "$ours" -le "$theirs" ] && [ "$theirs" -le $((ours + 1)) ] && [ -z "$(comm -23 "$work/ours" "$work/theirs")" ]
}

#!/usr/bin/env bash
# flap_test.sh - a line that comes and goes: its rhythm by real packets, and its end in each phase.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:3

# shellcheck source=tests/system/network.sh
. "${BASH_SOURCE[0]%/*}/network.sh"
hosts_ready 3

# bare-3 sends to both, all the time. The first is bad for 2 s of 4; the second for longer than its lease.
cat >"$work/project/scenarios/flap.yaml" <<END
scenario: flap
targets:
  quick: {role: host_1}
  slow: {role: host_2}
  other: {role: host_3}
probes:
  ssh: {tcp: "${v4[3]}:22", every: 200ms}
steady: {for: 300ms}
hold: 300ms
observe: 10m
steps:
  - {isolate: quick, flap: {bad: 2s, good: 2s}}
  - {cut: {from: other, to: slow}, flap: {bad: 60s, good: 20s}}
expect:
  ssh: {max_outage: 60s}
undo: {lease: 4s, grace: 30s}
END
for at in 1 2; do
    setsid "$lab" exec "bare-$at" "${traffic[@]}" pauses 7800 500 >"$work/pauses.$at" 2>&1 &
    setsid "$lab" exec bare-3 "${traffic[@]}" beat "${v6[at]}" 7800 20 >/dev/null 2>&1 &
done
check "somebody listens" wait_for 20 grep -q ready "$work/pauses.1"

# Pauses of bare-1 so far.
paused() {
    [ "$(grep -c '^[0-9]' "$work/pauses.1")" -ge "$1" ]
}
# The middle of what the last three pauses lasted, and of the times between their ends. The kernel ends
# each phase at its time; a machine that has much to do begins it late.
rhythm() {
    grep '^[0-9]' "$work/pauses.1" | tail -n 4 | python3 -c '
import statistics, sys
ends, lengths = zip(*[[float(word) for word in line.split()] for line in sys.stdin])
rounds = [b - a for a, b in zip(ends, ends[1:])]
print(lengths, rounds)
length, round = statistics.median(lengths[1:]), statistics.median(rounds)
sys.exit(not (0.8 < length < 3.2 and 3.2 < round < 4.8))'
}
# peers_in HOST: as the kernel has them now.
peers_in() {
    # shellcheck disable=SC2016 # for the host
    "$lab" exec "bare-$1" sh -c 'for table in $(nft list tables | sed -n "s/.* \(fd_.*\)/\1/p"); do
        nft list table inet "$table"; done' | grep -o expires | wc -l
}
is_bad() {
    [ "$(peers_in "$1")" -gt 0 ]
}
is_good() {
    "$lab" exec "bare-$1" sh -c 'nft list tables | grep -q fd_' && [ "$(peers_in "$1")" = 0 ]
}
nobody_holds() {
    "$lab" exec "bare-$1" sh -c '! grep -lzs FD_HELD= /proc/[0-9]*/environ'
}
# The traffic gets through once more.
comes() {
    "$lab" exec bare-3 "${traffic[@]}" say here 20 60 5 "${v4[$1]}" >/dev/null
    "$lab" exec "bare-$1" "${traffic[@]}" heard | grep -qx 'here 20 1200'
}

drill plan -e here flap >"$work/plan" 2>&1
check "plan says the rhythm" grep -q 'bad for 2s, good for 2s' "$work/plan"
check "plan says class K" grep -q 'on bare-1   class K' "$work/plan"

drill_begin flap
check "both are in effect" wait_for 60 grep -q 'state *OBSERVING' "$work/run.out"
check "four times bad" wait_for 40 paused 4
check "bad for 2 of 4 seconds, again and again" rhythm
check "a new ssh connection gets in everywhere" ssh_works 3
check "a bad phase may be longer than the lease, which is renewed" is_bad 2
check "the other tables are as they were" foreign_as_before
check "the run goes on" kill -0 "$runner"
wait_for 10 is_good 1
drill_end
check "halted while one was good, one bad: all undone, exit 5" test "$status" = 5
check "what was good is well" comes 1
check "what was bad is well" comes 2
check "nothing is left on a host" nothing_left 3
check "no process either" nobody_holds 1

# ---- nobody is there any more ----

drill_begin flap
check "once more in effect" wait_for 60 grep -q 'state *OBSERVING' "$work/run.out"
kill -9 "$runner"
wait "$runner" 2>/dev/null
# shellcheck disable=SC2016 # for the host
"$lab" exec bare-2 sh -c 'for one in /run/faildrill/*/armed /run/faildrill/*/held; do
    read -r pid _ <"$one" && kill -9 "$pid"; done'
check "without runner, guard and rhythm the kernel ends it with the lease" wait_for 12 comes 2
check "the guard that lives undoes the other" wait_for 20 "$lab" exec bare-1 test ! -e /run/faildrill
check "and its rhythm" nobody_holds 1
check "undo takes away what is empty" drill undo
check "nothing is left on a host, again" nothing_left 3

# ---- the rhythm is lost ----

drill_begin flap
check "a third time in effect" wait_for 60 grep -q 'state *OBSERVING' "$work/run.out"
# shellcheck disable=SC2016 # for the host
"$lab" exec bare-1 sh -c 'for one in /run/faildrill/*/held; do read -r pid _ <"$one" && kill -9 "$pid"; done'
wait "$runner"
status=$?
check "who begins its phases is killed: INCONCLUSIVE, exit 7" test "$status" = 7
check "the run says so" grep -q 'ended early' "$work/run.out"
check "nothing is left on a host, a third time" nothing_left 3

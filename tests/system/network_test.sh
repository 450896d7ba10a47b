#!/usr/bin/env bash
# network_test.sh - what the network faults do to real packets, by IPv4 and IPv6, and to nobody else's rules.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:5

# shellcheck source=tests/system/network.sh
. "${BASH_SOURCE[0]%/*}/network.sh"
hosts_ready 5

# ---- one drill, a fault a host; bare-5 is the other end ----

cat >"$work/project/scenarios/lines.yaml" <<END
scenario: lines
targets:
$(for at in 1 2 3 4; do echo "  t$at: {role: host_$at}"; done)
probes:
  ssh: {tcp: "${v4[5]}:22", every: 200ms}
steady: {for: 300ms}
hold: 300ms
observe: 10m
steps:
  - {loss: t1, share: 30%}
  - {rate_limit: t2, rate: 1Mbit/s, direction: in}
  - {dns_cut: t3}
  - {dns_cut: t4, with: reject}
expect:
  ssh: {max_outage: 60s}
undo: {lease: 3s, grace: 30s}
END

# told HOST COUNT BYTES PAUSE_MS ADDRESS: sent to it by bare-5; prints the count and bytes that came.
told() {
    "$lab" exec bare-5 "${traffic[@]}" say w "$2" "$3" "$4" "$5" >&2
    "$lab" exec "bare-$1" "${traffic[@]}" heard | awk '$1 == "w" { print $2, $3 }'
}
between() {
    echo "$2 is it, wanted $1 to $3"
    [ "$1" -le "$2" ] && [ "$2" -le "$3" ]
}
# comes HOST LEAST MOST ADDRESS: of 2,000 datagrams.
comes() {
    local came
    read -r came _ < <(told "$1" 2000 60 0.2 "$4")
    between "$2" "${came:-0}" "$3"
}
# flows LEAST MOST ADDRESS: bytes that come to bare-2 of 4 Mbit/s sent for 3 seconds.
flows() {
    local bytes
    read -r _ bytes < <(told 2 1500 1000 2 "$3")
    between "$1" "${bytes:-0}" "$2"
}
leaves() {
    "$lab" exec bare-1 "${traffic[@]}" say out 200 60 1 "${v4[5]}" | grep -q '^refused 0 ' &&
        "$lab" exec bare-5 "${traffic[@]}" heard | grep -qx 'out 200 12000'
}
asks() {
    local said
    said=$("$lab" exec "bare-$1" "${traffic[@]}" ask "$2" | tr '\n' ' ')
    echo "$said"
    [ "$said" = "$3 $3 " ]
}

check "all comes before, by IPv4" comes 1 2000 2000 "${v4[1]}"
check "all comes before, by IPv6" comes 1 2000 2000 "${v6[1]}"
drill plan -e here lines >"$work/plan" 2>&1
check "plan says class K" grep -q 'on bare-1   class K' "$work/plan"
check "plan says the share" grep -q 'drop 30% of the packets that come in' "$work/plan"
check "plan says the rate" grep -q 'drop what is more than 1Mbit/s of the packets that come in' "$work/plan"

drill_begin lines
check "all four are in effect" wait_for 60 grep -q 'state *OBSERVING' "$work/run.out"
check "loss: 30 % of what comes in, by IPv4" comes 1 1290 1510 "${v4[1]}"
check "loss: 30 % of what comes in, by IPv6" comes 1 1290 1510 "${v6[1]}"
check "loss: what leaves is not touched" leaves
# One second and 64 KiB at once, then 125,000 bytes a second.
check "rate_limit: 1 Mbit/s come in, after the first 190 kB" flows 400000 700000 "${v4[2]}"
check "dns_cut: no answer, by IPv4" asks 3 "${v4[5]}" silent
check "dns_cut: no answer, by IPv6" asks 3 "${v6[5]}" silent
check "dns_cut: a name server there still answers" asks 5 "${v4[3]}" answered
check "dns_cut with reject: refused, by IPv4" asks 4 "${v4[5]}" refused
check "dns_cut with reject: refused, by IPv6" asks 4 "${v6[5]}" refused
check "dns_cut with reject: a name server there still answers" asks 5 "${v6[4]}" answered
check "the other tables are as they were" foreign_as_before
check "a new ssh connection gets in everywhere" ssh_works 5
check "still there after two leases: 30 % are lost" comes 1 1290 1510 "${v4[1]}"
drill_end
check "halted, all undone: exit 5" test "$status" = 5
check "all comes again" comes 1 2000 2000 "${v6[1]}"
check "questions are answered again" asks 4 "${v4[5]}" answered
check "nothing is left on a host" nothing_left 5

# ---- nobody is there any more: the kernel ends it ----

drill_begin lines
check "once more in effect" wait_for 60 grep -q 'state *OBSERVING' "$work/run.out"
kill -9 "$runner"
wait "$runner" 2>/dev/null
# shellcheck disable=SC2016 # for the host
"$lab" exec bare-1 sh -c 'for armed in /run/faildrill/*/armed; do read -r pid _ <"$armed" && kill -9 "$pid"; done'
check "without runner and guard, nothing is lost after the lease" wait_for 8 comes 1 2000 2000 "${v4[1]}"
check "undo takes away what is empty" drill undo
check "nothing is left on a host, again" nothing_left 5

#!/usr/bin/env bash
# iptables_test.sh - the network faults on hosts that have no nft: by chains and sets of our own, and nobody else's.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # what is quoted is for the host
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:5
for tool in ipset iptables-legacy iptables-nft; do
    command -v "$tool" >/dev/null || skip_all "there is no $tool here"
done

# shellcheck source=tests/system/network.sh
. "${BASH_SOURCE[0]%/*}/network.sh"
hosts_ready 5

on() {
    local at=$1
    shift
    "$lab" exec "bare-$at" "$@"
}
# Their nft is no program any more; iptables is the one for nftables on 1 and 2, the old one on 3 and 4.
for at in 1 2 3 4; do
    on "$at" sh -c ': >/run/hidden && mount --bind /run/hidden "$(readlink -f "$(command -v nft)")"'
    [ "$at" -lt 3 ] || on "$at" sh -c 'mount --bind "$(readlink -f "$(command -v iptables-legacy)")" \
        "$(readlink -f "$(command -v iptables-nft)")"'
    on "$at" sh -c 'for t in iptables ip6tables; do
        $t -N SITE && $t -A SITE -p tcp --dport 9999 -j DROP && $t -A INPUT -p udp --dport 9 -j REJECT &&
            $t -I INPUT 1 -j SITE && $t -A FORWARD -i site0 -j DROP && $t -A OUTPUT -o site0 -j DROP &&
            $t -t raw -A PREROUTING -p tcp --dport 9998 -j DROP || exit 1; done
        ipset create site hash:ip timeout 0 && ipset add site 192.0.2.7'
done
check "one has the iptables for nftables" on 1 sh -c 'iptables -V | grep nf_tables'
check "one has the old one" on 3 sh -c 'ip6tables -V | grep legacy'
# The rules of the site in their order; without what is ours.
foreign() {
    on "$1" sh -c 'iptables-save; ip6tables-save; ipset save' | sed -e '/^#/d' -e 's/\[[0-9:]*\]//' -e '/fd_/d'
}
nothing_left() {
    local at
    foreign_as_before || return 1
    for at in 1 2 3 4; do
        on "$at" sh -c '! { iptables-save; ip6tables-save; ipset save; } | grep fd_ && test ! -e /run/faildrill' ||
            return 1
    done
}
foreign_as_before() {
    local at
    for at in 1 2 3 4; do foreign "$at" | diff "$work/foreign.$at" - || return 1; done
}
for at in 1 2 3 4; do foreign "$at" >"$work/foreign.$at"; done

# scenario NAME STEP...
scenario() {
    local name=$1
    shift
    cat >"$work/project/scenarios/$name.yaml" <<END
scenario: $name
targets:
$(for at in 1 2 3 4 5; do echo "  t$at: {role: host_$at}"; done)
probes:
  ssh: {tcp: "${v4[5]}:22", every: 200ms}
steady: {for: 300ms}
hold: 300ms
observe: 10m
steps:
$(printf '  - {%s}\n' "$@")
expect:
  ssh: {max_outage: 60s}
undo: {lease: 6s, grace: 40s}
END
}
begins() {
    drill_begin "$1"
    wait_for 90 grep -q 'state *OBSERVING' "$work/run.out" || {
        cat "$work/run.out"
        return 1
    }
}
# told HOST COUNT BYTES PAUSE_MS ADDRESS: sent to it by bare-5; prints the count and bytes that came.
told() {
    on 5 "${traffic[@]}" say w "$2" "$3" "$4" "$5" >&2
    on "$1" "${traffic[@]}" heard | awk '$1 == "w" { print $2, $3 }'
}
between() {
    echo "$2 is it, wanted $1 to $3"
    [ "$1" -le "$2" ] && [ "$2" -le "$3" ]
}
comes() {
    local came
    read -r came _ < <(told "$1" 2000 60 0.2 "$4")
    between "$2" "${came:-0}" "$3"
}
flows() {
    local bytes
    read -r _ bytes < <(told 2 1500 1000 2 "$3")
    between "$1" "${bytes:-0}" "$2"
}
# reaches FROM ADDRESS PORT WORD
reaches() {
    local said
    said=$(on "$1" "${traffic[@]}" reach "$2" "$3")
    echo "$said"
    [ "$said" = "$4" ]
}
asks() {
    local said
    said=$(on "$1" "${traffic[@]}" ask "$2" | tr '\n' ' ')
    echo "$said"
    [ "$said" = "$3 $3 " ]
}
# As from another machine: a store that knows nothing.
finds() {
    "$FAILDRILL" -C "$work/project" --state "$work/nothing" undo --scan -e here >"$work/scan" 2>&1
    [ $? -eq 6 ] || return 1
    cat "$work/scan"
    grep -qE -- "$1" "$work/scan"
}

drill doctor here >"$work/doctor" 2>&1
four_have() {
    cat "$work/doctor"
    [ "$(grep -c "bare-[1-4] .*$1" "$work/doctor")" -ge 4 ]
}
check "doctor says that these have iptables" four_have 'nft no, iptables yes'
check "doctor: another has nft" grep -q 'bare-5 .*nft yes' "$work/doctor"
check "to ask has left nothing" nothing_left

# ---- bad lines ----

scenario lines 'loss: t1, share: 30%' 'rate_limit: t2, rate: 1Mbit/s, direction: in' 'dns_cut: t3' \
    'dns_cut: t4, with: reject'
drill plan -e here lines >"$work/plan" 2>&1
check "plan says class K" grep -q 'on bare-1   class K' "$work/plan"
check "plan says by what" grep -q 'drop 30% of the packets that come in, by iptables' "$work/plan"
check "four lines are bad" begins lines
check "loss: 30 % of what comes in, by IPv4" comes 1 1290 1510 "${v4[1]}"
check "loss: 30 % of what comes in, by IPv6" comes 1 1290 1510 "${v6[1]}"
# One second at once, then 125,000 bytes a second.
check "rate_limit: 1 Mbit/s come in" flows 350000 700000 "${v4[2]}"
check "dns_cut: no answer, by IPv4" asks 3 "${v4[5]}" silent
check "dns_cut: no answer, by IPv6" asks 3 "${v6[5]}" silent
check "dns_cut with reject: refused, by IPv4" asks 4 "${v4[5]}" refused
check "dns_cut with reject: refused, by IPv6" asks 4 "${v6[5]}" refused
check "dns_cut with reject: a name server there still answers" asks 5 "${v6[4]}" answered
check "the rules of the site are as they were, and where they were" foreign_as_before
check "a new ssh connection gets in everywhere" ssh_works 5
check "the run goes on, two leases later: 30 % are lost" comes 1 1290 1510 "${v4[1]}"
drill_end
check "halted, all undone: exit 5" test "$status" = 5
check "all comes again" comes 1 2000 2000 "${v6[1]}"
check "questions are answered again" asks 4 "${v4[5]}" answered
check "nothing is left on a host" nothing_left

# ---- cuts ----

scenario cuts 'isolate: t1' 'cut: {from: t5, to: t2}, ports: [6379]' 'cut: {between: [t3, t4]}, with: reject'
check "three cuts" begins cuts
for family in v4 v6; do
    declare -n address=$family
    check "isolate: nobody gets in, by $family" reaches 5 "${address[1]}" 6379 silent
    check "isolate: it gets to nobody, by $family" reaches 1 "${address[5]}" 6379 silent
    check "cut: its port is silent, by $family" reaches 5 "${address[2]}" 6379 silent
    check "cut: others are not, by $family" reaches 5 "${address[2]}" 7000 open
    check "cut with reject: refused, by $family" reaches 3 "${address[4]}" 6379 refused
    check "cut with reject: refused at the other end too, by $family" reaches 4 "${address[3]}" 7000 refused
    check "cut with reject: others are not, by $family" reaches 5 "${address[3]}" 6379 open
done
check "a new ssh connection gets in everywhere" ssh_works 5
check "the rules of the site are as they were" foreign_as_before

# ---- nobody is there any more ----

kill -9 "$runner"
wait "$runner" 2>/dev/null
for at in 1 2; do
    on "$at" sh -c 'for one in /run/faildrill/*/armed; do read -r pid _ <"$one" && kill -9 "$pid"; done'
done
check "without runner and guard the kernel ends it with the lease" wait_for 30 reaches 5 "${v4[1]}" 6379 open
check "by IPv6 too" wait_for 10 reaches 5 "${v6[1]}" 6379 open
check "on the other host too" wait_for 10 reaches 5 "${v4[2]}" 6379 open
check "the guards that live undo theirs" wait_for 30 on 3 sh -c \
    '! { iptables-save; ip6tables-save; ipset save; } | grep fd_ && test ! -e /run/faildrill'
check "with no store: its jumps are found, and the command that ends it" \
    finds 'bare-1: jump [0-9a-z]+_1 iptables raw PREROUTING fd_[0-9a-z_]+_hears, of .*: sudo sh /run/faildrill/undo$'
check "and its sets" finds 'bare-1: set [0-9a-z]+_1 ipset fd_[0-9a-z_]+_6, of .*: sudo sh /run/faildrill/undo$'
check "the command ends it" on 2 sh /run/faildrill/undo
on 1 rm -rf /run/faildrill
check "its folder is gone: by its own name" \
    finds 'bare-1: jump [0-9a-z]+_1 .*: sudo iptables -w 5 -t raw -D PREROUTING -m comment --comment fd_[0-9a-z]+_1 -j fd_'
# The kernel lets go of a set a moment after the rules that looked into it.
by_hand() {
    on 1 sh -c "$(sed -n 's/^FOUND *bare-1: .*to end it there: sudo //p' "$work/scan")"
    on 1 sh -c '! { iptables-save; ip6tables-save; ipset save; } | grep fd_'
}
check "these commands end it" wait_for 20 by_hand
check "undo finds nothing to do" drill undo
check "nothing is left on a host, again" nothing_left

# ---- one that comes and goes ----

scenario flap 'isolate: t1, flap: {bad: 2s, good: 2s}' 'cut: {from: t5, to: t3}, flap: {bad: 30s, good: 20s}'
setsid "$lab" exec bare-1 "${traffic[@]}" pauses 7800 500 >"$work/pauses" 2>&1 &
setsid "$lab" exec bare-5 "${traffic[@]}" beat "${v6[1]}" 7800 20 >/dev/null 2>&1 &
check "somebody listens" wait_for 20 grep -q ready "$work/pauses"
paused() {
    [ "$(grep -c '^[0-9]' "$work/pauses")" -ge "$1" ]
}
# The middle of what the last three pauses lasted, and of the times between their ends.
rhythm() {
    grep '^[0-9]' "$work/pauses" | tail -n 4 | python3 -c '
import statistics, sys
ends, lengths = zip(*[[float(word) for word in line.split()] for line in sys.stdin])
length, round = statistics.median(lengths[1:]), statistics.median(b - a for a, b in zip(ends, ends[1:]))
print(lengths, ends)
sys.exit(not (0.8 < length < 3.5 and 3.2 < round < 4.8))'
}
check "two that flap" begins flap
check "four times bad" wait_for 60 paused 4
check "bad for 2 of 4 seconds, again and again" rhythm
check "a bad phase may be longer than the lease, which is renewed" reaches 5 "${v4[3]}" 6379 silent
check "the run goes on" kill -0 "$runner"
drill_end
check "halted, all undone: exit 5, again" test "$status" = 5
check "nothing is left on a host, a third time" nothing_left

# ---- our own link as well ----

scenario gone 'isolate: t3, link: cut, for: 30s'
sed -i 's/grace: 40s/grace: 10s/; s/observe: 10m/observe: 1s/' "$work/project/scenarios/gone.yaml"
# By the port alone: a login takes longer on a busy machine than the cut may last.
port_is_silent() {
    ! timeout 1 bash -c "exec 3<>/dev/tcp/${v4[3]}/22"
}
drill_begin gone
check "proven while our link still stood" wait_for 60 grep -q 'isolate proven' "$work/run.out"
check "our own link is cut" wait_for 40 port_is_silent
wait "$runner"
status=$?
check "the cap ended it, the run passed: exit 0" test "$status" = 0
check "a new ssh connection gets in again" ssh_works 3
check "nothing is left on a host, a fourth time" nothing_left

# ---- without timers ----

on 2 sh -c 'mount --bind /run/hidden "$(readlink -f "$(command -v ipset)")"'
scenario alone 'isolate: t2'
drill plan -e here alone >"$work/plan" 2>&1
check "without ipset there is no timer: refused, naming the package" \
    grep -q "iptables has no timers without ipset (apt-get install ipset)" "$work/plan"

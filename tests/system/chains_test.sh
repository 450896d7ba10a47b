#!/usr/bin/env bash
# chains_test.sh - a host without nft: others' rules before ours, tools that do not answer, rules that come back at a boot.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # what is quoted is for the host
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:2
for tool in ipset iptables-legacy iptables-nft; do
    command -v "$tool" >/dev/null || skip_all "there is no $tool here"
done

on() {
    local at=$1
    shift
    "$lab" exec "bare-$at" "$@"
}
# Without nft; on 1 iptables is the one for nftables, on 2 the old one.
hide() {
    on "$1" sh -c ': >/run/hidden && mount --bind /run/hidden "$(readlink -f "$(command -v nft)")"'
    [ "$1" = 1 ] || on "$1" sh -c 'mount --bind "$(readlink -f "$(command -v iptables-legacy)")" \
        "$(readlink -f "$(command -v iptables-nft)")"'
}
hide 1
hide 2
mkdir -p "$work/project/scenarios" "$work/project/environments"
echo 'project: chains' >"$work/project/faildrill.yaml"
cat >"$work/project/environments/here.yaml" <<END
environment: here
ssh: {config: $LAB_STATE/ssh_config}
roles:
  one: {hosts: {bare-1: {address: $(<"$LAB_STATE/hosts/bare-1/address")}}}
  two: {hosts: {bare-2: {address: $(<"$LAB_STATE/hosts/bare-2/address")}}}
END
cat >"$work/project/scenarios/both.yaml" <<END
scenario: both
targets: {a: {role: one}, b: {role: two}}
probes:
  ssh: {tcp: "$(<"$LAB_STATE/hosts/bare-1/address"):22", every: 500ms}
steady: {for: 500ms}
hold: 300ms
observe: 10m
steps:
  - {isolate: a}
  - {rate_limit: b, rate: 8Mbit/s}
expect:
  ssh: {max_outage: 9m}
undo: {lease: 5m, grace: 40s}
END
cat >"$work/project/scenarios/other.yaml" <<END
scenario: other
targets: {a: {role: one}}
probes:
  ssh: {tcp: "$(<"$LAB_STATE/hosts/bare-1/address"):22", every: 500ms}
steps:
  - {run: "touch /run/other", target: a, fault: true, undo: "rm -f /run/other", proof: "test -e /run/other"}
expect:
  ssh: {max_outage: 9m}
END
drill() {
    "$FAILDRILL" -C "$work/project" --no-input "$@"
}
begins() {
    : >"$work/run.out"
    "$FAILDRILL" -C "$work/project" --no-input run -e here both >"$work/run.out" 2>&1 &
    runner=$!
    wait_for 90 grep -q 'state *OBSERVING' "$work/run.out" || {
        cat "$work/run.out"
        return 1
    }
}
# Of the fault on a host, whose runner is dead: the look as guard and runner have it.
looks() {
    on "$1" sh -c 'cd /run/faildrill/*_[0-9]* && set -a && . ./vars && sh ./place'
    status=$?
    echo "exit $status, wanted $2"
    [ "$status" -eq "$2" ]
}
# says STATUS TEXT VERB...: with a store that knows nothing.
says() {
    local wanted=$1 text=$2 status
    shift 2
    "$FAILDRILL" -C "$work/project" --state "$work/nothing" --no-input "$@" >"$work/said" 2>&1
    status=$?
    echo "exit $status, wanted $wanted"
    cat "$work/said"
    [ "$status" -eq "$wanted" ] && grep -qE -- "$text" "$work/said"
}
nothing_left() {
    on "$1" sh -c '! { iptables-save; ip6tables-save; ipset save; } | grep fd_ && test ! -e /run/faildrill'
}

# ---- who may save or reload ----

check "doctor says nothing of whoever is not there" says 0 'ready' doctor here
check "and nothing is beware" eval '! grep beware "$work/said"'
on 1 touch /etc/init.d/iptables
beware='beware:? /etc/init.d/iptables may save our rules'
check "doctor warns of a service that saves rules" says 0 "$beware" doctor here
check "plan warns of it" says 0 "$beware" plan -e here both
check "of the other host it does not" test "$(grep -c beware "$work/said")" = 1
check "plan says that a rate is of each family" grep -q 'iptables: so much of IPv4, and as much again of IPv6' "$work/said"

# ---- others' rules before ours ----

check "two faults" begins
on 2 ip6tables -w 5 -t filter -I FORWARD 1 -p udp --dport 9 -j ACCEPT
wait "$runner"
check "one stands behind another's rule: ended early, exit 7" test $? = 7
check "and is undone" nothing_left 2
on 2 ip6tables -w 5 -t filter -D FORWARD -p udp --dport 9 -j ACCEPT
check "two faults once more" begins
kill -9 "$runner"
wait "$runner" 2>/dev/null
for at in 1 2; do
    check "$at: it is in place" looks "$at" 0
    for place in "iptables -t raw PREROUTING" "ip6tables -t raw PREROUTING" "iptables -t filter OUTPUT" "ip6tables -t filter FORWARD"; do
        read -r tool _ table chain <<<"$place"
        on "$at" "$tool" -w 5 -t "$table" -I "$chain" 1 -p udp --dport 9 -j ACCEPT
        check "$at: with another's rule before ours in $place it is not" looks "$at" 1
        on "$at" "$tool" -w 5 -t "$table" -D "$chain" -p udp --dport 9 -j ACCEPT
    done
    on "$at" sh -c 'iptables -w 5 -t raw -N fd_other_7_hears && iptables -w 5 -t raw -I PREROUTING 1 -m comment --comment fd_other_7 -j fd_other_7_hears'
    check "$at: behind another fault it still is" looks "$at" 0
    on "$at" sh -c 'iptables -w 5 -t raw -D PREROUTING 1 && iptables -w 5 -t raw -X fd_other_7_hears'
    on "$at" iptables -w 5 -t raw -A PREROUTING -p udp --dport 9 -j ACCEPT
    check "$at: with another's rule behind ours it still is" looks "$at" 0
    on "$at" sh -c 'iptables-save -t raw >/run/raw && iptables -w 5 -t raw -F "$(sed -n "s/^:\(fd_[^ ]*_hears_c\) .*/\1/p" /run/raw)"'
    check "$at: with its own chain emptied it is not" looks "$at" 1
    on "$at" sh -c 'iptables-restore </run/raw && rm /run/raw'
    check "$at: as it was made it is" looks "$at" 0
    on "$at" ip6tables -w 5 -t filter -F OUTPUT
    check "$at: flushed in one family it is not" looks "$at" 1
done

# ---- tools that do not answer ----

on 1 sh -c 'printf "#!/bin/sh\necho this is broken >&2; exit 1\n" >/run/broken; chmod +x /run/broken'
breaks() {
    on 1 sh -c 'mount --bind /run/broken "$(command -v '"$1"')"'
}
mends() {
    on 1 sh -c 'umount "$(command -v '"$1"')"'
}
on 1 rm -rf /run/faildrill
for tool in "ipset list -n" iptables-save; do
    breaks "${tool%% *}"
    check "scan: where \`$tool\` fails nobody knows" \
        says 6 "^unknown  bare-1: cannot look for traces: \`$tool\`: this is broken" undo --scan -e here
    check "doctor says so" says 3 "cannot look for traces of a drill: \`$tool\`: this is broken" doctor here
    check "plan is refused" says 4 "host 'bare-1' cannot say whether another drill left something: \`$tool\`" plan -e here other
    check "undo says that it is not undone" eval '! drill undo --host bare-1'
    mends "${tool%% *}"
done

# ---- saved, and loaded again at a boot ----

on 2 ipset save >"$work/rules.ipset"
on 2 iptables-save >"$work/rules.iptables"
on 2 ip6tables-save >"$work/rules.ip6tables"
"$lab" power off bare-2 && "$lab" power on bare-2
check "it boots" wait_for 60 ssh -F "$LAB_STATE/ssh_config" bare-2 true
hide 2
check "the rules are loaded again" eval 'on 2 ipset restore <"$work/rules.ipset" &&
    on 2 iptables-restore <"$work/rules.iptables" && on 2 ip6tables-restore <"$work/rules.ip6tables"'
check "with no store its jumps are found after a boot" \
    says 6 'bare-2: jump [0-9a-z]+_2 iptables raw PREROUTING fd_[0-9a-z_]+_hears' undo --scan -e here
check "undo finds them: NOT UNDONE" eval '! drill undo >"$work/undo"'
check "it says where" grep -q 'STILL IN EFFECT.* bare-2' "$work/undo"
check "and names no script there, which went with the boot" eval 'grep -q "booted anew" "$work/undo" &&
    ! sed -n "/bare-2/,/STILL/p" "$work/undo" | grep "sudo sh /run/faildrill/undo"'
ends() {
    on 2 sh -c "$(sed -n 's/^FOUND *bare-2: .*to end it there: sudo //p' "$work/said")"
    drill undo
}
check "the commands that scan gave end them" wait_for 20 ends
check "nothing is left of them" nothing_left 2
check "nor on the other host" nothing_left 1
# As an iptables-restore leaves them that knew no set.
on 1 sh -c 'iptables -w 5 -t raw -N fd_0123456789abcdef_1_hears && iptables -w 5 -t raw -I PREROUTING 1 -m comment --comment fd_01k20123456789abcdef_1 -j fd_0123456789abcdef_1_hears'
check "chains without sets are found" says 6 'bare-1: chain 01k20123456789abcdef_1 iptables raw' undo --scan -e here
check "and the commands end them" on 1 sh -c "$(sed -n 's/^FOUND *bare-1: .*to end it there: sudo //p' "$work/said")"
check "then there are none" says 0 '^clean +bare-1' undo --scan -e here

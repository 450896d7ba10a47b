#!/usr/bin/env bash
# track_record_test.sh - who was locked out by other tools, and whose duration was another: not here.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # what is quoted is for the host
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:2
# shellcheck source=tests/project.sh
. "$root/tests/project.sh"

address=$(<"$LAB_STATE/hosts/bare-1/address")
# begin STEP: a project with a drill of bare-1 that is reached by ssh.
begin() {
    mkdir -p "$work/project/scenarios" "$work/project/environments"
    echo 'project: track' >"$work/project/faildrill.yaml"
    cat >"$work/project/environments/here.yaml" <<END
environment: here
ssh: {config: $LAB_STATE/ssh_config}
roles:
  idle:
    hosts: {bare-1: {address: $address}}
    service: {pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}
END
    cat >"$work/project/scenarios/drill.yaml" <<END
scenario: drill
targets:
  victim: {role: idle}
probes:
  ssh: {tcp: "$address:22", every: 500ms, timeout: 5s}
steady: {for: 300ms}
hold: 300ms
observe: 0s
settle: 20s
steps:
  - {$1}
expect:
  ssh: {max_outage: 30s}
undo: {lease: 20s, grace: 10s, within: 60s}
END
}

# ---- a host whose own firewall lets in little more than ssh ----

on_host nft -f - <<'END'
table inet site {
    chain in {
        type filter hook input priority 0; policy drop;
        iif "lo" accept
        ct state established,related accept
        tcp dport 22 accept
    }
    chain out {
        type filter hook output priority 0; policy drop;
        oif "lo" accept
        ct state established,related accept
    }
}
table ip docker {
    chain post {
        type nat hook postrouting priority 100; policy accept;
        ip saddr 172.17.0.0/16 masquerade
    }
}
END
rules() {
    on_host nft -s list table inet site && on_host nft -s list table ip docker
}
rules >"$work/rules"
begin 'isolate: victim, for: 5m'
drill run -e here drill >"$work/run.out" 2>&1 &
runner=$!
check "a host with a firewall of its own: the fault comes into effect" wait_for 60 is_in_effect
# With their entries gone, both ends must ask for each other's hardware address once more.
forget() {
    on_host ip neigh flush all && ip neigh flush to "$address"
}
check "both ends forget each other's hardware address" forget
check "chaosblade 986: a new connection is made during the fault" \
    timeout 60 ssh -F "$LAB_STATE/ssh_config" bare-1 true
another_host_hears_nothing() {
    ! "$lab" exec bare-2 timeout 2 bash -c "exec 3<>/dev/tcp/$address/22"
}
check "nobody else gets in" another_host_hears_nothing
same_rules() {
    rules | diff "$work/rules" -
}
check "ansible-role-firewall 88: rules of others are untouched during the fault" same_rules
drill halt >"$work/halt.out" 2>&1
wait "$runner"
check "the run is HALTED, exit 5" test $? -eq 5
check "ansible-role-firewall 88: and untouched after it" same_rules
on_host nft flush ruleset

# ---- a step that fails in the middle ----

begin 'isolate: victim}
  - {run: "exit 3", target: victim'
fails() {
    local status=0
    drill run -e here drill >"$work/failed" 2>&1 || status=$?
    cat "$work/failed"
    echo "exit $status"
    [ "$status" -ne 0 ] && grep -q 'isolate proven' "$work/failed" && grep -q 'step 2' "$work/failed"
}
check "a step fails while a fault is in effect" fails
check "chaostoolkit 195: what came before it is undone" grep -q 'undone   1 of 1' "$work/failed"
check "chaostoolkit 195: and nothing is left" on_host sh -c '[ ! -e /run/faildrill ] && [ -z "$(nft list ruleset)" ]'

# ---- `for` counts from the proof ----

begin 'run: "sleep 2; touch /run/broken", target: victim, fault: true, undo: "rm -f /run/broken", proof: "test -e /run/broken", for: 2s'
check "a fault that takes 2 s to come into effect: PASS, exit 0" drill run -e here drill
held_for() {
    drill report last --format json -o - | python3 -c '
import json, sys
(fault,) = json.load(sys.stdin)["faults"]
print(fault)
held = fault["undone"]["low_at_ns"] - fault["t0"]["high_at_ns"]
sys.exit(not 2_000_000_000 <= held < 15_000_000_000)'
}
check "chaos-mesh/website 295: its time counts from the proof" held_for
check "nothing is left" on_host test ! -e /run/faildrill -a ! -e /run/broken

#!/usr/bin/env bash
# inventory_test.sh - hosts come from an inventory: asked when hosts are, never by validate, and a plan keeps them.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:2

address_of() {
    cat "$LAB_STATE/hosts/$1/address"
}
mkdir -p "$work/project/scenarios" "$work/project/environments"
echo 'project: inventory' >"$work/project/faildrill.yaml"
# The command stands in the project's folder, wherever one is; it leaves a line, and what it knows of our variables.
cat >"$work/project/hosts.sh" <<'END'
#!/bin/sh
echo ran >>ran
env >variables
exec cat inventory.json
END
chmod +x "$work/project/hosts.sh"
# inventory HOST...: in the group idle_servers
inventory() {
    local host hosts='' vars=''
    for host; do
        hosts="$hosts${hosts:+,}\"$host\""
        vars="$vars${vars:+,}\"$host\":{\"ansible_host\":\"$(address_of "$host")\",\"ansible_password\":\"tell nobody\"}"
    done
    echo "{\"_meta\":{\"hostvars\":{$vars}},\"all\":{\"children\":[\"idle_servers\",\"nobody\"]}," \
        "\"idle_servers\":{\"hosts\":[$hosts]},\"nobody\":{\"hosts\":[]}}" >"$work/project/inventory.json"
}
# environment [HOSTS [COMMAND]]
environment() {
    cat >"$work/project/environments/staging.yaml" <<END
environment: staging
hosts: {run: [${2:-./hosts.sh}]}
secrets: {token: {env: INVENTORY_TEST_TOKEN}}
roles:
  idle:
    hosts: ${1:-idle_servers}
    service: {pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}
    reach: {prefix: ["$lab", --state, "$LAB_STATE", exec, "\${host.name}"]}
END
}
cat >"$work/project/scenarios/drill.yaml" <<END
scenario: drill
targets:
  victim: {role: idle, pick: 1}
probes:
  ssh: {tcp: "\${target.victim.address}:22", every: 100ms, timeout: 500ms}
steady: {for: 300ms}
hold: 300ms
observe: 300ms
settle: 20s
steps:
  - {freeze: victim, for: 1s}
expect:
  ssh: {max_outage: 20s}
undo: {lease: 10s, grace: 10s}
END
export INVENTORY_TEST_TOKEN=8f2d1c
drill() {
    "$FAILDRILL" -C "$work/project" --no-input "$@"
}
# says STATUS TEXT WORDS...: it ends so and says this text somewhere.
says() {
    local want=$1 text=$2 got
    shift 2
    drill "$@" >"$work/said" 2>&1
    got=$?
    cat "$work/said"
    if [ "$got" -ne "$want" ] || ! grep -qF -- "$text" "$work/said"; then
        echo "exit $got, wanted $want with: $text"
        return 1
    fi
}
never_ran() {
    [ ! -e "$work/project/ran" ]
}

inventory bare-1 bare-2
environment
validates() {
    says 0 'are right' validate -e staging && never_ran
}
check "validate takes a group for what it is, and runs nothing" validates
schedules() {
    says 2 'schedule' schedule -e staging drill && never_ran
}
check "nor does what asks no host" schedules
check "doctor asks the inventory for its hosts, from anywhere" says 0 "bare-2               $(address_of bare-2)" doctor staging
no_token() {
    [ -s "$work/project/variables" ] && ! grep -q -e INVENTORY_TEST_TOKEN -e 8f2d1c "$work/project/variables"
}
check "without the variables that hold secrets" no_token
plan=$work/plan.json
check "plan goes by it too" says 0 'of 2 hosts, 1 of 2 idle' plan -e staging --seed 1 -o "$plan" drill
check "and keeps whom it went by" grep -qF "idle_servers: bare-1 ($(address_of bare-1)), bare-2 ($(address_of bare-2))" "$plan"
check "but nothing else that it said" bash -c "! grep -qF 'tell nobody' '$plan'"
check "the plan runs" says 0 PASS run "$plan"
drill plan -e staging --seed 1 -o "$plan" drill >"$work/shown" 2>&1
inventory bare-1
check "it does not where the inventory has other hosts by then" says 4 \
    "was made for other hosts: the inventory has idle_servers: bare-1 ($(address_of bare-1)), and had" run "$plan"
check "a drill of the file runs with those of today" says 0 PASS run -e staging drill
check "undo --scan asks them as well" says 0 bare-1 undo --scan -e staging

# What is wrong is said where it stands, and no host is asked.
at=environments/staging.yaml
environment nobody
check "a group of nobody is refused at the role" says 2 "$at:6:12" plan -e staging drill
check "by its name" grep -qF "group 'nobody' of the inventory is empty" "$work/said"
environment idle_server
check "a group that is not there is refused" says 2 "the inventory has no group 'idle_server'" plan -e staging drill
check "with those that are" grep -qF 'idle_servers' "$work/said"
environment '{bare-1: {address: 192.0.2.1}}'
check "another address by hand is refused" says 2 "the inventory has host 'bare-1' at $(address_of bare-1)" plan -e staging drill
environment '{bare-1: {zone: a}}'
check "what is said by hand is said of it as well" says 0 "bare-1 ($(address_of bare-1))" plan -e staging drill
environment '[bare-1]'
check "a name without an address has that of the inventory" says 0 "bare-1 ($(address_of bare-1))" plan -e staging drill
environment idle_servers '/bin/false'
check "a command that fails is refused where it stands" says 2 "$at:2:14" plan -e staging drill
check "with how it ended" grep -qF 'ended with status 1' "$work/said"
environment idle_servers 'no_such_command'
check "so is one that is not there" says 2 'no_such_command' plan -e staging drill
environment idle_servers 'echo, hello'
check "what it prints must be JSON" says 2 'is no inventory: it is no JSON object of groups' plan -e staging drill
environment idle_servers 'head, -c, 5000000, /dev/zero'
check "and not more than is read" says 2 'prints more than 4 MiB' plan -e staging drill

#!/usr/bin/env bash
# inventory_test.sh - hosts come from an inventory: asked when hosts are, never by validate, and a plan keeps them.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:2
# shellcheck source=tests/project.sh
. "$root/tests/project.sh"

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
# Our way to a host, unless it is cut.
cat >"$work/via" <<END
#!/bin/sh
host=\$1
shift
[ ! -e "$work/cut.\$host" ] && exec "$lab" --state "$LAB_STATE" exec "\$host" "\$@"
echo 'the machine is no more' >&2
exit 9
END
chmod +x "$work/via"
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
    reach: {prefix: ["$work/via", "\${host.name}"]}
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
sed 's/^scenario: .*/scenario: long/; s/for: 1s}$/for: 2m}/; s/^undo: .*/undo: {lease: 2m, grace: 10s}/' \
    "$work/project/scenarios/drill.yaml" >"$work/project/scenarios/long.yaml"
export INVENTORY_TEST_TOKEN=8f2d1c
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
check "which has the lock: the first by name, whatever the order" says 0 'Locks     bare-1 first, as each runner here does' plan -e staging drill
inventory bare-2 bare-1
check "so a runner with the hosts in another order takes the same one" says 0 'Locks     bare-1 first, as each runner here does' plan -e staging drill
inventory bare-1 bare-2
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

# Who has left the inventory since may still have something.
left_open() {
    "$FAILDRILL" -C "$work/project" --no-input run -e staging long >"$work/said" 2>&1 & # by its own pid, not a shell's
    local runner=$!
    wait_for 60 grep -q 'freeze proven' "$work/said" || { cat "$work/said"; return 1; }
    kill -9 "$runner"
    wait "$runner" 2>/dev/null
    return 0
}
check "a runner dies while its fault is in effect" left_open
inventory bare-2
check "what is on a host that left the inventory since is found" says 6 'FOUND    bare-1: folder' undo --scan -e staging
check "beside those that it has" grep -q '^clean    bare-2$' "$work/said"
environment idle_servers '/bin/false'
check "nor does a command that fails hide it" says 6 'FOUND    bare-1: folder' undo --scan -e staging
check "it is named" grep -q 'warning: .*staging.yaml:2:14: the inventory.s command `/bin/false`: .*status 1' "$work/said"
check "so is the group that nobody knows" grep -qF "unknown  role idle: the inventory does not say who its group 'idle_servers' is" "$work/said"
touch "$work/cut.bare-1"
environment
check "one that does not answer may have something" says 6 'unknown  bare-1: ' undo --scan -e staging
rm "$work/cut.bare-1"
check "what was found is undone" says 0 'clear ' undo
check "and is found no more" says 0 'clean    bare-1, known by run' undo --scan -e staging
touch "$work/cut.bare-1"
check "left clean and no more there, it is gone" says 0 'gone     bare-1: no longer in staging' undo --scan -e staging
environment idle_servers '/bin/false'
check "unless it may be of a group that nobody knows" says 6 'unknown  bare-1: ' undo --scan -e staging
check "nor is it known who holds a lock there" says 3 '  bare-1: unknown: ' undo --break-lock -e staging
rm "$work/cut.bare-1"
on_bare_1() {
    "$lab" --state "$LAB_STATE" exec bare-1 "$@"
}
on_bare_1 sh -c 'mkdir -p /run/faildrill/lock && cd /run/faildrill/lock && echo 01kfffffffffffffffffffff4k2p >token &&
    echo raj@elsewhere >who && echo 0 >since && echo 99999999999 >until && cat /proc/sys/kernel/random/boot_id >boot'
check "where it answers its lock is broken, without the inventory" says 3 broken undo --break-lock -e staging --confirm staging
check "whose hosts nobody could ask is said" grep -q "^unknown  role idle: the inventory does not say" "$work/said"
check "and the lock is gone" eval '! on_bare_1 test -e /run/faildrill/lock'
environment
inventory bare-1

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

# from_git: what the command names in the project decides who is drilled as much as the environment does.
inventory bare-1
mkdir "$work/project/inventory" "$work/project/inventory/group_vars"
mv "$work/project/inventory.json" "$work/project/inventory/hosts.json"
echo 'idle: {}' >"$work/project/inventory/group_vars/idle.yaml"
environment idle_servers 'cat, inventory/hosts.json'
echo 'gate: {from_git: main}' >>"$work/project/environments/staging.yaml"
repository() {
    git -C "$work/project" -c user.name=t -c user.email=t@example.net "$@"
}
repository init -q -b main
repository add faildrill.yaml scenarios environments
repository commit -q -m 1
check "an inventory that the branch has not is refused" says 4 'inventory/hosts.json is not in refs/heads/main' plan -e staging drill
repository add inventory/hosts.json
repository commit -q -m 2
check "so are variables of its groups, which lie beside it" says 4 'inventory/group_vars/idle.yaml is not in refs/heads/main' plan -e staging drill
repository add inventory
repository commit -q -m 3
check "what the branch has may be drilled" says 0 'refs/heads/main, 4 files equal' plan -e staging drill
sed -i 's/tell nobody/& else/' "$work/project/inventory/hosts.json"
check "another byte of it is refused" says 4 'inventory/hosts.json is not as in refs/heads/main' plan -e staging drill
repository checkout -q inventory
rm "$work/project/inventory/group_vars/idle.yaml"
check "and so is one that is gone" says 4 'group_vars lacks a file that refs/heads/main has' plan -e staging drill

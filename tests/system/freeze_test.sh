#!/usr/bin/env bash
# freeze_test.sh - a service with a control group of its own is frozen by that: no parent told, no child missed.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # what is quoted is for the host
. "${BASH_SOURCE[0]%/*}/../lib.sh"
[ "$EUID" -eq 0 ] || skip_all "control groups want root"
in_lab bare:1
# shellcheck source=tests/project.sh
. "$root/tests/project.sh"

address=$(<"$LAB_STATE/hosts/bare-1/address")
group=fd-test-freeze-$$
# Groups are this machine's; the host has them read-only.
on_host sh -c 'for at in /sys/fs/cgroup /sys/fs/cgroup/*; do mount -o remount,rw,bind "$at"; done' 2>/dev/null

# Writes a line to /run/app.told for every child that it is told of: its stop is what SIGSTOP would be.
cat >"$work/app.py" <<'END'
import os, sys, time
child = os.fork()
if child == 0:
    while True: time.sleep(1)
open("/run/app.pid", "w").write(f"{os.getpid()}\n")
while True:
    pid, status = os.waitpid(child, os.WUNTRACED)
    open("/run/app.told", "a").write(f"{pid} {status}\n")
    if os.WIFSIGNALED(status): break
END
on_host sh -c 'cat >/run/app.py' <"$work/app.py"

# app GROUP: the service, in that group from its first moment.
app() {
    on_host sh -c '[ ! -s /run/app.pid ] || kill -9 -- -"$(cat /run/app.pid)"; rm -f /run/app.pid /run/app.told; mkdir -p "$1" &&
        setsid sh -c "echo \$\$ >\"\$1/cgroup.procs\" && exec python3 /run/app.py" sh "$1" </dev/null >/dev/null 2>&1 &
        while ! [ -s /run/app.pid ]; do sleep 0.05; done' sh "$1"
}
# project FOR
project() {
    mkdir -p "$work/project/scenarios" "$work/project/environments"
    echo 'project: freeze' >"$work/project/faildrill.yaml"
    cat >"$work/project/environments/here.yaml" <<END
environment: here
roles:
  app:
    hosts: {bare-1: {address: $address}}
    service: {pidfile: /run/app.pid, start: "true", stop: "true"}
    reach: {prefix: [$lab, --state, $LAB_STATE, exec, "\${host.name}"]}
gate: {keep_healthy: {app: 0}}
END
    cat >"$work/project/scenarios/drill.yaml" <<END
scenario: drill
targets:
  victim: {role: app}
probes:
  port: {tcp: "$address:22", every: 200ms}
steady: {for: 500ms}
hold: 500ms
observe: 300ms
settle: 30s
steps:
  - {freeze: victim, for: $1}
expect:
  port: {max_outage: 60s}
undo: {lease: ${2:-20s}, grace: 20s}
END
}
begin() {
    "$FAILDRILL" -C "$work/project" --no-input run -e here drill >"$work/run" 2>&1 &
    runner=$!
    wait_for 120 eval 'drill status | grep -q IN_EFFECT' || { cat "$work/run"; return 1; }
}
is_clean() {
    on_host sh -c '[ -z "$(ls -A /run/faildrill 2>/dev/null)" ]'
}
stopped() {
    on_host grep -q '^State:.T' "/proc/$(on_host cat /run/app.pid)/status"
}
was_told() {
    on_host test -s /run/app.told
}

# The group's state, of either version.
is_frozen() {
    on_host sh -c 'cat "$1"/cgroup.events "$1"/freezer.state 2>/dev/null; :' sh "$at" | grep -qxE 'frozen 1|FROZEN'
}
is_moving() {
    on_host sh -c 'cat "$1"/cgroup.events "$1"/freezer.state 2>/dev/null; :' sh "$at" | grep -qxE 'frozen 0|THAWED'
}
thaw() {
    on_host sh -c 'if [ -e "$1/cgroup.freeze" ]; then echo 0 >"$1/cgroup.freeze"; else echo THAWED >"$1/freezer.state"; fi' sh "$at"
}
freeze() {
    on_host sh -c 'if [ -e "$1/cgroup.freeze" ]; then echo 1 >"$1/cgroup.freeze"; else echo FROZEN >"$1/freezer.state"; fi' sh "$at"
    wait_for 20 is_frozen
}

# The host's own name for a boot: another one is what a reboot is to us.
reboots() {
    on_host sh -c 'cat /proc/sys/kernel/random/uuid >/run/lab-boot-id'
}
abandon() {
    on_host sh -c 'for one in /run/faildrill/*/armed; do read -r pid _ <"$one" && kill -9 "$pid"; done'
    kill -9 "$runner"
    wait "$runner" 2>/dev/null
    return 0
}

# service VERB: what a fault's folder runs, in one of our own where nobody is armed.
service() {
    on_host sh -c 'cd /run/folder && FD_ID=x_1 FD_DIR=/run/folder exec sh service "$@"' sh "$1" pidfile /run/app.pid freezer "$version"
}
folder() {
    on_host sh -c 'rm -rf /run/folder && mkdir /run/folder && cd /run/folder && cat >service &&
        read -r boot </proc/sys/kernel/random/boot_id && echo "FD_BOOT=$boot" >vars' < <(
        cd "$root/runner/transports" && cat node.sh family.sh files.sh supervisor.sh freezer.sh service.sh && echo 'service "$@"')
}
stranger() {
    on_host sh -c 'setsid sleep 300 </dev/null >/dev/null 2>&1 & echo $! >/run/stranger; echo $! >"$1/cgroup.procs"' sh "$at"
}
no_stranger() {
    on_host sh -c 'read -r pid </run/stranger && echo "$pid" >"${1%/*}/cgroup.procs"; kill -9 "$pid"
        while [ -d "/proc/$pid" ]; do sleep 0.05; done' sh "$at"
}

# In one breath a drill saves and applies: what may come in between, and behind, is shown in a folder.
looks() {
    check "$1: a folder as a drill has it" folder
    check "$1: recorded" service save
    check "$1: another one's process comes into its group" stranger
    check "$1: then it is not frozen" ends 1 'no longer has the control group to itself' service freeze
    check "$1: and moves" is_moving
    check "$1: that one goes" no_stranger
    check "$1: then it is" service freeze
    check "$1: all of it" service frozen
    on_host sh -c 'rm /run/folder/ids /run/folder/frozen'
    stranger
    check "$1: record lost, and no longer alone: nobody can say whether it is clear" ends 125 'our record is lost' service moving
    no_stranger
    check "$1: alone again: not clear" ends 1 'is still frozen' service moving
    stranger
    thaw
    wait_for 20 is_moving
    check "$1: thawed by hand: clear, whoever else is there" service moving
    no_stranger
}

# drills VERSION: the service is in $at, in a group with none but it.
drills() {
    check "$1: the service runs in a group of its own" app "$at"
    project 1s
    check "$1: plan says how" ends 0 'freeze its control group' drill plan -e here drill
    check "$1: frozen and thawed" ends 0 PASS drill run -e here drill
    check "$1: nothing is left" is_clean
    check "$1: it moves" is_moving
    check "$1: its parent was told nothing" eval '! was_told'

    project 3m 8s
    check "$1: frozen again" begin
    check "$1: all of the group is" is_frozen
    check "$1: and no process of it is stopped" eval '! stopped'
    kill -9 "$runner"
    wait "$runner" 2>/dev/null
    check "$1: the runner killed, the host thaws it" wait_for 30 is_moving
    check "$1: nothing is left of that" wait_for 30 is_clean
    check "$1: undo closes that run" drill undo

    project 3m
    check "$1: frozen a third time" begin
    thaw
    wait "$runner"
    status=$?
    check "$1: somebody thaws it: INCONCLUSIVE, exit 7" test "$status" = 7
    check "$1: nothing is left of that either" wait_for 30 is_clean

    project 3m
    check "$1: frozen a fourth time" begin
    abandon
    on_host rm -rf /run/faildrill
    check "$1: guard, runner and all that lay there gone: it is still frozen" is_frozen
    check "$1: undo thaws it by what the store knows" drill undo
    check "$1: it moves again" is_moving

    for left in 'all that lay there' nothing; do
        check "$1: frozen once more" begin
        abandon
        [ "$left" != nothing ] || on_host rm -rf /run/faildrill
        reboots
        check "$1: rebooted, and $left is left: clear" ends 0 'proven just now' drill undo
        check "$1: what is frozen then is another one's, and stays so" is_frozen
        check "$1: nothing of ours is left" is_clean
        thaw
        wait_for 20 is_moving
    done

    check "$1: and frozen again" begin
    at=${at%/*} freeze
    kill -INT "$runner"
    wait "$runner"
    check "$1: a group above is frozen by another one: that is no fault of ours, exit 5" test "$?" = 5
    check "$1: whose it is, is said" grep -F "stands still, for ${at%/*} is frozen, not by us" "$work/run"
    check "$1: nothing of ours is left behind that" is_clean
    at=${at%/*} thaw
    check "$1: thawed there, it moves" wait_for 20 is_moving

    check "$1: and frozen once more" begin
    abandon
    at=${at%/*} freeze
    check "$1: undo says whose the rest is" ends 0 'is frozen, not by us' drill undo
    check "$1: nothing of ours is left behind that either" is_clean
    at=${at%/*} thaw
    wait_for 20 is_moving
    looks "$1"

    freeze
    check "$1: frozen by somebody else: nothing is touched" ends 3 'is frozen already' drill run -e here drill
    check "$1: it is frozen as before" is_frozen
    thaw
}

if on_host mkdir -p "/sys/fs/cgroup/unified/$group/app" 2>/dev/null; then at=/sys/fs/cgroup/unified/$group/app
elif on_host sh -c '[ -e /sys/fs/cgroup/cgroup.procs ] && mkdir -p "$1"' sh "/sys/fs/cgroup/$group/app" 2>/dev/null; then at=/sys/fs/cgroup/$group/app
else at=''; fi
# For the end: a group is gone when nobody is in it.
leave() {
    at=$1
    on_host test -d "$at" || return 0
    at=${at%/*} thaw
    thaw
    on_host sh -c 'kill -9 $(cat "$1/cgroup.procs"); n=100; until rmdir "$1" || [ "$n" = 0 ]; do n=$((n - 1)); sleep 0.1; done; rmdir "${1%/*}"' sh "$at" 2>/dev/null
}
if [ -n "$at" ] && on_host test -e "$at/cgroup.freeze"; then
    at_end leave "$at"
    version=2
    drills 'version 2'
    stranger
    project 1s
    check "another one's process in its group: plan says SIGSTOP" \
        ends 0 'SIGSTOP until none of them runs' drill plan -e here drill
    check "which works as well" ends 0 PASS drill run -e here drill
    project 3m
    check "stopped once more" begin
    abandon
    reboots
    check "rebooted: clear" ends 0 'proven just now' drill undo
    check "what is stopped then is another one's, and stays so" stopped
    leave "$at"
else
    skip "version 2" "this machine gives no control groups of version 2"
fi

at=/sys/fs/cgroup/freezer/$group/app
if on_host mkdir -p "$at" 2>/dev/null && on_host test -e "$at/freezer.state"; then
    at_end leave "$at"
    version=1
    drills 'version 1'
    leave "$at"
else
    skip "version 1" "this machine gives no freezer of version 1"
fi

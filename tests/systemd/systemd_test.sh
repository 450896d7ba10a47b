#!/usr/bin/env bash
# systemd_test.sh - drills on hosts with a real systemd: units and who restarts them, daemon-reload, reboot.
# SPDX-License-Identifier: Apache-2.0
# ONLY: names of the functions to be called (default: all of them).
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
# shellcheck source=tests/systemd/node.sh
. "${BASH_SOURCE[0]%/*}/node.sh"
on_wire "$@"

project=$work/project
state=$work/state
mkdir -p "$project/scenarios" "$project/environments"
echo 'project: systemd' >"$project/faildrill.yaml"
cat >"$project/environments/here.yaml" <<END
environment: here
ssh: {config: $work/ssh_config}
lock: two
gate: {keep_healthy: {idle: 0, web: 0, plain: 0, hand: 0, other: 0}}
roles:
  idle: {hosts: [one], unit: idle.service}
  web: {hosts: [one], unit: web.service}
  plain: {hosts: [two], unit: plain.service}
  hand: {hosts: [two], service: {pidfile: /run/hand.pid, start: "/usr/local/bin/hand start", stop: "/usr/local/bin/hand stop"}}
  other: {hosts: [two]}
END

# scenario STEP [KEY=TEXT...]
scenario() {
    local step=$1 role=idle expect='{max_outage: 90s}' lease=10s within=60s hold=500ms observe=500ms
    shift
    [ $# -eq 0 ] || local "$@"
    cat >"$project/scenarios/drill.yaml" <<END
scenario: drill
targets:
  victim: {role: $role, pick: 1}
probes:
  web: {http: "http://$wire.11:8080/", every: 100ms, timeout: 1s, hold: 1s}
steady: {for: 1s, within: 60s}
hold: $hold
observe: $observe
settle: 60s
steps:
  - $step
expect:
  web: $expect
undo: {lease: $lease, grace: 20s, within: $within}
END
}
faildrill=("$FAILDRILL" -C "$project" --state "$state" --no-input)

# run_drill STATUS: the whole drill; true where it ended with STATUS. Its output is in $work/said.
run_drill() {
    local status
    for _ in 1 2 3; do # a machine with others at work may not answer in time: then nothing was injected
        "${faildrill[@]}" run -e here drill >"$work/said" 2>&1
        status=$?
        [ "$status" -eq 3 ] && grep -qE 'in time|refused to arm' "$work/said" || break
    done
    [ "$status" -eq "$1" ] && return
    cat "$work/said"
    echo "exit $status, wanted $1"
    return 1
}
# begin WORDS: a drill in the background, until it says WORDS; its pid is $runner.
begin() {
    "${faildrill[@]}" run -e here drill >"$work/said" 2>&1 & # by its own pid, not a shell's
    runner=$!
    wait_for 90 grep -q "$1" "$work/said" || { cat "$work/said"; return 1; }
}
ended() {
    wait "$runner" 2>/dev/null
    local status=$?
    [ "$status" -eq "$1" ] && return
    cat "$work/said"
    echo "exit $status, wanted $1"
    return 1
}
killed() {
    kill -9 "$runner"
    wait "$runner" 2>/dev/null
    return 0
}
show() {
    node_sh one "systemctl show -p $2 --value $1"
}
main_of() {
    show "$1" MainPID
}
is_active() {
    [ "$(show "$1" ActiveState)" = active ]
}
boot_of() {
    node_sh "$1" cat /proc/sys/kernel/random/boot_id
}
# Nothing of ours on the hosts, nothing to undo.
nothing_left() {
    local name
    for name in one two; do
        ! node_sh "$name" 'ls -d /run/faildrill; systemctl list-units --all --plain --no-legend "fd-*"; nft list tables' |
            grep . || return 1
    done
    "${faildrill[@]}" undo | grep -qx 'nothing is left to undo'
}
clean() {
    wait_for 30 is_active idle.service && wait_for 30 nothing_left || { nothing_left; show idle.service ActiveState; return 1; }
}
wanted() {
    case " ${ONLY:-$1} " in *" $1 "*) ;; *) return 1 ;; esac
}
# promise NAME FUNCTION [WORD...]
promise() {
    local name=$1
    shift
    wanted "$1" || return 0
    wait_for 60 nothing_left # what one leaves shall not fail the next
    check "$name" "$@"
}

began=$EPOCHREALTIME
units() {
    node_unit "$1" idle.service <<'END'
[Service]
ExecStart=/bin/sh -c 'sleep 100000 & wait'
Restart=always
RestartSec=0
[Unit]
StartLimitIntervalSec=0
END
    node_unit "$1" web.service <<'END'
[Unit]
After=node-net.service
StartLimitIntervalSec=0
[Service]
ExecStart=/usr/bin/python3 -m http.server 8080 --directory /usr/share/misc
Restart=always
RestartSec=2
END
    # One that may not be started more than five times in ten seconds, and one that systemd does not know.
    node_unit "$1" plain.service <<'END'
[Service]
ExecStart=/bin/sh -c 'echo >>/run/plain.starts; exec sleep 100000'
END
    cat >"$work/nodes/$1/root/usr/local/bin/hand" <<'END'
#!/bin/sh
case $1 in
start) setsid sleep 100000 </dev/null >/dev/null 2>&1 & echo $! >/run/hand.pid ;;
stop) kill "$(cat /run/hand.pid)" && rm /run/hand.pid ;;
esac
END
    chmod +x "$work/nodes/$1/root/usr/local/bin/hand"
}
node_make one 11 && units one && node_make two 12 && units two || skip_all "no file system for a node"
node_boot one && node_boot two
for name in one two; do
    wait_for 180 node_sh "$name" true || {
        tail -n 20 "$work/$name.console"
        skip_all "systemd does not boot in a container here"
    }
done
echo "    two nodes booted in $((${EPOCHREALTIME%[.,]*} - ${began%[.,]*})) s: $(node_sh one systemctl --version | head -n 1)"
wait_for 60 is_active web.service || not_ok "the nodes' services run"

# ---- Units, and who restarts them. ----

kill_once() {
    local before
    scenario '{kill: victim}' role=web observe=8s
    before=$(main_of web.service)
    run_drill 0 || return 1
    is_active web.service && [ "$(main_of web.service)" != "$before" ] || return 1
    # RestartSec is two seconds. What is known of the outage is an interval; its lower end, from the first
    # failure to the last, is shorter than that by up to two of the probe's rounds.
    cat "$work/said"
    sed -nE 's/.* web  outage  ([0-9.]+)(-([0-9.]+))? s.*/\1 \3/p' "$work/said" |
        awk '{ low = $1; high = NF > 1 ? $2 : $1; held = low >= 1 && high >= 2 } END { exit !held }' && clean
}
promise 'kill once: its restart by systemd is what is measured' kill_once

kept_down() {
    scenario '{kill: victim, for: 20s}'
    begin 'kill proven' || return 1
    node_sh one 'for i in 1 2 3 4 5 6 7 8; do systemctl show -p ActiveState --value idle.service; sleep 0.2; done' >"$work/states"
    grep -q ' undone, proven' "$work/said" && skip 'kept down' 'this machine is too slow to look at it meanwhile'
    [ "$(sort -u "$work/states")" = inactive ] || { cat "$work/states" "$work/said"; return 1; }
    ended 0 && clean
}
promise 'kill for 5 s: kept down against Restart=always, RestartSec=0' kept_down

stopped() {
    scenario '{stop: victim, for: 3s}'
    begin 'stop proven' || return 1
    ! is_active idle.service || return 1
    ended 0 && clean
}
promise 'stop: down, and up again' stopped

# By the unit's control group, where the node has its own to write to.
is_frozen() {
    node_sh one 'group=$(systemctl show -p ControlGroup --value idle.service)
        grep -qsx "frozen 1" "/sys/fs/cgroup$group/cgroup.events" "/sys/fs/cgroup/unified$group/cgroup.events"'
}

frozen() {
    local before
    before=$(main_of idle.service)
    scenario '{freeze: victim, for: 3s}'
    "${faildrill[@]}" plan -e here drill >"$work/plan"
    begin 'freeze proven' || return 1
    if grep -q SIGSTOP "$work/plan"; then
        node_sh one "grep -q '^State:.T' /proc/$before/status" || return 1
    else
        is_frozen || return 1
    fi
    ended 0 && [ "$(main_of idle.service)" = "$before" ] && clean
}
promise 'freeze: all of a unit stopped, and the same processes go on' frozen

restarted() {
    local before
    before=$(main_of idle.service)
    scenario '{restart: victim}'
    run_drill 0 || return 1
    [ "$(main_of idle.service)" != "$before" ] && clean
}
promise 'restart: proven by the old processes gone, over once it runs' restarted

looped() {
    node_sh two 'rm -f /run/plain.starts'
    scenario '{restart: victim, every: 1s, for: 20s}' role=plain
    run_drill 0 || return 1
    [ "$(node_sh two 'wc -l </run/plain.starts')" -ge 6 ] || { node_sh two 'wc -l </run/plain.starts'; cat "$work/said"; return 1; }
    node_sh two 'systemctl is-active plain.service' && clean
}
promise 'restart every second: more often than its start limit allows, and it runs in the end' looped

# ---- A service that systemd does not know: it outlives what of ours has started it. ----

hand_runs() {
    node_sh two 'read -r pid </run/hand.pid && kill -0 "$pid"'
}
# Nor is it in a unit of ours, where nobody would look for it, and which would stay for its sake.
hand_is_well() {
    wait_for 30 hand_runs && clean && hand_runs && ! node_sh two 'read -r pid </run/hand.pid && grep /fd- "/proc/$pid/cgroup"'
}
by_hand_killed() {
    node_sh two /usr/local/bin/hand start
    scenario '{kill: victim, for: 60s}' role=hand lease=6s
    begin 'kill proven' || return 1
    killed
    wait_for 60 hand_runs || return 1
    "${faildrill[@]}" undo >"$work/undo" 2>&1 || { cat "$work/undo"; return 1; }
    hand_is_well
}
promise 'a service without a unit, runner SIGKILLed: its guard starts it, outside of its own unit' by_hand_killed
by_hand_looped() {
    hand_runs || return 1
    scenario '{restart: victim, every: 1s, for: 6s}' role=hand
    run_drill 0 && hand_is_well
}
promise 'the same restarted every second' by_hand_looped

# ---- The guard, under systemd and under a storm of daemon-reload. ----

runner_killed() {
    scenario "{$1: victim, for: 60s}" lease=6s
    begin "$1 proven" || return 1
    node_sh one 'systemctl list-units --plain --no-legend "fd-*.service"' | grep -q 'fd-.*running' || return 1
    killed
    wait_for 30 is_active idle.service || return 1
    "${faildrill[@]}" undo >"$work/undo" 2>&1 || { cat "$work/undo"; return 1; }
    clean
}
promise 'runner SIGKILLed, kill kept down: its guard starts the unit' runner_killed kill
promise 'runner SIGKILLed, freeze: its guard wakes it' runner_killed freeze

# As fast as it can, with a breath between, or on two cores nobody else gets a word in.
storm() {
    node_sh one 'rm -f /run/calm; n=0; while [ ! -e /run/calm ]; do systemctl daemon-reload; n=$((n + 1))
        [ $((n % 10)) -ne 0 ] || systemctl daemon-reexec; sleep 0.1; done; echo "    $n times loaded anew"' >"$work/storm" 2>&1 &
    storm=$!
}
storm_over() {
    wait_for 60 node_sh one 'touch /run/calm'
    wait "$storm" 2>/dev/null
    cat "$work/storm"
}
reload_storm() {
    local held=0
    storm
    scenario '{kill: victim, for: 5s}' lease=15s
    run_drill 0 || held=1
    [ "$held" -ne 0 ] || runner_killed isolate || held=1
    storm_over
    [ "$held" -eq 0 ] && clean
}
promise 'daemon-reload and daemon-reexec all the while: drill and guard do as ever' reload_storm

# ---- Reboot. ----

is_back() {
    [ "$(boot_of one)" != "$boot" ] && is_active idle.service
}
rebooted() {
    boot=$(boot_of one)
    scenario '{reboot: victim, timeout: 60s}'
    run_drill 0 || return 1
    cat "$work/said"
    is_back && grep -q 'one .*reboot proven' "$work/said" && grep -q 'undone   1 of 1' "$work/said" && clean
}
promise 'reboot: a new boot id, its unit runs' rebooted

plan_says() {
    scenario '{reboot: victim}'
    "${faildrill[@]}" plan -e here drill >"$work/plan" || { cat "$work/plan"; return 1; }
    cat "$work/plan"
    grep -q 'class S   ends by its own boot: nothing guards it' "$work/plan" &&
        grep -q 'do     reboot, by its systemd' "$work/plan" &&
        grep -q 'back   the service of role idle runs' "$work/plan" &&
        grep -q 'back   the service of role web runs' "$work/plan"
}
promise 'reboot: the plan says what goes and what must come back' plan_says

reboot_killed() {
    boot=$(boot_of one)
    scenario '{reboot: victim, timeout: 60s}' hold=60s
    begin 'reboot' && wait_for 60 grep -q 'answers no more' "$work/said" || { cat "$work/said"; return 1; }
    killed
    "${faildrill[@]}" undo >"$work/undo" 2>&1 || { cat "$work/undo"; return 1; }
    grep -q 'clear .* reboot victim on one: proven just now' "$work/undo" && is_back && clean
}
promise 'reboot, runner SIGKILLed meanwhile: `faildrill undo` waits for it' reboot_killed

stays_away() {
    boot=$(boot_of one)
    scenario '{reboot: victim, timeout: 30s}' within=5s
    rm "$work/one.boots"
    run_drill 6 || return 1
    tail -n 3 "$work/said" | grep -q 'reboot victim on one; nobody but its own boot brings it back: see its console' ||
        { cat "$work/said"; return 1; }
    : >"$work/one.boots"
    "${faildrill[@]}" undo >"$work/undo" 2>&1 || { cat "$work/undo"; return 1; }
    is_back && clean
}
promise 'reboot, and it does not come back: NOT UNDONE, exit 6, and what to do by hand' stays_away

without_service() {
    boot=$(boot_of one)
    scenario '{reboot: victim, timeout: 40s}' within=10s
    node_sh one rm /etc/systemd/system/multi-user.target.wants/idle.service
    run_drill 6 || return 1
    grep -q 'idle.service is down' "$work/said" || { cat "$work/said"; return 1; }
    [ "$(boot_of one)" != "$boot" ] || return 1
    node_sh one systemctl --quiet enable --now idle.service
    "${faildrill[@]}" undo >"$work/undo" 2>&1 || { cat "$work/undo"; return 1; }
    clean
}
promise 'reboot, and its unit does not start: not back, and said so' without_service

under_a_fault() {
    scenario '{kill: victim, for: 60s}'
    begin 'kill proven' || return 1
    boot=$(boot_of one)
    node_sh one 'systemctl reboot'
    ended 7 || return 1
    grep -q 'one was rebooted under its fault' "$work/said" || { cat "$work/said"; return 1; }
    wait_for 30 is_back && clean
}
promise 'a reboot under a fault by somebody else: INCONCLUSIVE, and undone by a look' under_a_fault

no_sysrq() {
    local step
    boot=$(boot_of one)
    for step in '{reboot: victim, by: sysrq}' '{crash: victim}'; do
        scenario "$step"
        run_drill 4 || return 1
        grep -q "host 'one' shares its kernel: sysrq would take the machine under it" "$work/said" || { cat "$work/said"; return 1; }
    done
    [ "$(boot_of one)" = "$boot" ] && clean
}
promise 'sysrq in a container: refused, for its kernel is the machine'"'"'s' no_sysrq

[ "$failed" -eq 0 ]

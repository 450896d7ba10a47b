#!/usr/bin/env bash
# unit_test.sh - a game day of four drills by the timer and service that `schedule` printed, on a real systemd.
# SPDX-License-Identifier: Apache-2.0
# The drill box and both hosts are machines of their own; nobody is there, and the runner is killed in the middle.
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
# shellcheck source=tests/systemd/node.sh
. "${BASH_SOURCE[0]%/*}/../systemd/node.sh"
on_wire "$@"

node_make box 5 && node_make one 11 && node_make two 12 || skip_all "no file system for a node"
for name in one two; do
    node_unit "$name" idle.service <<'END'
[Service]
ExecStart=/bin/sleep infinity
END
done
day=$work/nodes/box/root/opt/day
mkdir -p "$day/scenarios" "$day/environments"
cp "$FAILDRILL" "$work/nodes/box/root/opt/faildrill"
cp "$work/key" "$work/known_hosts" "$day"
sed "s|$work|/opt/day|" "$work/ssh_config" >"$day/ssh_config"
echo 'project: box' >"$day/faildrill.yaml"
cat >"$day/environments/here.yaml" <<'END'
environment: here
timezone: UTC
ssh: {config: /opt/day/ssh_config}
gate: {keep_healthy: {idle: 1}}
roles:
  idle: {hosts: [one, two], unit: idle.service}
END
# drill NAME STEP
drill() {
    cat >"$day/scenarios/$1.yaml" <<END
scenario: $1
targets:
  victim: {role: idle, pick: 1}
probes:
  door: {tcp: "\${target.victim.address}:22", every: 100ms, timeout: 1s}
steady: {for: 500ms, within: 60s}
hold: 500ms
observe: 500ms
settle: 60s
steps:
  - $2
expect:
  door: {max_outage: 60s}
undo: {lease: 20s, grace: 20s}
END
}
drill freezes '{freeze: victim, for: 2s}'
drill stops '{stop: victim, for: 15s}'
drill dies '{kill: victim, for: 2s}'
drill cut_off '{isolate: victim, for: 2s}'
cat >"$day/scenarios/box-day.yaml" <<'END'
gameday: box-day
environment: here
schedule: minutely
between: {pause: 1s, steady: {for: 1s, within: 2m}}
drills:
  - {scenario: freezes, owner: ana}
  - {scenario: stops, owner: raj}
  - {scenario: dies, owner: mia, after_pass: [stops]}
  - {scenario: cut_off, owner: ana}
END
unit=faildrill-box-day-here
for name in box one two; do node_boot "$name"; done
for name in box one two; do
    wait_for 180 node_sh "$name" 'systemctl is-active node-ssh.service' || {
        tail -n 20 "$work/$name.console"
        skip_all "systemd does not boot in a container here"
    }
done
on_box() {
    node_sh box "$1"
}
show() {
    on_box "systemctl show -p $1 --value $unit.service"
}
printed() {
    on_box 'cd /opt/day && /opt/faildrill schedule --systemd box-day' >"$work/units" || return 1
    awk -v at="$work/nodes/box/root" '/^# \/etc\/systemd\/system\// { file = at $2 } { print >file }' "$work/units"
}
check "the box prints timer and service" printed
no_fault() {
    ! on_box "systemd-analyze verify /etc/systemd/system/$unit.timer 2>&1" | grep "$unit"
}
check "its systemd finds no fault in them" no_fault
check "they are started" on_box "systemctl daemon-reload && systemctl start $unit.timer"
# in_second COMMANDS: once the second drill has its fault in effect; $runner is the service's process. On the box
# itself, for a machine that others keep busy may take a second for each look from here.
in_second() {
    on_box 'for i in $(seq 3000); do
            /opt/faildrill -C /opt/day -q status >/run/status 2>/dev/null
            if grep -q "stops .*under way" /run/status && grep -q IN_EFFECT /run/status; then
                runner=$(systemctl show -p MainPID --value '"$unit"'.service)
                [ "$runner" -gt 1 ] && { '"$1"'; }
                exit
            fi
            sleep 0.1
        done
        cat /run/status
        exit 1'
}
check "the timer begins the day, and its runner is killed while the second drill has its fault in effect" \
    in_second 'kill -9 "$runner" && echo "$runner" && systemctl stop '"$unit.timer" # one day is enough
killed=$(cat "$work/check.out")
goes_on() {
    on_box '
        for i in $(seq 900); do
            now=$(systemctl show -p MainPID --value '"$unit"'.service)
            [ "$now" -gt 0 ] && [ "$now" != '"${killed:-0}"' ] && exit
            sleep 0.1
        done
        systemctl status --no-pager '"$unit"'.service
        exit 1'
}
check "its service is started again by itself" goes_on
over() {
    on_box 'for i in $(seq 3000); do
            case $(systemctl show -p ActiveState --value '"$unit"'.service) in inactive | failed) exit ;; esac
            sleep 0.1
        done
        exit 1'
}
check "and the day ends" over
ended_well() {
    node_sh box "systemctl show -p Result -p ExecMainStatus $unit.service; journalctl -q -o cat --no-pager -u $unit.service"
    [ "$(show Result)/$(show ExecMainStatus)" = success/0 ]
}
check "well" ended_well
# But that the dead one left something, which is undone first.
says_nothing() {
    on_box "journalctl -q -o cat --no-pager -u $unit.service" | grep -q 'faildrill: box-day in here' || return 1
    on_box "journalctl -q -o cat --no-pager _SYSTEMD_UNIT=$unit.service" | grep -v 'may have left something: faildrill undo' >"$work/noise"
    cat "$work/noise"
    [ ! -s "$work/noise" ]
}
check "in the journal the runner says nothing" says_nothing
report() {
    python3 -c "import glob, json, sys; day = json.load(open(glob.glob('$day/.faildrill/gamedays/*/report.json')[0])); print(json.dumps(day)[:3000]); sys.exit(not ($1))"
}
check "one day, four drills, all passed" report 'day["verdict"] == "PASS" and [(d["scenario"], d["verdict"]) for d in day["drills"]] == [("freezes", "PASS"), ("stops", "PASS"), ("dies", "PASS"), ("cut_off", "PASS")]'
check "each fault undone, by proof" report 'all(d["faults_undone"] == d["faults_sent"] == 1 for d in day["drills"])'
check "the one that its runner died of was begun anew, and only that" report '[bool(d["earlier"]) for d in day["drills"]] == [False, True, False, False]'
nothing_left() {
    local name
    for name in one two; do
        node_sh "$name" true || return 1
        ! node_sh "$name" 'ls -d /run/faildrill; systemctl list-units --all --plain --no-legend "fd-*"; nft list tables' | grep . || return 1
        [ "$(node_sh "$name" systemctl is-active idle.service)" = active ] || return 1
    done
}
check "nothing is left on the hosts" wait_for 60 nothing_left
check "the page and the Markdown have them all" bash -c "
    for one in freezes stops dies cut_off; do
        grep -q \"\$one\" '$day'/.faildrill/gamedays/*/report.html && grep -q \"^| \${one/_/._} \" '$day'/.faildrill/gamedays/*/report.md || exit 1
    done"
cat "$day"/.faildrill/gamedays/*/report.md
[ -z "${KEEP-}" ] || cp -r "$day"/.faildrill/gamedays "$KEEP"
# And a day that is stopped.
stopped() {
    on_box "systemctl start --no-block $unit.service" && in_second "systemctl stop $unit.service" || return 1
    nothing_left || return 1 # by then, not later
    on_box '/opt/faildrill -C /opt/day -q runs stops' | grep -m 1 . | tee "$work/stopped"
    grep -q HALTED "$work/stopped"
}
check "a stop of the service halts its drill; once that is over, all is undone" stopped

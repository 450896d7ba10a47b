#!/usr/bin/env bash
# machine.sh - a host's power is cut, and comes back whatever becomes of the runner.
# SPDX-License-Identifier: Apache-2.0
# ONLY: names of the functions to be called (default: all of them). machine_test.sh takes a few.
# The provider is the lab's own: its hosts lose cable and processes, and boot anew with a new boot id.
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:3

project=$work/project
state=$work/state
mkdir -p "$project/scenarios" "$project/environments"
echo 'project: machine' >"$project/faildrill.yaml"
umask 077
echo s3cret-word >"$work/secret"
power="$lab --state $LAB_STATE power"

wanted() {
    case " ${ONLY:-$1} " in *" $1 "*) return ;; esac
    return 1
}

# environment [KEY=TEXT...]: how the provider answers.
environment() {
    local down="$power off \${host.name}" up="$power on \${host.name}" status="$power status \${host.name}"
    local lock=bare-3 more=''
    [ $# -eq 0 ] || local "$@"
    cat >"$project/environments/here.yaml" <<END
environment: here
ssh: {config: $LAB_STATE/ssh_config}
lock: $lock
power:
  down: 'test "\$(cat $work/secret)" = \${secret.word} && $down'
  up: '$up'
  status: '$status'
secrets: {word: {file: $work/secret}}
roles:
  idle:
    hosts: [bare-1]
    service: {pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}
  other:
    hosts: [bare-2, bare-3]
$more
END
}
# scenario [KEY=TEXT...]
scenario() {
    local steps='  - {power_off: victim, for: 1s, timeout: 30s}' pick=1
    [ $# -eq 0 ] || local "$@"
    cat >"$project/scenarios/drill.yaml" <<END
scenario: drill
targets:
  victim: {role: idle, pick: $pick}
probes:
  ssh: {tcp: "\${target.victim.address}:22", every: 250ms, timeout: 500ms}
steady: {for: 200ms}
hold: 500ms
observe: 500ms
settle: 30s
steps:
$steps
expect:
  ssh: {max_outage: 60s}
undo: {lease: 5s, grace: 2s, within: 30s}
END
}
faildrill=("$FAILDRILL" -C "$project" --state "$state" --no-input)
drill() {
    "${faildrill[@]}" "$@"
}
boot_of() {
    timeout 5 "$lab" exec "$1" cat /proc/sys/kernel/random/boot_id
}
is_up() {
    timeout 5 "$lab" exec "$1" /etc/init.d/idle status >/dev/null 2>&1
}
is_off() {
    [ "$(timeout 5 "$lab" power status "$1")" = off ]
}

# run_drill STATUS: the whole drill, its output in $work/said; true where it ended with STATUS.
run_drill() {
    local status
    drill run -e here drill >"$work/said" 2>&1
    status=$?
    [ "$status" -eq "$1" ] || {
        cat "$work/said"
        echo "exit $status, wanted $1"
        return 1
    }
}
# begin: a drill in the background, until its host is off by its own word; its pid is $runner.
begin() {
    "${faildrill[@]}" run -e here drill >"$work/said" 2>&1 & # by its own pid, not a shell's
    runner=$!
    wait_for 60 grep -q 'power_off proven' "$work/said" || { cat "$work/said"; return 1; }
}
ended() {
    wait "$runner" 2>/dev/null
    status=$?
    [ "$status" -eq "$1" ] || {
        cat "$work/said"
        echo "exit $status, wanted $1"
        return 1
    }
}
# nothing_left: no watcher, no folder of one, nothing on the host, nothing to undo.
nothing_left() {
    local left
    left=$(ls -A "$state/watch" 2>/dev/null) || :
    [ -z "$left" ] || { echo "left: $left"; return 1; }
    ! pgrep -f "$state/watch" || return 1
    ! timeout 5 "$lab" exec bare-1 ls -d /run/faildrill || return 1
    drill undo | grep -qx 'nothing is left to undo'
}
watcher() {
    cat "$state"/watch/*/*_1/armed 2>/dev/null | cut -d' ' -f1
}
is_back() {
    is_up bare-1 && [ "$(boot_of bare-1)" != "$boot" ]
}

# ---- The drill as meant. ----

whole_drill() {
    boot=$(boot_of bare-1)
    run_drill 0 || return 1
    is_back || return 1
    grep -q 'bare-1 .*guard armed on this machine' "$work/said" || return 1
    grep -q 'undone   1 of 1' "$work/said" || return 1
    nothing_left
}
environment
scenario
wanted whole_drill && check 'power_off: off by the provider, back by it, with a new boot id and its service' whole_drill

no_secret() {
    drill -v plan -e here drill >"$work/plan" || return 1
    grep -q "cat -- $work/secret" "$work/plan" || return 1
    ! grep -rq s3cret-word "$work/plan" "$state" "$work/said"
}
wanted no_secret && check 'a secret of the provider stands in no plan, store or report' no_secret

two_at_once() {
    environment more='  both: {hosts: [bare-1, bare-2], service: {pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}}'
    sed -i 's/hosts: \[bare-2, bare-3\]/hosts: [bare-3]/' "$project/environments/here.yaml"
    scenario pick=all
    sed -i 's/role: idle/role: both/' "$project/scenarios/drill.yaml"
    boot=$(boot_of bare-1)
    run_drill 0 || return 1
    is_back && is_up bare-2 && grep -q 'undone   2 of 2' "$work/said"
    local held=$?
    environment
    return "$held"
}
wanted two_at_once && check 'power_off: two hosts side by side' two_at_once

# ---- Whatever becomes of the runner. ----

scenario steps='  - {power_off: victim, for: 60s, timeout: 30s}'
killed() {
    boot=$(boot_of bare-1)
    begin || return 1
    kill -9 "$runner"
    wait "$runner" 2>/dev/null
    is_off bare-1 || return 1
    # lease and 2 s, and what this machine takes to boot a host with others at work
    wait_for 30 is_back || return 1
    drill undo >"$work/undo" 2>&1 || { cat "$work/undo"; return 1; }
    grep -q 'clear .* power_off victim on bare-1: proven just now' "$work/undo" || return 1
    wait_for 10 nothing_left
}
wanted killed && check 'runner SIGKILLed: its watcher gives the power back' killed

session_killed() {
    boot=$(boot_of bare-1)
    setsid "${faildrill[@]}" run -e here drill >"$work/said" 2>&1 &
    runner=$!
    wait_for 60 grep -q 'power_off proven' "$work/said" || return 1
    kill -9 -- "-$runner"
    wait "$runner" 2>/dev/null
    wait_for 30 is_back || return 1
    drill undo >/dev/null 2>&1 && wait_for 10 nothing_left
}
wanted session_killed && check 'its whole session SIGKILLed: the watcher stands in one of its own' session_killed

undo_first() {
    boot=$(boot_of bare-1)
    begin || return 1
    kill -9 "$runner" "$(watcher)"
    wait "$runner" 2>/dev/null
    is_off bare-1 || return 1
    drill undo >"$work/undo" 2>&1 || { cat "$work/undo"; return 1; }
    is_back && nothing_left
}
wanted undo_first && check 'runner and watcher SIGKILLed: `faildrill undo` gives the power back' undo_first

folder_lost() {
    boot=$(boot_of bare-1)
    begin || return 1
    kill -9 "$runner" "$(watcher)"
    wait "$runner" 2>/dev/null
    rm -rf "$state/watch"
    drill undo >"$work/undo" 2>&1 || { cat "$work/undo"; return 1; }
    is_back && nothing_left
}
wanted folder_lost && check 'the folder lost as well: the record alone gives the power back' folder_lost

by_hand() {
    boot=$(boot_of bare-1)
    begin || return 1
    kill -9 "$runner" "$(watcher)"
    wait "$runner" 2>/dev/null
    sh "$state"/watch/*/undo | grep -q '^undone: power_off of bare-1' || return 1
    wait_for 10 is_back || return 1
    drill undo >/dev/null 2>&1 && nothing_left
}
wanted by_hand && check 'by hand on the machine of the runner: sh STATE/watch/RUN/undo' by_hand

halted() {
    boot=$(boot_of bare-1)
    begin || return 1
    kill -INT "$runner"
    ended 5 || return 1
    is_back && nothing_left
}
wanted halted && check 'Ctrl-C: halted, on again, proven' halted

watcher_dies() {
    boot=$(boot_of bare-1)
    begin || return 1
    kill -9 "$(watcher)"
    ended 7 || return 1
    is_back && nothing_left
}
wanted watcher_dies && check 'its watcher SIGKILLed: the runner ends the drill at once' watcher_dies

# ---- A provider that fails, lies or does not know. ----

fails_once() {
    environment up="test -e $work/tried || { : >$work/tried; exit 1; }; $power on \${host.name}"
    scenario
    boot=$(boot_of bare-1)
    run_drill 0 || return 1
    [ -e "$work/tried" ] && is_back && nothing_left
}
wanted fails_once && check 'up fails once: tried again' fails_once

stays_off() {
    environment up="test -e $work/repaired && $power on \${host.name}"
    scenario
    sed -i 's/within: 30s/within: 3s/; s/timeout: 30s/timeout: 4s/' "$project/scenarios/drill.yaml"
    boot=$(boot_of bare-1)
    run_drill 6 || return 1
    grep -q "by hand here: sh $state/watch/.*/undo" "$work/said" || return 1
    : >"$work/repaired"
    drill undo >"$work/undo" 2>&1 || { cat "$work/undo"; return 1; }
    is_back && nothing_left
}
wanted stays_off && check 'up fails for good: NOT UNDONE, exit 6, and what to do by hand' stays_off

does_not_know() {
    environment status='echo stopping'
    scenario
    boot=$(boot_of bare-1)
    run_drill 3 || return 1
    grep -q "the power provider says: stopping" "$work/said" || return 1
    [ "$(boot_of bare-1)" = "$boot" ] && nothing_left
}
wanted does_not_know && check 'a provider that does not say on: nothing is injected' does_not_know

lies() {
    environment down=": >$work/off" status="test -e $work/off && echo off || echo on" up="rm $work/off"
    scenario
    sed -i 's/timeout: 30s/timeout: 4s/' "$project/scenarios/drill.yaml"
    boot=$(boot_of bare-1)
    run_drill 7 || return 1
    [ "$(boot_of bare-1)" = "$boot" ] && nothing_left
}
wanted lies && check 'off by its word, and the host still answers: INCONCLUSIVE' lies

lock_refused() {
    environment lock=bare-1
    scenario
    run_drill 4 || return 1
    grep -q "host 'bare-1' holds the lock of 'here', and would lose it" "$work/said"
}
wanted lock_refused && check 'the host that holds the lock is not taken down' lock_refused

# ---- Other faults, when their host is booted anew under them. ----

# rebooted VERB CLASS: the runner has gone, then the host goes and comes back, before any guard acts.
rebooted() {
    environment
    scenario steps="  - {$1: victim, for: 60s}"
    sed -i 's/lease: 5s/lease: 50s/' "$project/scenarios/drill.yaml"
    "${faildrill[@]}" run -e here drill >"$work/said" 2>&1 & # by its own pid, not a shell's
    runner=$!
    wait_for 60 grep -q "$1 proven" "$work/said" || { cat "$work/said"; return 1; }
    kill -9 "$runner"
    wait "$runner" 2>/dev/null
    boot=$(boot_of bare-1)
    $power off bare-1 && $power on bare-1 || return 1
    is_back || return 1
    [ "$2" != S ] || "$lab" exec bare-1 /etc/init.d/idle stop
    drill undo >"$work/undo" 2>&1 || { cat "$work/undo"; return 1; }
    grep -q "clear .* $1 victim on bare-1: proven just now" "$work/undo" || return 1
    is_up bare-1 && nothing_left
}
wanted rebooted && check 'isolate, and its host boots anew: seen to be gone' rebooted isolate K
wanted rebooted && check 'kill, and its host boots anew without the service: it is started' rebooted kill S
wanted rebooted && check 'freeze, and its host boots anew: nothing stays stopped' rebooted freeze R

under_the_runner() {
    environment
    scenario steps='  - {isolate: victim, for: 60s}'
    "${faildrill[@]}" run -e here drill >"$work/said" 2>&1 & # by its own pid, not a shell's
    runner=$!
    wait_for 60 grep -q 'isolate proven' "$work/said" || { cat "$work/said"; return 1; }
    boot=$(boot_of bare-1)
    $power off bare-1 && $power on bare-1 || return 1
    ended 7 || return 1
    grep -q 'bare-1 was rebooted under its fault' "$work/said" || { cat "$work/said"; return 1; }
    is_back && nothing_left
}
wanted under_the_runner && check 'a host that boots anew under a live runner: INCONCLUSIVE, and undone by a look' under_the_runner

[ "$failed" -eq 0 ]

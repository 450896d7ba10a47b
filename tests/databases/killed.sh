# killed.sh - runner and guard are killed at each second of a drill that kills a primary that nobody watches over.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# Sourced after tests/lib.sh; $work is the project, `environment` is set, and of the database: leaders, is_whole, and
#   on N COMMAND...    on its host N
#   writes N           host N takes a write now
#   has_kept N         what was there before the drill is there
#   is_down            the service of host $before

# Writes to every host that takes it, all the time: "N" a line for each that did.
census() {
    local n
    while :; do
        for n in 1 2 3; do
            ! writes $n >/dev/null 2>&1 || echo "$n"
        done
        sleep 0.05
    done
}
# Who took a write once another one had is a second primary.
one_after_the_other() {
    echo "took writes: $(uniq -c "$work/census" | tr -s ' \n' ' ')"
    [ "$(uniq "$work/census" | wc -l)" -eq "$(sort -u "$work/census" | wc -l)" ]
}
nothing_wiped() {
    local n
    for n in 1 2 3; do
        has_kept $n || {
            echo "host $n has lost data"
            return 1
        }
    done
}
guard_pid() {
    on "$before" sh -c 'cat /run/faildrill/*_1/armed' 2>/dev/null | cut -d' ' -f1
}
kill_guard() {
    local pid
    pid=$(guard_pid) && [ -n "$pid" ] && on "$before" kill -9 "$pid"
}
is_undoing() {
    on "$before" sh -c 'ls /run/faildrill/*/undoing /run/faildrill/*/clean' 2>/dev/null | grep -q .
}

# begin SCENARIO: returns once the primary is killed or stopped. A machine that is too busy arms its guards so late that
# the host refuses: nothing was injected then, and it is begun anew.
begin() {
    local try
    for try in 1 2 3; do
        wait_for 90 is_whole || return 1
        before=$(leaders)
        : >"$work/said"
        census >"$work/census" &
        watching=$!
        "$FAILDRILL" -C "$work" run -e "$environment" "$1" --no-input >"$work/said" 2>&1 &
        runner=$!
        wait_for 90 is_down_or_over && is_down && return
        echo "try $try: it was never injected"
        kill_runner
        kill "$watching"
        wait "$watching" 2>/dev/null
        cat "$work/said"
        "$FAILDRILL" -C "$work" undo
    done
    return 1
}
is_down_or_over() {
    is_down || ! kill -0 "$runner" 2>/dev/null
}
kill_runner() {
    kill -9 "$runner"
    wait "$runner" 2>/dev/null
}
# end WHO: whole by itself, or by `faildrill undo` where nobody is left to do it.
end() {
    [ "$1" = nobody ] || wait_for 120 is_whole
    "$FAILDRILL" -C "$work" undo >>"$work/said" 2>&1
    undone=$?
    wait_for 60 is_whole
    sleep 1 # for the census to have seen it
    kill "$watching"
    wait "$watching" 2>/dev/null
    cat "$work/said"
    one_after_the_other && nothing_wiped && [ "$undone" -eq 0 ] && is_whole && nothing_left
}
nothing_left() {
    "$FAILDRILL" -C "$work" undo --scan -e "$environment"
}
runner_killed_at() {
    begin guarded || return 1
    sleep "$1"
    kill_runner
    end guard
}
both_killed_at() {
    begin guarded || return 1
    sleep "$1"
    kill_runner
    kill_guard || echo "its guard had gone"
    end nobody
}
# The guard dies so long after it began to undo.
guard_killed_undoing() {
    begin guarded || return 1
    sleep 3
    kill_runner
    wait_for 60 is_undoing || echo "it never undid"
    sleep "$1"
    kill_guard || echo "its guard had gone"
    end nobody
}
fenced_killed_at() {
    begin fenced || return 1
    sleep "$1"
    kill_runner
    end guard
}

# scenario NAME STEPS
scenario() {
    cat >"$work/own/$1.yaml" <<END
scenario: $1
targets:
  primary: {role: $role, is: primary, stays: true}
probes:
  $role: {primary: $role, every: 250ms}
hold: 3s
observe: 3s
steady: {for: 3s}
undo: {lease: 8s}
steps:
$2
halt: {$role: {max_outage: 60s}}
expect:
  $role: {failover_within: 60s, max_split: 0s}
END
}
scenario guarded "  - kill: primary
  - wait: 2s
  - failover: $role"
scenario fenced "  - {isolate: primary, at: 0s, for: 15s}
  - {stop: primary, at: 2s}
  - {failover: $role, forced: true, at: 10s}"

# Each part that is asked for, at each second.
kill_at_each_second() {
    local part at
    for part in ${ONLY:-runner guard undoing fenced}; do
        case $part in
        runner) for at in ${TRY:-0 1 2 3 4 5 6 7 8}; do
            check "runner killed $at s after the primary: no second primary, nothing wiped" runner_killed_at "$at"
        done ;;
        guard) for at in ${TRY:-0 1 2 3 4 5 6 7 8}; do
            check "runner and guard killed $at s after the primary: no second primary, nothing wiped" both_killed_at "$at"
        done ;;
        undoing) for at in ${TRY:-0 1 2 3 4 5}; do
            check "guard killed $at s after it began to undo: no second primary, nothing wiped" guard_killed_undoing "$at"
        done ;;
        fenced) for at in ${TRY:-0 2 4 6 8 10 12}; do
            check "runner killed $at s after the fence of a lost primary: no second one, nothing wiped" fenced_killed_at "$at"
        done ;;
        esac
        sed -n 's/^took writes.*/    &/p' "$work/check.out"
    done
}

#!/usr/bin/env bash
# postgres_killed_test.sh - runner and guard are killed at each second of a drill that kills a PostgreSQL primary.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/postgres_killed_test.sh      ONLY: runner guard undoing fenced; TRY: 0 1 2 ...
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || skip_all "there is no PostgreSQL here"
export ONLY=${ONLY-$*}
in_lab postgres

# shellcheck source=tests/databases/postgres.sh
. "$root/tests/databases/postgres.sh"

on() {
    "$lab" --state "$LAB_STATE" exec "postgres-$1" "${@:2}"
}
# Writes to every host that takes it, all the time: "N" a line for each that did.
census() {
    local n
    while :; do
        for n in 1 2 3; do
            ! sql $n "insert into census values ($n)" >/dev/null 2>&1 || echo "$n"
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
        [ "$(sql $n 'select count(*) from kept')" = 1000 ] || {
            echo "postgres-$n has lost rows"
            return 1
        }
    done
}
is_down() {
    [[ $(on "$before" /etc/init.d/postgres status) == *'not running'* ]] # its status is no failure of ours
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

# begin SCENARIO: returns once the primary is killed or stopped.
begin() {
    wait_for 90 is_whole || return 1
    before=$(leaders)
    : >"$work/said"
    census >"$work/census" &
    watching=$!
    "$FAILDRILL" -C "$work" run -e postgres "$1" --no-input >"$work/said" 2>&1 &
    runner=$!
    wait_for 90 is_down || { echo "it was never injected"; return 1; }
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
    "$FAILDRILL" -C "$work" undo --scan -e postgres
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
  primary: {role: postgres, is: primary, stays: true}
probes:
  postgres: {primary: postgres, every: 250ms}
hold: 3s
observe: 3s
steady: {for: 3s}
undo: {lease: 8s}
steps:
$2
halt: {postgres: {max_outage: 60s}}
expect:
  postgres: {failover_within: 60s, max_split: 0s}
END
}
scenario guarded '  - kill: primary
  - wait: 2s
  - failover: postgres'
scenario fenced '  - {isolate: primary, at: 0s, for: 15s}
  - {stop: primary, at: 2s}
  - {failover: postgres, forced: true, at: 10s}'
wait_for 60 is_whole
before=$(leaders)
sql "$before" 'create table census (n int)' && sql "$before" 'create table kept as select generate_series(1, 1000)'
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

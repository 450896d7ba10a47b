# held.sh - what tests of faults inside a PostgreSQL share: one step, begun, seen from outside, ended in some way.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# Sourced after tests/databases/postgres.sh.
lease=6

on() {
    "$lab" --state "$LAB_STATE" exec "postgres-$1" "${@:2}"
}
# scenario NAME STEP
scenario() {
    cat >"$work/own/$1.yaml" <<END
scenario: $1
targets:
  primary: {role: postgres, is: primary}
probes:
  postgres: {primary: postgres, every: 250ms}
hold: 1s
observe: 1s
steady: {for: 1s}
undo: {lease: ${lease}s, grace: 30s, within: 20s}
steps:
  - {$2}
halt: {postgres: {max_outage: 60s}}
expect:
  postgres: {max_split: 0s}
END
}
is_in_effect() {
    "$FAILDRILL" -C "$work" status | grep -q IN_EFFECT && "$@"
}
# begin NAME COMMAND...: the drill in the background, until it is in effect and the command succeeds.
begin() {
    "$FAILDRILL" -C "$work" run -e postgres "$1" --no-input >"$work/said" 2>&1 &
    runner=$!
    wait_for 90 is_in_effect "${@:2}" || {
        cat "$work/said"
        return 1
    }
}
# over STATUS WORDS: what go began ends so.
over() {
    wait "$runner"
    status=$?
    cat "$work/said"
    echo "exit $status"
    [ "$status" -eq "$1" ] && grep -qF -- "$2" "$work/said"
}
kill_runner() {
    kill -9 "$runner"
    wait "$runner" 2>/dev/null
    [ ! -e "/proc/$runner" ]
}

#!/usr/bin/env bash
# language_test.sh - what a scenario may say beside its faults, on hosts of the lab.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:2

mkdir "$work/scenarios"
printf 'project: words\nstate: state\nenvironments: [%s]\n' "$LAB_STATE/environments" >"$work/faildrill.yaml"

# scenario NAME: the rest of it is read from stdin.
scenario() {
    {
        printf 'scenario: %s\n' "$1"
        cat <<'END'
targets:
  victim: {role: idle, pick: 1}
probes:
  door: {tcp: "${target.victim.address}:22", every: 50ms}
steady: {for: 200ms}
hold: 300ms
observe: 300ms
settle: 20s
END
        cat
    } >"$work/scenarios/$1.yaml"
}
# drill STATUS NAME [OPTION...]: exits with STATUS; what it said is in $work/said.
drill() {
    local status=$1 name=$2 got=0
    shift 2
    (cd "$work" && exec "$FAILDRILL" run -e bare "$name" --no-input "$@" >"$work/said" 2>&1) || got=$?
    [ "$got" = "$status" ] || { echo "exit $got"; cat "$work/said"; return 1; }
}
said() {
    grep -qE -- "$1" "$work/said" || { cat "$work/said"; return 1; }
}
unsaid() {
    ! said "$1" >/dev/null || { cat "$work/said"; return 1; }
}
clean() {
    for host in bare-1 bare-2; do
        [ -z "$("$lab" exec "$host" sh -c 'ls -A /run/faildrill 2>/dev/null')" ] || return 1
    done
}

# --- wait, note ---

scenario waits <<'END'
steps:
  - note: before it
  - {freeze: victim, for: 1s}
  - wait: 1500ms
  - {wait: steady, name: all well}
  - note: after it
expect:
  door: {max_outage: 5s}
END
began=${EPOCHREALTIME%[.,]*}
check "a drill with waits and notes passes" drill 0 waits
check "it took as long as it waits" test $((${EPOCHREALTIME%[.,]*} - began)) -ge 2
check "notes are in the timeline" said 'note +before it'
check "in their order" said 'note +after it'
check "and in the report" sh -c 'cd "$1" && "$2" report last --format md | grep -q "after it" ||
    "$2" report last --format json | grep -q "after it"' sh "$work" "$FAILDRILL"

# What was good before the step says nothing of now: 3 s of it are not to be had within 1 s.
scenario never_steady <<'END'
steps:
  - {freeze: victim, for: 1s}
  - {wait: steady, timeout: 1s}
expect:
  door: {max_outage: 5s}
END
sed -i 's/^steady: .*/steady: {for: 3s}/' "$work/scenarios/never_steady.yaml"
check "what is not steady in time is a FAIL" drill 1 never_steady
check "and says what was not" said "step 2: not steady within its timeout: probe 'door'"

# --- ask ---

scenario asks <<'END'
steps:
  - {freeze: victim, for: 1s}
  - ask: Go on?
expect:
  door: {max_outage: 5s}
END
check "a drill that asks is refused where nobody can answer" drill 4 asks
check "and says so" said 'REFUSED.*step 2 asks a person'

check "nothing is left on the hosts" clean

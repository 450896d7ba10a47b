#!/usr/bin/env bash
# named_test.sh - a step that finds processes by name: those that the plan saw, no one more, no one less.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:1

project=$work/project
mkdir -p "$project/scenarios" "$project/environments"
echo 'project: named' >"$project/faildrill.yaml"
cat >"$project/environments/here.yaml" <<END
environment: here
ssh: {config: $LAB_STATE/ssh_config}
roles:
  one: {hosts: {bare-1: {address: $(<"$LAB_STATE/hosts/bare-1/address")}}}
gate: {keep_healthy: {one: 0}}
END
cat >"$project/scenarios/stall.yaml" <<END
scenario: stall
targets:
  victim: {role: one}
probes:
  ssh: {tcp: "$(<"$LAB_STATE/hosts/bare-1/address"):22", every: 200ms}
steady: {for: 300ms}
hold: 300ms
observe: 1s
steps:
  - {freeze: victim, process: /tmp/pausing, for: 2s}
expect:
  ssh: {max_outage: 60s}
END
drill() {
    "$FAILDRILL" -C "$project" --no-input "$@"
}
# One more of them, in a session of its own.
begin_one() {
    "$lab" exec bare-1 sh -c 'setsid /tmp/pausing 600 </dev/null >/dev/null 2>&1 & echo $!'
}
states() {
    # shellcheck disable=SC2016 # for the host
    "$lab" exec bare-1 sh -c 'for p in /proc/[0-9]*; do
        [ ! "$p/exe" -ef /tmp/pausing ] || sed "s/.*) \(.\) .*/\1/" "$p/stat"; done' | tr -d '\n'
}

# shellcheck disable=SC2016 # for the host
"$lab" exec bare-1 sh -c 'cp "$(command -v sleep)" /tmp/pausing'
drill plan -e here stall >"$work/plan" 2>&1
status=$?
check "nobody has that name: not ready, exit 3" test "$status" = 3
check "plan says so" grep -q "no process of '/tmp/pausing' runs on 'bare-1'" "$work/plan"

begin_one >/dev/null
begin_one >/dev/null
two_run() {
    [ "$(states)" = SS ]
}
check "two run" wait_for 20 two_run
drill plan -e here stall --json >"$work/plan.json" 2>&1
token=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["token"])' "$work/plan.json")
begin_one >/dev/null
drill run -e here "$token" >"$work/run.out" 2>&1
status=$?
check "a third one came after the plan: it does not run" test "$status" != 0
check "and the run says why" grep -q 'no longer says what would run' "$work/run.out"
check "nobody was stopped" test "$(states)" = SSS
drill run -e here stall >"$work/run.out" 2>&1
status=$?
check "planned anew it runs: exit 0" test "$status" = 0
[ "$status" = 0 ] || cat "$work/run.out"
check "nothing is left" "$lab" exec bare-1 test ! -e /run/faildrill
check "all three go on" test "$(states)" = SSS

#!/usr/bin/env bash
# ends_test.sh - what ends a game day early: stop_on, a fault that stays, its window; and a drill that repeats in it.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # what is quoted is for the host
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:2

export TZ=UTC
project=$work/project
mkdir -p "$project/scenarios" "$project/environments"
printf 'project: ends\nstate: state\n' >"$project/faildrill.yaml"
# environment NAME GATE
environment() {
    sed "s/^environment: .*/environment: $1/; /^timezone:/d" "$LAB_STATE/environments/bare.yaml" >"$project/environments/$1.yaml"
    printf 'timezone: UTC\n%s\n' "$2" >>"$project/environments/$1.yaml"
}
environment bare ''
# drill NAME STEP [MORE]
drill() {
    cat >"$project/scenarios/$1.yaml" <<END
scenario: $1
targets:
  victim: {role: idle, pick: 1}
probes:
  door: {tcp: "\${target.victim.address}:22", every: 400ms}
steady: {for: 200ms, within: 60s}
hold: 300ms
observe: 300ms
settle: 60s
steps:
  - $2
expect:
  door: {max_outage: 60s}
undo: {lease: 20s, grace: 20s, within: ${within:-60s}}
${3-}
END
}
drill good '{freeze: victim, for: 1s}'
drill other '{stop: victim, for: 1s}'
drill fails '{run: "exit 3", target: victim}'
drill fails_too '{run: "exit 4", target: victim}'
drill long '{freeze: victim, for: 2m}'
drill long_too '{freeze: victim, for: 2m}'
drill hours '{freeze: victim, for: 30m}'
drill thrice '{freeze: victim, for: 1s}' 'repeat: {times: 3, pause: 300ms}'
within=3s drill stays '{run: "touch /run/ends.fault", target: victim, fault: true, for: 1s, proof: "test -e /run/ends.fault",
    undo: "test -e /run/ends.mended && rm -f /run/ends.fault"}'

# day NAME "DRILL..." [LINE...]: its file, in $environment.
environment=bare
day() {
    local one name=$1
    {
        printf 'gameday: %s\nenvironment: %s\ndrills:\n' "$name" "$environment"
        for one in $2; do printf '  - {scenario: %s}\n' "$one"; done
        shift 2
        printf '%s\n' "$@"
    } >"$project/scenarios/$name.yaml"
}
faildrill() {
    "$FAILDRILL" -C "$project" --no-input "$@"
}
# ends STATUS DAY [WORD...]
ends() {
    local want=$1 name=$2 got
    shift 2
    faildrill run "$name" --unattended "$@" >"$work/said" 2>&1
    got=$?
    cat "$work/said"
    [ "$got" -eq "$want" ] || { echo "exit $got, not $want"; return 1; }
}
report() {
    faildrill report "$1" --format json -o - | python3 -c "
import json, sys
day = json.load(sys.stdin)
drills = [(d['scenario'], d['state'], d['verdict'], d['why']) for d in day['drills']]
print(drills)
sys.exit(not ($2))"
}
# in_effect DRILL
in_effect() {
    faildrill status >"$work/status" 2>/dev/null && grep -q "$1 .*under way" "$work/status" && grep -q IN_EFFECT "$work/status"
}
# halts DAY DRILL...: from elsewhere, each once its fault is in effect; the day's status is in $status.
halts() {
    local name runner
    faildrill run "$1" --unattended >"$work/said" 2>&1 &
    runner=$!
    shift
    for name; do
        wait_for 90 in_effect "$name" || { cat "$work/said"; return 1; }
        faildrill halt --reason 'seen enough'
    done
    wait "$runner"
    status=$?
    cat "$work/said"
}
nothing_left() {
    local host
    for host in bare-1 bare-2; do
        [ -z "$("$lab" exec "$host" sh -c 'ls -A /run/faildrill 2>/dev/null')" ] || return 1
    done
}

# --- stop_on ---

day two-fail 'fails good fails_too other' 'stop_on: {failed: 2}'
check "the second failure ends the day: exit 1" ends 1 two-fail
check "what came before it ran, what would come after it did not, and why" report two-fail '
drills[0][1:3] == ("done", "FAIL") and drills[1][1:3] == ("done", "PASS") and drills[2][1:3] == ("done", "FAIL") and
drills[3][1] == "left_out" and drills[3][3] == "as many drills failed as stop_on says" and day["verdict"] == "FAIL"'
day three-fail 'fails good fails_too other' 'stop_on: {failed: 3}'
check "one more is allowed: all of them run" ends 1 three-fail
check "and so it says" report three-fail '[d[2] for d in drills] == ["FAIL", "PASS", "FAIL", "PASS"]'
day one-halt 'long good'
check "without stop_on the first halt ends the day" eval 'halts one-halt long && [ "$status" -eq 5 ]'
check "and says why" report one-halt '
drills[0][2] == "HALTED" and drills[1][1] == "left_out" and drills[1][3] == "as many drills were halted as stop_on says"'
day two-halts 'long good long_too other' 'stop_on: {halted: 2}'
check "halted: 2, so the second one does" eval 'halts two-halts long long_too && [ "$status" -eq 5 ]'
check "with one that passed between them" report two-halts '
[d[2] for d in drills[:3]] == ["HALTED", "PASS", "HALTED"] and drills[3][1] == "left_out"'
check "nothing is left on the hosts" nothing_left

# --- repeat ---

cycles() {
    faildrill runs thrice --json | python3 -c 'import json, sys; runs = json.load(sys.stdin); print(runs); sys.exit(len(runs) != int(sys.argv[1]))' "$1"
}
day repeats 'thrice good'
check "a drill that repeats is one drill of the day" ends 0 repeats
check "with all of its cycles" cycles 3
check "which judge it as one" report repeats 'len(drills) == 2 and [d[1:3] for d in drills] == [("done", "PASS")] * 2'
killed_between() {
    local runner
    "$FAILDRILL" -C "$project" --no-input run repeats --unattended >"$work/said" 2>&1 & # by its own pid, not a shell's
    runner=$!
    wait_for 90 cycles 5 && wait_for 60 in_effect thrice || { cat "$work/said"; return 1; }
    kill -9 "$runner"
    wait "$runner" 2>/dev/null
    ends 0 repeats --resume
}
check "killed in a later cycle and resumed, it repeats from the first" killed_between
check "which the report names, and nothing else ran twice" report repeats '
day["drills"][0]["earlier"] and not day["drills"][1]["earlier"] and [d[1:3] for d in drills] == [("done", "PASS")] * 2'
anew() {
    faildrill runs thrice --json | python3 -c 'import json, sys
runs = json.load(sys.stdin)
print(runs[:4])
assert [run["cycle"] for run in runs[:3]] == [3, 2, 1] and len({run["repeat"] for run in runs[:3]}) == 1
assert runs[3]["state"] == "did not end" and runs[3]["cycle"] > 1'
}
check "so there are all cycles once more, behind those of the dead one" anew

# --- Windows ---

# window MINUTES: from a minute ago until then.
window() {
    date -d '-1 minute' "+window: %F %H:%M-$(date -d "+$1 minutes" +%H:%M)"
}
day open-day 'hours good' "$(window 10)"
check "a fault that may outlast the day's window is left out, a shorter one is not" ends 4 open-day
check "by its name" report open-day '
drills[0][2] == "REFUSED" and "beyond the end of the day" in drills[0][3] and drills[1][1:3] == ("done", "PASS")'
environment closed "gate: {windows: [$(LC_ALL=C date -d '+2 days' +%a) 10:00-11:00]}"
environment=closed day gated-day 'good other'
check "the environment's windows hold for each drill of a day" ends 4 gated-day
check "each is left out, and says why" report gated-day '
[d[1] for d in drills] == ["left_out"] * 2 and all("windows" in d[3] for d in drills) and day["verdict"] == "REFUSED"'

# --- NOT UNDONE: last, for what it leaves keeps others out. ---

day stuck 'good stays other' 'stop_on: {failed: 9, halted: 9}'
check "a fault that may still be there ends the day, whatever stop_on says: exit 6" ends 6 stuck
check "its last lines say so, and what to do now" eval 'tail -n 2 "$work/said" | grep -x "NOT UNDONE  stays: .*; now: faildrill undo [0-9a-z]*"'
check "and the very last what to do on the host" eval 'tail -n 1 "$work/said" | grep "on bare-[12]; its guard acts by .*; by hand there: sudo sh /run/faildrill/undo\$"'
check "nothing was begun after it" report stuck '
[d[1:3] for d in drills[:2]] == [("done", "PASS"), ("done", "NOT UNDONE")] and drills[2][1] == "left_out" and
drills[2][3] == "a fault may still be in effect" and day["verdict"] == "NOT UNDONE"'
check "the next day does not begin a drill either" ends 4 repeats --only good
for host in bare-1 bare-2; do "$lab" exec "$host" touch /run/ends.mended; done
check "mended, it is undone" faildrill undo
check "nothing is left" nothing_left
check "and days go on" ends 0 repeats --only good

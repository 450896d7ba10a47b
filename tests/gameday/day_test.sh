#!/usr/bin/env bash
# day_test.sh - a game day on the lab: unattended, killed and resumed, noted, halted; its combined report.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:2

project=$work/project
mkdir -p "$project/scenarios"
printf 'project: day\nstate: state\nenvironments: [%s]\n' "$LAB_STATE/environments" >"$project/faildrill.yaml"
zone=$(sed -n 's/^timezone: //p' "$LAB_STATE/environments/bare.yaml")

# drill NAME STEP [EXPECT]
drill() {
    cat >"$project/scenarios/$1.yaml" <<END
scenario: $1
targets:
  victim: {role: idle, pick: 1}
probes:
  door: {tcp: "\${target.victim.address}:22", every: 50ms}
steady: {for: 200ms, within: 60s}
hold: 300ms
observe: 300ms
settle: 60s
steps:
  - $2
expect:
  door: ${3:-{max_outage: 60s\}}
undo: {lease: 20s, grace: 20s}
END
}
drill first '{freeze: victim, for: 1s}'
drill second '{freeze: victim, for: 3s}'
drill third '{stop: victim, for: 1s}'
drill fourth '{kill: victim, for: 1s}'
drill fails '{freeze: victim, for: 1s}' '{must_notice: true}'
drill long '{freeze: victim, for: 60s}'
cat >"$project/scenarios/asks.yaml" <<END
scenario: asks
targets:
  victim: {role: idle, pick: 1}
probes:
  door: {tcp: "\${target.victim.address}:22", every: 50ms}
steady: {for: 200ms, within: 60s}
hold: 300ms
observe: 300ms
steps:
  - {freeze: victim, for: 1s}
  - {ask: shall it go on?, timeout: 2m}
expect:
  door: {max_outage: 60s}
END

# day NAME DRILLS [LINE...]: the rest of its file.
day() {
    {
        printf 'gameday: %s\nenvironment: bare\ndrills:\n' "$1"
        for one in $2; do printf '  - {scenario: %s, owner: team-%s%s}\n' "${one%%/*}" "${one%%/*}" "${one#"${one%%/*}"}"; done
        shift 2
        printf '%s\n' "$@"
    } | sed 's|/after=\([a-z]*\)|, after_pass: [\1]|; s|/go|, go: ask|' >"$project/scenarios/$name.yaml"
}
faildrill() {
    "$FAILDRILL" -C "$project" --no-input "$@"
}
report() {
    faildrill report "$1" --format json -o - | python3 -c "import json, sys; day = json.load(sys.stdin); sys.exit(not ($2))"
}
clean() {
    local host
    for host in bare-1 bare-2; do
        [ -z "$("$lab" exec "$host" sh -c 'ls -A /run/faildrill 2>/dev/null')" ] || return 1
    done
}

# --- It says nothing, and goes on where its runner was killed. ---

name=staging-day
day $name 'first second third/after=first fourth' 'schedule: Thu 14:00' 'between: {pause: 200ms, steady: {for: 300ms, within: 60s}}'
faildrill schedule --cron $name >"$work/cron" 2>&1 || cat "$work/cron"
line=$(sed -n 's/^[-0-9*,/]* [-0-9*,/]* [-0-9*,/]* [-0-9*,/]* [-0-9*,/]* //p' "$work/cron")
check "schedule prints a line for cron${zone:+ (the zone of the lab is $zone)}" test -n "$line"

sh -c "$line" >"$work/said" 2>&1 &
runner=$!
in_effect() {
    faildrill status 2>&1 | grep -q 'second .*under way' && faildrill status 2>&1 | grep -q 'freeze .*IN_EFFECT'
}
check "the second drill has its fault in effect" wait_for 120 in_effect
kill -9 "$runner"
wait "$runner" 2>/dev/null
check "killed, it left something to be undone" bash -c "cd '$project' && ! '$FAILDRILL' undo --help >/dev/full 2>&1; '$FAILDRILL' -C '$project' status | grep -q 'did not end\|NOT UNDONE'"
sh -c "$line" >>"$work/said" 2>&1
status=$?
check "resumed by the same line, it ends with 0" test "$status" -eq 0
grep -v 'may have left something' "$work/said" >"$work/noise"
check "and says nothing" test ! -s "$work/noise"
check "what the dead runner left is undone" clean
check "four drills passed" report $name 'day["verdict"] == "PASS" and [d["verdict"] for d in day["drills"]] == ["PASS"] * 4'
check "the first was not repeated, the second was" bash -c "
    [ \$('$FAILDRILL' -C '$project' runs first | grep -c PASS) -eq 1 ] && [ \$('$FAILDRILL' -C '$project' runs second | wc -l) -eq 2 ]"
check "the report names the run that died" report $name 'day["drills"][1]["earlier"] and not day["drills"][0]["earlier"]'
check "a line a drill: undone 1 of 1" report $name 'all(d["faults_undone"] == 1 == d["faults_sent"] for d in day["drills"])'
check "the page and the Markdown are beside it" bash -c "ls '$project'/state/gamedays/*/report.html '$project'/state/gamedays/*/report.md"
check "the page loads nothing and holds all four" bash -c "
    page=\$(cat '$project'/state/gamedays/*/report.html)
    for one in first second third fourth; do [[ \$page == *team-\$one* ]] || exit 1; done
    ! grep -qE 'src=|href=\"http' <<<\"\$page\" && grep -q \"default-src 'none'\" <<<\"\$page\""

# --- What fails, and who comes after it. ---

name=bad-day
day $name 'fails first/after=fails second' 'stop_on: {failed: 9}'
faildrill run $name --unattended >"$work/said" 2>&1
check "a day with a failure: exit 7, and it says so" bash -c "[ $? -eq 7 ] && grep -q 'left out: fails did not pass' '$work/said'"
check "--only and --skip leave out, and that is no fault" bash -c "
    '$FAILDRILL' -C '$project' --no-input run staging-day --only first --only third --skip third --unattended && [ \$('$FAILDRILL' -C '$project' runs third | wc -l) -eq 1 ]"
check "an unknown drill is refused" bash -c "! '$FAILDRILL' -C '$project' --no-input run staging-day --only firs"

# --- People: the go, what they note, who halts. ---

name=led-day
day $name 'first asks long fourth' 'people: {lead: ana@example.net, may_halt: [oncall@example.net]}' 'stop_on: {failed: 1}'
"$FAILDRILL" -C "$project" --no-input run $name >"$work/said" 2>&1 & # by its own pid, not a shell's
runner=$!
said() {
    [ "$(grep -cE -- "$1" "$work/said")" -ge "${2:-1}" ]
}
check "each drill waits for the lead's go" wait_for 60 said '^first: go'
check "while it waits nothing runs" bash -c "! '$FAILDRILL' -C '$project' status | grep 'under way'"
check "another game day is refused meanwhile" bash -c "
    '$FAILDRILL' -C '$project' --no-input run staging-day >'$work/other' 2>&1; [ \$? -eq 4 ] && grep -q \"game day 'led-day' of\" '$work/other'"
check "a note between two drills is the day's" bash -c "'$FAILDRILL' -C '$project' note all are here | grep -q 'game day led-day'"
faildrill note --go >/dev/null
check "the go from elsewhere begins it; the next one asks" wait_for 120 said '^asks: go'
faildrill note --go >/dev/null
asked() {
    said 'ask +shall it go on'
}
check "a step asks" wait_for 60 asked
check "declared is noted for the run" bash -c "'$FAILDRILL' -C '$project' note declared: incident 4711 | grep -q '^declared for .*asks'"
faildrill note --go >/dev/null
check "note --go answers the step; the next drill asks" wait_for 120 said '^long: go'
faildrill note --go >/dev/null
check "the long one has its fault in effect" wait_for 60 said 'freeze proven' 3
kill -INT "$runner"
wait "$runner"
status=$?
check "Ctrl-C halts the drill and ends the day: exit 5" test $status -eq 5
check "and all is undone" clean
check "the report: two passed, one halted, one still waits" report $name '[d["verdict"] for d in day["drills"]] == ["PASS", "PASS", "HALTED", None] and day["verdict"] is None'
check "declared is an interval of its drill" report $name '0 < day["drills"][1]["people"]["declared"]["low_ns"] < 120e9'
check "the notes of all stand in their order" report $name '[n["type"] for n in day["notes"]] == ["note", "go", "go", "declared", "go", "go"]'
check "a note afterwards: the minute is the interval" bash -c "'$FAILDRILL' -C '$project' note --run \$('$FAILDRILL' -C '$project' runs asks --json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0][\"run\"])') --at \$(date +%H:%M) mitigated"
"$FAILDRILL" -C "$project" --no-input run $name --resume >"$work/said" 2>&1 &
runner=$!
check "resumed, it asks for the one that waits" wait_for 60 said '^fourth: go'
faildrill note --go >/dev/null
wait "$runner"
check "and ends as its worst drill did: halted" test $? -eq 5
check "with the fourth passed" report $name 'day["verdict"] == "HALTED" and day["drills"][3]["verdict"] == "PASS"'
check "three ran before, and not again" bash -c "[ \$('$FAILDRILL' -C '$project' runs asks | wc -l) -eq 1 ]"

# --- The window. ---

name=closed-day
day $name 'first' 'window: 2020-01-01 10:00-11:00'
check "a day outside its window is refused, exit 4 or 2" bash -c "! '$FAILDRILL' -C '$project' --no-input run closed-day >'$work/said' 2>&1 && grep -qE 'window|timezone' '$work/said'"

#!/usr/bin/env bash
# beside_test.sh - steps side by side and at their times: one T0, one that fails undoes all, the radius counts all.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:3

mkdir "$work/scenarios" "$work/environments"
printf 'project: beside\nstate: state\n' >"$work/faildrill.yaml"
cp "$LAB_STATE/environments/bare.yaml" "$work/environments/bare.yaml"
{
    sed 's/^environment: .*/environment: tight/' "$LAB_STATE/environments/bare.yaml"
    echo 'gate: {blast_radius: {hosts: 1}, keep_healthy: {idle: 0}}'
} >"$work/environments/tight.yaml"

# scenario NAME: its steps are read from stdin.
scenario() {
    {
        printf 'scenario: %s\n' "$1"
        cat <<'END'
targets:
  one: {role: idle, pick: 1, seed: 1}
  other: {role: idle, pick: 1, not: one}
probes:
  door: {tcp: "${target.one.address}:22", every: 50ms}
steady: {for: 200ms}
hold: 300ms
observe: 300ms
settle: 20s
expect:
  door: {max_outage: 5s}
END
        cat
    } >"$work/scenarios/$1.yaml"
}
drill() {
    local status=$1 got
    shift
    for _ in 1 2 3; do # anew where the machine was too busy to look
        got=0
        (cd "$work" && exec "$FAILDRILL" "$@" --no-input >"$work/said" 2>&1) || got=$?
        [ "$got" != "$status" ] || return 0
        grep -q 'of the attempts of probe .* were skipped or broken' "$work/said" || break
    done
    echo "exit $got"
    cat "$work/said"
    return 1
}
said() {
    grep -qE -- "$1" "$work/said" || { cat "$work/said"; return 1; }
}
# report EXPRESSION: over the last run, as r.
report() {
    (cd "$work" && "$FAILDRILL" report last --format json) >"$work/report.json" || return 1
    python3 -c 'import json, sys
r = json.load(open(sys.argv[1]))
sys.exit(not eval(sys.argv[2]))' "$work/report.json" "$1" || { cat "$work/report.json"; return 1; }
}
clean() {
    for host in bare-1 bare-2 bare-3; do
        [ -z "$("$lab" exec "$host" sh -c 'ls -A /run/faildrill 2>/dev/null')" ] || return 1
        ! "$lab" exec "$host" sh -c 'grep -qs "^State:.T" /proc/[0-9]*/status' || return 1
    done
}
# fault TARGET TIME
fault() {
    printf '{freeze: %s, for: %s}' "$1" "$2"
}

scenario both <<END
steps:
  - parallel:
      - $(fault one 1s)
      - $(fault other 3s)
      - {run: sleep 1, target: other, measure: [both]}
      - {wait: 2s, measure: [both]}
  - note: both are over
END
sed -i 's/^  door: .max_outage.*/&\n  both: {min: 1s, max: 60s}/' "$work/scenarios/both.yaml"
check "the plan shows what is side by side" drill 0 plan -e bare both
check "step by step" said '2  with it, struck together: freeze other for 3 s'
check "two faults side by side" drill 0 run -e bare both
check "have one T0, from the first sent to the last proven" report \
    'len(r["faults"]) == 2 and all(r["t0"][x + "_at_ns"] == y(f["t0"][x + "_at_ns"] for f in r["faults"]) for x, y in (("low", min), ("high", max)))'
check "each is held for its own time" report \
    'sorted(round((f["undone"]["low_at_ns"] - max(g["t0"]["high_at_ns"] for g in r["faults"])) / 1e9) for f in r["faults"]) == [1, 3]'
check "a clock ends with the last of them" report '18e8 <= r["figures"][0]["low_ns"] < 6e10'

scenario fails <<END
steps:
  - parallel:
      - $(fault one 60s)
      - $(fault other 60s)
      - run: until grep -q "^State:.T" "/proc/\$(cat /run/idle.pid)/status"; do sleep 0.1; done; sleep 3; exit 3
        target: other
END
# INCONCLUSIVE where the machine was too busy to prove the faults by then.
check "one that fails ends the drill" sh -c 'cd "$1" && "$2" run -e bare fails --no-input >said 2>&1; got=$?
    grep -q "step 3 ended with status 3" said && { [ $got -eq 1 ] || [ $got -eq 7 ]; } || { cat said; false; }' sh "$work" "$FAILDRILL"
check "at once" report 'all(f["undone"]["low_at_ns"] - f["t0"]["low_at_ns"] < 50e9 for f in r["faults"])'
check "and undoes all of them" report 'len(r["faults"]) == 2 and all(f["clear"] for f in r["faults"])'
check "nothing is left" clean

check "the radius counts all of them: refused before anything is done" drill 4 run -e tight both
check "and says so" said 'blast_radius: 2 machines at once, at most 1'

# The one ends before the other begins, though it stands below it.
scenario timed <<END
steps:
  - {note: late, at: 4s}
  - {freeze: other, for: 1s, at: 2500ms}
  - {freeze: one, for: 1s, at: 0s}
END
check "the plan has them in order of time" drill 0 plan -e bare timed
check "with their times" said '2  at 2.5 s  freeze other for 1 s'
check "steps at their times" drill 0 run -e bare timed
check "begin at them" report \
    '2.4e9 < (lambda a: a[1] - a[0])([e["at_ns"] for e in r["events"] if e["subject"] == "step"]) and r["faults"][0]["step"] == "freeze one"'
check "each with a T0 of its own" report 'r["t0"]["high_at_ns"] == r["faults"][0]["t0"]["high_at_ns"] < r["faults"][1]["t0"]["low_at_ns"]'

# A step that waits for its turn, and one that waits in vain: what is in effect is undone.
scenario waits <<END
steps:
  - parallel:
      - {run: "true", target: one}
      - {note: b}
  - {freeze: other, for: 1s, when: {http: "http://127.0.0.1:1/"}, within: 1s}
END
check "a step whose \`when\` does not come true has failed" drill 3 run -e bare waits
check "before it did anything" said 'step 3: its .when. was not good within 1 s'
sed -i 's|when: .*|when: {tcp: "${target.one.address}:22"}, within: 20s}|' "$work/scenarios/waits.yaml"
check "one whose \`when\` does begins" drill 0 run -e bare waits
check "and the timeline says so" said 'when +step 3: tcp is good'
scenario vain <<END
steps:
  - {freeze: one}
  - {note: never, when: {tcp: "127.0.0.1:1", every: 100ms}, within: 1s}
END
check "after a fault it is a FAIL" drill 1 run -e bare vain
check "that undoes it" report 'len(r["faults"]) == 1 and r["faults"][0]["clear"]'

# Killed while both are in effect: the guards, which live on the hosts, end both.
scenario cut <<END
undo: {lease: 4s}
steps:
  - parallel:
      - $(fault one 10m)
      - $(fault other 10m)
END
(cd "$work" && exec "$FAILDRILL" run -e bare cut --no-input >"$work/said" 2>&1) &
cut=$!
check "both are in effect" wait_for 120 sh -c 'test "$(grep -c "freeze proven" "$1")" -eq 2' sh "$work/said"
kill -9 "$cut"
wait "$cut" 2>/dev/null
frozen() {
    for host in bare-1 bare-2 bare-3; do
        ! "$lab" exec "$host" sh -c 'grep -qs "^State:.T" /proc/[0-9]*/status' || return 1
    done
}
check "a killed runner leaves neither" wait_for 120 frozen
check "undo knows both" sh -c 'cd "$1" && "$2" undo --no-input >said 2>&1' sh "$work" "$FAILDRILL"
check "and nothing is left on the hosts" clean

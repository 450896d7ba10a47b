#!/usr/bin/env bash
# repeat_test.sh - a drill in several cycles: each a run of its own, the worst judged, one point for trends.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:2
# shellcheck source=tests/system/door.sh
. "$root/tests/system/door.sh"

mkdir "$work/scenarios" "$work/environments"
printf 'project: cycles\nstate: state\n' >"$work/faildrill.yaml"
cp "$LAB_STATE/environments/bare.yaml" "$work/environments/bare.yaml"

# look EXPRESSION COMMAND...: over the JSON that it prints, as j.
look() {
    local expression=$1
    shift
    (cd "$work" && "$FAILDRILL" "$@" --json) >"$work/look.json" 2>"$work/look.err" || { cat "$work/look.err"; return 1; }
    python3 -c 'import json, sys
j = json.load(open(sys.argv[1]))
sys.exit(not eval(sys.argv[2]))' "$work/look.json" "$expression" || { cat "$work/look.json"; return 1; }
}

scenario twice 'repeat: {times: 2, pause: 1s}' <<'END'
steps:
  - {freeze: victim, for: 1s}
expect:
  door: {max_outage: 5s, recover_within: 600ms}
END
check "the plan says how often" drill 0 plan -e bare twice
check "and how long it pauses" said 'Repeats +2 cycles, .*; 1 s between them'
check "two cycles that pass are a PASS" drill 0 run -e bare twice
check "each is named" said 'PASS +twice +bare +.* cycle 2 of 2'
check "and all of them as one" said '^PASS +twice +bare +2 of 2 cycles, the worst is judged: .... PASS, .... PASS'
check "each is a run of its own, on the same host" look \
    'len(j) == 2 and len({x["run"] for x in j}) == 2 and {x["cycle"] for x in j} == {1, 2} and len({x["repeat"] for x in j}) == 1' runs
# shellcheck disable=SC2016
check "with a token, an undo log and a report of its own" sh -c 'cd "$1" && for run in last last~1; do
    "$2" report "$run" --format json; done | grep -c "\"clear\": true" | grep -qx 2' sh "$work" "$FAILDRILL"
check "trends count them once" look 'len(j["rows"]) == 0 or len(j["rows"][0]["points"]) == 1' trends

# The second one finds a file that the first has left, and fails; the third is not spared that, nor is it skipped.
scenario worst 'repeat: {times: 3}' <<'END'
steps:
  - {freeze: victim, for: 1s}
  - run: n=$(cat /run/cycles 2>/dev/null || echo 0); n=$((n + 1)); echo $n >/run/cycles; [ "$n" != 2 ]
    target: victim
expect:
  door: {max_outage: 5s}
END
for host in bare-1 bare-2; do "$lab" exec "$host" rm -f /run/cycles; done
check "the worst of three is judged" drill 1 run -e bare worst
check "the others are run all the same" said '^FAIL +worst +bare +3 of 3 cycles, the worst is judged: .... PASS, .... FAIL, .... PASS'

# A halt between two cycles: nothing is in effect, and nothing more begins.
scenario halted 'repeat: {times: 2, pause: 10m}' <<'END'
steps:
  - {freeze: victim, for: 1s}
expect:
  door: {max_outage: 5s}
END
(cd "$work" && exec "$FAILDRILL" run -e bare halted --no-input >"$work/said" 2>&1) &
halted=$!
check "between two cycles it pauses" wait_for 120 grep -q 'cycle 1 of 2 is over' "$work/said"
# shellcheck disable=SC2016
check "status says so" sh -c 'cd "$1" && "$2" status | grep -q "cycle 1 of 2 is over; the next one is to come"' sh "$work" "$FAILDRILL"
# shellcheck disable=SC2016
check "the environment stays taken" sh -c 'cd "$1" && ! "$2" run -e bare twice --no-input >said.other 2>&1; grep -q "is held by run" "$1/said.other"' \
    sh "$work" "$FAILDRILL"
# shellcheck disable=SC2016
check "halt ends it" sh -c 'cd "$1" && "$2" halt' sh "$work" "$FAILDRILL"
got=0
wait "$halted" || got=$?
check "with the exit status of a halt" test "$got" -eq 5
check "and says where" said '^HALTED +halted +bare +1 of 2 cycles.*halted before the next one'

# What could not be undone is the last word, behind what is said of all cycles.
scenario left 'repeat: {times: 2}' <<'END'
steps:
  - {run: touch /run/broken, target: victim, fault: true, undo: "test ! -e /run/stuck && rm -f /run/broken", proof: test -e /run/broken, for: 1s}
expect:
  door: {max_outage: 5s}
END
for host in bare-1 bare-2; do "$lab" exec "$host" touch /run/stuck; done
check "one that cannot be undone ends all of them" drill 6 run -e bare left
check "which says so" said '^NOT UNDONE +left +bare +1 of 2 cycles'
# shellcheck disable=SC2016
check "and ends with the way by hand" sh -c 'tail -n 1 "$1" | grep -q "by hand there: sudo sh /run/faildrill/undo$" || { cat "$1"; false; }' sh "$work/said"
for host in bare-1 bare-2; do "$lab" exec "$host" rm /run/stuck; done
check "undo does once it can" wait_for 60 drill 0 undo

scenario plain '' <<'END'
steps:
  - note: nothing
expect:
  door: {max_outage: 5s}
END
check "--times does the same" drill 0 run -e bare plain --times 2
check "and says so" said '^PASS +plain +bare +2 of 2 cycles'
check "not of a file that says how often" drill 2 run -e bare twice --times 3
check "and why" said 'the scenario says how often'
# shellcheck disable=SC2016
check "a gate that lets one run a day begins none of two" sh -c 'cd "$1" && printf "timezone: UTC\ngate: {max_per_day: 1}\n" >>environments/bare.yaml &&
    rm -rf state && "$2" run -e bare twice --no-input >said 2>&1; [ $? -eq 4 ] && grep -q "max_per_day: 0 of 1 runs today, 2 cycles to come" said ||
    { cat said; false; }' sh "$work" "$FAILDRILL"
check "nothing is left on the hosts" clean

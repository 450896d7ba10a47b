#!/usr/bin/env bash
# language_test.sh - what a scenario may say beside its faults, on hosts of the lab.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:2
# shellcheck source=tests/system/door.sh
. "$root/tests/system/door.sh"

mkdir "$work/scenarios"
printf 'project: words\nstate: state\nenvironments: [%s]\n' "$LAB_STATE/environments" >"$work/faildrill.yaml"

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
check "a drill with waits and notes passes" drill 0 run -e bare waits
check "it took as long as it waits" test $((${EPOCHREALTIME%[.,]*} - began)) -ge 2
check "notes are in the timeline" said 'note +before it'
check "in their order" said 'note +after it'
check "and in the report" sh -c 'cd "$1" && "$2" report last --format md | grep -q "after it" ||
    "$2" report last --format json | grep -q "after it"' sh "$work" "$FAILDRILL"

# What was good before the step says nothing of now: 1.5 s of it are not to be had within 1 s.
scenario never_steady <<'END'
steps:
  - {freeze: victim, for: 1s}
  - {wait: steady, timeout: 1s}
expect:
  door: {max_outage: 5s}
END
sed -i 's/^steady: .*/steady: {for: 1500ms}/' "$work/scenarios/never_steady.yaml"
check "what is not steady in time is a FAIL" drill 1 run -e bare never_steady
check "and says what was not" said "step 2: not steady within its timeout: probe 'door'"

# --- ask ---

scenario asks <<'END'
steps:
  - {freeze: victim, for: 1s}
  - ask: Go on?
expect:
  door: {max_outage: 5s}
END
check "a drill that asks is refused where nobody can answer" drill 4 run -e bare asks
check "and says so" said 'REFUSED.*step 2 asks a person'

# --- capture, measure: a drill of plain work, without probes ---

# work NAME: the rest of it is read from stdin.
work() {
    {
        printf 'scenario: %s\ntargets:\n  lab: {role: idle, pick: 1, seed: 1}\n' "$1"
        cat
    } >"$work/scenarios/$1.yaml"
}
in_report() {
    (cd "$work" && "$FAILDRILL" report last --format json) >"$work/report.json" || return 1
    python3 -c 'import json, sys
report = json.load(open(sys.argv[1]))
sys.exit(not eval(sys.argv[2], {"r": report, "f": {x["name"]: x for x in report["figures"]},
                                "e": {(x["probe"], x["word"]): x for x in report["expectations"]}}))' \
        "$work/report.json" "$1" || { cat "$work/report.json"; return 1; }
}

# What is captured would run a command on the host, if it ever became a part of a text.
cat >"$work/label" <<'END'
[{"label": "old"}, {"label": "a'b\"$(touch /run/pasted)`touch /run/pasted`;touch /run/pasted #"}]
END
for host in bare-1 bare-2; do "$lab" exec "$host" sh -c 'cat >/run/label.json' <"$work/label"; done
work restores <<'END'
observe: 200ms
steps:
  - run: cat /run/label.json
    target: lab
    capture: {label: {json: -1.label}}
  - run: sleep 1; printf '%s' "${capture.label}" >/run/said; echo "size 0812, 812 rows"
    target: lab
    measure: [rto, restore]
    capture: {rows: {regex: "([0-9]+) rows", as: int}}
  - {wait: 1s, measure: rto}
  - run: echo 12.5
    target: lab
    capture: {age: {stdout: seconds}}
  - note: "restored ${capture.rows} rows of ${capture.label}"
expect:
  rto: {min: 2s, max: 60s}
  restore: {min: 1s, max: 30s}
  rows: {min: 812, equals: 812}
  age: {max: 13s}
END
check "a drill of plain work passes without a fault or a probe" drill 0 run -e bare restores
check "its clocks and values stand in the summary" said 'rto .*limit 1 min'
check "a clock is an interval" in_report '2e9 < f["rto"]["low_ns"] < f["rto"]["high_ns"] < 6e10 and f["restore"]["low_ns"] > 1e9'
check "values are judged as their types" in_report 'f["age"]["low_ns"] == 12500000000 and e["rows", "equals"]["verdict"] == "PASS"'
value=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[-1]["label"], end="")' "$work/label")
got_it() {
    for host in bare-1 bare-2; do
        ! "$lab" exec "$host" test -e /run/pasted || return 1
        said=$("$lab" exec "$host" cat /run/said 2>/dev/null) && [ "$said" = "$value" ] && found=yes
    done
    [ "${found-}" = yes ]
}
check "a captured value reaches the next step as it is, and runs nothing" got_it
check "a note says it" said 'note +restored 812 rows of a'

# A runner that stood still saw the end late: when it was not looking is inside the interval.
work late <<'END'
steps:
  - {wait: 10s, measure: rto}
expect:
  rto: {max: 60s}
END
(cd "$work" && exec "$FAILDRILL" run -e bare late --no-input >"$work/said" 2>&1) &
late=$!
check "a clock runs" wait_for 60 grep -q 'wait' "$work/said"
kill -STOP "$late"
sleep 12
kill -CONT "$late"
wait "$late"
check "what ended while nobody looked is inside the interval" in_report 'f["rto"]["low_ns"] <= 10e9 < 11e9 < f["rto"]["high_ns"]'

sed -e 's/scenario: restores/scenario: misses/; s/sleep 1; //; s/wait: 1s/wait: 1ms/; /^  r.*to.*: {m/d' -e 's/rows: {min: 812, equals: 812}/rows: {max: 811}/' \
    "$work/scenarios/restores.yaml" >"$work/scenarios/misses.yaml"
check "a value past its limit is a FAIL" drill 1 run -e bare misses
check "the summary says so" said '^FAIL +misses'
check "with value and limit" said 'rows +measured +812 +limit 811'

work not_there <<'END'
steps:
  - {run: echo many, target: lab, measure: rto, capture: {rows: {stdout: int}}}
  - {run: touch /run/never, target: lab}
expect:
  rto: {max: 60s}
END
check "what cannot be captured is a FAIL" drill 1 run -e bare not_there
check "says why" said "step 1: .rows. was not captured: 'many' is no whole number"
check "and ends the drill there" sh -c '! "$1" exec bare-1 test -e /run/never && ! "$1" exec bare-2 test -e /run/never' sh "$lab"

# --- secrets: what a host says of one is neither shown nor kept ---

mkdir "$work/environments"
{
    cat "$LAB_STATE/environments/bare.yaml"
    echo 'secrets: {token: {env: CANARY}}'
} >"$work/environments/bare.yaml"
printf 'project: words\nstate: state\n' >"$work/faildrill.yaml"
export CANARY="can'ary 4711/?"
work tells <<'END'
steps:
  - run: echo "got ${secret.token}"
    target: lab
    capture: {said: {stdout: text}}
  - note: it said ${capture.said}
  - run: test "${capture.said}" = "got ${secret.token}" && echo "$(printf '%s' "x:${secret.token}" | base64)" "${secret.token}" >&2; exit 3
    target: lab
expect:
  said: {equals: x}
END
no_canary() {
    ! grep -rqaF -e "$CANARY" -e "ary 4711" -e eDpjYW4nYXJ5IDQ3MTEv -e ary%204711 "$work/said" "$work/state" "$work/report.json"
}
check "a step that prints a secret fails" drill 1 run -e bare tells
check "its output is said without" said "status 3 .*secret.token}"
check "what was captured too" in_report 'f["said"]["text"] == "got ${secret.token}"'
check "neither output, store nor report has it in any form" no_canary
work equal <<'END'
steps:
  - run: echo "got ${secret.token}"
    target: lab
    capture: {said: {stdout: text}}
expect:
  said: {equals: "got can'ary 4711/?"}
END
check "a value with a secret in it is judged as it was" drill 0 run -e bare equal
check "and kept without" in_report 'f["said"]["text"] == "got ${secret.token}"'
work cut <<'END'
steps:
  - run: printf '%70s%s' '' "${secret.token}"
    target: lab
    capture: {rows: {stdout: int}}
expect:
  rows: {max: 1}
END
check "what cannot be read as a number fails" drill 1 run -e bare cut
check "and no piece of a secret is said, however it is cut off" sh -c '! grep -q "can.ary" "$1"' sh "$work/said"
unset CANARY

check "nothing is left on the hosts" clean

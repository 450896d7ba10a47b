# drills.sh - what the drills of a set of the lab share: run one, read its report, print its figures.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# Sourced after tests/lib.sh, inside the set's lab. `drills_of` makes $work a project; a drill's report is
# $work/report.json then, what it said $work/said, its exit status `status`.

# drills_of ENVIRONMENT FOLDER: the scenarios are those of scenarios/FOLDER, and what a test writes to $work/own.
drills_of() {
    environment=$1
    mkdir -p "$work/own"
    printf 'project: %s\nstate: state\nscenarios: [%s, own]\nenvironments: [%s]\n' "$1" "$root/scenarios/$2" \
        "$LAB_STATE/environments" >"$work/faildrill.yaml"
}
# drill NAME: its exit status; with the options in `given`.
given=()
drill() {
    rm -f "$work/report.json"
    "$FAILDRILL" -C "$work" run -e "$environment" "$1" "${given[@]}" --no-input >"$work/said" 2>&1
    status=$?
    "$FAILDRILL" -C "$work" report last --format json -o "$work/report.json" >>"$work/said" 2>&1
    [ -z "${KEEP-}" ] || cp "$work/report.json" "$KEEP/$1.json"
    return "$status"
}
passes() {
    drill "$1" || {
        echo "exit $status"
        cat "$work/said"
        return 1
    }
}
# refused STATUS NAME WORDS: it is not run, and says so.
refused() {
    drill "$2"
    cat "$work/said"
    [ "$status" -eq "$1" ] && grep -qF -- "$3" "$work/said"
}
# Who leads, by `leaders`, since `before` was set to who did.
moved() {
    [ -n "$before" ] && [ "$(leaders)" != "$before" ]
}
stayed() {
    [ "$(leaders)" = "$before" ]
}
# refuses STATUS NAME WORDS: and the primary stays.
refuses() {
    refused "$@" && stayed
}
# is_tidy [TABLE]: the ledger's rows are gone.
is_tidy() {
    [ "$(sql "$(leaders)" "select count(*) from ${1-faildrill_ledger}")" = 0 ]
}

# field EXPRESSION: of the last report, as Python has it: `r` is the report, `f` its figures.
field() {
    python3 -B -c 'import json, sys
sys.path.insert(0, sys.argv[3])
from figures import figures
r = json.load(open(sys.argv[1]))
f = figures(r)
led = {l["probe"]: l for l in r["ledgers"]}
pri = {p["probe"]: p for p in r["primaries"]}
print(eval(sys.argv[2]))' "$work/report.json" "$1" "$root/tests"
}
holds() {
    [ "$(field "$1")" = True ]
}
# The failover took as long as the plan foresaw.
as_predicted() {
    holds 'f["inside"]'
}
# every_write PROBE...: what was acknowledged is there, once.
every_write() {
    local probe
    for probe; do
        holds "[led['$probe'][word] for word in ('lost', 'back_lost', 'duplicated', 'unexpected')] == [0, 0, 0, 0]" &&
            holds "led['$probe']['acked'] > 20 and led['$probe']['read_back_complete'] == 'yes'" || return 1
    done
}
# nobody_saw PRIMARY CLIENT: it failed for as long as the fault lasted, while who led said so: the gray window.
nobody_saw() {
    holds "(pri['$1']['gray_of'], pri['$1']['gray']['low_ns'] > 10e9) == ('$2', True)" &&
        holds "pri['$1']['gray']['low_ns'] <= pri['$1']['gray']['high_ns'] < 30e9 and pri['$1']['after'] == pri['$1']['before']" &&
        grep -q "$2 failed for .* a gray window" "$work/said"
}
# row NAME: the last report's figures, a line.
row() {
    printf '    %s\n' "$(python3 -B "$root/tests/figures.py" "$work/report.json" "$1")"
}
# gave_back ROLE: who led at the start leads again, and the report has a line of its own for that.
gave_back() {
    holds '[(b["to"] == b["last"] == pri["'"$1"'"]["before"], b["refused"]) for b in r["switch_backs"]] == [(True, False)]' &&
        holds '0 < r["switch_backs"][0]["leads"]["high_ns"] <= r["switch_backs"][0]["redundant"]["high_ns"] < 60e9' &&
        holds 'pri["'"$1"'"]["failovers"] == 1 and pri["'"$1"'"]["after"] != pri["'"$1"'"]["before"]' &&
        holds '[e["verdict"] for e in r["expectations"] if e["word"] == "switch_back"] == ["PASS"]' &&
        ! grep -q 'stays changed' "$work/said"
}
say_back() {
    printf '    %-38s switched back in %s s, redundant after %s s\n' "$1" \
        "$(field '"%.1f-%.1f" % tuple(r["switch_backs"][0]["leads"][end] / 1e9 for end in ("low_ns", "high_ns"))')" \
        "$(field '"%.1f" % (r["switch_backs"][0]["redundant"]["high_ns"] / 1e9)')"
}
wanted() {
    [ -z "${ONLY-}" ] || [[ " $ONLY " == *" $1 "* ]]
}

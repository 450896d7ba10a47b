# drills.sh - what the drills of one set of the lab share: run, read the report, print a line of the table.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# A test sources this, calls `drills_of SET FOLDER`, and `drill` for each scenario of scenarios/FOLDER.
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"

# drills_of SET FOLDER: inside the set's lab.
drills_of() {
    set_name=$1
    in_lab "$1"
    mkdir -p "$work/own"
    printf 'project: %s\nstate: state\nscenarios: [%s, own]\nenvironments: [%s]\n' "$1" "$root/scenarios/$2" \
        "$LAB_STATE/environments" >"$work/faildrill.yaml"
}

# field EXPRESSION: of the last report, as Python has it in `r`.
field() {
    python3 -c 'import json, sys
r = json.load(open(sys.argv[1]))
led = {l["probe"]: l for l in r["ledgers"]}
pri = {p["probe"]: p for p in r["primaries"]}
pro = {p["name"]: p for p in r["probes"]}
def s(span, end="high_ns"): return "-" if not span or span.get(end) is None else "%.1f" % (span[end] / 1e9)
print(eval(sys.argv[2]))' "$work/report.json" "$1"
}
holds() {
    [ "$(field "$1")" = True ]
}

# run_drill NAME: its exit status.
run_drill() {
    "$FAILDRILL" -C "$work" run -e "$set_name" "$1" --no-input >"$work/said" 2>&1
    status=$?
    "$FAILDRILL" -C "$work" report last --format json -o "$work/report.json" >>"$work/said" 2>&1
    [ -z "${KEEP-}" ] || cp "$work/report.json" "$KEEP/$1.json"
    cat "$work/said"
    return "$status"
}

# as_predicted PROBE: the failover's span meets the range that the plan foresaw.
as_predicted() {
    holds "pri['$1']['failover']['low_ns'] <= pri['$1']['expected']['high_ns'] and pri['$1']['failover']['high_ns'] >= pri['$1']['expected']['low_ns']"
}
# line NAME PROBE LEADS: of the table: PROBE is what clients do, LEADS who leads.
line() {
    printf '    %-30s %-5s recovered %4s s, failover %4s-%4s s (foreseen %s-%s), split %s s, lost %s, redundant %s s\n' "$1" \
        "$(field 'r["verdict"]')" "$(field "s(pro['$2']['recovered'])")" "$(field "s(pri['$3']['failover'], 'low_ns')")" \
        "$(field "s(pri['$3']['failover'])")" "$(field "s(pri['$3']['expected'], 'low_ns')")" \
        "$(field "s(pri['$3']['expected'])")" "$(field "s(pri['$3']['split'])")" \
        "$(field '", ".join("%s of %s" % (l["lost"], l["acked"]) for l in r["ledgers"]) or "-"')" \
        "$(field "s(pri['$3']['redundant'])")"
}

# drills.sh - what drills of databases share: run one, read its report, a line of the table.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced after tests/lib.sh; $work is the project, `environment` and `role` are set.

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
# drill NAME: runs it; sets `status`. What it said is in $work/said.
drill() {
    "$FAILDRILL" -C "$work" run -e "$environment" "$1" --no-input >"$work/said" 2>&1
    status=$?
    "$FAILDRILL" -C "$work" report last --format json -o "$work/report.json" >>"$work/said" 2>&1
}
passes() {
    drill "$1"
    [ "$status" -eq 0 ] || {
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
# every_write PROBE...: what was acknowledged is there, once.
every_write() {
    local probe
    for probe; do
        [ "$(field "[led['$probe'][word] for word in ('lost', 'duplicated', 'unexpected')]")" = '[0, 0, 0]' ] || return 1
        [ "$(field "led['$probe']['acked'] > 20 and led['$probe']['read_back_complete'] == 'yes'")" = True ] || return 1
    done
}
as_predicted() {
    [ "$(field "pri['$role']['failover']['low_ns'] <= pri['$role']['expected']['high_ns']")" = True ] &&
        [ "$(field "pri['$role']['failover']['high_ns'] >= pri['$role']['expected']['low_ns']")" = True ]
}
row() {
    printf '    %-42s %-5s recovered %5s s, failover %5s s (%s-%s), split %s s, lost %s of %s%s, redundant %s s, took %d s\n' "$1" \
        "$(field 'r["verdict"]')" "$(field 's(pro["writes"]["recovered"])')" "$(field "s(pri['$role']['failover'])")" \
        "$(field "s(pri['$role']['expected'], 'low_ns')")" "$(field "s(pri['$role']['expected'])")" \
        "$(field "s(pri['$role']['split'])")" "$(field 'led["writes"]["lost"]')" "$(field 'led["writes"]["acked"]')" \
        "$(field '" (stranded %d of %d)" % (led["stranded"]["lost"], led["stranded"]["acked"]) if "stranded" in led else ""')" \
        "$(field "s(pri['$role']['redundant'])")" $((SECONDS - begun))
}
wanted() {
    [ -z "$ONLY" ] || [[ " $ONLY " == *" $1 "* ]]
}

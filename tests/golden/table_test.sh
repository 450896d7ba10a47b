#!/usr/bin/env bash
# table_test.sh - the table of drills says what its runs were: sums, ranges, and each run that is not as it should be.
# SPDX-License-Identifier: Apache-2.0
#
# Its runs are reports/fail.json: failover 5.9-6.2 s of 5.0-8.0 s, 17 of 4581 writes lost; changed where it says so.
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"

mkdir -p "$work/scenarios"/{alpha,environments,beta,gamma}
for set in alpha beta gamma staging production; do
    echo "# \`scenarios/lab/lab up $set\`" >"$work/scenarios/environments/$set.yaml"
done
touch "$work/scenarios"/{beta/b_dies,alpha/watches_nobody}.yaml
for file in alpha/a_{dies,moves,frozen} alpha/patroni_primary_frozen gamma/g_dies redis_dies; do
    echo 'probes: {redis: {primary: redis}}' >"$work/scenarios/$file.yaml"
done

# run DRILL NUMBER [CHANGE]: its line; CHANGE is Python, of the report `r`.
run() {
    python3 -B - "$root/tests" "$@" >>"$work/results" <<'END'
import json, sys
tests, drill, number, change = (sys.argv[1:] + [""])[:4]
sys.path.insert(0, tests)
from figures import figures
r = json.load(open(f"{tests}/golden/reports/fail.json"))
r |= {"verdict": "PASS", "status": 0}
lost, pri = r["ledgers"][0], r["primaries"][0]
exec(change)
print(json.dumps({"drill": drill, "number": int(number), "exit": r["status"], "figures": figures(r), "load": 1.5, "cores": 2,
                  "version": "abc", "begun": f"2026-01-02T03:04:0{number}Z", "ready": True}))
END
}
table() {
    "$root/tests/system/table.py" --show --scenarios "$work/scenarios" --results "$work/results" --runs 2 \
        --write "$work/TABLE.md" >"$work/said" 2>&1
    status=$?
    cat "$work/said"
    return "$status"
}
# cell DRILL COLUMN IS
cell() {
    local is
    is=$(awk -F ' ?[|] ?' -v drill="$1" -v n="$2" '$3 == drill { print $(n + 1) }' "$work/TABLE.md")
    echo "'$is', not '$3'"
    [ "$is" = "$3" ]
}
says() {
    cat "$work/TABLE.md"
    grep -qF -- "$1" "$work/TABLE.md"
}
lacks() {
    ! says "$1"
}

run a_dies 1
run a_dies 2 'pri["failover"] = {"low_ns": 8100000000, "high_ns": 8400000000}
r["findings"] = ["redis: failover took long."]; lost["lost"] = 3'
run a_moves 1 'r |= {"verdict": "FAIL", "status": 1, "why": "too late"}; lost["read_back_complete"] = "unknown"'
run a_frozen 1 'pri["failover"]["high_ns"] = None; pri["redundant"] = {"low_ns": 0, "high_ns": None}
r["probes"][0]["recovered"]["high_ns"] = None; r["probes"][0]["healed"] = {"low_ns": 10**9, "high_ns": 2 * 10**9}'
run a_frozen 2 'lost["probe"] = "stranded"; r["probes"][1] |= {"name": "stranded", "from": "redis-1"}'
run patroni_primary_frozen 1 'r |= {"verdict": "FAIL", "status": 1}'
run redis_dies 1 'pri |= {"expected": None, "system": None}; r["faults"][0]["kind"] = "isolate"'
check "runs that came to their end: exit 0" table
check "the recovery is that of the slowest, from first to last" cell a_dies 5 '8.3-8.5 s'
check "the failover likewise" cell a_dies 6 '5.8-8.4 s'
check "beside what was predicted" cell a_dies 7 '5.0-8.0 s'
check "how many met it" cell a_dies 8 '**1 of 2**'
check "what was lost is summed" cell a_dies 9 '20 of 9162'
check "who was outside is listed, with what its report says" says \
    '- a_dies, run 2 (2026-01-02T03:04:02Z, load 1.5 on 2 cores): failover 8.1-8.4 s, predicted 5.0-8.0 s. The report: redis: failover took long.'
check "who was inside is not" lacks '- a_dies, run 1'
check "fewer runs than asked are said" cell a_moves 3 '**1 of 2**'
check "a verdict that is not the expected one is marked" cell a_moves 4 '**1 FAIL**'
check "and why" says 'a_moves, run 1 (2026-01-02T03:04:01Z, load 1.5 on 2 cores): FAIL: too late.'
check "what was not read back is no sum" cell a_moves 9 'at least 17 of 4581'
check "a failover that was foreseen and did not come is outside" cell a_frozen 8 '**1 of 2**'
check "clients that the undo alone served again are said" cell a_frozen 5 '8.3-8.5 s, 1 by the undo, 1.0-2.0 s after it'
check "nor did redundancy" cell a_frozen 12 '1.8-2.2 s, **1 not seen**'
check "clients of the cut side are apart" cell a_frozen 10 '17 of 4581'
check "where its own test allows a loss that is told, it is expected" cell patroni_primary_frozen 4 '1 FAIL'
check "nothing predicted is nothing to meet" cell redis_dies 8 '-'
check "a primary that was cut off and not asked may have led too" cell redis_dies 11 'none; 55 s unasked'
check "one that was dead did not" cell a_dies 11 none
check "clean runs are counted, and what they were advised" says '3 clean runs (passed, no failover outside its range), 0 with advice.'
check "sets without a run are named" says "- gamma: g_dies"
check "and scenarios that watch nobody" says 'watch nobody who leads: watches_nobody, b_dies.'

cp "$work/results" "$work/clean"
run redis_dies 2 'r["advice"] = [{}]; r["why"] = None'
check "a clean run that gets advice: exit 1" eval 'table; [ "$status" -eq 1 ]'
check "it is counted" says ' 1 with advice.'
check "and wants a reason" says 'redis_dies, run 2 (2026-01-02T03:04:02Z, load 1.5 on 2 cores): nothing was wrong, and a setting was advised.'
mv "$work/clean" "$work/results"
echo "What I wrote." >>"$work/TABLE.md"
run redis_dies 2 'r |= {"verdict": "NOT UNDONE", "status": 6, "why": "it may be there still"}'
check "NOT UNDONE: exit 1" eval 'table; [ "$status" -eq 1 ]'
check "and says so" says 'NOT UNDONE: it may be there still.'
check "what people wrote about runs stays" says 'What I wrote.'
sed -i '$d' "$work/results"
echo '{"drill": "redis_dies", "number": 2, "exit": 8, "figures": null, "missing": "exit 8: oh", "load": 1, "cores": 2,
"version": "abc", "begun": "2026-01-02T03:04:05Z", "ready": false}' | tr '\n' ' ' >>"$work/results"
check "no report: exit 1" eval 'table; [ "$status" -eq 1 ]'
check "it counts as a run" cell redis_dies 4 '1 PASS, **1 NO REPORT**'
check "and says why" says 'the set was not whole before it): no report: exit 8: oh.'

# left DRILL...: with a program, what is left to do; runs of another one are none.
left() {
    FAILDRILL=$root/tests/lib.sh python3 -B - "$root/tests/system" "$work" "$@" <<'END'
import argparse, sys
sys.path.insert(0, sys.argv[1])
import table
options = argparse.Namespace(scenarios=f"{sys.argv[2]}/scenarios", results=f"{sys.argv[2]}/mine", show=False, runs=2,
                             drills="a_dies,a_moves", sets=None, standard=False, judge=False)
drills, _ = table.drills_of(options)
results = table.Results(options, drills)
results.keep({"drill": "a_dies", "number": 1, "figures": None})
with open(options.results, "a") as file:
    file.write('{"drill": "a_moves", "number": 1, "key": "of another program"}\n')
def left():
    return [f"{drill.name} {number}" for drill, number in table.todo(options, drills["alpha"], results)]
said = [left()]
options.judge = True
said.append(left())
results.keep({"drill": "a_moves", "number": 1, "figures": {"verdict": "INCONCLUSIVE"}})
said.append(left())
print(said)
sys.exit(said != [["a_moves 1", "a_dies 2", "a_moves 2"], ["a_moves 1"], ["a_moves 2"]])
END
}
check "what was cut off goes on where it stopped; another program's runs are none; as a test only what was INCONCLUSIVE is run twice" left

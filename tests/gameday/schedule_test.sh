#!/usr/bin/env bash
# schedule_test.sh - what `schedule` prints is taken by systemd, by a shell and by readers of YAML.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
project="$work/a project with 100% \$blanks"
mkdir -p "$project/scenarios" "$project/environments"
echo 'project: schedule' >"$project/faildrill.yaml"
environment() {
    printf 'environment: %s\n%stimezone: %s\nroles: {api: {hosts: {a: {address: 127.0.0.1}}, unit: api.service}}\n' "$1" "${3-}" "$2" \
        >"$project/environments/$1.yaml"
}
environment staging Europe/Berlin
environment here UTC
environment production UTC "protected: true
"
# scenario NAME SCHEDULE
scenario() {
    cat >"$project/scenarios/$1.yaml" <<END
scenario: $1
schedule: $2
targets: {victim: {role: api, pick: 1}}
probes: {shop: {http: "http://127.0.0.1/"}}
steps: [{kill: victim}]
halt: {shop: {max_outage: 30s}}
expect: {shop: {max_outage: 20s}}
END
}
scenario weekly 'Tue 10:30'
scenario first_monday 'Mon *-*-1..7 09:00'
cat >"$project/scenarios/a-day.yaml" <<END
gameday: a-day
environment: staging
schedule: Thu 14:00
drills: [{scenario: weekly}]
END
cat >"$project/scenarios/wrong-day.yaml" <<END
gameday: wrong-day
environment: staging
drills: [{scenario: weakly}]
END
check "a day whose drill is not there: where, and the nearest" bash -c "
    '$FAILDRILL' -C '$project' validate scenarios/wrong-day.yaml >'$work/said' 2>&1; [ \$? -eq 2 ] &&
        grep -q 'wrong-day.yaml:3:' '$work/said' && grep -q 'did you mean .weekly' '$work/said'"
rm "$project/scenarios/wrong-day.yaml"
# says STATUS PATTERN WORDS...
says() {
    local status=$1 pattern=$2 got
    shift 2
    TZ=UTC "$FAILDRILL" -C "$project" schedule "$@" >"$work/said" 2>&1
    got=$?
    cat "$work/said"
    [ "$got" -eq "$status" ] && grep -qE -- "$pattern" "$work/said"
}
# units NAME WORDS...: the two units, each in a file of its own; systemd finds no fault in them.
units() {
    local name=$1
    shift
    rm -rf "$work/units" && mkdir "$work/units"
    says 0 . --systemd "$@" || return 1
    awk -v at="$work/units" '/^# \/etc\/systemd\/system\// { n = split($2, part, "/"); file = at "/" part[n] } { print >file }' "$work/said"
    (cd "$work/units" && systemd-analyze verify "./$name.timer" "./$name.service") >"$work/verified" 2>&1 || { cat "$work/verified"; return 1; }
    ! grep -F "$name" "$work/verified"
}

check "the next dates, in local time and UTC" says 0 '^  Tue 20[0-9-]+ 10:30:00 CES?T   Tue 20[0-9-]+ 0[89]:30:00 UTC   in ' -e staging weekly
check "as many as asked for" bash -c "[ \$('$FAILDRILL' -C '$project' schedule -n 7 weekly | wc -l) -eq 8 ]"
check "as JSON" bash -c "'$FAILDRILL' -C '$project' schedule -e staging --json weekly | python3 -c '
import json, sys
drill = json.load(sys.stdin)
assert drill[\"zone\"] == \"Europe/Berlin\" and len(drill[\"dates\"]) == 5 and drill[\"dates\"][0][\"utc\"].endswith(\"Z\")'"
check "a drill without a date says so" says 2 'says no .schedule:' "$root/scenarios/api_process_dies.yaml"
check "no environment named: refused" says 4 'no environment was named' --cron weekly
check "two forms at once: refused" says 2 'one form at a time' --cron --k8s -e here weekly

if command -v systemd-analyze >/dev/null; then
    check "systemd takes timer and service" units faildrill-weekly-staging -e staging weekly
    check "and reads the words as they were" bash -c "grep -qF 'ExecStart=$FAILDRILL run --unattended --state \"' '$work/units/faildrill-weekly-staging.service' && grep -qF '100%% \$\$blanks' '$work/units/faildrill-weekly-staging.service'"
    check "of a game day too, which goes on where its runner died" units faildrill-a-day-staging a-day
    check "by a restart after a signal alone" grep -qx 'Restart=on-abnormal' "$work/units/faildrill-a-day-staging.service"
    check "a missed one is not run late" grep -qx 'Persistent=false' "$work/units/faildrill-a-day-staging.timer"
    check "by the clocks of the environment" grep -qx 'OnCalendar=Thu 14:00 Europe/Berlin' "$work/units/faildrill-a-day-staging.timer"
    check "a protected environment's name is left to people" units faildrill-weekly-production -e production weekly
    check "and the unit says so" grep -q '^# production is protected' "$work/units/faildrill-weekly-production.service"
else
    skip "systemd's units" "no systemd-analyze here"
fi
cron_is_read() {
    says 0 . --cron -e here weekly || return 1
    local line command
    line=$(cat "$work/said")
    command=${line#'30 10 * * 2 '}
    [ "$command" != "$line" ] || return 1
    command=${command//\\%/%} # as cron hands it to the shell
    sh -n -c "$command" && [ "$(sh -c "${command%% && exec *} && pwd")" = "$project" ]
}
check "cron: a line that a shell reads" cron_is_read
check "cron: by other clocks than the machine's, refused" says 2 'cannot be said in cron: it goes by those of this machine, UTC' --cron -e staging weekly
check "cron: a weekday within some days, refused" says 2 'cannot be said in cron: .*not both' --cron -e here first_monday
check "a workflow by clocks that jump, refused" says 2 'GitHub knows UTC alone' --github -e staging weekly
read_yaml='import sys, yaml; d = yaml.safe_load(sys.stdin)'
check "a workflow that a reader of YAML takes; exec stands before the command" bash -c "
    TZ=UTC '$FAILDRILL' -C '$project' schedule --github -e here weekly | python3 -c '$read_yaml
assert d[\"on\"][\"schedule\"] == [{\"cron\": \"30 10 * * 2\"}]
assert d[\"jobs\"][\"drill\"][\"steps\"][-1][\"run\"] == \"exec faildrill run --unattended -e here scenarios/weekly.yaml\", d
assert d[\"concurrency\"][\"cancel-in-progress\"] is False'"
check "a CronJob that a reader of YAML takes, in the zone of the environment" bash -c "
    '$FAILDRILL' -C '$project' schedule --k8s a-day | python3 -c '$read_yaml
assert d[\"kind\"] == \"CronJob\" and d[\"spec\"][\"concurrencyPolicy\"] == \"Forbid\"
assert d[\"spec\"][\"schedule\"] == \"0 14 * * 4\" and d[\"spec\"][\"timeZone\"] == \"Europe/Berlin\"
pod = d[\"spec\"][\"jobTemplate\"][\"spec\"][\"template\"][\"spec\"]
assert pod[\"containers\"][0][\"command\"] == [\"faildrill\", \"run\", \"--unattended\", \"--resume\", \"scenarios/a-day.yaml\"]
assert pod[\"restartPolicy\"] == \"Never\"'"

# --- Overdue. ---

check "trends: scheduled, never run" bash -c "'$FAILDRILL' -C '$project' trends | grep -qE '^scheduled, never run: .*weekly \(Tue 10:30\)'"

# A week's drills of one plain step on this machine; when they ran last is set back in the store. Its clocks are UTC's.
export TZ=UTC
cat >"$project/environments/box.yaml" <<'END'
environment: box
roles: {box: {hosts: {here: {address: 127.0.0.1}}, reach: local}}
END
# hours_ago HOURS: that time of the week, as a calendar says it.
hours_ago() {
    LC_ALL=C date -d "-$1 hours" '+%a %H:%M'
}
# each_week NAME HOURS: due that many hours ago.
each_week() {
    cat >"$project/scenarios/$1.yaml" <<END
scenario: $1
schedule: $(hours_ago "$2")
targets: {here: {role: box}}
steps: [{run: "true", target: here, measure: took}]
expect: {took: {max: 1m}}
END
}
each_week missed 13
each_week soon 11
cat >"$project/scenarios/missed-day.yaml" <<END
gameday: missed-day
environment: box
schedule: $(hours_ago 37)
drills: [{scenario: soon}]
END
faildrill() {
    "$FAILDRILL" -C "$project" --no-input "$@"
}
# ran HOURS [NAME]: all that ran began so much earlier; of that name alone where it is said.
ran() {
    python3 - "$project/.faildrill/history.db" "$@" <<'END'
import sqlite3, sys
path, hours, *name = sys.argv[1:]
store = sqlite3.connect(path, timeout=60)
for table, column in ("runs", "scenario"), ("gamedays", "name"):
    only = f" WHERE {column} = ?" if name else ""
    store.execute(f"UPDATE {table} SET started = started - ?, ended = ended - ?{only}", [int(hours) * 3600 * 10**9] * 2 + name)
store.commit()
END
}
# overdue NAME...: trends names them in their order, and nobody else, on the terminal, in JSON and on the page.
overdue() {
    faildrill trends -o "$work/trends.html" >"$work/trends"
    faildrill trends --json >"$work/trends.json"
    cat "$work/trends"
    python3 - "$work" "$@" <<'END'
import json, re, sys
work, names = sys.argv[1], sys.argv[2:]
line = re.search(r"^overdue: (.*)", open(f"{work}/trends").read(), re.M)
text = re.findall(r"(\S+) \(\d+ d, ", line[1]) if line else []
rows = json.load(open(f"{work}/trends.json"))["overdue"]
page = re.findall(r"Overdue: <strong>(.*?)</strong>, due on (\d{4}-\d\d-\d\d)", open(f"{work}/trends.html").read())
print(text, rows, page)
assert text == [row["scenario"] for row in rows] == [name for name, _ in page] and sorted(text) == sorted(names)
assert all(row["last"] < row["due"] for row in rows)
assert [day for _, day in page] == [row["due"][:10] for row in rows]
END
}
for name in missed missed-day; do
    case $name in *-day) words=() ;; *) words=(-e box) ;; esac
    check "$name runs" faildrill run --unattended ${words[@]+"${words[@]}"} "$name"
done
check "what ran today is not overdue" overdue
ran 144
check "six days later: what was due 13 hours ago is overdue, a drill and a day; what was 11 hours ago is only late" \
    overdue missed missed-day
check "asked for one, trends says that one" bash -c "'$FAILDRILL' -C '$project' trends missed-day | grep -qE '^overdue: missed-day \(6 d, [A-Z]'"
check "it runs" faildrill run --unattended -e box missed
check "and is overdue no more" overdue missed-day
ran 24 missed-day
check "each day more is said" bash -c "'$FAILDRILL' -C '$project' trends | grep -qE '^overdue: missed-day \(7 d, '"

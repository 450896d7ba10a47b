#!/usr/bin/env bash
# gate_test.sh - nothing runs where it should not: a refusal asks no host, a gate that shuts meanwhile halts and undoes.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # what is quoted is for the host
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:2
# shellcheck source=tests/project.sh
. "$root/tests/project.sh"

mkdir -p "$work/project/scenarios" "$work/project/environments"
echo 'project: gate' >"$work/project/faildrill.yaml"
# Every command that goes to a host leaves a line.
cat >"$work/reach" <<END
#!/bin/sh
echo "\$1" >>"$work/asked"
exec "$lab" --state "$LAB_STATE" exec "\$@"
END
chmod +x "$work/reach"

# environment GATE
environment() {
    cat >"$work/project/environments/here.yaml" <<END
environment: here
timezone: UTC
roles:
  idle:
    hosts:
      bare-1: {address: $(address_of bare-1)}
      bare-2: {address: $(address_of bare-2)}
    service: {pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}
    reach: {prefix: [$work/reach, "\${host.name}"]}
gate: $1
END
}
# scenario FOR
scenario() {
    cat >"$work/project/scenarios/drill.yaml" <<END
scenario: drill
targets:
  victim: {role: idle}
probes:
  ssh: {tcp: "$(address_of bare-2):22", every: 500ms, timeout: 5s}
steady: {for: 300ms}
hold: 300ms
observe: 300ms
settle: 20s
steps:
  - {freeze: victim, for: $1}
halt:
  ssh: {max_outage: 20s}
expect:
  ssh: {max_outage: 20s}
undo: {lease: 10s, grace: 10s}
END
}
# refused TEXT [OPTION...]: exit 4 with this text, and no command went to any host.
refused() {
    local text=$1
    shift
    : >"$work/asked"
    ends 4 "$text" drill run -e here --seed 1 "$@" drill || return 1
    [ ! -s "$work/asked" ] || {
        echo "hosts were asked: $(wc -l <"$work/asked") times"
        return 1
    }
}
is_empty() {
    [ -z "$("$lab" exec "$1" sh -c 'ls -A /run/faildrill 2>/dev/null')" ]
}
is_frozen() {
    "$lab" exec bare-1 sh -c 'read -r pid </run/idle.pid; grep -q "^State:.T" /proc/$pid/status' ||
        "$lab" exec bare-2 sh -c 'read -r pid </run/idle.pid; grep -q "^State:.T" /proc/$pid/status'
}
is_thawed() {
    ! is_frozen
}
# A weekday that is neither today nor next to it.
other_day() {
    LC_ALL=C date -u -d '+3 days' +%a
}

end_runner() {
    [ -n "${runner:-}" ] && kill "$runner" 2>/dev/null && wait "$runner"
}

scenario 1s
environment '{forbid: {faults: [freeze]}}'
check "a verb that the gate forbids is refused before any host is asked" refused 'forbid: freeze is forbidden here'
environment '{longest_fault: 5s}'
check "a fault that lasts too long is refused before any host is asked" \
    refused 'longest_fault: a fault lasts 11 s with its grace, at most 5 s'
environment '{forbid: {classes: [P, R, S, K]}}'
check "a class that the gate forbids is refused, which only the plan shows" \
    ends 4 'is forbidden here: freeze on' drill run -e here --seed 1 drill
check "that left nothing" is_empty bare-1
environment "{windows: ['$(other_day) 10:00-11:00']}"
check "outside its windows a drill is refused before any host is asked" refused 'windows: closed: now '
environment "{freeze: $(date -u +%F)..$(date -u -d '+1 day' +%F)}"
check "in a freeze a drill is refused before any host is asked" refused 'freeze: no drills '
environment "{freeze_switch: $work/switch}"
check "a switch that cannot be read counts as engaged" \
    refused "freeze_switch: $work/switch: cannot be read: No such file or directory"
echo on >"$work/switch"
check "an engaged switch refuses before any host is asked" refused "freeze_switch: $work/switch: it says 'on', not off"

echo off >"$work/switch"
check "a switch that is off lets plan go on" ends 0 "+ freeze_switch $work/switch: off" drill plan --ascii -e here drill
scenario 5m
drill run -e here --seed 1 drill >"$work/run" 2>&1 &
runner=$!
at_end end_runner
check "the drill is under way" wait_for 60 is_frozen
rm "$work/switch"
engaged=$(date +%s%N)
check "a switch that is engaged meanwhile undoes it" wait_for 60 is_thawed
took=$((($(date +%s%N) - engaged) / 1000000))
echo "undone $took ms after the switch was engaged"
check "within 5 seconds, and what a busy machine takes" test "$took" -lt 30000
wait "$runner"
status=$?
cat "$work/run"
check "it ends HALTED, exit 5" test "$status" -eq 5
check "and says by what" grep -qF 'halted by the gate, freeze_switch: cannot be read: No such file or directory' "$work/run"
check "nothing is left" wait_for 60 is_empty bare-1
check "on both hosts" wait_for 60 is_empty bare-2

# serve: a page of its own on a free port; prints the port. What it says is in $work/incidents.
cat >"$work/serve" <<'END'
import http.server, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = open(sys.argv[1], 'rb').read()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Page)
print(server.server_port, flush=True)
server.serve_forever()
END
printf '[{"id": 1}]' >"$work/incidents"
python3 "$work/serve" "$work/incidents" >"$work/port" &
page=$!
end_page() {
    kill "$page" 2>/dev/null && wait "$page"
}
at_end end_page
wait_for 60 test -s "$work/port"
asks='{http: "http://127.0.0.1:'$(cat "$work/port")'/", every: 200ms, timeout: 5s, ok: {body: "[]"}}'
scenario 5m
environment "{only_if: {no_incident: $asks}}"
check "an open incident refuses before any host is asked" refused 'only_if: no_incident: '
printf '[]' >"$work/incidents"
drill run -e here --seed 1 drill >"$work/run" 2>&1 &
runner=$!
check "without one the drill begins" wait_for 60 is_frozen
printf '[{"id": 2}]' >"$work/incidents"
opened=$(date +%s%N)
check "an incident that opens meanwhile undoes it" wait_for 60 is_thawed
took=$((($(date +%s%N) - opened) / 1000000))
echo "undone $took ms after the incident opened"
check "within 5 seconds as well" test "$took" -lt 30000
wait "$runner"
status=$?
cat "$work/run"
check "which ends HALTED too" test "$status" -eq 5
check "by its name" grep -qF 'halted by the gate, only_if: no_incident: ' "$work/run"
end_page
check "a page that is gone refuses before any host is asked" refused 'only_if: no_incident: refused'

scenario 1s
environment '{max_per_day: 2}'
# Where midnight passed meanwhile, it was yesterday's.
check "two runs a day are two: the next is refused before any host is asked" refused 'max_per_day: 2 of 2 runs today (UTC)'

# Rules of the scenario and of the command line only tighten; what is overridden is said everywhere.
environment '{longest_fault: 20s}'
check "a rule of the command line that is stricter counts, before any host is asked" \
    refused 'longest_fault: a fault lasts 11 s with its grace, at most 5 s' --gate 'longest_fault: 5s'
check "one that would loosen is refused by its name" \
    refused 'longest_fault: 30 s of the command line would loosen 20 s of environment' --gate 'longest_fault: 30s'
environment '{longest_fault: 20s, max_per_day: 2}'
why='the outage of 12 May, "again" <b>'
check "a rule is not overridden without a reason" ends 2 'an override needs a reason' drill run -e here --override max_per_day drill
check "nor one that keeps harm away" \
    refused 'longest_fault: this rule cannot be overridden' --override longest_fault --reason "$why"
check "with who and why the others are" \
    ends 0 'OVERRIDDEN max_per_day by' drill run -e here --seed 1 --override max_per_day --reason "$why" drill
check "the summary says so" ends 0 "OVERRIDDEN max_per_day by $(id -un)@$(hostname): $why" drill report --format text last
check "and the page" ends 0 'Rule overridden:</strong> max_per_day by' drill report --format html -o - last
check "and the JSON" ends 0 '"overrides": [' drill report --json last
check "and the log of the run, which is only ever appended to" ends 0 'gate override' drill report --json last
environment "{windows: ['$(other_day) 10:00-11:00']}"
check "an override of the environment's windows leaves those of the command line" \
    refused 'windows: closed: now ' --override windows --reason "$why" --gate "windows: ['$(other_day) 12:00-13:00']"
echo 'gate: {longest_fault: 30s}' >>"$work/project/scenarios/drill.yaml"
environment '{longest_fault: 20s}'
check "a scenario that would loosen a rule is refused by its name" \
    refused 'longest_fault: 30 s of the scenario would loosen 20 s of environment'

# A host that does not answer may hold a lock.
cat >"$work/project/environments/away.yaml" <<'END'
environment: away
roles:
  gone: {hosts: {gone-1: {address: 127.0.0.1}}, reach: {prefix: ["false"]}}
END
check "where a host does not answer it is unknown who holds it: exit 3" \
    ends 3 'unknown on 1 host' drill undo --break-lock -e away
check "and not said that nobody does" eval '! grep -q "nobody holds it" "$work/said"'

#!/usr/bin/env bash
# words_test.sh - words of the language that change how a run goes, on hosts of the lab: always, until.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:2

mkdir "$work/scenarios"
printf 'project: words\nstate: state\nenvironments: [%s, environments]\n' "$LAB_STATE/environments" >"$work/faildrill.yaml"

# scenario NAME: the rest of it is read from stdin.
scenario() {
    {
        printf 'scenario: %s\n' "$1"
        cat <<'END'
targets:
  victim: {role: idle, pick: 1, seed: 1}
  both: {role: idle, pick: all}
probes:
  door: {tcp: "${target.victim.address}:22", every: 50ms}
steady: {for: 200ms, within: 20s}
hold: 300ms
observe: 300ms
settle: 20s
expect:
  door: {max_outage: 5s}
END
        cat
    } >"$work/scenarios/$1.yaml"
}
# drill STATUS NAME [OPTION...]: exits with STATUS; what it said is in $work/said.
drill() {
    local status=$1 name=$2 got=0
    shift 2
    (cd "$work" && exec "$FAILDRILL" run -e bare "$name" --no-input "$@" >"$work/said" 2>&1) || got=$?
    [ "$got" = "$status" ] || { echo "exit $got"; cat "$work/said"; return 1; }
}
said() {
    grep -qE -- "$1" "$work/said" || { cat "$work/said"; return 1; }
}
unsaid() {
    ! said "$1" >/dev/null || { cat "$work/said"; return 1; }
}
# in_order PATTERN...: what was said has lines of these, in this order.
in_order() {
    local last=0 line
    for pattern in "$@"; do
        line=$(grep -nE -- "$pattern" "$work/said" | cut -d: -f1 | awk -v last="$last" '$1 > last' | head -1)
        [ -n "$line" ] || { echo "no '$pattern' after line $last"; cat "$work/said"; return 1; }
        last=$line
    done
}
# traces FILE: on how many of the hosts it is; taken away.
traces() {
    local count=0
    for host in bare-1 bare-2; do
        ! "$lab" exec "$host" sh -c 'test -e "$1" && rm -f "$1"' sh "$1" || count=$((count + 1))
    done
    echo "$count"
}
left() { [ "$(traces "$1")" = "$2" ]; }
# lines FILE: that many, on all hosts.
lines() {
    for host in bare-1 bare-2; do "$lab" exec "$host" sh -c 'cat "$1" 2>/dev/null' sh "$1"; done | wc -l
}
on_any() { "$lab" exec bare-1 test -e "$1" || "$lab" exec bare-2 test -e "$1"; }
# begin NAME [OPTION...]: the drill, in the background, as $runner.
begin() {
    (cd "$work" && exec setsid "$FAILDRILL" run -e "${environment:-bare}" "$@" --no-input >"$work/said" 2>&1) &
    runner=$!
    at_end sh -c "kill -KILL $runner 2>/dev/null"
}
# ends STATUS SECONDS: the drill does so, and soon.
ends() {
    local status=0
    wait_for "$2" over || { cat "$work/said"; return 1; }
    wait "$runner" || status=$?
    [ "$status" = "$1" ] || { echo "exit $status"; cat "$work/said"; return 1; }
}
over() { case $(ps -o stat= -p "$runner") in '' | Z*) ;; *) false ;; esac }
clean() {
    for host in bare-1 bare-2; do
        [ -z "$("$lab" exec "$host" sh -c 'ls -A /run/faildrill 2>/dev/null')" ] || return 1
    done
}

# --- always ---

scenario tidies <<'END'
steps:
  - {freeze: victim}
  - {run: touch /run/made, target: both}
always:
  - {run: test -e /run/made && touch /run/tidied && rm /run/made, target: both}
  - note: in order
END
check "a drill that tidies up passes" drill 0 tidies
check "after its faults were undone" in_order 'freeze undone, proven' 'step +3 run both' 'note +in order'
check "on all hosts" left /run/tidied 2
check "the plan says what comes last" sh -c 'cd "$1" && "$2" plan -e bare tidies |
    sed -n "/Always/,\$p" | grep -q "3  run both"' sh "$work" "$FAILDRILL"

scenario breaks_off <<'END'
steps:
  - {freeze: victim}
  - {run: exit 3, target: victim}
  - {run: touch /run/never, target: both}
always:
  - {run: exit 4, target: both}
  - {run: sleep 60, target: victim, timeout: 1s}
  - {run: touch /run/tidied, target: both}
END
check "what failed is a FAIL" drill 1 breaks_off
check "the rest of it was left out" left /run/never 0
check "its last steps came all the same, each of them" left /run/tidied 2
check "and those that failed are said" in_order 'always +step 4 ended with status 4' 'always +.*imeout|always +.*time'
check "why it failed is what came first" said 'FAIL .*|step 2 ended with status 3'

scenario fails_last <<'END'
steps:
  - {freeze: victim, for: 1s}
always:
  - {run: exit 4, target: victim}
END
check "a last step that fails is a FAIL" drill 1 fails_last
check "and is said" said 'step 2 ended with status 4'

scenario halted <<'END'
steps:
  - {freeze: victim}
  - wait: 10m
always:
  - {run: touch /run/hung; sleep 300, target: victim, timeout: 5m}
  - {run: touch /run/tidied, target: both}
END
begin halted
check "a drill that waits" wait_for 60 grep -q 'step .*2 wait' "$work/said"
kill -INT "$runner"
check "halted, begins its last steps" wait_for 60 on_any /run/hung
kill -INT "$runner"
check "a second signal leaves out the one that hangs, and it ends HALTED" ends 5 90
check "says so" in_order 'Ctrl-C: the step under .always. is no longer awaited' \
    'always +a step under .always. was not awaited' 'always +what step 3 began on its hosts may go on there'
check "the next comes" left /run/tidied 2
check "and nothing else was left behind" clean
traces /run/hung >"$work/hung"

scenario hangs <<'END'
steps:
  - {run: touch /run/stuck; sleep 300, target: victim, timeout: 5m}
always:
  - {run: echo once >>/run/tidied, target: victim}
END
begin hangs
check "work that hangs" wait_for 60 on_any /run/stuck
kill -INT "$runner"
check "does not hold up the last steps on its host" wait_for 35 on_any /run/tidied
check "nor the end of the runner" ends 5 60
check "which says that it may go on" said 'what step 1 began on its hosts may go on there'
check "each comes once" test "$(lines /run/tidied)" = 1
traces /run/tidied >"$work/hung"

scenario unready <<'END'
steps:
  - {freeze: victim, for: 1s}
always:
  - {run: touch /run/tidied, target: both}
END
sed -i 's/:22"/:9"/; s/within: 20s/within: 1s/' "$work/scenarios/unready.yaml"
check "a drill that never began" drill 3 unready
check "does nothing at its end" left /run/tidied 0

mkdir "$work/environments"
sed "s/^environment:.*/environment: gated/; \$ a gate: {freeze_switch: $work/switch}" \
    "$LAB_STATE/environments/bare.yaml" >"$work/environments/gated.yaml"
scenario refused <<'END'
steps:
  - note: nothing is done yet
  - wait: 10m
  - {freeze: victim, for: 1s}
always:
  - {run: touch /run/tidied, target: both}
END
echo off >"$work/switch"
environment=gated begin refused
check "a drill that has done nothing yet" wait_for 60 grep -q 'step .*2 wait' "$work/said"
echo on >"$work/switch"
check "is REFUSED by its gate" ends 4 60
check "and does nothing at its end" left /run/tidied 0

# A page that is longer than what is read of it, on a free port.
cat >"$work/page" <<'END'
import http.server
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', '100000')
        self.end_headers()
        self.wfile.write(b'x' * 100000)
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Page)
print(server.server_port, flush=True)
server.serve_forever()
END
python3 "$work/page" >"$work/port" &
at_end sh -c "kill $! 2>/dev/null"
wait_for 20 test -s "$work/port"
scenario unclear <<END
steps:
  - {freeze: victim, for: 1s}
  - {http: "http://127.0.0.1:$(cat "$work/port")/", ok: {body: never}}
always:
  - {run: exit 4, target: both}
END
check "a last step that fails makes no FAIL of an INCONCLUSIVE" drill 7 unclear
check "whose reason stays" said 'INCONCLUSIVE .*the answer is longer than is read'
check "and is said" said 'always +step 3 ended with status 4'

scenario stuck <<'END'
undo: {within: 2s, grace: 1s, lease: 2s}
steps:
  - run: touch /run/broken
    fault: true
    target: victim
    for: 1s
    undo: test -e /run/may && rm -f /run/broken
    proof: test -e /run/broken
always:
  - {run: touch /run/tidied, target: both}
END
check "a drill that could not be undone ends NOT UNDONE" drill 6 stuck
check "says so before its last steps" in_order 'NOT UNDONE +.* on bare-.; its guard acts by' 'step +2 run both'
check "which came all the same" left /run/tidied 2
for host in bare-1 bare-2; do "$lab" exec "$host" touch /run/may; done
undone() { (cd "$work" && "$FAILDRILL" undo last >"$work/undone" 2>&1) || { cat "$work/undone"; false; }; }
check "undo brings it back" wait_for 60 undone
# --- until ---

in_report() {
    (cd "$work" && "$FAILDRILL" report last --format json) >"$work/report.json" || return 1
    python3 -c 'import json, sys
report = json.load(open(sys.argv[1]))
sys.exit(not eval(sys.argv[2], {"f": {x["name"]: x for x in report["figures"]}}))' \
        "$work/report.json" "$1" || { cat "$work/report.json"; return 1; }
}
# starts NAME: a service that listens two seconds after it was started, on one host; ended by always.
starts() {
    {
        printf 'scenario: %s\ntargets: {lab: {role: idle, pick: 1, seed: 1}}\nobserve: 200ms\n' "$1"
        cat <<'END'
always:
  - {run: kill "$(cat /run/late.pid)"; rm -f /run/late.pid; touch /run/tidied, target: lab, until: {tcp: "${target.lab.address}:22"}}
expect:
  rto: {min: 200ms, max: 2m}
steps:
  - run: |
      setsid python3 -c 'import socket, time
      time.sleep(2)
      door = socket.create_server(("", 5433))
      time.sleep(300)' </dev/null >/dev/null 2>&1 9>&- &
      echo $! >/run/late.pid
    target: lab
END
        cat
    } >"$work/scenarios/$1.yaml"
}

starts late <<'END'
    until: {tcp: "${host.address}:5433", every: 100ms, timeout: 1s}
    timeout: 60s
    measure: rto
  - {wait: 100ms, until: {tcp: "${target.lab.address}:5433"}}
END
check "a step that waits for its service passes" drill 0 late
check "says when it was good" in_order 'step +1 run lab' 'until +step 1: tcp is good' 'until +step 2' 'until +step 3'
check "its clock ends between the last bad answer and the good one" \
    in_report '3e8 < f["rto"]["low_ns"] and 1.9e9 < f["rto"]["high_ns"] < 6e10 and f["rto"]["high_ns"] - f["rto"]["low_ns"] > 5e7'
check "and its last step came" left /run/tidied 1
check "the plan says what is awaited" sh -c 'cd "$1" && "$2" plan -e bare late | grep -q "until  .*5433.* is good, asked every 100 ms"' \
    sh "$work" "$FAILDRILL"

starts too_late <<'END'
    until: {tcp: "${host.address}:5434", every: 100ms, timeout: 1s}
    timeout: 3s
    measure: rto
  - {run: touch /run/never, target: lab}
END
check "a service that does not come is a FAIL" drill 1 too_late
check "which says so" said 'step 1: its .until. was not good within its timeout: .*refused'
check "ends the drill there" left /run/never 0
check "and is tidied up" left /run/tidied 1

sed -e 's/too_late/stopped/; s/timeout: 3s/timeout: 10m/' "$work/scenarios/too_late.yaml" >"$work/scenarios/stopped.yaml"
begin stopped
check "one that waits for it" wait_for 60 on_any /run/late.pid
kill -INT "$runner"
check "can be halted" ends 5 60
check "and is tidied up too" left /run/tidied 1

check "nothing is left on the hosts" clean

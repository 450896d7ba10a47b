#!/usr/bin/env bash
# halt_test.sh - halt rules by rate, by code and by two primaries end a drill while it goes on, and nothing else does.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:3

address() { cat "$LAB_STATE/hosts/bare-$1/address"; }
on() { "$lab" exec "bare-$1" sh -c "$2"; }

# A page of our own: the code that $work/code holds, else 200; on a free port.
cat >"$work/page" <<'END'
import http.server, os, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        code = 200
        if os.path.exists(sys.argv[1]):
            code = int(open(sys.argv[1]).read())
        self.send_response(code)
        self.send_header('Content-Length', '0')
        self.end_headers()
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Page)
print(server.server_port, flush=True)
server.serve_forever()
END
python3 "$work/page" "$work/code" >"$work/port" &
at_end sh -c "kill $! 2>/dev/null"
wait_for 20 test -s "$work/port" || not_ok "a page"

mkdir -p "$work/environments" "$work/scenarios"
printf 'project: halts\nstate: state\n' >"$work/faildrill.yaml"
cat >"$work/environments/here.yaml" <<END
environment: here
roles:
  idle:
    hosts: {bare-3: {address: $(address 3)}}
    service: {pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}
    reach: {prefix: [$lab, --state, $LAB_STATE, exec, "\${host.name}"]}
  pair:
    hosts: {bare-1: {address: $(address 1)}, bare-2: {address: $(address 2)}}
    service: {pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}
    reach: {prefix: [$lab, --state, $LAB_STATE, exec, "\${host.name}"]}
    system: {run: {rank: cat /run/rank}}
END

# begin NAME HALT: the drill in the background, as $runner, once its fault is proven.
begin() {
    rm -f "$work/code"
    on 1 'echo primary >/run/rank' && on 2 'echo replica >/run/rank'
    cat >"$work/scenarios/$1.yaml" <<END
scenario: $1
targets:
  victim: {role: idle, pick: 1}
probes:
  page: {http: "http://127.0.0.1:$(cat "$work/port")/", every: 100ms, ok: {status: [200, 204, 503]}}
  pair: {primary: pair, every: 500ms, timeout: 2s}
steady: {for: 3s, within: 60s}
hold: 1s
settle: 1s
steps:
  - {freeze: victim, for: 10m}
halt:
  $2
expect:
  page: {max_outage: 10m}
  pair: {max_outage: 10m}
END
    (cd "$work" && exec "$FAILDRILL" run -e here "$1" --no-input >"$work/said" 2>&1) &
    runner=$!
    at_end sh -c "kill -KILL $runner 2>/dev/null"
    wait_for 90 grep -q 'freeze proven' "$work/said" || { cat "$work/said"; return 1; }
}
over() { case $(ps -o stat= -p "$runner") in '' | Z*) ;; *) false ;; esac }
# halted WORDS: exit 5, all undone, and by this rule.
halted() {
    local status=0
    wait_for 90 over || { cat "$work/said"; return 1; }
    wait "$runner" || status=$?
    if [ "$status" != 5 ] || ! grep -qF "halted by rule: $1" "$work/said" || [ -n "$(on 3 'ls -A /run/faildrill 2>/dev/null')" ]; then
        echo "exit $status"
        cat "$work/said"
        return 1
    fi
}
# goes_on SECONDS: it is not over by then.
goes_on() { ! wait_for "$1" over || { cat "$work/said"; return 1; }; }

check "a rule by code: the drill begins" begin by_code 'page: {status_only: [200, 204]}'
echo 204 >"$work/code"
check "codes that may be do not halt it" goes_on 2
echo 503 >"$work/code"
check "another one, though good for the probe, does" halted 'page.status_only 200, 204'

check "a rule by rate: the drill begins" begin by_rate 'page: {min_rate: 60% of before}'
check "as good as before it goes on" goes_on 2
echo 500 >"$work/code"
check "too few good answers halt it" halted 'page.min_rate 60% of before'

check "a rule by two primaries: the drill begins" begin by_split 'pair: {max_split: 1s}'
on 1 'echo replica >/run/rank' && on 2 'echo primary >/run/rank'
check "a change of who leads does not halt it" goes_on 3
on 1 'echo primary >/run/rank'
check "two for longer do" halted 'pair.max_split 1 s'

#!/usr/bin/env bash
# notify_test.sh - who is told of a drill; one who hangs, resets or says 500 delays no undo; no secret is seen.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:1

mkdir "$work/scenarios" "$work/environments"
canary=canary-$RANDOM$RANDOM$RANDOM
export HOOK_KEY=$canary-key
# The stand-in: mood in a file; each request a line, its signature checked.
cat >"$work/stand_in.py" <<'END'
import hashlib, hmac, http.server, json, os, socket, struct, sys, time
work = sys.argv[1]
class Stand(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        mood = open(work + "/mood").read().strip()
        mac = "sha256=" + hmac.new(os.environ["HOOK_KEY"].encode(), body, hashlib.sha256).hexdigest()
        data = json.loads(body)
        signed = self.headers.get("X-Faildrill-Signature")
        with open(work + "/told", "a") as told:
            told.write(json.dumps({"method": self.command, "path": self.path, "data": data, "mood": mood,
                "signed": signed == mac if signed else None, "token": self.headers.get("Authorization")}) + "\n")
        if mood == "hangs":
            time.sleep(600)
        if mood == "resets":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        self.send_response(500 if mood == "fails" else 200)
        self.end_headers()
        self.wfile.write(b'{"id": 7}')
    do_PATCH = do_POST
    def log_message(self, *ignored):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stand)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
END
echo answers >"$work/mood"
python3 "$work/stand_in.py" "$work" >"$work/port" &
at_end kill $!
wait_for 20 test -s "$work/port"
HOOK_URL="http://127.0.0.1:$(<"$work/port")/$canary"
export HOOK_URL

printf 'project: told\nstate: state\nnotify:\n  slack: {url: "${secret.url}"}\n  grafana: {url: "http://127.0.0.1:%s", token: "${secret.key}"}\n' \
    "$(<"$work/port")" >"$work/faildrill.yaml"
{
    cat "$LAB_STATE/environments/bare.yaml"
    printf 'secrets: {url: {env: HOOK_URL}, key: {env: HOOK_KEY}}\nnotify:\n  webhook: {url: "${secret.url}", sign_with: "${secret.key}"}\n  teams: {url: "${secret.url}", when: [end]}\n'
} >"$work/environments/bare.yaml"
cat >"$work/scenarios/told.yaml" <<'END'
scenario: told
targets:
  victim: {role: idle}
probes:
  door: {tcp: "${target.victim.address}:22", every: 100ms}
steady: {for: 300ms}
steps:
  - freeze: victim
    for: 2s
hold: 300ms
observe: 300ms
settle: 10s
halt:
  door: {max_outage: 30s}
expect:
  door: {max_outage: 30s}
END
drill() {
    "$FAILDRILL" -C "$work" --no-input "$@"
}
# runs MOOD: the drill, with everybody in that mood.
runs() {
    echo "$1" >"$work/mood"
    : >"$work/told"
    drill run -e bare told >"$work/out" 2>"$work/err"
    local status=$?
    cat "$work/out" "$work/err"
    cat "$work/out" "$work/err" >>"$work/all"
    [ "$status" -eq 0 ]
}
# told EXPRESSION: of the requests that were `heard`.
told() {
    python3 -c 'import json, sys
heard = [json.loads(line) for line in open(sys.argv[1])]
hooks = [t for t in heard if "event" in t["data"]]
ok = eval(sys.argv[2])
if not ok: print(*heard, sep="\n")
sys.exit(0 if ok else 1)' "$work/told" "$1"
}

check "plan names whom it tells" bash -c "'$FAILDRILL' -C '$work' plan -e bare told | grep -q 'Tells     slack, teams, webhook, grafana'"
check "a drill that everybody hears of passes" runs answers
check "the webhook hears its start and its end, signed" told '[t["data"]["event"] for t in hooks] == ["start", "end"] and all(t["signed"] for t in hooks)'
check "what, where, until when, how to end it" told 'hooks[0]["data"]["faults"] == [{"step": "freeze victim", "host": "bare-1"}] and hooks[0]["data"]["until"] > hooks[0]["data"]["at"] and hooks[0]["data"]["halt"].startswith("faildrill halt ")'
check "and the verdict" told 'hooks[1]["data"]["verdict"] == "PASS"'
check "Slack hears both, Teams the end" told 'sum("blocks" in t["data"] for t in heard) == 2 and sum("attachments" in t["data"] for t in heard) == 1'
check "Grafana has a region of two seconds or more" told '[t["method"] for t in heard if t["path"].startswith("/api/annotations")] == ["POST", "PATCH"] and [t["data"]["timeEnd"] for t in heard if t["method"] == "PATCH"][0] - [t["data"]["time"] for t in heard if t["path"] == "/api/annotations"][0] >= 2000'

noted() {
    drill report last --format json -o - | grep -q "was not told: $1"
}
undone_in_time() {
    grep -qE 'undone +1 of 1' "$work/out"
}
for mood in fails resets hangs; do
    case $mood in fails) word='it answers 500' ;; resets) word='connection closed' ;; hangs) word='no answer in time' ;; esac
    check "one where nobody hears passes as well: $mood" runs "$mood"
    check "its undo is proven: $mood" undone_in_time
    if [ "$mood" = hangs ]; then
        check "and what did not get through is said: $mood" grep -q "was not told: $word" "$work/err"
    else
        check "and what did not get through is in the report: $mood" noted "$word"
    fi
done
# With all of them hanging, each for its five seconds, the fault is over after its two.
held_no_longer() {
    awk '/freeze proven/ { split($1, a, ":") } /freeze undone, proven/ { split($1, b, ":") }
        END { d = (b[1] - a[1]) * 3600 + (b[2] - a[2]) * 60 + b[3] - a[3]; print d, "s"; exit !(d > 1.5 && d < 4.5) }' "$work/err"
}
check "the fault lasted no longer for it" held_no_longer

echo answers >"$work/mood"
: >"$work/told"
sed -e 's/^scenario: told/scenario: long/' -e 's/for: 2s/for: 60s/' "$work/scenarios/told.yaml" >"$work/scenarios/long.yaml"
"$FAILDRILL" -C "$work" --no-input run -e bare long >>"$work/all" 2>&1 &
runner=$!
in_effect() {
    drill status | grep -q IN_EFFECT
}
check "a long one" wait_for 30 in_effect
drill halt --reason 'seen enough' >/dev/null
wait "$runner"
check "is halted: exit 5" test $? -eq 5
check "which is told, with the reason" told '[t["data"]["event"] for t in hooks] == ["start", "halt", "end"] and "seen enough" in hooks[1]["data"]["why"] and hooks[2]["data"]["verdict"] == "HALTED"'

# A scenario's own are told besides; a game day says how it ended, a line a drill.
sed 's/^scenario: told/scenario: own/' "$work/scenarios/told.yaml" >"$work/scenarios/own.yaml"
printf 'notify: {webhook: {url: "http://127.0.0.1:%s/team", when: end}}\n' "$(<"$work/port")" >>"$work/scenarios/own.yaml"
# day NAME WHOM
day() {
    printf 'gameday: %s\nenvironment: bare\ndrills: [{scenario: own}]\nreport: {notify: %s}\n' "$1" "$2" >"$work/scenarios/$1.yaml"
}
day today '[slack, webhook]'
: >"$work/told"
drill run today --unattended >>"$work/all" 2>&1
check "a game day passes" test $? -eq 0
check "the scenario's own hear its end, and nothing else" told '[t["data"]["event"] for t in heard if t["path"] == "/team"] == ["end"]'
check "the environment's hear all" told '[t["data"]["event"] for t in hooks if t["path"] != "/team"] == ["start", "end", "gameday"]'
check "the day's verdict with its drills, signed" told 'hooks[-1]["signed"] and hooks[-1]["data"]["verdict"] == "PASS" and hooks[-1]["data"]["drills"].startswith("PASS  own  ")'
check "Slack hears of the day as well" told 'heard[-1]["data"].get("text", heard[-2]["data"].get("text")) == "PASS: game day today in bare"'
sed -i '/^notify:/,$d' "$work/environments/bare.yaml"
day nobody webhook
: >"$work/told"
refused() {
    drill run nobody >"$work/out" 2>&1
    [ $? -eq 2 ] && grep -q "neither environment 'bare' nor the project says who .webhook. is" "$work/out"
}
check "whom nobody names is said before the first drill" refused
check "and nobody was told" test ! -s "$work/told"

drill plan -e bare told >>"$work/all" 2>&1
unseen() {
    ! grep -rlaF "$canary" "$work/all" "$work/state"
}
check "no secret in outputs, plans, store and reports" unseen

[ "$failed" -eq 0 ]

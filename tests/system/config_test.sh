#!/usr/bin/env bash
# config_test.sh - faults in files and settings: whatever ends them, the host is as it was before.
# SPDX-License-Identifier: Apache-2.0
# Each kind has a host and a project of its own, so that they run beside each other.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016,SC2030,SC2031 # what is quoted is for the host; each kind has its own $work
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:6
# shellcheck source=tests/project.sh
. "$root/tests/project.sh"

# begin HOST [KEY=TEXT...]: a project in $work with an environment `bare` of this one host.
# steps, lease, within: of its scenario `drill`.
begin() {
    local lease=30s within=20s steps
    host=$1
    shift
    local "$@"
    address=$(sed -n "s/^ *$host: {address: \(.*\)}/\1/p" "$LAB_STATE/environments/bare.yaml")
    rm -rf "$work/project"
    mkdir -p "$work/project/scenarios" "$work/project/environments"
    echo 'project: config' >"$work/project/faildrill.yaml"
    cat >"$work/project/environments/bare.yaml" <<END
environment: bare
roles:
  idle:
    hosts: {$host: {address: $address}}
    reach: {prefix: [$lab, --state, $LAB_STATE, exec, "\${host.name}"]}
END
    cat >"$work/project/scenarios/drill.yaml" <<END
scenario: drill
targets:
  victim: {role: idle, pick: 1}
probes:
  ssh: {tcp: "\${target.victim.address}:22", every: 100ms, timeout: 5s}
steady: {for: 300ms}
hold: 300ms
observe: 300ms
settle: 20s
steps:
  - {$steps}
expect:
  ssh: {max_outage: 20s}
undo: {lease: $lease, grace: 30s, within: $within}
END
}
# ends STATUS COMMAND...: that it ends with this status and says, somewhere, each line of stdin.
ends() {
    local want=$1 got words missing=''
    shift
    "$@" >"$work/said" 2>&1
    got=$?
    cat "$work/said"
    while read -r words; do
        grep -qF -- "$words" "$work/said" || missing+="it does not say: $words"$'\n'
    done
    printf %s "$missing"
    [ -z "$missing" ] && { [ "$got" -eq "$want" ] || { echo "exit $got, not $want"; false; }; }
}
comes_into_effect() {
    wait_for 60 is_in_effect || {
        cat "$work/run.out"
        return 1
    }
}
# go NAME: the drill in the background, until its fault is in effect.
go() {
    "$FAILDRILL" -C "$work/project" --no-input run -e bare drill >"$work/run.out" 2>&1 &
    runner=$!
    check "$1: the fault comes into effect" comes_into_effect
}
# over: what go began has ended; sets `status`.
over() {
    wait "$runner"
    status=$?
    cp "$work/run.out" "$work/said"
}
said_with() {
    cat "$work/said"
    echo "exit $status"
    [ "$status" -eq "$1" ] && grep -qF -- "$2" "$work/said"
}
vanish() {
    kill -9 "$runner"
    wait "$runner" 2>/dev/null
}

# What a drill may not change: content, owner, mode, time and inode of every file of /etc, all mounts, the settings.
fingerprint() {
    on_host sh -c 'find /etc -xdev -type f ! -path "/etc/lab/*" 2>/dev/null | sort | while read -r file; do
        stat -c "%n %u %g %a %Y %i %h %s" "$file"; done
        find /etc -xdev -type f -exec cat {} + 2>/dev/null | sha256sum
        cat /proc/self/mountinfo
        cat /proc/sys/net/ipv4/tcp_retries2 /proc/sys/net/ipv4/tcp_keepalive_time
        [ ! -e /run/faildrill ] || echo "something is left: $(ls -A /run/faildrill)"'
}
same() {
    fingerprint >"$work/after"
    diff "$work/before" "$work/after"
}
scan_says() {
    drill undo --scan -e bare
}

# every_end NAME IN_EFFECT...: the drill of $work ends in every way; the command after NAME is true while it is in effect.
every_end() {
    local name=$1 status
    shift
    fingerprint >"$work/before"
    go "$name"
    check "$name: it is seen on the host" on_host "$@"
    check "$name: undo --scan finds it" ends 6 scan_says <<<FOUND
    over
    check "$name, normal end: PASS, exit 0" said_with 0 PASS
    check "$name, normal end: the host is as before" same

    sed -i 's/for: 3s/for: 60s/' "$work/project/scenarios/drill.yaml"
    go "$name, ended by hand"
    check "$name, ended by hand: it says so" ends 0 on_host sh /run/faildrill/undo <<<'undone: '
    check "$name, ended by hand: the host is as before" wait_for 10 same
    over
    check "$name, ended by hand: INCONCLUSIVE, exit 7" said_with 7 'ended early'

    go "$name, undone twice"
    vanish
    check "$name, undone twice: undo of a runner that was killed, exit 0" ends 0 drill undo <<<'proven just now'
    check "$name, undone twice: the host is as before" same
    check "$name, undone twice: nothing is left to do" ends 0 drill undo <<<'nothing is left to undo'
    check "$name, undone twice: undo --scan is clean" ends 0 scan_says <<<clean

    sed -i 's/lease: 30s/lease: 15s/' "$work/project/scenarios/drill.yaml"
    go "$name, runner killed"
    vanish
    check "$name, runner killed: the guard puts all back" wait_for 60 same
    check "$name, runner killed: undo finds it clear" ends 0 drill undo <<<'proven just now'
}

override() {
    begin bare-1 steps='override: victim, file: /etc/hosts, content: "192.0.2.9 shop", keep: true, for: 3s'
    every_end override sh -c 'getent hosts shop | grep -q 192.0.2.9 && getent hosts bare-1'
}

# Whoever edits the file meanwhile is told so; links, and mounts that somebody has of its own, are seen through.
spaces() {
    local status
    begin bare-2 steps='override: victim, file: /etc/link, content: ours, for: 60s'
    on_host sh -c 'echo theirs >/etc/fd-real; ln -s fd-real /etc/link; chmod 640 /etc/fd-real'
    fingerprint >"$work/before"
    go "an override behind a link"
    check "an override behind a link: readers find ours, with its mode" \
        on_host sh -c '[ "$(cat /etc/fd-real)" = ours ] && [ "$(stat -L -c %a /etc/link)" = 640 ]'
    check "an edit meanwhile is refused, not lost" on_host sh -c '! echo more >>/etc/fd-real && ! mv /etc/hostname /etc/fd-real'
    on_host sh -c 'setsid unshare -m sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >/tmp/began'
    check "a process gets mounts of its own meanwhile" wait_for 10 on_host sh -c \
        '[ "$(readlink /proc/$(cat /tmp/began)/ns/mnt)" != "$(readlink /proc/1/ns/mnt)" ]'
    on_host sh -c 'rm -rf /run/faildrill/*_1'
    check "its folder removed: undo --scan finds the mount by its name" ends 6 scan_says <<<'bind mount on /etc/fd-real'
    vanish
    check "its folder removed: undo unmounts it" ends 0 drill undo <<<'proven just now'
    check "its folder removed: the host is as before" same
    check "who began meanwhile reads the old file again" \
        on_host sh -c '[ "$(nsenter -t "$(cat /tmp/began)" -m cat /etc/fd-real)" = theirs ]'
    check "undo --scan looks there too, and is clean" ends 0 scan_says <<<clean

    check "who had mounts of its own before: the fault is not proven on it, exit 7" \
        ends 7 drill run -e bare drill <<<'has mounts of its own'
    check "who had mounts of its own before: all undone" same
    on_host sh -c 'kill "$(cat /tmp/began)"; rm /etc/link; ln -s /etc/shadow /etc/link'
    check "a link to what our own way needs: NOT READY, exit 3" ends 3 drill run -e bare drill \
        <<<'/etc/link means /etc/shadow, which our own way to this host needs'
    check "a link to what our own way needs: nothing came to the host" ends 0 scan_says <<<clean
}

replace_file() {
    local status
    begin bare-3 steps='replace_file: victim, path: /etc/app.conf, content: "clients 1", reload: "echo reload >>/run/reloads", for: 3s'
    on_host sh -c 'echo clients 99 >/etc/app.conf; chown 33:33 /etc/app.conf; chmod 640 /etc/app.conf
        touch -d 2020-02-02 /etc/app.conf'
    every_end replace_file sh -c '[ "$(cat /etc/app.conf)" = "clients 1" ] && [ "$(stat -c %a:%u /etc/app.conf)" = 640:33 ]'
    check "replace_file: reloaded after the change and after the undo, each time" \
        on_host sh -c 'cat /run/reloads; [ "$(grep -c reload /run/reloads)" = 8 ]'

    sed -i 's/lease: 5s/lease: 30s/; s/for: 60s/for: 3s/; s/within: 20s/within: 3s/' "$work/project/scenarios/drill.yaml"
    go "replace_file, edited by somebody else"
    on_host sh -c 'echo clients 50 >/etc/app.conf'
    over
    check "replace_file, edited by somebody else: NOT UNDONE, exit 6" said_with 6 'NOT UNDONE'
    check "replace_file, edited by somebody else: it says what is where" ends 6 drill undo <<END
somebody else changed /etc/app.conf meanwhile. Theirs stays; the original is /etc/.app.conf.fd_
END
    check "replace_file, edited by somebody else: theirs stays" on_host sh -c '[ "$(cat /etc/app.conf)" = "clients 50" ]'
    on_host sh -c 'mv /etc/.app.conf.fd_* /etc/app.conf'
    check "replace_file, put back by hand: undo exits 0" ends 0 drill undo <<<'proven just now'
    check "replace_file, put back by hand: the host is as before" same

    sed -i 's/clients 1/clients 99/' "$work/project/scenarios/drill.yaml"
    check "replace_file by what it says already: NOT READY, exit 3" ends 3 drill run -e bare drill <<<'says that already'
    sed -i 's/clients 99/clients 1/' "$work/project/scenarios/drill.yaml"

    # A reboot keeps the file; the folder of the fault goes.
    sed -i 's/for: 3s/for: 60s/' "$work/project/scenarios/drill.yaml"
    go "replace_file, folder lost"
    vanish
    on_host sh -c 'rm -rf /run/faildrill'
    check "replace_file, folder lost: undo --scan finds what is kept" ends 6 scan_says <<END
an original kept as /etc/.app.conf.fd_
 /etc/app.conf
END
    check "replace_file, folder lost: undo brings it back" ends 0 drill undo <<<'proven just now'
    check "replace_file, folder lost: the host is as before" same
}

sysctl() {
    local status
    begin bare-4 steps='sysctl: victim, key: net.ipv4.tcp_retries2, value: "3", for: 3s'
    every_end sysctl sh -c '[ "$(cat /proc/sys/net/ipv4/tcp_retries2)" = 3 ]'

    sed -i 's/lease: 5s/lease: 30s/; s/for: 60s/for: 3s/; s/within: 20s/within: 3s/' "$work/project/scenarios/drill.yaml"
    go "sysctl, set by somebody else"
    on_host sh -c 'echo 7 >/proc/sys/net/ipv4/tcp_retries2'
    over
    check "sysctl, set by somebody else: NOT UNDONE, exit 6" said_with 6 'NOT UNDONE'
    check "sysctl, set by somebody else: it says what to do" ends 6 drill undo <<<'somebody else set net/ipv4/tcp_retries2 to 7, it was 15'
    check "sysctl, set by somebody else: theirs stays" on_host sh -c '[ "$(cat /proc/sys/net/ipv4/tcp_retries2)" = 7 ]'
    on_host sh -c 'cd /run/faildrill/*_1 && touch keep'
    check "sysctl, theirs kept by hand: undo exits 0" ends 0 drill undo <<<'proven just now'
    on_host sh -c 'echo 15 >/proc/sys/net/ipv4/tcp_retries2'
    check "sysctl, theirs kept by hand: nothing is left" same
    begin bare-4 steps='sysctl: victim, key: net.ipv4.tcp_retries2, value: "15", for: 3s'
    check "a setting that is so already: NOT READY, exit 3" ends 3 drill run -e bare drill <<<'is 15 already'
    begin bare-4 steps='sysctl: victim, key: net.ipv4.no_such_thing, value: "15", for: 3s'
    check "a setting that is not there: NOT READY, exit 3" ends 3 drill run -e bare drill <<<'this host has no setting'
    check "a host that refused is as before" same
}

# A service with a certificate of a CA of its own, which the drill signs the expired one with; reloaded by SIGHUP.
certificates() {
    cat <<'END'
set -e
mkdir -p /etc/tls && cd /etc/tls
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=drill-ca -keyout ca.key -out ca.pem
openssl req -newkey rsa:2048 -nodes -subj /O=shop/CN=shop.test -keyout tls.key -out tls.csr
printf 'subjectAltName=DNS:shop.test,IP:127.0.0.1\n' >ext
openssl x509 -req -in tls.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 20 -extfile ext -out leaf.pem
cat leaf.pem ca.pem >tls.pem
cat >/etc/tls/serve.py <<'PY'
# Answers TLS on 8443 with what /etc/tls/tls.pem holds; SIGHUP reads it anew.
import signal, socket, ssl
context = None
def load(*_):
    global context
    fresh = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    fresh.load_cert_chain("/etc/tls/tls.pem", "/etc/tls/tls.key")
    context = fresh
load()
signal.signal(signal.SIGHUP, load)
listening = socket.create_server(("0.0.0.0", 8443))
while True:
    peer, _ = listening.accept()
    peer.settimeout(5)
    try:
        with context.wrap_socket(peer, server_side=True) as tls:
            tls.recv(1)
    except OSError:
        pass
PY
setsid python3 /etc/tls/serve.py </dev/null >/dev/null 2>&1 &
echo $! >/run/serve.pid
END
}
shows_expired() {
    cat <<'END'
said=$(openssl s_client -connect 127.0.0.1:8443 -CAfile /etc/tls/ca.pem -verify_hostname shop.test </dev/null 2>&1)
case $said in *"certificate has expired"*) ;; *) exit 1 ;; esac
case $said in *"unable to"* | *"self-signed"* | *"mismatch"*) exit 1 ;; esac
[ "$(openssl x509 -in /etc/tls/tls.pem -noout -subject)" = "$(openssl x509 -in /etc/tls/leaf.pem -noout -subject)" ]
[ "$(grep -c BEGIN /etc/tls/tls.pem)" = 2 ]
END
}
answers_tls() {
    on_host sh -c 'openssl s_client -connect 127.0.0.1:8443 -CAfile /etc/tls/ca.pem -verify_return_error </dev/null'
}
certificate() {
    local reload='kill -HUP $(cat /run/serve.pid)'
    begin bare-5 steps='expire_certificate: victim, path: /etc/tls/tls.pem, private_key: /etc/tls/tls.key, ca: /etc/tls/ca.pem, ca_key: /etc/tls/ca.key, port: 8443, reload: "'"$reload"'", for: 3s'
    on_host sh -c "$(certificates)" >"$work/made" 2>&1
    check "a TLS server with a CA of its own answers" wait_for 20 answers_tls
    every_end expire_certificate sh -c "$(shows_expired)"
    check "expire_certificate: afterwards a handshake is good again" answers_tls

    begin bare-5 steps='expire_certificate: victim, path: /etc/tls/tls.pem, private_key: /etc/tls/tls.key, port: 8443, reload: "'"$reload"'", for: 3s'
    check "expire_certificate, signed by itself: PASS, exit 0" ends 0 drill run -e bare drill <<<PASS
    check "expire_certificate, signed by itself: the host is as before" same
    begin bare-5 steps='expire_certificate: victim, path: /etc/tls/tls.pem, for: 3s'
    check "a certificate without its key: NOT READY, exit 3" ends 3 drill run -e bare drill <<<'holds no private key'
    begin bare-5 steps='expire_certificate: victim, path: /etc/tls/tls.pem, private_key: /etc/tls/ca.key, for: 3s'
    check "a key of another certificate: NOT READY, exit 3" ends 3 drill run -e bare drill <<<'is not that of the certificate'
    begin bare-5 steps='expire_certificate: victim, path: /etc/tls/tls.pem, private_key: /etc/tls/tls.key, port: 8444, for: 3s'
    check "a port where nobody answers: NOT READY, exit 3" ends 3 drill run -e bare drill <<<'nobody answers TLS on port 8444'
    check "what was refused left nothing" same
    on_host sh -c 'kill "$(cat /run/serve.pid)"'
}

# An API on 8474: POST and DELETE /slow, GET /slow says whether it is so, /counts what it was asked.
api() {
    cat <<'END'
import http.server, json
slow, counts = False, {}
class Api(http.server.BaseHTTPRequestHandler):
    def answer(self):
        global slow
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        counts[self.command] = counts.get(self.command, 0) + 1
        status = 200
        if self.path == "/locked" and self.headers.get("X-Token") != "open":
            status = 401
        elif self.path in ("/slow", "/locked"):
            if self.command == "POST":
                slow = json.loads(body)["slow"]
            elif self.command == "DELETE":
                slow, status = False, 204 if slow else 404
            elif not slow:
                status = 404
        self.send_response(status)
        said = b"" if status == 204 else json.dumps({"slow": slow, "counts": counts}).encode()
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)
    do_GET = do_POST = do_DELETE = answer
    def log_message(self, *words):
        pass
http.server.ThreadingHTTPServer(("0.0.0.0", 8474), Api).serve_forever()
END
}
api_says() {
    on_host curl -fsS "http://127.0.0.1:8474/$1"
}
http() {
    local url='http://127.0.0.1:8474' step
    step="http: '$url/slow', method: POST, body: '{\"slow\": true}', target: victim, fault: true,
      undo: {http: '$url/slow', method: DELETE, ok: {status: [204, 404]}}, proof: {http: '$url/slow'}, for: 3s"
    begin bare-6 steps="$step"
    on_host sh -c "printf '%s\n' \"\$1\" >/root/api.py; setsid python3 /root/api.py </dev/null >/dev/null 2>&1 & echo \$! >/run/api.pid" \
        sh "$(api)"
    check "an API answers" wait_for 20 api_says counts
    every_end http curl -fsS "$url/slow"
    check "http: afterwards the API says no" on_host sh -c "! curl -fsS $url/slow"

    on_host sh -c "printf 'X-Token: open\n' >/root/token"
    begin bare-6 steps="${step//slow\'/locked\'}"
    check "a proof that is forbidden: NOT READY, exit 3" ends 3 drill run -e bare drill <<<'the proof cannot be asked: GET http://127.0.0.1:8474/locked answered 401'
    begin bare-6 steps="${step//slow\'/locked\'}, headers_from: /root/token"
    check "headers from a file of the host: PASS, exit 0" ends 0 drill run -e bare drill <<<PASS
    begin bare-6 steps="${step/8474\/slow/8475\/slow}"
    check "an API that does not answer: the fault is undone, exit 7" ends 7 drill run -e bare drill <<<'answered 000'

    begin bare-6 steps="http: \"http://\${target.victim.address}:8474/slow\", method: POST, body: '{\"slow\": false}', ok: {body: counts}"
    check "a plain request: PASS, exit 0" ends 0 drill run -e bare drill <<<'step      1 answered 200'
    begin bare-6 steps="http: \"http://\${target.victim.address}:8474/slow\""
    check "a plain request that is answered badly: FAIL, exit 1" ends 1 drill run -e bare drill <<<'step 1: GET answered 404'
    begin bare-6 steps="http: \"http://\${target.victim.address}:8475/\""
    check "a plain request that is refused: FAIL, exit 1" ends 1 drill run -e bare drill <<<'step 1: GET got no answer: refused'
    check "http: the host is as before" same
    on_host sh -c 'kill "$(cat /run/api.pid)"'
}

cases=(override spaces replace_file sysctl certificate http)
[ -z "${ONLY-}" ] || read -r -a cases <<<"$ONLY"
for case in "${cases[@]}"; do
    (
        work=$work/$case
        mkdir "$work"
        "$case"
    ) >"$work/$case.log" 2>&1 </dev/null &
done
wait
for case in "${cases[@]}"; do
    cat "$work/$case.log"
    failed=$((failed + $(grep -c '^not ok ' "$work/$case.log")))
    grep -q '^ok ' "$work/$case.log" || not_ok "$case says nothing"
done

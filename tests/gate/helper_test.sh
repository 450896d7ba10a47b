#!/usr/bin/env bash
# helper_test.sh - a changed runner and a stolen key get no further than the node's helper, by real sshd.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # what is quoted is for the host
. "${BASH_SOURCE[0]%/*}/../lib.sh"
[ "$EUID" -eq 0 ] || skip_all "keys of hosts want root"
in_lab bare:2
# shellcheck source=tests/project.sh
. "$root/tests/project.sh"

mkdir -p "$work/project/scenarios" "$work/project/environments" "$work/recorded" "$work/forbidden"
ssh-keygen -q -t ed25519 -N '' -C 'drill box' -f "$work/key"
sed "s|IdentityFile .*|IdentityFile $work/key|" "$LAB_STATE/ssh_config" >"$work/ssh_config"
echo 'project: helper' >"$work/project/faildrill.yaml"
cat >"$work/project/environments/here.yaml" <<END
environment: here
ssh: {config: $work/ssh_config}
roles:
  idle:
    hosts: [bare-1]
    service: {pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}
gate: {node_opt_in: true, keep_healthy: {idle: 0}}
END
# scenario VERB [FOR]
scenario() {
    cat >"$work/project/scenarios/drill.yaml" <<END
scenario: drill
targets: {victim: {role: idle}}
probes: {port: {tcp: "$(<"$LAB_STATE/hosts/bare-2/address"):22", every: 100ms, timeout: 500ms}}
steady: {for: 300ms}
hold: 300ms
observe: 300ms
settle: 60s
steps: [{$1: victim, for: ${2:-1s}}]
halt: {port: {max_outage: 60s}}
expect: {port: {max_outage: 60s}}
undo: {lease: 10s, grace: 10s}
END
}
allow() {
    on_host sh -c 'cat >/etc/faildrill.allow && chmod 644 /etc/faildrill.allow'
}

drill doctor --helper >"$work/helper"
check "the helper is sh" eval 'sh -n "$work/helper" && busybox sh -n "$work/helper" && bash -n "$work/helper"'
on_host sh -c 'cat >/etc/faildrill-node && chmod 755 /etc/faildrill-node' <"$work/helper"
# Beside it what the runner sends is written down.
on_host sh -c 'mkdir /etc/recorded; cat >/etc/recorder; chmod 755 /etc/recorder' <<'END'
#!/bin/bash
n=/etc/recorded/$(date +%s%N).$$
printf '%s\n' "${SSH_ORIGINAL_COMMAND:-}" >"$n.command"
exec /etc/faildrill-node < <(tee "$n.read" 2>/dev/null)
END
key() {
    echo "command=\"$1\",restrict $(cat "$work/key.pub")" | on_host sh -c 'cat >/etc/ssh/authorized_keys'
}
key /etc/recorder

scenario freeze
printf 'environment here\nkinds freeze isolate\nlongest 30s\n' | allow
check "a fault that the host's file does not name is refused by the helper" \
    ends 3 'faildrill-node refused: a fault that /etc/faildrill.allow does not name' drill run -e here drill
{
    printf 'environment here\nkinds freeze isolate\nlongest 30s\n'
    drill plan -e here --allow drill
    scenario isolate
    drill plan -e here --allow drill
} >"$work/allow"
check "plan --allow prints a line for each procedure" test "$(grep -c '^procedure ' "$work/allow")" -eq 2
allow <"$work/allow"
scenario freeze
check "one that it names runs" ends 0 PASS drill run -e here drill
scenario isolate
check "and another kind" ends 0 PASS drill run -e here drill
check "nothing is left" test -z "$(on_host sh -c 'ls -A /run/faildrill 2>/dev/null')"
scenario freeze 15s
halted() {
    local status
    "$FAILDRILL" -C "$work/project" --no-input run -e here drill >"$work/run" 2>&1 &
    runner=$!
    wait_for 60 is_in_effect
    kill -TERM "$runner"
    wait "$runner"
    status=$?
    cat "$work/run"
    [ "$status" -eq 5 ]
}
check "halted and undone through it as well" halted
drill undo --scan -e here >"$work/scan" 2>&1
scenario freeze 60s
check "one that lasts longer than the file says is not armed" ends 4 'node_opt_in' drill run -e here drill
scenario kill
check "nor a kind that it does not name" ends 4 'node_opt_in' drill run -e here drill
sed -i 's/node_opt_in: true, //' "$work/project/environments/here.yaml"
check "also by a runner that does not ask" ends 3 'faildrill-node refused: a fault that' drill run -e here drill

on_host tar -C /etc/recorded -cf - . | tar -C "$work/recorded" -xf -
key /etc/faildrill-node
asked=$("${BASH_SOURCE[0]%/*}/forbidden.py" "$work/recorded" "$work/forbidden")
on_host sh -c 'rm -rf /run/evil; mkdir -p /run/evil; ls /run' >"$work/before"
send() {
    local n
    for ((n = $1; n <= asked; n += 4)); do
        timeout 60 ssh -F "$work/ssh_config" bare-1 "$(cat "$work/forbidden/$n.command")" <"$work/forbidden/$n.read" >"$work/forbidden/$n.said" 2>&1
        echo $? >"$work/forbidden/$n.status"
    done
}
for lane in 1 2 3 4; do send "$lane" & done
wait
refused_all() {
    local n bad=0
    for ((n = 1; n <= asked; n++)); do
        [ "$(cat "$work/forbidden/$n.status")" = 77 ] && continue
        bad=1
        echo "$(cat "$work/forbidden/$n.what"): status $(cat "$work/forbidden/$n.status"), $(head -c 300 "$work/forbidden/$n.said")"
    done
    return "$bad"
}
check "$asked forbidden requests, 200 or more" test "$asked" -ge 200
check "each of them is refused" refused_all
# An undo is never refused, but what it brings along is not run.
undo=$(grep -lx 'undo' "$work"/recorded/*.read | head -n 1)
python3 - "$undo" "$work/undo" <<'END'
import hashlib, re, sys
text = open(sys.argv[1]).read()
command = open(sys.argv[1][:-4] + 'command').read().rstrip('\n')
body = text[:text.rindex('\n#end ')]
lines = body.split('\n')
at = next(i for i, line in enumerate(lines) if line.startswith('FD_ARMED='))
body = '\n'.join(lines[:at] + ["FD_UNDO='touch /run/canary.undo'", "FD_CLEAR='touch /run/canary.clear'"] + lines[at:])
digest = hashlib.sha256(body.encode()).hexdigest()[:16]
body += '\n#end ' + digest
open(sys.argv[2] + '.command', 'w').write(re.sub(r' \d+ [0-9a-f]+$', f' {len(body.encode())} {digest}', command))
open(sys.argv[2] + '.read', 'w').write(body)
END
check "an undo with a text of its own is done by name" eval \
    'ssh -F "$work/ssh_config" bare-1 "$(cat "$work/undo.command")" <"$work/undo.read" | grep -qx "fd:clear yes"'
check "none of them was executed" diff "$work/before" <(on_host ls /run)
check "nothing was armed" test -z "$(on_host sh -c 'ls -A /run/faildrill 2>/dev/null')"
no_way() {
    ! timeout 20 ssh -F "$work/ssh_config" "$@" bare-1 </dev/null >"$work/way" 2>&1
}
check "no terminal" eval '! timeout 20 ssh -tt -F "$work/ssh_config" bare-1 tty </dev/null 2>&1 | grep -q "/dev/"'
check "no port is forwarded" no_way -W 127.0.0.1:22
check "no subsystem" no_way -s sftp
printf 'environment here\nkinds freeze\nlongest 30s\n' | allow
on_host chmod 666 /etc/faildrill.allow
scenario freeze
check "a file that others may write allows nothing" ends 3 "others may write /etc/faildrill.allow" drill run -e here drill
allow <"$work/allow"
check "and the right one still runs" ends 0 PASS drill run -e here drill

# Without the helper, too, the host is asked once more right before the fault: its word may be another by then.
on_host sh -c 'cat >/etc/ssh/authorized_keys' <"$work/key.pub"
sed 's/^kinds .*/& run/' "$work/allow" | allow
sed -i 's/^gate: {/&node_opt_in: true, /' "$work/project/environments/here.yaml"
sed -i 's|^steps: \[|&{run: "mv /etc/faildrill.allow /etc/faildrill.taken", target: victim}, |' "$work/project/scenarios/drill.yaml"
taken_back() {
    ! drill run -e here drill >"$work/said" 2>&1
    local status=$?
    cat "$work/said"
    [ "$status" -eq 0 ] && grep -q 'refused to arm: there is no /etc/faildrill.allow' "$work/said"
}
check "a host that takes its word back under way is not drilled" taken_back
check "nothing is left there" test -z "$(on_host sh -c 'ls -A /run/faildrill 2>/dev/null')"

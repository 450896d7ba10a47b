#!/usr/bin/env bash
# prefix_test.sh - a real container behind a prefix: drilled from inside, but never its process 1.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # what is quoted is for the container
. "${BASH_SOURCE[0]%/*}/../lib.sh"
# shellcheck source=tests/project.sh
. "$root/tests/project.sh"
[ "$EUID" -eq 0 ] || skip_all "containers want root"
for tool in runc busybox nft; do
    command -v "$tool" >/dev/null || skip_all "$tool is not installed"
done

# container NAME COMMAND...: one with a root file system, network and /run of its own, this machine's programs in it.
container() {
    local name=$1 dir=$work/$1 top
    shift
    mkdir -p "$dir/rootfs"
    for top in run proc sys dev tmp etc/alternatives usr bin sbin lib lib64; do mkdir -p "$dir/rootfs/$top"; done
    (cd "$dir" && runc spec) || return 1
    python3 - "$dir/config.json" "$@" <<'END' || return 1
import json, os, sys
path, args = sys.argv[1], sys.argv[2:]
spec = json.load(open(path))
spec["process"].update(terminal=False, args=args)
for kind in spec["process"]["capabilities"]:
    spec["process"]["capabilities"][kind] += ["CAP_NET_ADMIN", "CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"]
spec["root"]["readonly"] = False
spec["mounts"].append({"destination": "/run", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]})
for top in ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/alternatives"):
    if os.path.isdir(top):
        spec["mounts"].append({"destination": top, "type": "bind", "source": os.path.realpath(top), "options": ["rbind", "ro"]})
spec["linux"].pop("resources", None)
json.dump(spec, open(path, "w"))
END
    runc --root "$work/runc" run -d --bundle "$dir" "$name" </dev/null >"$dir/out" 2>&1 || {
        cat "$dir/out"
        return 1
    }
    at_end runc --root "$work/runc" delete -f "$name"
}
in_container() {
    runc --root "$work/runc" exec "$@"
}
# project NAME ROLE_LINES STEP [PREFIX]
by_runc="runc, --root, $work/runc, exec, \"\${host.name}\""
project() {
    mkdir -p "$work/project/scenarios" "$work/project/environments"
    echo 'project: prefix' >"$work/project/faildrill.yaml"
    cat >"$work/project/environments/here.yaml" <<END
environment: here
roles:
  app:
    hosts: [$1]
    $2
    reach: {prefix: [${4:-$by_runc}]}
END
    cat >"$work/project/scenarios/drill.yaml" <<END
scenario: drill
targets:
  victim: {role: app}
probes:
  own: {tcp: "127.0.0.1:$port", every: 500ms, timeout: 5s}
steady: {for: 300ms}
hold: 300ms
observe: 300ms
settle: 20s
steps:
  - {$3, for: 1s}
halt:
  own: {max_outage: 30s}
expect:
  own: {max_outage: 30s}
undo: {lease: 10s, grace: 10s}
END
}
is_clean() {
    in_container "$1" sh -c '[ -z "$(ls -A /run/faildrill 2>/dev/null)" ] && ! nft list tables | grep fd_'
}

# Something that the probe finds: this test is not about it.
python3 -c '
import socket, sys
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
while True: s.accept()[0].close()' >"$work/port" &
at_end kill $!
wait_for 60 test -s "$work/port" || exit 1
port=$(<"$work/port")

check "a container runs" container fd-one sleep 99999
pids() {
    in_container fd-one sh -c 'setsid sh -c "echo \$\$ >/run/app.pid; exec sleep 88888" </dev/null >/dev/null 2>&1 &
        while ! [ -s /run/app.pid ]; do :; done'
}
check "and a service in it that is not its process 1" pids
service='service: {pidfile: /run/app.pid, start: "true", stop: "true"}'
project fd-one "$service" 'freeze: victim'
check "that service is drilled through the prefix" ends 0 PASS drill run -e here drill
check "which leaves nothing" is_clean fd-one

init=$(runc --root "$work/runc" state fd-one | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')
project fd-one "$service" 'freeze: victim' "nsenter, --target, \"$init\", --all"
check "the same through nsenter" ends 0 PASS drill run -e here drill
check "which leaves nothing either" is_clean fd-one

project fd-one "$service" 'freeze: victim, process: sleep'
check "a name that means its process 1 as well: plan refuses, exit 4" \
    ends 4 "'sleep' is process 1 of 'fd-one': no signal from inside its container ends it" drill plan -e here drill
check "a run does, too" ends 4 "is process 1 of 'fd-one'" drill run -e here drill
check "and touches nothing" is_clean fd-one

project fd-one $'process: /usr/bin/sleep\n    start: "true"' 'kill: victim'
check "process 1 as the role's service: plan refuses, exit 4" ends 4 "is process 1 of 'fd-one'" drill plan -e here drill
check "process 1 from inside: refused by a sentence, exit 4" \
    ends 4 "is process 1 of 'fd-one': no signal from inside its container ends it" drill run -e here drill
check "its process 1 lives" in_container fd-one sh -c 'grep -q sleep /proc/1/comm'
check "and nothing was left" is_clean fd-one

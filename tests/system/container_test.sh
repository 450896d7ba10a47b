#!/usr/bin/env bash
# container_test.sh - a service that is a container: its main process killed or frozen from the host, by podman and runc.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # what is quoted is for the host
. "${BASH_SOURCE[0]%/*}/../lib.sh"
[ "$EUID" -eq 0 ] || skip_all "containers want root"
for tool in runc busybox; do
    command -v "$tool" >/dev/null || skip_all "$tool is not installed"
done
in_lab bare:1
# shellcheck source=tests/project.sh
. "$root/tests/project.sh"

address=$(<"$LAB_STATE/hosts/bare-1/address")
# project START STEP
project() {
    mkdir -p "$work/project/scenarios" "$work/project/environments"
    echo 'project: container' >"$work/project/faildrill.yaml"
    cat >"$work/project/environments/here.yaml" <<END
environment: here
roles:
  app:
    hosts: {bare-1: {address: $address}}
    container: app
    ${1:+start: "$1"}
    reach: {prefix: [$lab, --state, $LAB_STATE, exec, "\${host.name}"]}
END
    cat >"$work/project/scenarios/drill.yaml" <<END
scenario: drill
targets:
  victim: {role: app}
probes:
  port: {tcp: "$address:22", every: 100ms}
steady: {for: 300ms}
hold: 300ms
observe: ${3:-300ms}
settle: 30s
steps:
  - {$2}
halt:
  port: {max_outage: 60s}
expect:
  port: {max_outage: 60s}
undo: {lease: 3s, grace: 20s}
END
}
is_clean() {
    on_host sh -c '[ -z "$(ls -A /run/faildrill 2>/dev/null)" ]'
}
main_of() {
    if [ "$engine" = podman ]; then
        on_host podman container inspect -f '{{.State.Pid}}' app
    else
        on_host runc state app | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p'
    fi
}
runs() {
    local pid
    pid=$(main_of)
    [ "${pid:-0}" != 0 ] && on_host grep -q '^State:.[SR]' "/proc/$pid/status"
}
# By its control group, which is its own, where the host may write to one.
is_frozen() {
    on_host sh -c 'while IFS=: read -r _ kinds path; do
        case ,$kinds, in
        ,,) grep -qsx "frozen 1" "/sys/fs/cgroup$path/cgroup.events" "/sys/fs/cgroup/unified$path/cgroup.events" && exit 0 ;;
        *,freezer,*) grep -qsx FROZEN "/sys/fs/cgroup/freezer$path/freezer.state" && exit 0 ;;
        esac
    done <"/proc/$1/cgroup"
    grep -q "^State:.T" "/proc/$1/status"' sh "$(main_of)"
}
is_another() {
    runs && [ "$(main_of)" != "$before" ]
}

# Groups are this machine's; the host has them read-only.
on_host sh -c 'for at in /sys/fs/cgroup /sys/fs/cgroup/*; do mount -o remount,rw,bind "$at"; done' 2>/dev/null

# A root file system with a shell and sleep.
on_host sh -c 'mkdir -p /run/app/rootfs/bin && cd /run/app/rootfs && mkdir -p proc sys dev run tmp etc &&
    cp "$(command -v busybox)" bin/busybox && for name in sh sleep; do ln -s busybox bin/$name; done &&
    for file in $(ldd bin/busybox | grep -o "/[^ ]*"); do mkdir -p ".${file%/*}"; cp -L "$file" ".$file"; done'

drills() {
    before=$(main_of)
    project "$start" 'freeze: victim, for: 1s'
    check "$engine: frozen from the host, and thawed" ends 0 PASS drill run -e here drill
    check "$engine: it is the same process" test "$(main_of)" = "$before"
    check "$engine: it runs" runs
    check "$engine: nothing is left" is_clean

    project "$start" 'freeze: victim, for: 3m'
    "$FAILDRILL" -C "$work/project" --no-input run -e here drill >"$work/run" 2>&1 &
    runner=$!
    check "$engine: frozen again" wait_for 30 is_in_effect
    check "$engine: its main process is stopped" is_frozen
    kill -9 "$runner"
    wait "$runner" 2>/dev/null
    check "$engine: the runner killed, its host thaws it" wait_for 20 is_clean
    check "$engine: it runs on" runs
    check "$engine: undo closes that run" drill undo

    before=$(main_of)
    project "$start" 'kill: victim' 3s
    check "$engine: SIGKILL to its main process from the host" ends 0 PASS drill run -e here drill
    check "$engine: it was started again, by $restarted" is_another
    check "$engine: nothing is left of that" is_clean
}

# In a group of this test alone: they are the whole machine's.
bundle() {
    on_host sh -c 'cd /run/app && runc spec && python3 - <<END
import json
spec = json.load(open("config.json"))
spec["process"].update(terminal=False, args=["sleep", "99999"])
spec["process"].pop("rlimits", None)
spec["linux"].pop("resources", None)
spec["linux"]["cgroupsPath"] = "/fd-test-container-'$$'"
json.dump(spec, open("config.json", "w"))
END
    runc run -d --bundle /run/app app </dev/null >/run/app/out 2>&1 || { cat /run/app/out; exit 1; }'
}
engine=runc restarted='its role'"'"'s start line'
start='runc delete -f app; runc run -d --bundle /run/app app </dev/null >/dev/null 2>&1'
check "runc: a container runs" bundle
project '' 'kill: victim'
check "runc: without a start line a kill is refused, for nobody could start it" \
    ends 2 "nobody knows how 'app' is started again" drill plan -e here drill
drills
on_host runc delete -f app
check "a container that is not there: not ready" ends 3 'does not run on host' drill run -e here drill

if ! command -v podman >/dev/null; then
    skip "podman: the same" "podman is not installed"
    exit 0
fi
# Limits that a machine without its own rights to set them gives, on storage of the host's own.
pod() {
    on_host sh -c 'mkdir -p /etc/containers && cat >/etc/containers/storage.conf && cat >/etc/containers/containers.conf <<END
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
netns = "none"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
END
    podman run -d --name app --restart always --network none --rootfs /run/app/rootfs sleep 99999 >/run/app/out 2>&1 || { cat /run/app/out; exit 1; }' <<'END'
[storage]
driver = "vfs"
graphroot = "/run/pod/root"
runroot = "/run/pod/run"
END
}
engine=podman start='' restarted='its restart policy'
check "podman: a container runs" pod
drills

on_host podman rm -f -t 0 app >/dev/null

# From inside, by its engine's exec; with the host's programs in it.
inner() {
    on_host sh -c 'mkdir -p /run/inner/rootfs && cd /run/inner/rootfs && mkdir -p usr run proc sys dev tmp etc/alternatives &&
        for name in bin sbin lib lib64; do ln -s "usr/$name" .; done &&
        podman run -d --name inner --network none --tmpfs /run -v /usr:/usr:ro -v /etc/alternatives:/etc/alternatives:ro \
            --rootfs /run/inner/rootfs sleep 99999 >/run/inner/out 2>&1 || { cat /run/inner/out; exit 1; }
        podman exec inner sh -c "setsid sleep 88888 </dev/null >/dev/null 2>&1 & echo \$! >/run/in.pid"'
}
from_inside() {
    project '' "$1"
    cat >"$work/project/environments/here.yaml" <<END
environment: here
roles:
  app:
    hosts: {inner: {address: $address}}
    service: {pidfile: /run/in.pid, start: "true", stop: "true"}
    reach: {prefix: [$lab, --state, $LAB_STATE, exec, bare-1, podman, exec, -i, "\${host.name}"]}
gate: {keep_healthy: {app: 0}}
END
}
check "podman: a service beside process 1" inner
from_inside 'freeze: victim, for: 1s'
check "podman: drilled from inside, by podman exec -i" ends 0 PASS drill run -e here drill
check "podman: nothing is left inside" on_host podman exec inner sh -c '[ -z "$(ls -A /run/faildrill 2>/dev/null)" ]'
from_inside 'freeze: victim, process: sleep, for: 1s'
check "podman: but not its process 1: plan refuses, exit 4" ends 4 "'sleep' is process 1 of 'inner'" drill plan -e here drill
on_host podman rm -f -t 0 inner >/dev/null

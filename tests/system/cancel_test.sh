#!/usr/bin/env bash
# cancel_test.sh - a CI job that is cancelled leaves nothing, and of many runners on one environment one goes on.
# SPDX-License-Identifier: Apache-2.0
# PAIRS: how often two runners begin at once (default 5).
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # what is quoted is for the host
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:2
# shellcheck source=tests/project.sh
. "$root/tests/project.sh"

pairs=${PAIRS:-5}
mkdir -p "$work/project/scenarios" "$work/project/environments"
echo 'project: cancel' >"$work/project/faildrill.yaml"
address=$(<"$LAB_STATE/hosts/bare-1/address")
cat >"$work/project/environments/here.yaml" <<END
environment: here
roles:
  idle:
    hosts: {bare-1: {address: $address}}
    service: {pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}
    reach: {prefix: [$lab, --state, $LAB_STATE, exec, "\${host.name}"]}
END
# scenario NAME HOLD LEASE
scenario() {
    cat >"$work/project/scenarios/$1.yaml" <<END
scenario: $1
targets:
  victim: {role: idle}
probes:
  port: {tcp: "$address:22", every: 100ms, timeout: 500ms}
steady: {for: 300ms}
hold: 300ms
observe: 300ms
settle: 20s
steps:
  - {freeze: victim, for: $2}
halt:
  port: {max_outage: 60s}
expect:
  port: {max_outage: 60s}
undo: {lease: $3, grace: 10s}
END
}
scenario long 3m 3s
scenario short 1s 10s

# Neither folder nor banner, and the service moves.
is_clean() {
    on_host sh -c '[ -z "$(ls -A /run/faildrill 2>/dev/null)" ] && [ ! -e /run/motd.d/faildrill ] &&
        read -r pid </run/idle.pid && ! grep -q "^State:.T" "/proc/$pid/status"'
}
# tree PID: it and all its descendants.
tree() {
    local children child
    echo "$1"
    read -ra children < <(cat "/proc/$1/task"/*/children 2>/dev/null)
    for child in "${children[@]}"; do tree "$child"; done
}
# job SCRIPT: a CI job: a shell that runs this, in the background; sets job.
job() {
    bash -c "$1" job "$FAILDRILL" "$work/project" >"$work/job" 2>&1 &
    job=$!
    wait_for 60 is_in_effect
}
# As GitHub cancels: SIGINT to the shell alone, SIGTERM after 7.5 s, SIGKILL 2.5 s later to all that it had started.
cancel() {
    local all
    all=$(tree "$job")
    kill -INT "$job"
    ended_within 7.5 && return
    kill -TERM "$job"
    ended_within 2.5
    # shellcheck disable=SC2086
    kill -9 $all 2>/dev/null
    wait "$job" 2>/dev/null
}
ended_within() {
    local tenths
    for ((tenths = ${1/./}; tenths > 0; tenths--)); do
        kill -0 "$job" 2>/dev/null || return 0
        sleep 0.1
    done
    return 1
}

check "a job is under way, its fault in effect" job '"$1" -C "$2" --no-input run -e here long; echo "ended $?"'
cancel
check "cancelled with its shell: the host undoes by itself" wait_for 20 is_clean
check "undo finds nothing more to do and closes the run" drill undo
check "and the hosts carry nothing" drill undo --scan -e here

check "a job that is the runner itself is under way" job 'exec "$1" -C "$2" --no-input run -e here long'
cancel
check "cancelled: halted and undone before the SIGKILL" grep -q '^HALTED' "$work/job"
check "it left nothing" is_clean

# both: two runners begin at once; exactly one goes on, the other is refused and says by whom.
both() {
    local first second one two
    drill run -e here short >"$work/one" 2>&1 &
    first=$!
    drill run -e here short >"$work/two" 2>&1 &
    second=$!
    wait "$first"
    one=$?
    wait "$second"
    two=$?
    case $one:$two in
    0:4) grep -q 'REFUSED.*here\|REFUSED.*HERE' "$work/two" ;;
    4:0) grep -q 'REFUSED.*here\|REFUSED.*HERE' "$work/one" ;;
    0:0) after_each_other ;;
    *)
        cat "$work/one" "$work/two"
        echo "exits $one and $two"
        return 1
        ;;
    esac
}
# On a busy machine one may be over before the other has begun.
after_each_other() {
    drill runs --json >"$work/runs" &&
        python3 - "$work/runs" <<'END'
import json, sys
runs = json.load(open(sys.argv[1]))
runs = runs if isinstance(runs, list) else runs["runs"]
spans = sorted((r["started"], r["ended"]) for r in runs[:2])
print(spans)
sys.exit(0 if spans[0][1] <= spans[1][0] else 1)
END
}
race() {
    local round
    for ((round = 0; round < pairs; round++)); do both || return 1; done
}
check "two runners at once, $pairs times: exactly one goes on" race
check "that leaves nothing either" is_clean

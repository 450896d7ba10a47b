#!/usr/bin/env bash
# loop_test.sh - a service that is restarted again and again, until somebody or nobody ends it.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # what is quoted is for the host
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:1
# shellcheck source=tests/project.sh
. "$root/tests/project.sh"

address=$(<"$LAB_STATE/hosts/bare-1/address")
# project FOR [LEASE] [STOP] [START]; `role` says how its service is run otherwise, `every` the rhythm.
project() {
    local usual="service: {pidfile: /run/idle.pid, start: \"${4:-/etc/init.d/idle start}\", stop: \"${3:-/etc/init.d/idle stop}\"}"
    mkdir -p "$work/project/scenarios" "$work/project/environments"
    echo 'project: loop' >"$work/project/faildrill.yaml"
    cat >"$work/project/environments/here.yaml" <<END
environment: here
roles:
  idle:
    hosts: {bare-1: {address: $address}}
    ${role:-$usual}
    reach: {prefix: [$lab, --state, $LAB_STATE, exec, "\${host.name}"]}
gate: {keep_healthy: {idle: 0}}
END
    cat >"$work/project/scenarios/drill.yaml" <<END
scenario: drill
targets:
  victim: {role: idle}
probes:
  port: {tcp: "$address:22", every: 200ms}
steady: {for: 500ms}
hold: 500ms
observe: 300ms
settle: 30s
steps:
  - {restart: victim, every: ${every:-1s}, for: $1}
expect:
  port: {max_outage: 60s}
undo: {lease: ${2:-20s}, grace: 20s}
END
}
begin() {
    "$FAILDRILL" -C "$work/project" --no-input run -e here drill >"$work/run" 2>&1 &
    runner=$!
    wait_for 120 eval 'drill status | grep -q IN_EFFECT' || { cat "$work/run"; return 1; }
}
killed() {
    kill -9 "$runner"
    wait "$runner" 2>/dev/null
    return 0
}
main_of() {
    on_host cat /run/idle.pid
}
runs() {
    on_host /etc/init.d/idle status
}
# It was restarted since: by somebody, or often.
is_another() {
    local now
    now=$(main_of) && [ -n "$now" ] && [ "$now" != "$1" ]
}
thrice() {
    local before
    for _ in 1 2 3; do
        before=$(main_of)
        wait_for 30 is_another "$before" || return 1
    done
}
is_clean() {
    on_host sh -c '[ -z "$(ls -A /run/faildrill 2>/dev/null)" ] && ! grep -lzs "FD_" /proc/[0-9]*/environ'
}
# It runs, nothing is left, and nobody restarts it any more.
is_calm() {
    local before
    wait_for 30 runs && wait_for 30 is_clean || return 1
    before=$(main_of)
    sleep 2
    runs && [ "$(main_of)" = "$before" ]
}

project 5s
check "plan says it" ends 0 'restart the service, and from then on in a rhythm' drill plan -e here drill
before=$(main_of)
check "a loop that ends as planned: exit 0" ends 0 PASS drill run -e here drill
check "it is another process" is_another "$before"
check "the service runs on, nothing is left" is_calm

project 3m 10s
check "in effect" begin
check "again and again" thrice
check "a scan finds who does it" ends 6 process drill undo --scan -e here
killed
check "the runner killed, its lease ends it" wait_for 30 is_clean
check "the service runs on" is_calm
check "undo closes that run" drill undo

project 3m
check "in effect once more" begin
on_host sh -c 'for one in /run/faildrill/*/held; do read -r pid _ <"$one" && kill -9 "$pid"; done'
wait "$runner"
status=$?
check "who does it is killed: INCONCLUSIVE, exit 7" test "$status" = 7
check "the service runs on after that" is_calm

# A stop that takes long, and is under way when the undo comes: it must not happen after all.
project 3m 20s 'echo >/run/idle.ending; sleep 5; /etc/init.d/idle stop'
check "with a slow stop" begin
on_host rm -f /run/idle.ending
check "in the midst of it" wait_for 30 on_host test -e /run/idle.ending
check "undone by hand" on_host sh /run/faildrill/undo
on_host rm -f /run/idle.ending
killed
check "the service runs on, and stays" is_calm
ends_late() { sleep 5; runs; }
check "also when that stop would have ended" ends_late
check "nothing was stopped meanwhile" on_host test ! -e /run/idle.ending
check "undo closes that run, too" drill undo

# One that is told to end, and does so seconds later: what is up then does not count as running.
on_host sh -c 'cat >/root/late && chmod 755 /root/late' <<'END'
#!/bin/sh
setsid sh -c 'trap "sleep 3; exit 0" TERM; while :; do sleep 0.1; done' </dev/null >/dev/null 2>&1 &
echo $! >/run/idle.pid
END
project 3m 20s 'echo >/run/idle.ending; kill -TERM $(cat /run/idle.pid)' /root/late
lives() {
    on_host sh -c 'kill -0 "$(cat /run/idle.pid)"'
}
on_host /etc/init.d/idle stop
on_host /root/late
check "with one that ends late" begin
on_host rm -f /run/idle.ending
check "told to end" wait_for 30 on_host test -e /run/idle.ending
kill -INT "$runner"
wait "$runner"
check "halted, all undone: exit 5" test "$?" = 5
check "it lives" lives
dies_late() { wait_for 5 eval '! lives'; }
check "and goes on living" eval '! dies_late'
check "nothing of it is left" is_clean
on_host sh -c 'kill -9 "$(cat /run/idle.pid)"; /etc/init.d/idle start'

# A start that fails once: that round was none, and the loop is none any more.
project 3m 20s '' 'rm /run/refuse 2>/dev/null && exit 1; /etc/init.d/idle start'
check "with a start that may fail" begin
on_host touch /run/refuse
wait "$runner"
status=$?
check "one round fails: INCONCLUSIVE, exit 7" test "$status" = 7
check "why, is said" grep -F 'cannot be started' "$work/run"
check "the undo starts the service" is_calm

# By its executable: whoever else runs that is none of ours.
role=$'process: /root/fd-idle\n    start: "setsid /root/fd-idle 99999 </dev/null >/dev/null 2>&1 &"' every=6s
on_host sh -c 'cp "$(command -v sleep)" /root/fd-idle && setsid /root/fd-idle 99999 </dev/null >/dev/null 2>&1 &'
ours() {
    on_host sh -c 'for one in /proc/[0-9]*; do tr "\0" " " 2>/dev/null <"$one/cmdline" | grep -qx "/root/fd-idle 99999 " && echo "${one#/proc/}"; done; :'
}
restarted() {
    local now
    now=$(ours) && [ -n "$now" ] && [ "$now" != "$before" ] && on_host sh -c '! ls /run/faildrill/*/turning'
}
project 3m
check "by its executable" wait_for 20 eval '[ -n "$(ours)" ]'
check "in effect, too" begin
for turn in one another; do
    before=$(ours)
    check "$turn round" wait_for 60 restarted
done
on_host sh -c 'setsid /root/fd-idle 88888 </dev/null >/dev/null 2>&1 & echo $! >/run/other'
wait "$runner"
status=$?
check "another one's process of that executable: INCONCLUSIVE, exit 7" test "$status" = 7
check "which one, is said" grep -F "process $(on_host cat /run/other) of /root/fd-idle is none of those" "$work/run"
check "it lives" on_host sh -c 'kill -0 "$(cat /run/other)"'
check "and so does ours" eval '[ -n "$(ours)" ]'
check "nothing of it is left, either" is_clean
on_host sh -c 'kill -9 "$(cat /run/other)"'

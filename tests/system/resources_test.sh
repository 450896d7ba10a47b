#!/usr/bin/env bash
# resources_test.sh - disks, memory, processors, pids that drills take: in effect, and given back on every way out.
# SPDX-License-Identifier: Apache-2.0
# Each case has a host and a project of its own, so that some run beside each other (AT_ONCE).
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016,SC2030,SC2031 # what is quoted is for the host; each case has its own $work
. "${BASH_SOURCE[0]%/*}/../lib.sh"
kinds=(disk_fill memory_fill cpu_load disk_load pids)
ways=(normal_end holder_killed runner_killed guard_killed by_hand)
in_lab bare:$((${#kinds[@]} * ${#ways[@]} + 4))
# shellcheck source=tests/project.sh
. "$root/tests/project.sh"

at_once=${AT_ONCE-6}
lease=3

# Since Linux 6.14 a host of the lab has a pid_max of its own; before, it is the whole machine's.
own_pid_max() {
    [ "$(printf '6.14\n%s\n' "$(uname -r)" | sort -V | head -n 1)" = 6.14 ]
}

# What a step says, for each kind.
step_of() {
    case $1 in
    disk_fill) echo 'disk_fill: victim, path: /mnt, leave: 20MiB' ;;
    memory_fill) echo 'memory_fill: victim, leave: 200MiB' ;;
    cpu_load) echo 'cpu_load: victim, share: 10%' ;;
    disk_load) echo 'disk_load: victim, path: /var/log, share: 10%' ;;
    pids) echo 'exhaust: victim, what: pids, share: 80%' ;;
    clock) echo 'clock_skew: victim, by: 5m' ;;
    connections) echo 'exhaust: victim, what: connections, port: 8099, count: 20' ;;
    esac
}

# begin HOST STEP: a project in $work with an environment `bare` of this one host: its disk at /mnt has 64 MiB; it can
# have 700 processes, with numbers from 300 on; by its own word it has 300 MiB of memory free, as in a container.
begin() {
    local address
    host=$1
    address=$(sed -n "s/^ *$host: {address: \(.*\)}/\1/p" "$LAB_STATE/environments/bare.yaml")
    on_host sh -c 'mount -t tmpfs -o size=64m,nr_inodes=2000,mode=755 disk /mnt &&
        printf "MemTotal: 1048576 kB\nMemAvailable: 307200 kB\n" >/etc/meminfo &&
        mount --bind /etc/meminfo /proc/meminfo' || exit 1
    ! own_pid_max || on_host sh -c 'echo 1000 >/proc/sys/kernel/pid_max' || exit 1
    mkdir -p "$work/project/scenarios" "$work/project/environments"
    echo 'project: resources' >"$work/project/faildrill.yaml"
    cat >"$work/project/environments/bare.yaml" <<END
environment: bare
roles:
  idle:
    hosts: {$host: {address: $address}}
    service: {pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}
    reach: {prefix: [$lab, --state, $LAB_STATE, exec, "\${host.name}"]}
END
    begin_step "$2"
}
begin_step() {
    cat >"$work/project/scenarios/drill.yaml" <<END
scenario: drill
targets:
  victim: {role: idle, pick: 1}
probes:
  ssh: {tcp: "\${target.victim.address}:22", every: 200ms, timeout: 1s}
steady: {for: 400ms}
hold: 600ms
observe: 300ms
settle: 20s
steps:
  - {$1}
expect:
  ssh: {max_outage: 20s}
undo: {lease: ${lease}s, grace: 30s, within: 20s}
END
}
# go: the drill in the background, until its fault is in effect.
go() {
    "$FAILDRILL" -C "$work/project" --no-input run -e bare drill >"$work/said" 2>&1 &
    runner=$!
    check "$1: the fault comes into effect" wait_for 40 is_in_effect
}
# over WANT TEXT: what go began ends with this status and says this.
over() {
    local status
    wait "$runner"
    status=$?
    cat "$work/said"
    echo "exit $status"
    [ "$status" -eq "$1" ] && grep -qF -- "$2" "$work/said"
}
# The processes that carry the mark, by a look of our own.
holders() {
    on_host sh -c 'grep -l FD_HELD= /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3 | sort -n'
}
# The effect as others on the host see it.
seen() {
    local free sum
    case $1 in
    disk_fill)
        free=$(on_host df --output=avail /mnt | tail -n 1)
        echo "$free KiB are free; names: $(on_host ls -A /mnt)"
        [ "$free" -ge 20000 ] && [ "$free" -le 20992 ] && [ -z "$(on_host ls -A /mnt)" ]
        ;;
    memory_fill)
        sum=$(on_host sh -c 'cat /proc/[0-9]*/comm /proc/[0-9]*/statm >/dev/null
            for entry in /proc/[0-9]*; do [ "$(cat $entry/comm 2>/dev/null)" = dd ] && cat $entry/statm; done' |
            awk '{ pages += $2 } END { print pages * 4 }')
        echo "$sum KiB are held"
        [ "$sum" -ge 100000 ] && [ "$sum" -le 115000 ]
        ;;
    cpu_load)
        sum=$(on_host sh -c 'cd /proc && for pid in $(grep -l FD_HELD= [0-9]*/environ 2>/dev/null); do
            cat "${pid%/*}/stat" 2>/dev/null; done' | awk '{ ticks += $14 + $15 } END { print ticks + 0 }')
        echo "$sum ticks"
        [ "$sum" -gt 0 ]
        ;;
    disk_load) wait_for 20 writes_again "$(written)" ;;
    pids)
        sum=$(on_host sh -c 'set -- /proc/[0-9]*; echo $#')
        echo "$sum processes of 700"
        [ "$sum" -ge 530 ] && [ "$sum" -le 600 ]
        ;;
    connections)
        sum=$(on_host ss -Htn state established dport = :8099 | wc -l)
        echo "$sum connections"
        [ "$sum" -eq 20 ]
        ;;
    esac
}
# When the file without a name was last written to.
written() {
    on_host sh -c 'stat -L -c %y $(ls -l /proc/[0-9]*/fd/4 2>/dev/null | sed -n "s/.* \(.*\) -> .*\.fd\..*(deleted)/\1/p")'
}
writes_again() {
    [ "$(written)" != "$1" ]
}
oom_first() {
    local pid score
    for pid in $(holders); do
        score=$(on_host cat "/proc/$pid/oom_score_adj") || continue # it slept
        echo "$pid: $score"
        [ "$score" -eq 1000 ] || return 1
    done
}
is_clean() {
    on_host sh -c 'ls -la /run/faildrill /mnt 2>&1
        ls -A /var/log | grep "^\.fd\." && exit 1
        set -- /proc/[0-9]* && [ $# -lt 100 ] && [ ! -e /run/faildrill ] && [ -z "$(ls -A /mnt)" ] && ! grep -l FD_HELD= /proc/[0-9]*/environ 2>/dev/null' &&
        [ "$(on_host df --output=avail /mnt | tail -n 1)" -eq 65536 ]
}
# kill_on_host FILE: the process that a fault's file names first, and waits for its end.
kill_on_host() {
    on_host sh -c 'set -- $(cat /run/faildrill/*_1/'"$1"') && pid=$1 && kill -9 "$pid" &&
        while kill -0 "$pid" 2>/dev/null; do sleep 0.01; done'
}
vanish() {
    kill -9 "$runner"
    wait "$runner" 2>/dev/null
    [ ! -e "/proc/$runner" ]
}

normal_end() {
    go "$kind"
    check "$kind: others on the host see it" seen "$kind"
    check "$kind: out of memory, its processes go first" oom_first
    check "$kind: PASS, exit 0" over 0 PASS
    check "$kind: after it nothing is left" is_clean
}
holder_killed() {
    go "$kind, whose holder is killed"
    check "$kind, whose holder is killed: by hand" kill_on_host held
    check "$kind, whose holder is killed: INCONCLUSIVE, exit 7" over 7 'ended early'
    check "$kind, whose holder is killed: nothing is left" is_clean
}
runner_killed() {
    go "$kind, whose runner is killed"
    check "$kind, whose runner is killed: by SIGKILL" vanish
    check "chaos-mesh 847: $kind, whose runner is killed: nothing is left after its lease" wait_for $((lease + 4)) is_clean
    drill undo >"$work/said" 2>&1
}
# Also without runner and guard the holder ends: with the lease, which never passes the cap.
guard_killed() {
    go "$kind, with neither guard nor runner"
    check "$kind, with neither guard nor runner: both killed" eval 'kill_on_host armed && vanish'
    check "$kind, with neither guard nor runner: it ends with its lease" \
        wait_for $((lease + 4)) eval '[ -z "$(holders)" ]'
    check "$kind, with neither guard nor runner: undo finds the rest" drill undo
    check "$kind, with neither guard nor runner: nothing is left" is_clean
}
by_hand() {
    go "$kind, undone by hand"
    check "$kind, undone by hand: sh /run/faildrill/undo" on_host sh /run/faildrill/undo
    check "$kind, undone by hand: it is over" eval '[ -z "$(holders)" ]'
    check "$kind, undone by hand: INCONCLUSIVE, exit 7" over 7 'ended early'
    check "$kind, undone by hand: nothing is left" is_clean
}

# The path means another folder when it is undone.
link_moved() {
    on_host sh -c 'rm -rf /tmp/link && ln -s /mnt /tmp/link'
    begin_step "disk_fill: victim, path: /tmp/link, leave: 20MiB, for: 4s"
    go "disk_fill behind a link"
    check "disk_fill behind a link: it is filled" seen disk_fill
    on_host ln -sfn /var/log /tmp/link
    check "disk_fill behind a link: PASS, exit 0" over 0 PASS
    check "chaosblade 19: a link that leads elsewhere meanwhile: nothing is left" is_clean
    on_host rm -rf /tmp/link
}

connections() {
    on_host sh -c 'setsid /usr/bin/python3 -m http.server 8099 --bind 127.0.0.1 </dev/null >/dev/null 2>&1 & echo $! >/root/served'
    wait_for 20 on_host ss -Htln sport = :8099
    kind=connections
    normal_end
    on_host sh -c 'kill "$(cat /root/served)"'
}

# ready_not TEXT STEP: refused before anything is armed, by exit 3 and this text.
ready_not() {
    begin_step "$2"
    check "NOT READY: $1" says_not_ready "$1"
    check "NOT READY: $1: nothing came to the host" is_clean
}
says_not_ready() {
    local status
    drill run -e bare drill >"$work/said" 2>&1
    status=$?
    cat "$work/said"
    [ "$status" -eq 3 ] && grep -qF -- "$1" "$work/said"
}
refusals() {
    on_host sh -c 'rm -rf /tmp/link && ln -s /run /tmp/link'
    ready_not "is on the file system that holds /run" 'disk_fill: victim, path: /tmp/link, share: 50%, for: 2s'
    ready_not "there is no folder '/nowhere'" 'disk_fill: victim, path: /nowhere, share: 50%, for: 2s'
    ready_not "is fuller than that already" 'disk_fill: victim, path: /mnt, leave: 1GiB, for: 2s'
    ready_not "4 MiB are the least" 'disk_fill: victim, path: /mnt, share: 99%, for: 2s'
    ready_not "64 MiB are the least" 'memory_fill: victim, share: 99%, for: 2s'
    ready_not "lies in memory: no disk would be busy" 'disk_load: victim, path: /mnt, for: 2s'
    ready_not "nobody listens at 127.0.0.1:9" 'exhaust: victim, what: connections, port: 9, count: 5, for: 2s'
    [ "$(cat /proc/sys/fs/file-max)" -lt 1000000000 ] ||
        ready_not "900000 are the most" 'exhaust: victim, what: descriptors, share: 90%, for: 2s'
    ! own_pid_max || ready_not "64 are the least" 'exhaust: victim, what: pids, share: 99%, for: 2s'
    ready_not "its clock is not its own" 'clock_skew: victim, by: 5m, for: 2s'
    on_host rm -rf /tmp/link
}

# A clock has no namespace, so no host here may set one: the scripts run on it with a date whose clock is a file.
clock_script() {
    echo 'FD_ID=tok_1'
    cat "$root"/runner/transports/{node,holder,holder_clock}.sh
    cat <<'END'
mkdir -p /root/clock/bin && cd /root/clock || exit 1
cat >bin/date <<'DATE'
#!/bin/sh
off=$(cat /root/clock/off) # 1/100 s
case $1 in
-s)
    to=${2#@}
    real=$(/bin/date +%s%N)
    echo $((${to%.*}${to#*.} - ${real%???????})) >/root/clock/off
    ;;
+%s%N) echo $(($(/bin/date +%s%N) + off * 10000000)) ;;
+%s) echo $(($(/bin/date +%s) + off / 100)) ;;
esac
DATE
chmod +x bin/date
PATH=/root/clock/bin:$PATH
is() {
    off=$(cat off)
    [ "$off" -gt $(($1 * 100 - 90)) ] && [ "$off" -lt $(($1 * 100 + 90)) ] || {
        echo "line $2: the clock is $off/100 s off, not $1 s"
        exit 1
    }
}
for by in 300 -300; do
    echo 0 >off
    : >paused
    clock_take && clock_held && is "$by" set || exit 1
    (clock_freed) && exit 1
    clock_free && clock_freed && is 0 undone || exit 1
    (clock_held) && exit 1
    clock_free && is 0 'undone twice' || exit 1
    clock_take && echo 7000 >off && clock_free && clock_freed && is 70 "somebody else's" || exit 1
    # Whoever removes our folder does not make it right.
    echo 0 >off
    clock_take && rm -f paused clock || exit 1
    (clock_freed) && exit 1
    clock_free && clock_freed && is 0 'without a folder' || exit 1
done
cd / && rm -rf /root/clock
END
}
clock() {
    clock_script >"$work/script"
    check "clock_skew: set, seen, set right by the time since boot; what is not ours stays" on_host sh -c "$(cat "$work/script")"
}

# Each case on its own, AT_ONCE of them; their lines come in order at the end.
cases=()
number=0
for kind in "${kinds[@]}"; do
    for way in "${ways[@]}"; do
        case $kind.$way in
        cpu_load.by_hand | cpu_load.runner_killed | disk_load.by_hand | disk_load.runner_killed) ;; # as the others
        *) cases+=("$kind.$way") ;;
        esac
    done
done
cases+=(connections.connections disk_fill.link_moved refusals.refusals clock.clock)
for case in "${cases[@]}"; do
    number=$((number + 1))
    [[ " ${ONLY-$case} " = *" $case "* ]] || continue
    while [ "$(jobs -pr | wc -l)" -ge "$at_once" ]; do wait -n; done
    (
        work=$work/$case kind=${case%.*} way=${case#*.} hold=60s
        mkdir "$work"
        case $way in normal_end | connections) hold=4s ;; esac
        if [ "$kind" = pids ] && ! own_pid_max; then
            skip "$case" "pid_max is the machine's (Linux 6.14 gives a host its own)"
            exit
        fi
        begin "bare-$number" "$(step_of "$kind"), for: $hold"
        "$way"
    ) >"$work/$case.log" 2>&1 </dev/null &
done
wait
for case in "${cases[@]}"; do
    [[ " ${ONLY-$case} " = *" $case "* ]] || continue
    cat "$work/$case.log"
    failed=$((failed + $(grep -c '^not ok ' "$work/$case.log")))
    grep -qE '^(ok|skip) ' "$work/$case.log" || not_ok "$case says nothing"
done

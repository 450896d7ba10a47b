#!/usr/bin/env bash
# clock_test.sh - drills of clock_skew on clocks of their own: off as asked, right again by the time since boot.
# SPDX-License-Identifier: Apache-2.0
# A node's clock is its wall clock less its CLOCK_BOOTTIME, both read by one program at once (clocks.c); and, lest both be
# wrong, what the node says against this machine's uptime before it was asked and after. `plain` has busybox's date and
# nothing that keeps its time; `units` has systemd, GNU's date and systemd-timesyncd, whose server is here. Its
# fingerprint is what runs, files, mounts, rules and units.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # what is quoted is for a node, or for later
. "${BASH_SOURCE[0]%/*}/../lib.sh"
# shellcheck source=tests/kernels/node.sh
. "${BASH_SOURCE[0]%/*}/node.sh"
on_wire

lease=15
project=$work/project
mkdir -p "$project/scenarios" "$project/environments"
echo 'project: clock' >"$project/faildrill.yaml"
faildrill=("$FAILDRILL" -C "$project" --state "$work/state" --no-input)

# scenario NODE DIRECTION HOLD
scenario() {
    node=$1
    cat >"$project/environments/here.yaml" <<END
environment: here
ssh: {config: $work/ssh_config}
gate: {keep_healthy: {skewed: 0}}
roles:
  skewed: {hosts: [$node]}
END
    cat >"$project/scenarios/drill.yaml" <<END
scenario: drill
targets:
  victim: {role: skewed, pick: 1}
probes:
  ssh: {tcp: "\${target.victim.address}:22", every: 1s, timeout: 5s}
steady: {for: 1s, within: 60s}
observe: 1s
settle: 60s
steps:
  - {clock_skew: victim, by: 5m, direction: $2, for: $3}
expect:
  ssh: {max_outage: 60s}
undo: {lease: ${lease}s, grace: 30s, within: 60s}
END
}
# begin: a drill in the background, until its fault is in effect; its pid is $runner. Where an emulated processor did
# not answer in time nothing was injected: then once more.
begin() {
    local try
    for try in 1 2 3 4 5 6 7 8; do
        "${faildrill[@]}" run -e here drill >"$work/said" 2>&1 &
        runner=$!
        wait_for 90 eval 'grep -q "clock_skew proven" "$work/said" || [ ! -e "/proc/$runner" ]'
        grep -q 'clock_skew proven' "$work/said" && return
        echo "try $try:" && cat "$work/said"
        kill "$runner" 2>/dev/null
        wait "$runner"
        [ $? -eq 3 ] && grep -qE 'in time|refused to (arm|fire)' "$work/said" || return
    done
    return 99
}
# in_effect NAME: as check does; where nothing could be tried, for the node is too slow, that is no answer.
in_effect() {
    begin >"$work/check.out" 2>&1 && ok "$1" && return
    [ $? -ne 99 ] || skip_all "the node is too slow now: it did not answer a plan in time, 8 times"
    not_ok "$1"
    sed 's/^/    /' "$work/check.out" | tail -40
}
# ended STATUS [TEXT]
ended() {
    local status
    wait "$runner" 2>/dev/null
    status=$?
    cat "$work/said"
    echo "exit $status, wanted $1"
    [ "$status" -eq "$1" ] && grep -qE -- "${2-}" "$work/said"
}
nothing_left() {
    ! node_sh "$node" 'ls -d /run/faildrill /run/faildrill_clock_* 2>/dev/null' | grep . || return 1
    "${faildrill[@]}" undo | tee "$work/left"
    grep -qx 'nothing is left to undo' "$work/left"
}

now_ms() {
    local up
    read -r up _ </proc/uptime
    echo $((10#${up/./} * 10))
}
# look: `off`, the node's wall clock less its time since boot; `low` and `high`, between which it less ours is. In ms.
look() {
    local boot wall asked
    asked=$(now_ms)
    read -r boot wall < <(node_sh "$node" /tmp/clocks) && [ -n "$wall" ] || return 1
    off=$(((wall - boot) / 1000000)) high=$((wall / 1000000 - asked)) low=$((wall / 1000000 - $(now_ms)))
}
before() {
    look && off0=$off low0=$low high0=$high && fingerprint >"$work/print" && [ -s "$work/print" ]
}
# is_off SECONDS: since `before`, by both.
is_off() {
    look || return
    echo "$node: $1 s asked: off by $((off - off0)) ms, seen from here $((low - high0)) to $((high - low0)) ms" |
        tee "$work/seen"
    [ $((off - off0)) -ge $(($1 * 1000 - within)) ] && [ $((off - off0)) -le $(($1 * 1000 + within)) ] && seen_off "$1" "$within"
}
# seen_off SECONDS WITHIN_MS: by ours alone; it is no matter which boot it is.
seen_off() {
    [ $((high - low0)) -ge $(($1 * 1000 - $2)) ] && [ $((low - high0)) -le $(($1 * 1000 + $2)) ]
}
# What a node is like but for its clock, as lines: no numbers of processes, no times of files, and none of who asks. A
# first transient unit leaves a folder for all.
fingerprint() {
    node_sh "$node" ': fingerprint
        for entry in /proc/[0-9]*; do
            [ ! -s "$entry/exe" ] || echo "process: $(tr "\0" " " <"$entry/cmdline")"
        done 2>/dev/null | grep -vE "^process: (sshd: |.*: fingerprint|(sh|ash|tr|grep|sort|readlink) |$)"
        find /etc /root /tmp /var -type f -exec sha256sum {} + | sed "s/^/file: /"
        find /run | grep -v -e "^/run/systemd/units/invocation" -e "^/run/systemd/transient\$" | sed "s/^/name: /"
        sed "s/^/mount: /" /proc/self/mounts
        nft list ruleset; ip rule; ip route; tc qdisc show
        [ ! -d /run/systemd/system ] || systemctl list-units --all --plain --no-legend |
            awk "{ print \"unit:\", \$1, \$2, \$3, \$4 }"' | sort
}
as_before() {
    fingerprint >"$work/after" && diff "$work/print" "$work/after"
}
is_as_before() {
    wait_for 60 as_before || as_before
}
say_seen() {
    sed "s/^/    /; s/\$/${1:+ ($1)}/" "$work/seen"
}

# A clock is set right by two readings of the uptime, each of a grain of 10 ms, and by as many of the date, each as late
# as a date takes to begin: these lates stand against each other, and are at most as long as the longest. A date that
# knows only whole seconds is asked again and again until one begins, which adds its own time.
ready() {
    local longest
    node_pipe "$1" 'cat >/tmp/clocks && chmod +x /tmp/clocks' <"$BUILD/tests/kernels/clocks" || return 1
    local try
    for try in 1 2 3 4 5; do # others may keep this machine busy for a moment
        longest=$(node_sh "$1" 'i=0; while [ $i -lt 20 ]; do /tmp/clocks && date +%s >/dev/null; i=$((i + 1)); done' |
            awk 'NR > 1 { took = ($1 - last) / 1e6; if (took > longest) longest = took } { last = $1 } END { printf "%d", longest }')
        [ "$longest" -gt 300 ] || break
    done
    [ "$longest" -le 300 ] || skip_all "the node is too slow now: a date takes it up to $longest ms"
    within=$((100 + 2 * longest))
    echo "    $1: a date takes $longest ms at the longest, so clocks are right within $within ms"
}

# ---- the way there and back ----

skewed() {
    local by=300
    [ "$2" = ahead ] || by=-300
    scenario "$1" "$2" 6s
    before
    in_effect "$1, $2: in effect"
    check "$1, $2: off by five minutes" is_off "$by"
    say_seen "in effect"
    check "$1, $2: PASS" ended 0 PASS
    check "$1, $2: right again" is_off 0
    say_seen "undone"
    check "$1, $2: nothing is left" nothing_left
    check "$1, $2: its fingerprint is as before" is_as_before
}

# ---- nobody there to undo it ----

comes_back() {
    until is_off 0 >/dev/null; do
        [ "$(now_ms)" -lt $((killed + 60000)) ] || return 1
        sleep 0.1
    done
    took=$(($(now_ms) - killed))
    echo "right again $took ms after the runner was killed, its lease is $lease s"
    cp "$work/seen" "$work/seen.end"
    [ "$took" -le $((lease * 1000 + 2000)) ]
}
orphaned() {
    scenario "$1" ahead 60s
    before
    in_effect "$1, runner killed: in effect"
    check "$1, runner killed: off by five minutes" is_off 300
    kill -9 "$runner"
    killed=$(now_ms)
    wait "$runner" 2>/dev/null
    check "$1, runner killed: its guard puts it right within its lease and 2 s" comes_back
    sed 's/^/    /' "$work/check.out"
    check "$1, runner killed: it stays right" is_off 0
    say_seen "by its guard"
    check "$1, runner killed: undo agrees" wait_for 30 eval '"${faildrill[@]}" undo && nothing_left'
    check "$1, runner killed: its fingerprint is as before" is_as_before
}

# ---- another boot ----

is_back() {
    local now
    now=$(timeout 30 ssh -F "$work/ssh_config" -o ConnectTimeout=20 -o BatchMode=yes "$node" \
        cat /proc/sys/kernel/random/boot_id </dev/null) && [ -n "$now" ] && [ "$now" != "$boot" ]
}
reboots() {
    boot=$(node_sh "$node" cat /proc/sys/kernel/random/boot_id)
    timeout 10 ssh -F "$work/ssh_config" -o ConnectTimeout=5 -o BatchMode=yes "$node" 'echo b >/proc/sysrq-trigger' </dev/null
    node_forget "$node"
    wait_for 180 is_back
}
# The clock that runs without power has whole seconds, of which a kernel may miss one, and the wire its time.
is_right_by_ours() {
    look || return
    echo "$node: seen from here off by $((low - high0)) to $((high - low0)) ms" | tee "$work/seen"
    seen_off 0 2000
}
rebooted() {
    scenario "$1" back 60s
    before
    in_effect "$1, rebooted: in effect"
    check "$1, rebooted: off by five minutes" is_off -300
    check "$1, rebooted: it comes back" reboots
    # An emulated processor may take longer to boot than three looks.
    check "$1, rebooted: INCONCLUSIVE, and says why" ended 7 'was (rebooted under|not reached .* while) its fault'
    grep -E 'rebooted|undone|undo' "$work/said" | sed 's/^/    /'
    ready "$1"
    check "$1, rebooted: undo says that nothing is left" nothing_left
    check "$1, rebooted: and it is true" is_right_by_ours
    say_seen "another boot"
}

# ---- somebody else ----

# What they set it to is theirs.
meddled() {
    scenario "$1" ahead 60s
    before
    in_effect "$1, set by somebody else: in effect"
    check "$1, set by somebody else: by another 70 s" node_sh "$1" 'date -s "@$(($(date +%s) + 70))"'
    check "$1, set by somebody else: INCONCLUSIVE" ended 7 'ended early'
    check "$1, set by somebody else: said so" grep -qE 'somebody has set the clock since, to 3(6[89]|70) s' "$work/said"
    within=$((within + 1000)) # they set it by whole seconds
    check "$1, set by somebody else: stays as they set it" is_off 370
    within=$((within - 1000))
    say_seen "not ours any more"
    check "$1, set by somebody else: nothing is left" nothing_left
}

# ---- what keeps the time ----

serve_time() {
    python3 -u - "$wire.1" >"$work/asked" <<'END' &
import socket, struct, sys, time
wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
wire.bind((sys.argv[1], 123))
while True:
    data, peer = wire.recvfrom(512)
    now = time.time() + 2208988800
    stamp = struct.pack('!II', int(now), int(now % 1 * 2**32))
    wire.sendto(struct.pack('!BBbbII4s', 0x24, 1, 6, -20, 0, 0, b'LOCL') + stamp + data[40:48] + stamp + stamp, peer)
    print(peer[0])
END
    at_end kill "$!"
}
times_asked() {
    wc -l <"$work/asked"
}
asked_since() {
    [ "$(times_asked)" -gt "$1" ]
}
keeps() {
    [ "$(node_sh "$node" systemctl is-active systemd-timesyncd)" = "$1" ]
}
# Not paused, it would not let the clock be wrong: else what follows would show nothing.
corrected() {
    local asked
    asked=$(times_asked)
    node_sh "$node" 'date -s "@$(($(date +%s) + 300))"' && wait_for 60 is_off 0 && asked_since "$asked"
}
kept() {
    scenario "$1" ahead 15s
    wait_for 90 node_sh "$1" test -e /run/systemd/timesync/synchronized || not_ok "$1: its time is kept"
    before
    check "$1, kept: whoever sets it by hand is put right by systemd-timesyncd" corrected
    before
    in_effect "$1, kept: in effect"
    asked=$(times_asked)
    check "$1, kept: systemd-timesyncd is paused" keeps inactive
    check "$1, kept: off by five minutes" is_off 300
    sleep 5 # a time in which it would have been put right
    check "$1, kept: still off" is_off 300
    check "$1, kept: nobody was asked for the time" eval '! asked_since "$asked"'
    check "$1, kept: PASS" ended 0 PASS
    check "$1, kept: right again" is_off 0
    say_seen "systemd-timesyncd on again"
    check "$1, kept: systemd-timesyncd is on" keeps active
    check "$1, kept: it asks for the time" wait_for 60 asked_since "$asked"
    check "$1, kept: its fingerprint is as before" is_as_before
}
# One that was off stays off.
not_kept() {
    node_sh "$1" systemctl stop systemd-timesyncd
    skewed "$1" back
    check "$1: systemd-timesyncd was off, and is" keeps inactive
    node_sh "$1" systemctl start systemd-timesyncd
}

began=$EPOCHSECONDS
serve_time
if ! node_up plain 11 || ! node_up units 12 systemd; then
    tail -n 5 "$work"/*.console "$work"/*.qemu
    skip_all "the kernel does not boot within three minutes"
fi
echo "    both booted in $((EPOCHSECONDS - began)) s: $(node_sh plain uname -r)"

ready units # skips before anything is tried
ready plain
skewed plain ahead
skewed plain back
orphaned plain
rebooted plain
meddled plain

ready units
kept units
orphaned units
check "units, runner killed: systemd-timesyncd is on" keeps active
not_kept units

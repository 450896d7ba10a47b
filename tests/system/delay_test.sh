#!/usr/bin/env bash
# delay_test.sh - a delay is as long as was asked, spares our ssh, breaks no stream, and ends by itself.
# SPDX-License-Identifier: Apache-2.0
# This machine's kernel has no netem as a rule, so it is the line of python3 and a TUN device that is measured here; what
# netem does is measured on a kernel that has it: tests/kernels.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016,SC2030,SC2031 # what is quoted is for the host; each case has its own $work
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:7
# shellcheck source=tests/project.sh
. "$root/tests/project.sh"

# By its text, for hosts have a /tmp of their own and may not see ours.
packets=(python3 -c "$(<"$root/tests/system/packets.py")")

# ---- a host of one's own: $host, $address ----

# use HOST: a project in $work for this host alone, and what answers packets on it.
use() {
    host=$1
    address=$(<"$LAB_STATE/hosts/$host/address")
    work=$work/$host
    mkdir -p "$work/project/scenarios" "$work/project/environments"
    echo 'project: delay' >"$work/project/faildrill.yaml"
    cat >"$work/project/environments/here.yaml" <<END
environment: here
ssh: {config: $LAB_STATE/ssh_config}
roles:
  victim: {hosts: {$host: {address: $address}}}
END
    "$lab" exec "$host" setsid "${packets[@]}" serve 7007 </dev/null >"$work/served" 2>&1 &
    wait_for 60 grep -q ready "$work/served" || not_ok "$host answers packets"
}
# scenario HOLD LEASE WORD...: the words of the step.
scenario() {
    cat >"$work/project/scenarios/drill.yaml" <<END
scenario: drill
probes:
  ssh: {tcp: "$address:22", every: 500ms, timeout: 5s}
steady: {for: 200ms}
hold: 500ms
observe: 500ms
steps:
  - {delay: {role: victim}, for: $1, $3}
expect:
  ssh: {max_outage: 30s}
undo: {lease: $2, grace: 20s}
END
}
begin() {
    (exec "$FAILDRILL" -C "$work/project" --no-input run -e here drill) >"$work/said" 2>&1 &
    run=$!
    wait_for 90 grep -q 'delay proven' "$work/said" || {
        cat "$work/said"
        return 1
    }
}
# ends STATUS WORDS: how the run that began ended, and what it said.
ends() {
    local got=0
    wait "$run" || got=$?
    cat "$work/said"
    [ "$got" -eq "$1" ] && grep -q -- "$2" "$work/said"
}
# As Ctrl-C does: however long it took to measure.
halts() {
    kill -INT "$run"
    ends 5 'undone   1 of 1'
}
is_clean() {
    on_host sh -c 'test ! -e /run/faildrill && ! ip link show dev fd1d && ! ip rule | grep 64797 && ! ip -6 rule | grep 64797 &&
        ! nft list tables | grep fd_ && ! tc qdisc show | grep fd1d: && ! pgrep -f [D]EVICE,.MARK'
}
# seen COUNT: measures it; then `is` compares.
seen() {
    "${packets[@]}" ask "$address" 7007 "$1" >"$work/seen" && cat "$work/seen"
}
# is EXPRESSION: of what was seen, as d["least"]. Prints it.
is() {
    python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
print(d)
sys.exit(not eval(sys.argv[2]))' "$work/seen" "$1"
}
# A round trip takes as long as ever, now or within 60 s.
until_quick() {
    "${packets[@]}" until "$address" 7007 80 >"$work/seen"
}
is_quick() {
    until_quick && is 'd["after"] < 15'
}
# However busy the machine is, nothing comes sooner; how much later it comes shows when it has a moment.
as_long_as_asked() {
    for _ in {1..15}; do
        seen 200 >/dev/null
        is '100 <= d["least"]' || return 1
        ! is 'd["least"] < 130 and d["median"] < 200' || return 0
    done
    return 1
}
say_seen() {
    sed "s/^/    $1: /" "$work/seen"
}

# ---- what it does ----

case_measured() {
    use bare-1
    scenario 5m 20s 'by: 100ms'
    check "plan says how it is done" eval 'drill plan -e here drill | grep -q "a line: python3 holds the packets"'
    check "before, it is quick" is_quick
    check "it begins" begin
    check "by 100ms: no answer comes sooner, half of them hardly later" as_long_as_asked
    check "by 100ms: all come, once, in order" is 'd["back"] == d["sent"] and not d["extra"] and not d["overtaken"]'
    say_seen "asked 100 ms"
    "${packets[@]}" connect "$address" 22 >"$work/seen"
    check "our ssh is spared" is 'd["least"] < 80'
    on_host "${packets[@]}" connect "$(<"$LAB_STATE/hosts/bare-6/address")" 22 >"$work/seen"
    check "what it asks of others is late as well" is 'd["least"] >= 100'
    "${packets[@]}" load "$address" 7007 20000000 >"$work/seen"
    check "20 MB over TCP come whole" is 'd["right"]'
    say_seen "20 MB"
    check "it is halted" halts
    check "then it is quick again" is_quick
    check "and nothing is left" is_clean
}
case_bad_line() {
    use bare-2
    scenario 5m 20s 'by: 60ms, jitter: 50ms, reorder: 10%, duplicate: 20%, corrupt: 20%'
    check "a bad line begins" begin
    seen 500 >/dev/null
    check "reorder: some come at once" is 'd["least"] < 50'
    check "jitter: some overtake others" is 'd["overtaken"] >= 10'
    check "duplicate: some come twice" is '30 <= d["extra"] <= 250'
    check "corrupt: some are thrown away" is '0.8 * d["sent"] <= d["back"] + 0.1 * d["sent"] and d["back"] < d["sent"]'
    say_seen "60 ms, 50 ms, 10 %, 20 %, 20 %"
    check "a bad line is halted" halts
    check "a bad line leaves nothing" is_clean
}

# ---- how it ends ----

case_planned() {
    use bare-7
    scenario 3s 20s 'by: 100ms'
    check "as planned: it begins" begin
    check "as planned: PASS, exit 0" ends 0 'undone   1 of 1'
    check "as planned: nothing is left" is_clean
}

case_runner_killed() {
    use bare-3
    scenario 5m 8s 'by: 100ms'
    check "runner killed: it begins" begin
    since=${EPOCHREALTIME/[.,]/}
    kill -KILL "$run"
    check "runner killed: quick again" until_quick
    took=$(((${EPOCHREALTIME/[.,]/} - since) / 1000))
    # Lease and 2 s it is on a quiet machine (make faults-matrix); a starved one measures late.
    check "runner killed: by the lease, not by the cap" test "$took" -le 120000
    echo "    the runner gone, lease 8 s: quick again $took ms later"
    check "runner killed: nothing is left" wait_for 60 is_clean
}
case_line_killed() {
    use bare-4
    scenario 5m 30s 'by: 100ms'
    check "line killed: it begins" begin
    on_host pkill -KILL -f [D]EVICE,.MARK
    check "line killed: quick at once" is_quick
    check "line killed: INCONCLUSIVE, exit 7" ends 7 'ended early\|was not reached'
    check "line killed: nothing is left" wait_for 60 is_clean
}
case_by_hand() {
    use bare-5
    scenario 5m 30s 'by: 100ms'
    check "by hand: it begins" begin
    check "by hand: undone" eval 'on_host sh /run/faildrill/undo | grep -q "^undone: delay"'
    check "by hand: quick again" is_quick
    check "by hand: INCONCLUSIVE, exit 7" ends 7 'ended early\|was not reached'
    check "by hand: nothing is left" wait_for 60 is_clean
}
case_cannot() {
    use bare-6
    scenario 10s 4s 'by: 100ms'
    on_host mount --bind /dev/null /usr/bin/python3
    drill plan -e here drill >"$work/said" 2>&1
    check "no python3: NOT READY, exit 3" test $? -eq 3
    check "no python3: it says so" grep -q 'can delay nothing: no netem (.*), and no line of ours (.*python3' "$work/said"
    sed 's/^/    /' "$work/said"
    check "no python3: doctor says so" eval 'drill doctor here | grep -q "cannot delay packets"'
    on_host umount /usr/bin/python3
    on_host sh -c 'ip tuntap add dev fd1d mode tun'
    drill run -e here drill >"$work/said" 2>&1
    check "a device of that name: nothing is begun" test $? -ne 0
    check "a device of that name: it is left alone" on_host ip link show dev fd1d
    on_host ip link delete dev fd1d
    check "a device of that name: nothing is left" wait_for 60 is_clean
}

if unshare -n tc qdisc add dev lo root netem delay 1ms 2>/dev/null; then
    skip_all "this kernel has netem: tests/kernels measures that"
fi
cases=(case_measured case_bad_line case_planned case_runner_killed case_line_killed case_by_hand case_cannot)
pids=()
for one in "${cases[@]}"; do
    (
        trap - EXIT
        "$one"
        exit "$((failed > 0))"
    ) >"$work/$one.out" 2>&1 &
    pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
for one in "${cases[@]}"; do cat "$work/$one.out"; done

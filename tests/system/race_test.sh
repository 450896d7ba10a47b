#!/usr/bin/env bash
# race_test.sh - of two runners that begin at once on one environment exactly one goes on, each of 50 times.
# SPDX-License-Identifier: Apache-2.0
# PAIRS: how many pairs (default 50); LANES: how many of them side by side (default 3). A third of them share a store;
# another are two people on two machines, with no more in common than the hosts; and the last have environments of
# their own, which share hosts, but lock different ones first.
# What a fault did is counted on the hosts themselves: through /proc, for a pair must cost little more than its runners.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # what is quoted is for the host
. "${BASH_SOURCE[0]%/*}/../lib.sh"
lanes=${LANES:-3}
in_lab "bare:$((2 * lanes))"

pairs=${PAIRS:-50}
longest=120 # seconds that a runner may go on, so that none goes on for ever where both do
pid_of() {
    read -r pid _ <"$LAB_STATE/hosts/$1/init"
}
# The hosts of lane N, in an environment of their own: nobody races with another lane.
hosts_of() {
    hosts=("bare-$((2 * $1 + 1))" "bare-$((2 * $1 + 2))")
}
# Ends only by a halt: whoever comes later, however late, finds it under way.
# project DIR PICK SEED HOST...
project() {
    local dir=$1 pick=$2 seed=$3 name address port
    shift 3
    read -r port <"$work/door"
    mkdir -p "$dir/scenarios" "$dir/environments"
    echo 'project: race' >"$dir/faildrill.yaml"
    {
        printf 'environment: here\ngate: {keep_healthy: {idle: 0}}\nroles:\n  idle:\n    hosts:\n'
        for name; do
            pid_of "$name"
            address=$(<"$LAB_STATE/hosts/$name/address")
            printf '      %s: {address: %s, reach: {prefix: [nsenter, --target, "%s", --mount, --uts, --ipc, --net, --pid, --]}}\n' \
                "$name" "$address" "$pid"
        done
        echo '    service: {pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}'
    } >"$dir/environments/here.yaml"
    cat >"$dir/scenarios/drill.yaml" <<SCENARIO
scenario: drill
targets: {victim: {role: idle, pick: $pick, seed: $seed}}
probes: {door: {tcp: "127.0.0.1:$port", every: 200ms, timeout: 2s}}
steady: {for: 200ms}
hold: 200ms
observe: 0s
settle: 60s
steps:
  - run: "echo broken >>/run/broken"
    target: victim
    fault: true
    undo: "touch /run/mended"
    proof: "test -e /run/broken && test ! -e /run/mended"
    for: 5m
halt: {door: {max_outage: 4m}}
expect: {door: {max_outage: 4m}}
undo: {lease: 30s, grace: 20s}
SCENARIO
}
# What the probes knock at; sshd would begin a process for each of them.
open_door() {
    python3 - >"$work/door.new" <<'END' &
import socket
door = socket.create_server(("127.0.0.1", 0), backlog=64)
print(door.getsockname()[1], flush=True)
while True:
    door.accept()[0].close()
END
    at_end kill "$!"
    wait_for 60 test -s "$work/door.new" && mv "$work/door.new" "$work/door"
}
# How often a fault was applied to the lane's hosts, in $applied; what lies there of ours, in $left.
look() {
    local root lines
    applied=0 left=
    for root in "${roots[@]}"; do
        lines=()
        [ ! -e "$root/run/broken" ] || mapfile -t lines <"$root/run/broken"
        applied=$((applied + ${#lines[@]}))
        [ ! -e "$root/run/faildrill" ] || left+=" $(ls -A "$root/run/faildrill")"
    done
}
goes_on() {
    local said=()
    mapfile -t said <"$out/$winner"
    look
    [[ "${said[*]}" == *'proven ('* ]] && [ "$applied" -eq "$picked" ]
}
# The end of one of them is heard at once, the other's fault is looked for now and then.
wait_until() {
    local end=$((SECONDS + longest))
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}
is_over() {
    ! kill -0 "$1" 2>/dev/null
}
complain() {
    echo "$1: applied $applied times, left:$left"
    sed 's/^/  one: /' "$out/one"
    sed 's/^/  two: /' "$out/two"
    return 1
}
# Nobody went on. Where nothing was done and one did not get its answer in time from a machine that others keep busy,
# that is no race: 99.
nobody() {
    kill -TERM "$one" "$two" 2>/dev/null
    wait "$one" "$two"
    look
    complain "$1"
    grep -qE 'in time|timed out|late' "$out/one" "$out/two" && [ "$applied" -eq 0 ] && [ -z "${left// /}" ] || return 1
    return 99
}
# pair ROUND PICKED FIRST SECOND: the projects of two runners.
pair() {
    local round="round $1" picked=$2 one two first status winner=two loser=one
    rm -f "${roots[@]/%//run/broken}" "${roots[@]/%//run/mended}"
    timeout --foreground "$longest" "$FAILDRILL" -C "$3" --no-input run -e here drill >"$out/one" 2>&1 &
    one=$!
    timeout --foreground "$longest" "$FAILDRILL" -C "$4" --no-input run -e here drill >"$out/two" 2>&1 &
    two=$!
    wait -n -p first "$one" "$two"
    status=$?
    look
    [ "$status" -ne 124 ] || complain "$round: both go on" || { kill -TERM "$one" "$two"; wait "$one" "$two"; return 1; }
    [ "$first" = "$one" ] || winner=one loser=two
    # By the store or by a host; or it saw the other's folder when it looked at the hosts.
    [ "$status" = 4 ] || [ "$status" = 3 ] || nobody "$round: $loser ended first, and says $status" || return
    wait_until eval 'goes_on || is_over "${!winner}"'
    goes_on || nobody "$round: none goes on" || return
    kill -TERM "${!winner}"
    wait "${!winner}"
    [ $? -eq 5 ] || nobody "$round: $winner does not halt" || return
    look
    [ "$applied" -eq "$picked" ] && [ -z "${left// /}" ] || complain "$round: it was not alone" || return
    echo "$status" >>"$out/refusals"
}
# again ARGUMENT...: of pair; anew where the machine was too busy for either.
again() {
    local tries status
    for tries in 1 2 3 4; do
        pair "$@" && return
        status=$?
        [ "$status" -eq 99 ] || return "$status"
        echo "round $1: begun anew, $tries"
    done
    return 1
}
lane() {
    local round name hosts out=$work/$1 roots=() pid applied left
    mkdir -p "$out"
    hosts_of "$1"
    for name in "${hosts[@]}"; do
        pid_of "$name"
        roots+=("/proc/$pid/root")
    done
    # Two machines, two seeds: of the first lanes one draws the first host, and the other one the second.
    project "$out/here" 1 3 "${hosts[@]}"
    project "$out/there" 1 4 "${hosts[@]}"
    project "$out/along" 2 1 "${hosts[@]}"
    project "$out/across" 2 2 "${hosts[1]}" "${hosts[0]}"
    for ((round = $1; round < pairs; round += lanes)); do
        case $((round / lanes % 3)) in
        0) again "$round" 2 "$out/along" "$out/across" || return 1 ;;
        1) again "$round" 1 "$out/here" "$out/there" || return 1 ;;
        2) again "$round" 1 "$out/here" "$out/here" || return 1 ;;
        esac
    done
}
race() {
    local n going=() bad=0
    for ((n = 0; n < lanes; n++)); do
        lane "$n" &
        going+=($!)
    done
    for n in "${going[@]}"; do wait "$n" || bad=1; done
    cat "$work"/*/refusals | sort | uniq -c
    [ "$bad" -eq 0 ] && [ "$(cat "$work"/*/refusals | wc -l)" -eq "$pairs" ]
}
open_door || skip_all "no port to listen at"
began=$SECONDS
check "$pairs pairs of runners at once: exactly one goes on each time, the other did nothing" race
echo "    $((SECONDS - began)) s; refused with exit: $(sort "$work"/*/refusals | uniq -c | awk '{ printf "%s%d of them %d", s, $1, $2; s = ", " }')"
times >"$work/times" # of all whom this shell waited for
awk -v pairs="$pairs" 'NR == 2 { gsub(/[ms]/, " "); $0 = $0; printf "    %.2f s of CPU a pair\n", ($1 * 60 + $2 + $3 * 60 + $4) / pairs }' "$work/times"
[ -z "${SHOW-}" ] || cat "$work/check.out"

#!/usr/bin/env bash
# netem_test.sh - delay, jitter, reorder, duplicate and corrupt by tc netem, on a kernel that has it.
# SPDX-License-Identifier: Apache-2.0
# The very bytes that a plan would run, part by part: an emulated processor is slower than a runner waits for a host.
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
# shellcheck source=tests/kernels/node.sh
. "${BASH_SOURCE[0]%/*}/node.sh"
on_wire

packets=$root/tests/system/packets.py
parts=$BUILD/tests/kernels/parts

# prepare BY JITTER REORDER DUPLICATE CORRUPT: the parts, in the fault's folder on the node.
prepare() {
    rm -rf "$work/parts" && mkdir "$work/parts" && "$parts" "$work/parts" "$@" &&
        node_sh node 'rm -rf /run/faildrill/01k2_1 && mkdir -p /run/faildrill/01k2_1' &&
        tar -C "$work/parts" -cf - . | node_pipe node tar -C /run/faildrill/01k2_1 -xf -
}
# part NAME LEASE: as the folder's scripts run it.
part() {
    node_sh node "cd /run/faildrill/01k2_1 && FD_DIR=\$PWD FD_ID=01k2_1 FD_PEER=$wire.1 FD_PORT=22 FD_LEASE=${2:-60} &&
        export FD_DIR FD_ID FD_PEER FD_PORT FD_LEASE && sh ./$1"
}
# A look is right to say no, and wrong to say nothing.
says_no() {
    local got=0
    part "$1" || got=$?
    echo "exit $got"
    [ "$got" -gt 0 ] && [ "$got" -lt 124 ]
}
# Three times at most: a part has 10 s, which an emulated processor may not keep while others are busy.
begin() {
    local try
    for try in 1 2 3; do
        prepare "$@" && part save && part apply && part place && return
        echo "try $try failed"
        part undo
    done
    return 1
}
# seen COUNT: measures it by echo requests, which the node's kernel answers; then `is` compares.
seen() {
    python3 "$packets" ping "$wire.11" "$1" >"$work/seen"
}
is() {
    python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
print(d)
sys.exit(not eval(sys.argv[2]))' "$work/seen" "$1"
}
say_seen() {
    sed "s/^/    $1: /" "$work/seen"
}
roots() {
    node_sh node tc qdisc show dev eth0
}
is_as_before() {
    roots
    part clear && [ "$(roots)" = "$before" ] && ! node_sh node nft list tables | grep fd_
}

began=$EPOCHSECONDS
node_up node 11 || {
    tail -n 5 "$work/node.console" "$work/node.qemu"
    skip_all "the kernel does not boot within three minutes"
}
echo "    booted in $((EPOCHSECONDS - began)) s: $(node_sh node uname -r)"
began=$EPOCHSECONDS
# shellcheck disable=SC2016
node_sh node 'i=0; while [ $i -lt 20 ]; do ls >/dev/null; i=$((i + 1)); done'
[ $((EPOCHSECONDS - began)) -le 10 ] || skip_all "the node is too slow now: 20 processes take it $((EPOCHSECONDS - began)) s"
before=$(roots)
seen 100
say_seen "nothing asked"

# ---- delay, and how it is undone ----

check "delay: it is there" begin 100 0 0 0 0
seen 200
check "delay: none comes sooner than 100 ms, half of them hardly later" is '100 <= d["least"] < 130 and d["median"] < 180'
check "delay: all come, once, in order" is 'd["back"] == d["sent"] and not d["extra"] and not d["overtaken"] and not d["damaged"]'
say_seen "by 100 ms"
python3 "$packets" connect "$wire.11" 22 >"$work/seen"
check "delay: our ssh is spared" is 'd["least"] < 90'
python3 "$packets" connect "$wire.11" 2222 >"$work/seen"
check "delay: another port is not" is 'd["least"] >= 100'
check "delay: netem stands under our handle" eval 'roots | grep -q "^qdisc prio fd1d: root"'
check "delay: all_clear says no" says_no clear
check "delay: undone" part undo
check "delay: the root is the kernel's own again" is_as_before
check "delay: in_place says no" says_no place
check "delay: undone twice" part undo

# ---- the kernel's own timer ----

check "lease: it is there" eval 'prepare 1000 0 0 0 0 && part save 20 && part apply 20'
check "lease: it ends by itself" python3 "$packets" pings "$wire.11" 500
check "lease: the structure is still there, and delays nothing" eval 'roots | grep -q "^qdisc netem fd1e: parent fd1d:4"'
check "lease: in_place says no" says_no place
check "lease: undone" eval 'part undo && is_as_before'

# ---- bad lines ----

bad_line() {
    local name=$1 promise=$2
    shift 2
    check "$name: it is there" begin "$@"
    seen 500
    check "$name: as asked" is "$promise"
    say_seen "$name"
    check "$name: undone" eval 'part undo && is_as_before'
}
bad_line 'jitter 50 ms of 100 ms' 'd["least"] < 90 and d["most"] > 120 and d["overtaken"] >= 10 and d["back"] == d["sent"]' 100 50 0 0 0
bad_line 'reorder 20 % of 100 ms' 'd["least"] < 90 and d["overtaken"] >= 10 and d["median"] >= 100' 100 0 200000 0 0
bad_line 'duplicate 20 %' '50 <= d["extra"] <= 160 and d["back"] == d["sent"]' 0 0 0 200000 0
# What was damaged came, and does not count as back; where it was in a header, it did not come at all.
bad_line 'corrupt 20 %' '55 <= d["sent"] - d["back"] <= 145 and 30 <= d["damaged"] <= d["sent"] - d["back"]' 0 0 0 0 200000

# ---- what is not ours ----

node_sh node tc qdisc add dev eth0 root handle 8001: tbf rate 100mbit burst 100k latency 50ms
before=$(roots)
check "a root of somebody else's: refused by name" eval 'prepare 100 0 0 0 0 &&
    ! part save >"$work/said" 2>&1 && grep -qF "eth0 has a root qdisc of its own, tbf 8001:: it is not replaced" "$work/said"'
check "a root of somebody else's: apply does not touch it" eval 'node_sh node "echo eth0 >/run/faildrill/01k2_1/devices"; ! part apply'
check "a root of somebody else's: undo does not touch it" eval 'part undo && is_as_before'

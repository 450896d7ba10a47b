#!/usr/bin/env bash
# sysrq_test.sh - reboot and crash by sysrq, on a kernel that may be rebooted; back by itself or by its power.
# SPDX-License-Identifier: Apache-2.0
# The very bytes that a plan would run: an emulated processor is slower than a runner waits for a host.
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
# shellcheck source=tests/kernels/node.sh
. "${BASH_SOURCE[0]%/*}/node.sh"
on_wire

parts=$BUILD/tests/kernels/parts

# prepare KIND PANIC [provider]: the parts; undo and clear run here, in a folder like the watcher's.
prepare() {
    local power=(none none none)
    [ $# -lt 3 ] || power=("$work/power down node" "$work/power up node" "$work/power status node")
    rm -rf "$work/parts" && mkdir "$work/parts" && "$parts" "$work/parts" "$1" "$2" "${power[@]}"
}
# strike: as the last thing that the node does; no answer is what is meant.
strike() {
    timeout 60 ssh -F "$work/ssh_config" -o ConnectTimeout=20 -o BatchMode=yes -o ServerAliveInterval=2 node sh -s \
        <"$work/parts/strike" >"$work/struck" 2>&1
}
boot_of() {
    timeout 30 ssh -F "$work/ssh_config" -o ConnectTimeout=20 -o BatchMode=yes node cat /proc/sys/kernel/random/boot_id </dev/null
}
is_back() {
    now=$(boot_of) && [ -n "$now" ] && [ "$now" != "$boot" ]
}
panics_after() {
    node_sh node "echo $1 >/proc/sys/kernel/panic && cat /proc/sys/kernel/panic" | grep -qx -- "$1"
}
here() {
    (cd "$work/parts" && sh "./$1")
}

began=$EPOCHSECONDS
node_up node 11 || {
    tail -n 5 "$work/node.console" "$work/node.qemu"
    skip_all "the kernel does not boot within three minutes"
}
echo "    booted in $((EPOCHSECONDS - began)) s: $(node_sh node uname -r)"

by_itself() {
    boot=$(boot_of) && prepare "$@" || return 1
    began=$EPOCHSECONDS
    strike
    node_forget node
    wait_for 300 is_back || { cat "$work/struck"; return 1; }
    echo "back after $((EPOCHSECONDS - began)) s" | tee "$work/back"
}
check "reboot by sysrq: another boot, by itself" by_itself reboot 1
check "crash: its kernel panics, and boots by itself" by_itself crash 1
check "crash: the console tells of a panic" grep -q 'Kernel panic - not syncing: sysrq triggered crash' "$work/node.console"

looks_again() {
    boot=$(boot_of) && prepare crash 1 && panics_after 0 || return 1
    ! strike && grep -q 'its kernel.panic is not above 0 any more' "$work/struck" || { cat "$work/struck"; return 1; }
    [ "$(boot_of)" = "$boot" ]
}
check "crash: where it would hang by now, nothing is sent" looks_again

no_provider() {
    ! prepare crash 0 2>"$work/refused" && grep -q "host 'node' would hang: its kernel.panic is not above 0" "$work/refused"
}
check "crash: refused where it would hang and nobody has its power" no_provider

hangs() {
    boot=$(boot_of) && prepare crash 0 provider && panics_after 0 && here save || return 1
    : >"$work/parts/fired" # as the watcher's folder says
    strike
    node_forget node
    ! wait_for 20 is_back || return 1
    here clear || return 1 # its provider says on, and it hangs
    began=$EPOCHSECONDS
    here undo && wait_for 300 is_back && here clear || return 1
    boot=$now
    here undo && [ "$(boot_of)" = "$boot" ] # nothing is switched off twice
}
check "crash: it hangs; its provider switches it off and on, once" hangs

[ "$failed" -eq 0 ]

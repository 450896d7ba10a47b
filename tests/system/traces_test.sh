#!/usr/bin/env bash
# traces_test.sh - while a fault is in effect the host says so, and whatever is left is found with no store at all.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # what is quoted is for the host
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:1
# shellcheck source=tests/project.sh
. "$root/tests/project.sh"

mkdir -p "$work/project/scenarios" "$work/project/environments"
echo 'project: traces' >"$work/project/faildrill.yaml"
address=$(<"$LAB_STATE/hosts/bare-1/address")
cat >"$work/project/environments/here.yaml" <<END
environment: here
roles:
  idle:
    hosts: {bare-1: {address: $address}}
    service: {pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}
    reach: {prefix: [$lab, --state, $LAB_STATE, exec, "\${host.name}"]}
END
cat >"$work/project/scenarios/drill.yaml" <<END
scenario: drill
targets:
  victim: {role: idle}
probes:
  port: {tcp: "$address:22", every: 500ms, timeout: 5s}
steady: {for: 300ms}
hold: 300ms
observe: 300ms
steps:
  - {isolate: victim, for: 3m}
halt:
  port: {max_outage: 5m}
expect:
  port: {max_outage: 5m}
undo: {lease: 60s, grace: 20s}
END
# As from another machine: a store that knows nothing.
elsewhere() {
    "$FAILDRILL" -C "$work/project" --state "$work/nothing" undo --scan -e here >"$work/scan" 2>&1
    status=$?
    cat "$work/scan"
    return "$status"
}
finds() {
    elsewhere
    [ $? -eq 6 ] && grep -qE -- "$1" "$work/scan"
}

# A syslog of its own for the host, on a /dev/log that only it sees.
on_host sh -c 'mkdir /run/devices /run/syslog && mount --rbind /dev /run/devices && mount -t tmpfs -o mode=755 tmpfs /dev &&
    for node in /run/devices/*; do ln -s "$node" /dev/; done; rm -f /dev/log'
on_host python3 -c '
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/dev/log")
with open("/run/syslog/lines", "w") as out:
    while True:
        print(s.recv(65536).decode("utf-8", "replace"), file=out, flush=True)' &
at_end kill $!
check "the host has a syslog" wait_for 60 on_host test -S /dev/log
logged() { # by a process of its own, which may not have read it yet
    wait_for 60 on_host grep -qE -- "$1" /run/syslog/lines || {
        on_host cat /run/syslog/lines
        return 1
    }
}

who=$(id -un)@$(hostname)
"$FAILDRILL" -C "$work/project" --no-input run -e here drill >"$work/run" 2>&1 &
runner=$!
check "a fault is in effect" wait_for 60 is_in_effect
check "a login banner says what, by whom, and how to end it" on_host grep -qE \
    "^faildrill: 'isolate' on this host by $who, .*until [0-9:]+ UTC at the latest. End it now: sudo sh /run/faildrill/undo\$" \
    /run/motd.d/faildrill
check "a line in syslog says the same" logged "faildrill: faildrill: 'isolate' on this host by $who.*End it now"
kill -9 "$runner"
wait "$runner" 2>/dev/null

check "with no store: the folder is found, and whose it is" \
    finds "FOUND +bare-1: folder [0-9a-z]+_1 isolate, of $who.*; to end it there: sudo sh /run/faildrill/undo\$"
check "the table too, of the same owner" \
    finds "FOUND +bare-1: table [0-9a-z]+_1 nft table inet fd_[0-9a-z]+_1, of $who.*: sudo sh /run/faildrill/undo\$"
check "and the lock" finds "FOUND +bare-1: lock [0-9a-z]+ lock of this host for [0-9]+ s, of $who"
check "the command it gives ends it" on_host sh /run/faildrill/undo
check "then nothing is found" elsewhere
check "nothing more is said on login" on_host sh -c '[ ! -e /run/motd.d/faildrill ]'

on_host sh -c 'nft add table inet fd_01k2lost0000000000000004k2p_7; nft add table inet theirs
    echo "faildrill: '\''kill'\'' on this host by ana@box, until" >/run/motd.d/faildrill'
check "a table whose folder is gone: its run, and a command that needs no folder" \
    finds 'of run 4k2p, .*: sudo nft delete table inet fd_01k2lost0000000000000004k2p_7$'
check "a banner of nothing" finds 'banner - a login banner of no fault, of ana@box; .*: sudo rm /run/motd.d/faildrill$'
check "the commands end them" on_host sh -c "$(sed -n 's/.*to end it there: sudo //p' "$work/scan")"
check "then nothing is found again" elsewhere
check "what is not ours stays" on_host nft list table inet theirs

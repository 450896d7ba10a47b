#!/usr/bin/env bash
# reach_test.sh - hosts whose login user is not root, and hosts that are reached by IPv6.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # what is quoted is for the host
. "${BASH_SOURCE[0]%/*}/../lib.sh"
[ "$EUID" -eq 0 ] || skip_all "users and sudoers of its own want root"
[ -u /usr/bin/sudo ] || skip_all "sudo is not installed"
in_lab bare:2
# shellcheck source=tests/project.sh
. "$root/tests/project.sh"

# project USER ADDRESS: an environment of bare-1 alone.
project() {
    mkdir -p "$work/project/scenarios" "$work/project/environments"
    echo 'project: reach' >"$work/project/faildrill.yaml"
    cat >"$work/project/environments/here.yaml" <<END
environment: here
ssh: {config: $work/ssh_config, user: $1}
roles:
  idle:
    hosts: {bare-1: {address: "$2"}}
    service: {pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}
END
    cat >"$work/project/scenarios/drill.yaml" <<END
scenario: drill
targets:
  victim: {role: idle}
probes:
  port: {tcp: "$3:22", every: 100ms, timeout: 300ms}
steady: {for: 300ms}
hold: 300ms
observe: 300ms
settle: 20s
steps:
  - {${4:-isolate}: victim, for: ${5:-2s}}
halt:
  port: {max_outage: 30s}
expect:
  port: {max_outage: 30s}
undo: {lease: ${6:-10s}, grace: 20s}
END
}
is_clean() {
    on_host sh -c '[ -z "$(ls -A /run/faildrill 2>/dev/null)" ] && ! nft list tables | grep fd_'
}

address=$(<"$LAB_STATE/hosts/bare-1/address")
runner=${address%.*}.1
cp "$LAB_STATE/ssh_config" "$work/ssh_config"

# ---- a login user who is not root ----
on_host sh -c 'echo drill:x:1999:1999::/tmp:/bin/sh >>/etc/passwd; echo drill:x:1999: >>/etc/group
    echo "drill:*:19000:0:99999:7:::" >>/etc/shadow; rm -f /etc/sudoers.d/*'
# What doctor prints is what goes into the file, byte for byte.
take_sudoers() {
    drill doctor here >"$work/doctor" 2>&1
    sed -n '/= fix: as root there, visudo -f /,/^      =/s/^          //p' "$work/doctor" >"$work/lines"
    cat "$work/doctor"
    [ -s "$work/lines" ] && on_host sh -c 'cat >/etc/sudoers.d/faildrill && chmod 440 /etc/sudoers.d/faildrill &&
        visudo -cq' <"$work/lines"
}
one_line() {
    [ "$(cat "$work/lines")" = 'drill ALL=(root) NOPASSWD: /usr/bin/sh' ]
}

project drill "$address" "$address"
check "without sudoers: not ready, with what sudo said" \
    ends 3 'lacks: a way to be root (sudo: a password is required)' drill doctor here
check "a run says so too and touches nothing" ends 3 'a way to be root' drill run -e here drill
check "doctor prints lines that sudo takes" take_sudoers
check "one line is enough" one_line
check "with them it is ready" ends 0 'ready: drills may run here' drill doctor here
check "a drill by sudo, as Debian configures it" ends 0 'PASS' drill run -e here drill
check "leaves nothing" is_clean

on_host sh -c 'rm /etc/sudoers.d/faildrill; sed -i "1i Defaults requiretty" /etc/sudoers'
check "where sudo wants a terminal doctor prints what ends that" take_sudoers
check "that is one more line" grep -qx 'Defaults:drill !requiretty' "$work/lines"
check "with them it is ready as well" ends 0 'ready: drills may run here' drill doctor here

project drill "$address" "$address" freeze 60s 2s
"$FAILDRILL" -C "$work/project" --no-input run -e here drill >"$work/run" 2>&1 &
pid=$!
check "a fault by sudo is in effect" wait_for 30 is_in_effect
check "who logs in is told, and how to end it" sh -c "ssh -F '$work/ssh_config' -l drill bare-1 cat /run/motd.d/faildrill |
    grep -q \"'freeze' on this host by .* End it now: sudo sh /run/faildrill/undo\""
kill -9 "$pid"
wait "$pid" 2>/dev/null
check "the runner killed, the guard that sudo started undoes it" wait_for 20 is_clean
check "and undo closes the run" drill undo

"$FAILDRILL" -C "$work/project" --no-input run -e here drill >"$work/run" 2>&1 &
pid=$!
check "another one is in effect" wait_for 30 is_in_effect
check "by hand, as the banner says, through the same sudoers" \
    ssh -F "$work/ssh_config" -l drill bare-1 sudo -n sh /run/faildrill/undo
check "that was all of it" wait_for 20 is_clean
wait "$pid" 2>/dev/null

# ---- IPv6 ----
six=fd00:77:77::1
bridge=$(ip -o -4 addr show to "$runner" | awk '{ print $2; exit }')
if ip -6 addr add fd00:77:77::fe/64 dev "$bridge" nodad 2>/dev/null &&
    on_host ip -6 addr add "$six/64" dev eth0 nodad; then
    on_host sh -c "sed 's/AddressFamily inet/AddressFamily inet6/' /etc/ssh/sshd_config >/tmp/sshd6 &&
        /usr/sbin/sshd -f /tmp/sshd6 -o ListenAddress=::"
    sed "s,HostName $address\$,HostName $six,; s,UserKnownHostsFile .*,UserKnownHostsFile $work/known," \
        "$LAB_STATE/ssh_config" >"$work/ssh_config"
    sed "s/,$address /,$six /" "$LAB_STATE/known_hosts" >"$work/known"
    sees_six() {
        on_host sh -c 'cat /run/faildrill/*_1/vars' | grep -q 'FD_PEER=fd00:77:77::fe'
    }
    hears_nobody() {
        ! timeout 1 bash -c "exec 3<>/dev/tcp/$address/22" 2>/dev/null
    }
    project root "$six" "[$six]" isolate 6s
    check "by IPv6 it is ready" wait_for 20 drill doctor here
    "$FAILDRILL" -C "$work/project" --no-input run -e here drill >"$work/run" 2>&1 &
    pid=$!
    check "isolated by IPv6" wait_for 30 is_in_effect
    check "the host lets our IPv6 address through" sees_six
    check "and nobody else, by IPv4 either" hears_nobody
    wait "$pid"
    check "the drill by IPv6 ends well" test $? -eq 0
    check "and leaves nothing" is_clean
    sed -i 's/user: root}/user: root, via: openssh}/' "$work/project/environments/here.yaml"
    check "the same by the system's ssh" ends 0 PASS drill run -e here drill
    check "which leaves nothing" is_clean
else
    skip "by IPv6" "this kernel has none"
fi

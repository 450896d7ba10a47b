# ask.sh - all that an administrator could find out about a host but its processes: a line an answer.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Sent to a lab host by fingerprint_test.py; only looks. Without counters, where the tools can leave them out.
ask() {
    word=$1
    shift
    "$@" 2>&1 | sed "s|^|$word: |"
}
# fingerprint_test.py hides the other one now and then.
ask nft "$(command -v /root/fd-nft || echo nft)" -s -j list ruleset
ask ipset ipset save
for kind in iptables-nft ip6tables-nft iptables-legacy ip6tables-legacy; do
    ! command -v "$kind-save" >/dev/null || ask "$kind" "$kind-save"
done
# Not by /sys, which shows the machine's.
for dev in $(ip -o link show | sed 's/^[0-9]*: //; s/[@:].*//'); do
    for kind in qdisc class filter; do ask "tc $kind $dev" tc "$kind" show dev "$dev"; done
done
ask "tc ingress" tc filter show dev eth0 ingress
ask link ip -o -d link show
for family in -4 -6; do
    ask "address $family" ip "$family" -o address show
    ask "rule $family" ip "$family" rule show
    ask "route $family" ip "$family" -d route show table all
done
ask mount cat /proc/1/mountinfo
ask setting sysctl -a
ask ipc ipcs
ask cgroup find /sys/fs/cgroup -maxdepth 4 -name "*fd[-_]*"
ask service /etc/init.d/idle status
ask name hostname
ask resolved getent hosts site localhost
for top in /etc /run /tmp /dev/shm /root /mnt /media /var/tmp /var/log; do
    ask folder find "$top" -xdev -type d -printf '%p %m %u:%g\n'
    ask file find "$top" -xdev ! -type d ! -name sshd.log -printf '%p %y %m %u:%g %s %T@ %i %l\n'
    ask hash find "$top" -xdev -type f ! -name sshd.log -exec md5sum {} +
done

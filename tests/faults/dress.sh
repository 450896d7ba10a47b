# dress.sh - gives a lab host what a site's own administrator would: rules, tc, routes, mounts, settings.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Sent to a lab host by fingerprint_test.py, ADDRESS being the host's; does nothing anywhere else.
set -e
[ -e /run/lab-ready ] && [ -n "${ADDRESS:-}" ] || {
    echo "this is no host of the lab"
    exit 1
}
nft -f - <<'RULES'
table inet site {
    set doors { type inet_service; elements = { 22, 8080 } }
    set seen { type ipv4_addr; flags timeout; elements = { 203.0.113.9 timeout 1d } }
    chain in {
        type filter hook input priority 0; policy drop;
        ct state established,related counter accept
        iif "lo" accept
        tcp dport @doors counter accept
        meta l4proto { icmp, ipv6-icmp } accept
    }
    chain early {
        type filter hook prerouting priority -300; policy accept;
        ip saddr 203.0.113.0/24 counter drop
    }
}
table ip site_nat {
    chain post {
        type nat hook postrouting priority 100; policy accept;
        ip saddr 198.51.100.0/24 masquerade
    }
}
RULES
for ipt in iptables ip6tables; do
    command -v $ipt >/dev/null || continue
    $ipt -N SITE
    $ipt -A SITE -p tcp --dport 9999 -j REJECT
    $ipt -I INPUT 1 -j SITE
    $ipt -A OUTPUT -m mark --mark 9 -j DROP
    $ipt -A FORWARD -m mark --mark 9 -j DROP
    $ipt -t raw -A PREROUTING -p udp --dport 9 -j DROP
    $ipt -t mangle -A PREROUTING -p udp --dport 7 -j MARK --set-mark 7
done
! command -v ipset >/dev/null || { ipset create site hash:ip && ipset add site 203.0.113.9; }
tc qdisc add dev eth0 root handle 1: htb default 10
tc class add dev eth0 parent 1: classid 1:1 htb rate 10gbit
tc class add dev eth0 parent 1:1 classid 1:10 htb rate 9gbit ceil 10gbit
tc class add dev eth0 parent 1:1 classid 1:20 htb rate 1gbit
tc qdisc add dev eth0 parent 1:10 handle 10: tbf rate 10gbit burst 10mb latency 50ms
tc filter add dev eth0 parent 1: protocol ip prio 3 u32 match ip dport 7777 0xffff flowid 1:20
tc qdisc add dev eth0 handle ffff: ingress
ip link add site0 type veth peer name site1
ip link set site0 addrgenmode none
ip link set site1 addrgenmode none
ip link set site0 up
ip link set site1 up
tc qdisc add dev site0 root handle 5: pfifo limit 77
ip address add 198.51.100.1/24 dev site0
ip address add 2001:db8:77::1/64 dev site0 nodad
ip route add 192.0.2.0/24 via "${ADDRESS%.*}.1" metric 77
ip route add default via "${ADDRESS%.*}.1" table 77
ip route add unreachable 203.0.113.128/25
ip rule add fwmark 7 table 77 priority 7000
ip -6 route add 2001:db8:99::/48 dev site0 metric 9
ip -6 route add blackhole 2001:db8:aa::/48 table 77
ip -6 rule add fwmark 7 table 77 priority 7000
mount -t tmpfs -o size=1m,mode=700 site /mnt
echo "the site's own" >/mnt/issue
mount --bind /mnt/issue /etc/issue
mount --bind /mnt /var/spool
mount -o remount,bind,ro /var/spool
printf '127.0.0.2 site\n' >>/etc/hosts
printf 'nameserver 192.0.2.53\noptions timeout:1\n' >/etc/resolv.conf
chmod 640 /etc/resolv.conf
touch -d '2024-02-03 04:05:06' /etc/hosts /etc/resolv.conf
mkdir -p /run/site /tmp/site
echo 1 >/run/site/lock
sysctl -qw net.ipv4.tcp_retries2=11 net.ipv4.conf.eth0.rp_filter=2 net.ipv6.conf.site0.hop_limit=61

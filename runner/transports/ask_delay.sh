# ask_delay.sh - whether a host can delay packets, and whether a qdisc of its own is in the way.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154
# Sent on stdin behind node.sh; functions only. By doing, in network namespaces that end with the try.

netem_works() {
    unshare -n sh -c 'tc qdisc add dev lo root handle fd1d: prio bands 4 &&
        tc qdisc add dev lo parent fd1d:4 handle fd1e: netem limit 1000 delay 1ms 1us reorder 1% duplicate 1% \
            corrupt 1% && tc qdisc del dev lo root handle fd1d:'
}

# The device, the raw socket that goes past it, the rule and the table that lead into it.
line_works() {
    unshare -n sh -c 'python3 -I -S -c "
import fcntl, heapq, os, random, select, socket, struct
tun = os.open(\"/dev/net/tun\", os.O_RDWR)
fcntl.ioctl(tun, 0x400454CA, struct.pack(\"16sH22x\", b\"fd1d\", 0x1001))
out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
out.setsockopt(socket.SOL_SOCKET, 36, 0xFD1E)
" && ip rule add pref 1 fwmark 0xfd1d lookup 64797 && nft -f - <<EOF
table inet fd_probe {
    set s { type ipv4_addr; flags interval,timeout; elements = { 0.0.0.0/0 timeout 5s } }
    chain c {
        type route hook output priority -150; policy accept;
        fib daddr type != unicast return
        ip daddr @s meta mark set 0xfd1d
    }
}
EOF'
}

last_line() {
    printf '%s' "$1" | grep . | tail -n 1 | tr -dc ' -~'
}

delays() {
    if why=$(netem_works 2>&1); then
        say netem
        ip -o address show up scope global | awk '{ print $2 }' | sort -u | while read -r device; do
            tc qdisc show dev "$device" 2>/dev/null | awk -v on="$device" '
                / root/ && $3 != "0:" { print "fd:root " $2 " " $3 " on " on; exit }'
        done
    elif also=$(line_works 2>&1); then
        say line
    else
        say "no_delay no netem ($(last_line "$why")), and no line of ours ($(last_line "$also"))"
    fi
}

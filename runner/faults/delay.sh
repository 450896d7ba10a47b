# delay.sh - what a delay needs on a host: netem under a handle of our own, or a line of ours.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# sh -c TEXT delay VERB netem|line WORD...: run in the fault's folder. Which packets go that way, and
# for how long, says the fault's nft table: it gives them the class fd1d:4 of the qdisc, or the mark
# 0xfd1d of the line's routes. Without it the structure is there and delays nothing.
# `devices` in the folder: the ways out of this host; `delays` says that the structure is this fault's.
mark=0xfd1d routes=64797

fail() {
    echo "$*"
    exit 1
}

pause() {
    sleep "$1" 2>/dev/null || sleep 1
}

# A bridge with nothing but containers and guests on it leads nowhere, and what goes by a tunnel leaves
# by another device as well.
leads_out() {
    ip -o -d link show dev "$1" >link.tmp 2>/dev/null && grep -q 'link/\(ether\|infiniband\)' link.tmp &&
        ! grep -q ' \(vxlan\|geneve\|gretap\) ' link.tmp || return 1
    ! grep -q ' bridge ' link.tmp || ip -o -d link show master "$1" | grep -qv -e ' veth ' -e ' tun '
}

# ways_out ADDRESS...: the devices by which these are reached; without any, all that lead out.
ways_out() {
    if [ $# -gt 0 ]; then
        for address; do ip -o route get "$address"; done | sed -n 's/.* dev \([^ ]*\).*/\1/p'
    else
        ip -o address show up scope global | awk '{ print $2 }' | while read -r device; do
            if leads_out "$device"; then echo "$device"; fi
        done
    fi | grep -vx lo | sort -u
}

# The kernel's own root has the handle 0: and comes back by itself; any other is somebody's.
root_of() {
    tc qdisc show dev "$1" | awk '/ root/ && $3 != "0:" { print $2 " " $3; exit }'
}

our_roots() {
    tc qdisc show | awk '$3 == "fd1d:" { print $5 }'
}

rules() {
    ip rule show && if [ -e /proc/net/if_inet6 ]; then ip -6 rule show; fi
}

# The structure on this host, should there be any, is not another fault's.
is_ours() {
    for other in ../*/delays; do
        if [ -e "$other" ] && ! [ "$other" -ef delays ]; then return 1; fi
    done
}

save() {
    is_ours || fail "another delay is in effect on this host"
    ways_out "$@" >devices
    [ -s devices ] || fail "no device leads out of this host"
}

save_netem() {
    save "$@"
    while read -r device; do
        root=$(root_of "$device")
        [ -z "$root" ] || fail "$device has a root qdisc of its own, $root: it is not replaced"
        lower=$(ip -o link show dev "$device" | sed -n 's/^[0-9]*: [^:@]*@\([^:]*\):.*/\1/p')
        if [ -n "$lower" ] && grep -qxF "$lower" devices; then
            fail "$device lies on $lower: its packets would be delayed twice; say \`to\`"
        fi
    done <devices
    echo >delays
}

save_line() {
    save "$@"
    ! ip link show dev fd1d >/dev/null 2>&1 || fail "there is a device fd1d already"
    echo >delays
}

# apply_netem WORD...: as netem has them.
apply_netem() {
    while read -r device; do
        tc qdisc add dev "$device" root handle fd1d: prio bands 4 &&
            tc qdisc add dev "$device" parent fd1d:4 handle fd1e: netem "$@" || exit 1
    done <devices
}

# apply_line TEXT WORD...: of the process.
apply_line() {
    FD_HELD=$FD_ID: setsid python3 -I -S -c "$@" </dev/null >log.line 2>&1 &
    mtu=$(while read -r device; do ip -o link show dev "$device"; done <devices |
        sed -n 's/.* mtu \([0-9]*\).*/\1/p' | sort -n | head -n 1)
    until ip link set dev fd1d addrgenmode none mtu "$mtu" txqueuelen 10000 up 2>/dev/null; do
        kill -0 $! 2>/dev/null || fail "the line does not start: $(tail -n 1 log.line)"
        pause 0.02
    done
    ip route add default dev fd1d table "$routes" && ip rule add pref 1 fwmark "$mark" lookup "$routes" ||
        exit 1
    [ -s /proc/net/if_inet6 ] || return 0
    echo 0 2>/dev/null >/proc/sys/net/ipv6/conf/fd1d/disable_ipv6
    ip -6 route add default dev fd1d table "$routes" &&
        ip -6 rule add pref 1 fwmark "$mark" lookup "$routes"
}

place_netem() {
    [ -s devices ] || exit 1
    while read -r device; do
        tc qdisc show dev "$device" | grep -q '^qdisc netem fd1e: parent fd1d:4 ' || exit 1
    done <devices
}

# The device is there as long as the process is.
place_line() {
    case $(ip -o link show dev fd1d) in *[\<,]UP[,\>]*) ;; *) exit 1 ;; esac
    case $(ip rule show) in *"fwmark $mark lookup $routes"*) ;; *) exit 1 ;; esac
}

# By now nothing new comes: what is held may leave first, or the undo would lose it.
undo_netem() {
    is_ours || return 0
    roots=$(our_roots)
    [ -z "$roots" ] || pause "$1"
    for device in $roots; do
        tc qdisc del dev "$device" root handle fd1d:
    done
}

undo_line() {
    is_ours || return 0
    tries=$1
    while [ "$tries" -gt 0 ] && ip link show dev fd1d >/dev/null 2>&1; do
        tries=$((tries - 1))
        pause 0.1
    done
    ip link delete dev fd1d 2>/dev/null
    while ip rule del fwmark "$mark" lookup "$routes" 2>/dev/null; do :; done
    while ip -6 rule del fwmark "$mark" lookup "$routes" 2>/dev/null; do :; done
}

clear_netem() {
    is_ours || return 0
    tc qdisc show >/dev/null || exit 125
    roots=$(our_roots)
    [ -z "$roots" ] || fail "the qdisc fd1d: is on" $roots
}

clear_line() {
    is_ours || return 0
    links=$(ip -o link show) && all=$(rules) || exit 125
    case $links in *': fd1d: '*) fail "the device fd1d is there" ;; esac
    case $all in *"lookup $routes"*) fail "a rule for the mark $mark is there" ;; esac
}

verb=$1_$2
shift 2
"$verb" "$@"

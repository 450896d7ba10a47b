# net.sh - the lab's addresses: a bridge for each set, this machine at its .1, hosts from .11.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

# Bridges are named for their addresses and carry the lab's folder as alias: so two labs cannot take the same ones,
# and a lab finds its own again.
net_of() {
    local index
    case $1 in rabbitmq) index=0 ;; staging) index=1 ;; production) index=2 ;; fresh) index=3 ;; bare) index=4 ;; patroni) index=5 ;; postgres) index=6 ;; web) index=7 ;; etcd) index=8 ;; pair) index=9 ;; redis-cluster) index=10 ;; redis) index=11 ;; mariadb) index=12 ;; galera) index=13 ;; autofailover) index=14 ;; repmgr) index=15 ;; esac
    printf '%s.%s\n' "${lab_net%.*}" $((${lab_net##*.} + index))
}

bridge_of() {
    local set_net
    set_net=$(net_of "$1")
    printf 'lab-%s\n' "${set_net//./-}"
}

# The machine's side of a host's wire: lab-77-1-11.
wire_of() {
    local address
    address=$(<"$state/hosts/$1/address")
    address=${address#*.}
    printf 'lab-%s\n' "${address//./-}"
}

net_choose() {
    local start step block set
    exec 6</run
    flock 6 # one lab at a time on this machine, until ours is up and seen
    if [ -e "$state/net" ]; then
        lab_net=$(<"$state/net")
        [ "${LAB_NET:-$lab_net}" = "$lab_net" ] || die "$state is a lab at $lab_net; LAB_NET says $LAB_NET: take it down first"
    elif [ -n "${LAB_NET-}" ]; then
        lab_net=$LAB_NET
    elif [ "$state" = "$default_state" ]; then
        lab_net=10.77.0
    else
        start=$(cksum <<<"$state")
        start=${start%% *}
        for ((step = 0; step < 14; step++)); do
            block=$(((start + step) % 14 + 1))
            lab_net=10.77.$((block * 16))
            net_taken || break
        done
    fi
    [[ $lab_net =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] && [ "${lab_net##*.}" -le 240 ] ||
        die "LAB_NET is three octets, the last 240 at most, as 10.77.16: '$lab_net' is not"
    ! net_taken || die "addresses under $lab_net are in use here ($(net_taken)): end that, or set LAB_NET"
    printf '%s\n' "$lab_net" >"$state/net.new" && mv "$state/net.new" "$state/net"
    for set in "${sets[@]}"; do
        bridge_up "$(bridge_of "$set")" "$(net_of "$set")" || die "cannot make a bridge for '$set'"
    done
    exec 6<&-
}

# Prints who has one of our addresses without being ours.
net_taken() {
    local set line found=1
    for set in "${all_sets[@]}"; do
        while read -r _ line _; do
            [ "$(link_alias "$line")" = "$state" ] || {
                found=0
                echo "$line: $(link_alias "$line")"
            }
        done < <(ip -4 -o address show to "$(net_of "$set").0/24")
    done
    return "$found"
}

# By ip and not by /sys: in a network namespace of our own that still shows the machine's.
link_exists() {
    ip link show dev "$1" >/dev/null 2>&1
}

link_alias() {
    ip -o link show dev "$1" 2>/dev/null | sed -n 's/.*alias //p'
}

link_delete() {
    ! link_exists "$1" || ip link delete "$1" 2>/dev/null || ! link_exists "$1" # may have gone by itself
}

bridge_up() {
    link_exists "$1" || ip -batch - <<END
link add $1 type bridge
link set $1 alias $state
END
    [ "$(link_alias "$1")" = "$state" ] || return 1
    ip address replace "$2.1/24" dev "$1" && ip link set "$1" up
}

bridge_down() {
    [ "$(link_alias "$1")" != "$state" ] || link_delete "$1"
}

# All that are ours, found by their mark, should our folder be gone; with the wires that still hang on them.
bridges_down() {
    local bridge wire
    for bridge in $(links type bridge); do
        [ "$(link_alias "$bridge")" = "$state" ] || continue
        for wire in $(links master "$bridge"); do
            link_delete "$wire"
        done
        link_delete "$bridge"
    done
}

links() {
    ip -o link show "$@" | sed -n 's/^[0-9]*: \(lab-[0-9-]*\)[@:].*/\1/p'
}

# wire_up HOST PID: a cable from the host's eth0 into its set's bridge. Its card keeps its number over a boot, or the
# others would go on writing to the old one.
wire_up() {
    local wire address card
    wire=$(wire_of "$1")
    address=$(<"$state/hosts/$1/address")
    # shellcheck disable=SC2086
    card=$(printf '02:fd:%02x:%02x:%02x:%02x' ${address//./ })
    link_delete "$wire"
    ip -batch - <<END || return 1
link add $wire type veth peer name eth0 address $card netns $2
link set $wire master $(bridge_of "$(<"$state/hosts/$1/set")") up
END
    nsenter --net --target "$2" ip -batch - <<END
link set lo up
address add $address/24 dev eth0
link set eth0 up
END
}

wire_is_up() {
    links master "$(bridge_of "$(<"$state/hosts/$1/set")")" | grep -qx "$(wire_of "$1")"
}

wire_down() {
    link_delete "$(wire_of "$1")"
}

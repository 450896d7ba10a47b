# network.sh - what the tests of network faults share: hosts with two addresses, traffic, a drill.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # lib.sh sets what is not set here

# By its text, for hosts have a /tmp of their own and may not see ours.
traffic=(python3 -c "$(<"$root/tests/system/traffic.py")")
v4=('') v6=('')
mkdir -p "$work/project/scenarios" "$work/project/environments"

# hosts_ready N: bare-1..N get an IPv6 address, a firewall of their own and somebody who listens. Role
# `all` has all of them, host_K the K-th.
hosts_ready() {
    local at
    for ((at = 1; at <= $1; at++)); do
        v4[at]=$(<"$LAB_STATE/hosts/bare-$at/address")
        v6[at]=fd00:fd::$at
        "$lab" exec "bare-$at" ip address add "${v6[at]}/64" dev eth0 nodad
        "$lab" exec "bare-$at" nft -f - <<'RULES'
table inet site {
    set friends { type ipv4_addr; flags timeout; elements = { 192.0.2.7 } }
    chain input { type filter hook input priority 0; policy accept; ip saddr @friends counter; }
    chain early { type filter hook prerouting priority -300; policy accept; tcp dport 9999 drop; }
}
RULES
        setsid "$lab" exec "bare-$at" "${traffic[@]}" hear 6379 7000 >"$work/hear.$at" 2>&1 &
    done
    for ((at = 1; at <= $1; at++)); do
        wait_for 20 grep -q ready "$work/hear.$at" || cat "$work/hear.$at"
        foreign "$at" >"$work/foreign.$at"
    done
    echo 'project: network' >"$work/project/faildrill.yaml"
    cat >"$work/project/environments/here.yaml" <<ENV
environment: here
ssh: {config: $LAB_STATE/ssh_config}
roles:
  all:
    hosts:
$(for ((at = 1; at <= $1; at++)); do echo "      bare-$at: {address: ${v4[at]}}"; done)
$(for ((at = 1; at <= $1; at++)); do echo "  host_$at: {hosts: [bare-$at]}"; done)
gate:
  keep_healthy: {$(for ((at = 1; at <= $1; at++)); do printf 'host_%d: 0, ' "$at"; done)all: 0}
ENV
}
# The rules of the site, without counters.
foreign() {
    "$lab" exec "bare-$1" nft list table inet site | sed 's/packets [0-9]* bytes [0-9]*//'
}
foreign_as_before() {
    local at
    for ((at = 1; at < ${#v4[@]}; at++)); do foreign "$at" | diff "$work/foreign.$at" - || return 1; done
}
ssh_works() {
    local at
    for ((at = 1; at <= $1; at++)); do
        ssh -F "$LAB_STATE/ssh_config" -o ControlPath=none -o ConnectTimeout=10 "bare-$at" true || return 1
    done
}
nothing_left() {
    local at
    foreign_as_before || return 1
    for ((at = 1; at <= $1; at++)); do
        "$lab" exec "bare-$at" sh -c '! nft list tables | grep fd_ && test ! -e /run/faildrill' || return 1
    done
}
drill() {
    "$FAILDRILL" -C "$work/project" --no-input "$@"
}
drill_begin() {
    : >"$work/run.out" # at once: the next may look before the shell behind & has opened it
    "$FAILDRILL" -C "$work/project" --no-input run -e here "$1" >"$work/run.out" 2>&1 &
    runner=$!
}
# shellcheck disable=SC2034 # for those who call it
drill_end() {
    kill -INT "$runner"
    wait "$runner"
    status=$?
    cp "$work/run.out" "$work/last_run.out"
}

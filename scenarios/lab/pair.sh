# pair.sh - how the set `pair` is set up: a primary and a replica that faildrill is taught.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

pair_hosts() {
    echo "pair pair-1 11 counter"
    echo "pair pair-2 12 counter"
}

# What a host of the set has on its disk: pair_make DIR PREFIX ADDRESS NAME SERVICES
pair_make() {
    case $4 in
    pair-1) printf '{"peer": "%s.12", "first": true}\n' "$2" ;;
    *) printf '{"peer": "%s.11"}\n' "$2" ;;
    esac >"$1/disk/etc/lab/counter.json"
}

pair_up() {
    local name
    for name in $(hosts_of pair); do
        start_services "$name" counter
    done
    wait_until 20 pair_is_whole || set_not_ready pair "no counter there has a replica"
}

pair_is_whole() {
    host_exec pair-1 /etc/lab/counter redundancy 2>/dev/null | grep -qx whole ||
        host_exec pair-2 /etc/lab/counter redundancy 2>/dev/null | grep -qx whole
}

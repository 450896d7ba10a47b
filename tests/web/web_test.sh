#!/usr/bin/env bash
# web_test.sh - web servers behind two proxies and one address, drilled in every way of scenarios/web.
# SPDX-License-Identifier: Apache-2.0
#
# shellcheck source=tests/web/drills.sh
. "${BASH_SOURCE[0]%/*}/drills.sh"
for tool in haproxy nginx keepalived; do
    PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null || skip_all "there is no $tool here"
done
drills_of web web

# drill NAME LEADS MOVES: LEADS is the probe of who leads; MOVES: yes, no.
drill() {
    check "$1 passes" run_drill "$1"
    [ "$3" = no ] || check "$1: within the range that is foreseen" as_predicted "$2"
    line "$1" orders "$2"
}
drill web_server_dies servers yes
drill web_server_frozen servers yes
drill web_server_lost servers yes
drill web_proxy_dies address yes
drill web_address_moves address yes
drill web_proxy_lost address yes
check "web_proxy_lost: who is cut off has the address still, and it is seen" holds 'pri["address"]["split"]["low_ns"] > 5e9'
drill web_keepalived_dies address no
check "web_keepalived_dies: two have the address, and it is seen" holds 'pri["address"]["split"]["low_ns"] > 5e9'

# A backend that all servers share has no primary: it is refused, and the plan says what to do.
spread() {
    sed -i 's/backend: orders/backend: shop/' "$LAB_STATE/environments/web.yaml"
    "$FAILDRILL" -C "$work" plan -e web web_server_dies --no-input >"$work/plan" 2>&1
    status=$?
    cat "$work/plan"
    [ "$status" -eq 3 ] && grep -q 'spreads its traffic over 3 servers' "$work/plan"
}
check "a backend that is spread over all has no primary, and says so" spread

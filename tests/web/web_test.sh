#!/usr/bin/env bash
# web_test.sh - web servers behind two proxies and one address, drilled in every way of scenarios/web.
# SPDX-License-Identifier: Apache-2.0
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
for tool in haproxy nginx keepalived; do
    PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null || skip_all "there is no $tool here"
done
in_lab web
# shellcheck source=tests/drills.sh
. "$root/tests/drills.sh"
drills_of web web

for name in web_server_dies web_server_frozen web_server_lost web_proxy_dies web_address_moves web_proxy_lost; do
    check "$name passes" passes "$name"
    check "$name: within the range that is foreseen" as_predicted
    row "$name"
done
check "web_proxy_lost: who is cut off has the address still, and it is seen" holds 'pri["address"]["split"]["low_ns"] > 5e9'
check "web_keepalived_dies passes" passes web_keepalived_dies
row web_keepalived_dies
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

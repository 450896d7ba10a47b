#!/usr/bin/env bash
# web_test.sh - web servers behind two proxies and one address, drilled in every way of scenarios/web.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/web/web_test.sh      ONLY: some scenarios of scenarios/web, and: spread
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

sees_two_holders() {
    holds 'pri["address"]["split"]["low_ns"] > 5e9'
}
# One proxy alone has it down, and the other one the first server up.
proxies_differ() {
    as_predicted && holds 'pri["address"]["after"] == pri["address"]["before"] and pri["servers"]["split"]["low_ns"] > 10e9'
}
for file in "$root"/scenarios/web/*.yaml; do
    name=${file##*/}
    name=${name%.yaml}
    wanted "$name" || continue
    check "$name passes" passes "$name"
    row "$name"
    case $name in
    web_keepalived_dies) check "$name: two have the address, and it is seen" sees_two_holders ;;
    web_proxy_cut_from_clients) check "$name: it is said that nobody saw it" nobody_saw address orders ;;
    web_server_cut_from_proxy) check "$name: the proxies differ, and it is seen" proxies_differ ;;
    *) check "$name: within the range that is foreseen" as_predicted ;;
    esac
    [ "$name" != web_proxy_lost ] || check "$name: who is cut off has the address still, and it is seen" sees_two_holders
done

# A backend that all servers share has no primary: it is refused, and the plan says what to do.
spread() {
    sed -i 's/backend: orders/backend: shop/' "$LAB_STATE/environments/web.yaml"
    "$FAILDRILL" -C "$work" plan -e web web_server_dies --no-input >"$work/plan" 2>&1
    status=$?
    cat "$work/plan"
    [ "$status" -eq 3 ] && grep -q 'spreads its traffic over 3 servers' "$work/plan"
}
! wanted spread || check "a backend that is spread over all has no primary, and says so" spread

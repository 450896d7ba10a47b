#!/usr/bin/env bash
# parity_test.sh - HAProxy, keepalived and etcd, each twice: equal ones are silent, and each setting is named.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/web/parity_test.sh      ONLY: web etcd
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
for tool in haproxy nginx keepalived etcd; do
    PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null || skip_all "there is no $tool here"
done
export ONLY=${ONLY-$*}
in_lab bare:1
# shellcheck source=tests/databases/parity.sh
. "$root/tests/databases/parity.sh"

# in_files FILE SERVICE PATTERN TEXT: with sed, on the second lab's hosts of that service; it is started anew.
in_files() {
    local host
    for host in web-lb-1 web-lb-2; do
        in_twin "$host" sed -i "s/$3/$4/" "/etc/lab/$1" && in_twin "$host" "/etc/init.d/$2" restart || return 1
    done
    wait_for 30 whole
}
whole() {
    "$FAILDRILL" -C "$work" doctor other --no-input
}
haproxy_set() {
    in_files haproxy.cfg haproxy "\\(default-server.* \\|timeout \\)$1 [0-9a-z]*" "\\1$1 $2"
}
keepalived_set() {
    in_files keepalived.conf keepalived "$1" "$2"
}
advert_set() {
    in_files keepalived.conf keepalived 'advert_int .*' "advert_int $1"
}
# One of the two: who has more keeps more.
priority_set() {
    in_twin web-lb-1 sed -i "s/ priority .*/ priority $1/" /etc/lab/keepalived.conf && in_twin web-lb-1 /etc/init.d/keepalived restart &&
        wait_for 30 whole
}
preempt_set() {
    in_files keepalived.conf keepalived '^    \(no\|#no\)preempt' "    $1preempt"
}
# etcd_set NAME VALUE: as a member was told, and is started with.
etcd_set() {
    local n
    for n in 1 2 3; do
        # shellcheck disable=SC2016
        in_twin "etcd-$n" sh -c 'sed -i "/^$1/d" /etc/lab/etcd.yml && echo "$1: $2" >>/etc/lab/etcd.yml' set "$1" "$2" &&
            in_twin "etcd-$n" /etc/init.d/etcd restart || return 1
        wait_for 30 whole || return 1
    done
}

if wanted web; then
    check "web: two of them are up" twins_of web web web_server_dies
    check "web: an equal pair is silent" wait_for 30 is_silent
    for knob in 'inter 2s 1s' 'fastinter 1s 500ms' 'fall 3 2' 'rise 3 2'; do
        read -r knob value back <<<"$knob"
        differs orders "$knob" haproxy_set "$knob" "$value" "$back"
    done
    differs orders 'timeout check' haproxy_set check 2s 1s
    differs address advert_int advert_set 2 1
    differs address priority priority_set 120 110
    differs address version preempt_set '#no' no
    twins_down
fi
if wanted etcd; then
    check "etcd: two of them are up" twins_of etcd etcd etcd_leader_dies
    check "etcd: an equal pair is silent" wait_for 30 is_silent
    differs etcd election_timeout etcd_set election-timeout 2000 1000
    differs etcd heartbeat_interval etcd_set heartbeat-interval 200 100
    twins_down
fi
parity_sum

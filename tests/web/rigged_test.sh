#!/usr/bin/env bash
# rigged_test.sh - HAProxy, keepalived and etcd with settings made worse: the right one is named, and mended.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/web/rigged_test.sh      ONLY: fall check fastinter advert election
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
for tool in haproxy nginx keepalived etcd; do
    PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null || skip_all "there is no $tool here"
done
export ONLY=${ONLY-$*}
in_lab web etcd
# shellcheck source=tests/databases/rigged.sh
. "$root/tests/databases/rigged.sh"
on() {
    "$lab" --state "$LAB_STATE" exec "$@"
}

# set_line LINE: in the files of those hosts, from which the plan reads it.
set_line() {
    local host words
    read -ra words <<<"$1"
    case $1 in
    advert_int*)
        for host in web-lb-1 web-lb-2; do
            on "$host" sed -i "s/advert_int .*/$1/" /etc/lab/keepalived.conf
            on "$host" /etc/init.d/keepalived restart
        done
        ;;
    --election-timeout=*)
        for host in etcd-1 etcd-2 etcd-3; do
            in_file "$host" /etc/lab/etcd.yml election-timeout "election-timeout: ${1#*=}"
            on "$host" /etc/init.d/etcd restart
        done
        ;;
    *)
        for host in web-lb-1 web-lb-2; do
            case $1 in
            timeout*) on "$host" sed -i "s/timeout check .*/$1/" /etc/lab/haproxy.cfg ;;
            *) on "$host" sed -i "/default-server/s/ ${words[1]} [0-9a-z]*/ ${words[1]} ${words[2]}/" /etc/lab/haproxy.cfg ;;
            esac
            on "$host" /etc/init.d/haproxy restart
        done
        ;;
    esac >/dev/null
}
servers='  orders: {http: "${endpoint.orders}/", every: 100ms, timeout: 1s}
  servers: {primary: orders, every: 250ms}'

export role=orders
rigged_in web 7
if wanted fall; then
    set_line 'default-server fall 10'
    scenario fall '{freeze: primary, for: 30s}' "$servers" '  orders: {max_outage: 25s}
  servers: {failover_within: 6s}'
    rigged fall fall=2
fi
if wanted check; then
    set_line 'timeout check 10s'
    scenario check '{freeze: primary, for: 30s}' "$servers" '  orders: {max_outage: 25s}
  servers: {failover_within: 6s}'
    rigged check timeout_check=1s
fi
if wanted fastinter; then
    set_line 'default-server fastinter 10s'
    scenario fastinter '{freeze: primary, for: 30s}' "$servers" '  orders: {max_outage: 25s}
  servers: {failover_within: 8s}'
    rigged fastinter fastinter=3s
fi
if wanted advert; then
    role=address
    set_line 'advert_int 5'
    scenario advert '{isolate: primary, for: 30s}' '  orders: {http: "${endpoint.orders}/", every: 100ms, timeout: 1s}
  address: {primary: address, every: 250ms}' '  orders: {max_outage: 25s}
  address: {failover_within: 9s}'
    rigged advert advert_int=2
fi
role=etcd
rigged_in etcd 8
if wanted election; then
    set_line --election-timeout=10000
    scenario election '{kill: primary, for: 40s}' '  writes: {ledger: etcd, every: 100ms}
  etcd: {primary: etcd, every: 250ms}' '  writes: {recover_within: 30s}
  etcd: {failover_within: 6s}'
    rigged election election_timeout=1s500ms
fi
rigged_sum

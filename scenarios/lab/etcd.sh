# etcd.sh - how etcd is set up: the set of that name, and beside Patroni.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

etcd_hosts() {
    local n
    for n in 1 2 3; do echo "etcd etcd-$n 3$n etcd"; done
    echo "etcd etcd-api-1 21 idle"
}

# etcd_config PREFIX ADDRESS NAME, of a set whose members are .31 to .33
etcd_config() {
    local n members=''
    for n in 1 2 3; do members+=${members:+,}${3%-*}-$n=http://$1.3$n:2380; done
    cat <<END
name: $3
data-dir: /var/lib/postgresql/etcd
listen-client-urls: http://0.0.0.0:2379
advertise-client-urls: http://$2:2379
listen-peer-urls: http://0.0.0.0:2380
initial-advertise-peer-urls: http://$2:2380
initial-cluster: $members
initial-cluster-state: new
initial-cluster-token: $state
enable-grpc-gateway: true # which a file turns off, and both Patroni and we speak to
logger: zap
log-level: warn
END
}

# What a host of the set has on its disk: etcd_make DIR PREFIX ADDRESS NAME SERVICES
etcd_make() {
    [ "$5" != idle ] || return 0
    mkdir -p "$1/disk/lib/postgresql"
    [ "$EUID" -ne 0 ] || chown -R postgres:postgres "$1/disk/lib/postgresql"
    etcd_config "$2" "$3" "$4" >"$1/disk/etc/lab/etcd.yml"
}

etcd_up() {
    local name
    for name in $(hosts_of etcd); do
        start_services "$name" etcd idle
    done
    wait_until 30 etcd_agrees || set_not_ready etcd "the three do not name one leader"
}

etcd_agrees() {
    local n said leader='' each
    for n in 31 32 33; do
        said=$(etcd_status "$(net_of etcd).$n")
        each=$(sed -n 's/.*"leader":"\([1-9][0-9]*\)".*/\1/p' <<<"$said")
        [ -n "$each" ] && [ "${leader:=$each}" = "$each" ] || return 1
    done
}

etcd_status() {
    (
        exec 5<>"/dev/tcp/$1/2379" || exit 1
        printf 'POST /v3/maintenance/status HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}' >&5
        timeout 3 cat <&5
    ) 2>/dev/null
}

# etcd_rank ADDRESS
etcd_rank() {
    local said
    said=$(etcd_status "$1")
    [[ $said =~ \"member_id\":\"([0-9]+)\" ]] || {
        echo silent
        return
    }
    if [[ $said == *"\"leader\":\"${BASH_REMATCH[1]}\""* ]]; then echo leader; else echo follower; fi
}

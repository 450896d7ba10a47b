# patroni.sh - how the set `patroni` is set up: PostgreSQL with Patroni, etcd beside, a proxy before.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

# etcd on hosts of its own: Patroni 3.0.2 believes what it reads, and on a machine that comes back its own etcd still
# says that it leads; it then takes the lock from whoever has it, and what that one had acknowledged is lost.
patroni_hosts() {
    local n
    for n in 1 2 3; do
        echo "patroni patroni-$n 1$n patroni"
        echo "patroni patroni-etcd-$n 3$n etcd"
    done
    echo "patroni patroni-lb-1 21 haproxy"
}

# patroni_config PREFIX ADDRESS NAME. Shorter times than Patroni's own (30, 10, 10 s), so that a drill takes a minute.
patroni_config() {
    cat <<END
scope: shop
name: $3
restapi: {listen: "0.0.0.0:8008", connect_address: "$2:8008"}
etcd3: {hosts: "$1.31:2379,$1.32:2379,$1.33:2379"}
bootstrap:
  dcs:
    ttl: 10
    loop_wait: 2
    retry_timeout: 3
    maximum_lag_on_failover: 1048576
    synchronous_mode: true
    postgresql:
      use_pg_rewind: true
      use_slots: true
      parameters: {max_connections: 200, max_wal_senders: 10, wal_keep_size: 128MB, wal_log_hints: "on"}
  initdb: [encoding: UTF8, locale: C, data-checksums, no-sync]
  post_bootstrap: /etc/lab/patroni_init
postgresql:
  listen: "0.0.0.0:5432"
  connect_address: "$2:5432"
  data_dir: /var/lib/postgresql/data
  bin_dir: $(postgres_programs)
  pgpass: /tmp/pgpass
  authentication:
    superuser: {username: postgres, password: postgres}
    replication: {username: replicator, password: replicator}
    rewind: {username: rewinder, password: rewinder}
  basebackup: [checkpoint: fast, no-sync]
  parameters: {unix_socket_directories: /tmp, shared_buffers: 16MB, fsync: "off", ssl: "off", tcp_user_timeout: 5000,
    wal_sender_timeout: 5s, wal_receiver_timeout: 5s}
  pg_hba:
  - local all all trust
  - host all all all trust
  - host replication all all trust
END
}

patroni_init() {
    cat <<'END'
#!/bin/sh
# Run by Patroni once, on the first primary.
exec psql -q -v ON_ERROR_STOP=1 -d "$1" -c 'create role drill login' -c 'create database shop owner drill'
END
}

# haproxy_config PREFIX
haproxy_config() {
    local n
    cat <<END
global
    maxconn 2000
defaults
    mode tcp
    timeout connect 1s
    timeout check 1s
    timeout client 1h
    timeout server 1h
listen stats
    bind 0.0.0.0:7000
    mode http
    stats enable
    stats uri /
listen primary
    bind 0.0.0.0:5000
    option httpchk GET /primary
    http-check expect status 200
    default-server inter 1s fastinter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
END
    for n in 1 2 3; do echo "    server patroni-$n $1.1$n:5432 check port 8008"; done
}

postgres_programs() {
    local path
    for path in /usr/lib/postgresql/*/bin/postgres; do
        echo "${path%/postgres}"
        return
    done
}

# What a host of the set has on its disk: patroni_make DIR PREFIX ADDRESS NAME SERVICES
patroni_make() {
    local etc=$1/disk/etc
    mkdir -p "$1/disk/lib/postgresql"
    [ "$EUID" -ne 0 ] || chown -R postgres:postgres "$1/disk/lib/postgresql"
    case $5 in
    etcd) etcd_config "$2" "$3" "$4" >"$etc/lab/etcd.yml" ;;
    patroni)
        patroni_config "$2" "$3" "$4" >"$etc/lab/patroni.yml"
        patroni_init >"$etc/lab/patroni_init"
        chmod 755 "$etc/lab/patroni_init"
        ;;
    haproxy) haproxy_config "$2" >"$etc/lab/haproxy.cfg" ;;
    esac
}

patroni_up() {
    local name
    for name in $(hosts_of patroni); do
        start_services "$name" etcd
    done
    for name in $(hosts_of patroni); do
        start_services "$name" patroni haproxy
    done
    wait_until 90 patroni_replicates || set_not_ready patroni "no PostgreSQL there has two replicas, one of them synchronous"
    wait_until 30 patroni_serves || set_not_ready patroni "nobody can write through $(net_of patroni).21:5000"
}

# The JSON has blanks where Patroni likes them.
patroni_replicates() {
    local n said prefix
    prefix=$(net_of patroni)
    for n in 11 12 13; do
        said=$(http_get "$prefix.$n" 8008 /patroni) || continue
        said=${said//[[:space:]]/}
        [[ $said == *'"role":"master"'* && $said == *'"state":"running"'* ]] || continue
        [ "$(grep -o '"state":"streaming"' <<<"$said" | wc -l)" -eq 2 ] && [[ $said == *'"sync_state":"sync"'* ]]
        return
    done
    return 1
}

patroni_serves() {
    [ "$(PGCONNECT_TIMEOUT=2 psql -w -Atqc 'select not pg_is_in_recovery()' \
        "postgresql://drill@$(net_of patroni).21:5000/shop" 2>/dev/null)" = t ]
}

# patroni_rank ADDRESS
patroni_rank() {
    local said
    said=$(http_get "$1" 8008 /patroni)
    said=${said//[[:space:]]/}
    case $said in
    *'"role":"master"'*) echo primary ;;
    *'"role":"replica"'*) echo replica ;;
    *) echo silent ;;
    esac
}

# autofailover.sh - how the set `autofailover` is set up: PostgreSQL and a replica, failed over by pg_auto_failover.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

autofailover_hosts() {
    local n
    for n in 1 2; do echo "autofailover autofailover-$n 1$n pg_autoctl"; done
    echo "autofailover autofailover-monitor-1 31 pg_autoctl"
    echo "autofailover autofailover-api-1 21 idle"
}

autofailover_make() {
    mkdir -p "$1/disk/lib/postgresql"
    [ "$EUID" -ne 0 ] || chown -R postgres:postgres "$1/disk/lib/postgresql"
}

# autoctl HOST WORD...: pg_autoctl there, which looks for its files from HOME on.
autoctl() {
    postgres_exec "$1" env HOME=/var/lib/postgresql PATH="$(postgres_programs):$host_path" PGDATA=/var/lib/postgresql/data \
        pg_autoctl "${@:2}"
}

autofailover_append() {
    postgres_exec "$1" sh -c 'printf "%s\n" "$2" >>"$1"' append "/var/lib/postgresql/data/$2" "$3"
}

# Shorter times than its own (looks each 5 s, unhealthy after 20 s, 30 s to drain), so that a drill takes a minute.
autofailover_monitor_settings() {
    cat <<'END'
listen_addresses = '*'
fsync = off
pgautofailover.health_check_period = 1000
pgautofailover.health_check_timeout = 1000
pgautofailover.health_check_retry_delay = 500
pgautofailover.health_check_max_retries = 2
pgautofailover.node_considered_unhealthy_timeout = 6000
pgautofailover.primary_demote_timeout = 10000
pgautofailover.startup_grace_period = 2000
END
}
autofailover_settings() {
    cat <<'END'
shared_buffers = 16MB
max_connections = 200
fsync = off
tcp_user_timeout = 5s
wal_sender_timeout = 5s
wal_receiver_timeout = 5s
lc_messages = C
END
}
autofailover_hba() {
    printf 'host all all all trust\nhost replication all all trust\n'
}

# The first time: the monitor, then the primary, then its copy.
autofailover_up() {
    local name prefix
    prefix=$(net_of autofailover)
    start_services autofailover-api-1 idle
    if ! postgres_exec autofailover-monitor-1 test -e /var/lib/postgresql/data/PG_VERSION; then
        autoctl autofailover-monitor-1 create monitor --hostname "$prefix.31" --auth trust --no-ssl \
            >/dev/null 2>&1 || die "autofailover-monitor-1 cannot be made"
        autofailover_append autofailover-monitor-1 pg_hba.conf "$(autofailover_hba)"
        autofailover_append autofailover-monitor-1 postgresql.conf "$(autofailover_monitor_settings)"
    fi
    start_services autofailover-monitor-1 pg_autoctl
    wait_until 30 autofailover_monitors || set_not_ready autofailover "its monitor does not answer"
    for name in autofailover-1 autofailover-2; do
        autofailover_node "$name" || die "$name cannot be made"
        start_services "$name" pg_autoctl
        wait_until 60 autofailover_has "$name" || set_not_ready autofailover "the monitor does not see $name at work"
    done
    psql -Xqw -c 'grant pg_monitor to drill' "postgresql://postgres@$prefix.11/shop" >/dev/null 2>&1 || : # a replica by now
    wait_until 60 autofailover_whole || set_not_ready autofailover "the monitor sees no primary with a secondary"
}

autofailover_node() {
    local address
    postgres_exec "$1" test ! -e /var/lib/postgresql/data/PG_VERSION || return 0
    address=$(<"$state/hosts/$1/address")
    autoctl "$1" create postgres --hostname "$address" --name "$1" --auth trust --no-ssl \
        --username drill --dbname shop \
        --monitor "postgresql://autoctl_node@$(net_of autofailover).31/pg_auto_failover?sslmode=disable" >/dev/null 2>&1 ||
        return 1
    [ "$1" != autofailover-1 ] || {
        autofailover_append "$1" pg_hba.conf "$(autofailover_hba)" &&
            autofailover_append "$1" postgresql.conf "$(autofailover_settings)"
    } || return 1
    autoctl "$1" config set timeout.network_partition_timeout 8 >/dev/null 2>&1
}

# autofailover_ask TEXT: of the monitor, as a node may.
autofailover_ask() {
    PGCONNECT_TIMEOUT=2 psql -XAtqw -c "$1" "postgresql://autoctl_node@$(net_of autofailover).31/pg_auto_failover" \
        2>/dev/null </dev/null
}
autofailover_monitors() {
    [ "$(autofailover_ask 'select 1')" = 1 ]
}
autofailover_has() {
    [ "$(autofailover_ask "select count(*) from pgautofailover.current_state() where nodename = '$1' and
        current_group_state = assigned_group_state and health = 1")" = 1 ]
}
autofailover_whole() {
    [ "$(autofailover_ask "select string_agg(current_group_state::text, ' ' order by current_group_state::text) from
        pgautofailover.current_state() where current_group_state = assigned_group_state and health = 1")" = 'primary secondary' ]
}

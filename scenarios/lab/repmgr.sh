# repmgr.sh - how the set `repmgr` is set up: PostgreSQL with two replicas, failed over by repmgrd on each host.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

repmgr_hosts() {
    local n
    for n in 1 2 3; do echo "repmgr repmgr-$n 1$n postgres repmgrd"; done
    echo "repmgr repmgr-api-1 21 idle"
}

# repmgr_config ADDRESS NAME. Shorter times than repmgr's own (6 looks, 10 s apart), so that a drill takes a minute.
repmgr_config() {
    local programs
    programs=$(postgres_programs)
    cat <<END
node_id=${2##*-}
node_name='$2'
conninfo='host=$1 user=repmgr dbname=repmgr connect_timeout=2'
data_directory='/var/lib/postgresql/data'
pg_bindir='$programs'
repmgr_bindir='$programs'
service_start_command='$programs/pg_ctl -w -D /var/lib/postgresql/data -l /var/lib/postgresql/log -o "-c config_file=/etc/lab/postgresql.conf" start'
service_stop_command='$programs/pg_ctl -w -D /var/lib/postgresql/data -m fast stop'
ssh_options='-q -o ConnectTimeout=5 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null'
failover=automatic
promote_command='$programs/repmgr -f /etc/lab/repmgr.conf standby promote --log-to-file'
follow_command='$programs/repmgr -f /etc/lab/repmgr.conf standby follow --upstream-node-id=%n --log-to-file'
monitor_interval_secs=1
reconnect_attempts=3
reconnect_interval=2
election_rerun_interval=3
primary_visibility_consensus=true
END
}

# What our users may: as in the set `postgres`, and what the drill's reads of repmgr's own tables.
repmgr_users() {
    postgres_users
    cat <<'END'
create role repmgr superuser login;
create database repmgr owner repmgr;
END
}
repmgr_grants() {
    cat <<'END'
grant usage on schema repmgr to drill;
grant select on all tables in schema repmgr to drill;
END
}

# repmgr_make DIR PREFIX ADDRESS NAME SERVICES. A switchover is one host's work on another, by ssh.
repmgr_make() {
    local etc=$1/disk/etc home=$1/disk/lib/postgresql
    mkdir -p "$home/.ssh"
    [ "$5" = idle ] || {
        { postgres_config "$2" && echo "shared_preload_libraries = 'repmgr'"; } >"$etc/lab/postgresql.conf"
        postgres_hba >"$etc/lab/pg_hba.conf"
        : >"$etc/lab/pg_ident.conf"
        repmgr_config "$3" "$4" >"$etc/lab/repmgr.conf"
        install -m 600 "$state/key" "$home/.ssh/id_ed25519"
    }
    [ "$EUID" -ne 0 ] || chown -R postgres:postgres "$home"
}

# repmgr_says HOST WORD...: by repmgr itself.
repmgr_says() {
    postgres_exec "$1" "$(postgres_programs)/repmgr" -f /etc/lab/repmgr.conf "${@:2}"
}

# The first time: host 1 is the primary, the others copy it.
repmgr_up() {
    local name programs address made=''
    programs=$(postgres_programs)
    address=$(net_of repmgr).11
    for name in $(hosts_of repmgr); do
        postgres_exec "$name" test -e /var/lib/postgresql/data/PG_VERSION && made=yes
    done
    if [ -z "$made" ]; then
        postgres_exec repmgr-1 "$programs/initdb" -D /var/lib/postgresql/data -U postgres -E UTF8 --locale=C \
            --no-sync -A trust >/dev/null || die "repmgr-1: initdb ended with $?"
        start_services repmgr-1 postgres
        wait_until 30 postgres_answers "$address" || set_not_ready repmgr "repmgr-1 does not answer"
        repmgr_users | psql -Xqw -v ON_ERROR_STOP=1 "postgresql://postgres@$address/postgres" || die "repmgr-1: no users"
        repmgr_says repmgr-1 primary register >/dev/null 2>&1 || die "repmgr-1 cannot be registered"
        repmgr_grants | psql -Xqw -v ON_ERROR_STOP=1 "postgresql://postgres@$address/repmgr" || die "repmgr-1: no grants"
        all_at_once repmgr_copy repmgr-2 repmgr-3 || die "repmgr: a replica cannot be made"
    fi
    for name in $(hosts_of repmgr); do
        start_services "$name" postgres idle
    done
    wait_until 60 repmgr_replicates || set_not_ready repmgr "no PostgreSQL there has two replicas"
    for name in $(hosts_of repmgr); do
        start_services "$name" repmgrd
    done
    wait_until 60 repmgr_watches || set_not_ready repmgr "repmgrd does not run on every host"
}

repmgr_copy() {
    repmgr_says "$1" -h "$(net_of repmgr).11" -U repmgr -d repmgr standby clone --fast-checkpoint >/dev/null 2>&1 &&
        start_services "$1" postgres && wait_until 30 postgres_answers "$(<"$state/hosts/$1/address")" &&
        repmgr_says "$1" standby register --wait-sync=30 >/dev/null 2>&1
}

repmgr_replicates() {
    local n prefix
    prefix=$(net_of repmgr)
    for n in 11 12 13; do
        [ "$(postgres_sql "$prefix.$n" \
            "select count(*) from pg_stat_replication where state = 'streaming' and not pg_is_in_recovery()")" != 2 ] ||
            return 0
    done
    return 1
}

repmgr_watches() {
    local n
    for n in 11 12 13; do
        [ "$(PGCONNECT_TIMEOUT=2 psql -XAtqw -c 'select repmgr.repmgrd_is_running()' \
            "postgresql://drill@$(net_of repmgr).$n/repmgr" 2>/dev/null </dev/null)" = t ] || return 1
    done
}

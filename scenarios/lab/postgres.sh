# postgres.sh - how the set `postgres` is set up: PostgreSQL with two streaming replicas and nobody to fail it over.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

postgres_hosts() {
    local n
    for n in 1 2 3; do echo "postgres postgres-$n 1$n postgres"; done
    echo "postgres postgres-api-1 21 idle archive"
}

# postgres_config PREFIX. The replicas find the primary as clients do, so they follow whoever is promoted. It waits for
# nobody: what a replica has not got yet is lost with the primary.
postgres_config() {
    cat <<END
data_directory = '/var/lib/postgresql/data'
hba_file = '/etc/lab/pg_hba.conf'
ident_file = '/etc/lab/pg_ident.conf'
listen_addresses = '*'
unix_socket_directories = '/tmp'
shared_buffers = 16MB
max_connections = 200
fsync = off
wal_log_hints = on
wal_keep_size = 128MB
max_wal_senders = 10
synchronous_standby_names = ''
primary_conninfo = 'host=$1.11,$1.12,$1.13 user=replicator target_session_attrs=read-write connect_timeout=2'
tcp_user_timeout = 5s
wal_sender_timeout = 5s
wal_receiver_timeout = 5s
wal_retrieve_retry_interval = 500ms
lc_messages = C
ssl = off
END
}

postgres_hba() {
    cat <<'END'
local all all trust
host all all all trust
host replication all all trust
END
}

# What our users may: the ledger's watches and promotes; pg_rewind's reads files, and sees who is being promoted.
postgres_users() {
    cat <<'END'
create role drill login;
create role replicator login replication;
create role rewinder login;
grant pg_monitor to drill;
grant pg_checkpoint to rewinder;
grant execute on function pg_ls_dir(text, boolean, boolean), pg_stat_file(text, boolean),
    pg_read_binary_file(text), pg_read_binary_file(text, bigint, bigint, boolean), pg_wal_replay_resume() to rewinder;
create database shop owner drill;
\connect shop
grant execute on function pg_promote(boolean, integer) to drill;
create table orders (id bigserial primary key, created_at timestamptz not null default now());
alter table orders owner to drill;
END
}

# postgres_make DIR PREFIX. The client's machine has a base backup and an archive of the log since, to restore from.
postgres_make() {
    local etc=$1/disk/etc
    mkdir -p "$1/disk/lib/postgresql/archive"
    [ "$EUID" -ne 0 ] || chown -R postgres:postgres "$1/disk/lib/postgresql"
    postgres_config "$2" >"$etc/lab/postgresql.conf"
    postgres_hba >"$etc/lab/pg_hba.conf"
    : >"$etc/lab/pg_ident.conf"
    echo "postgresql://replicator@$2.11,$2.12,$2.13/?target_session_attrs=read-write" >"$etc/lab/archive"
}

# postgres_exec HOST PROGRAM ARGUMENT...: as its user.
postgres_exec() {
    local as=()
    [ "$EUID" -ne 0 ] || as=(setpriv --reuid=postgres --regid=postgres --init-groups)
    host_exec "$1" ${as[@]+"${as[@]}"} "${@:2}" </dev/null
}

# The first time: host 1 is the primary, the others copy it.
postgres_up() {
    local name programs prefix made=''
    programs=$(postgres_programs)
    prefix=$(net_of postgres)
    for name in $(hosts_of postgres); do
        postgres_exec "$name" test -e /var/lib/postgresql/data/PG_VERSION && made=yes
    done
    if [ -z "$made" ]; then
        postgres_exec postgres-1 "$programs/initdb" -D /var/lib/postgresql/data -U postgres -E UTF8 --locale=C \
            --no-sync -A trust >/dev/null || die "postgres-1: initdb ended with $?"
        start_services postgres-1 postgres
        wait_until 30 postgres_answers "$prefix.11" || set_not_ready postgres "postgres-1 does not answer"
        postgres_users | psql -Xqw -v ON_ERROR_STOP=1 "postgresql://postgres@$prefix.11/postgres" ||
            die "postgres-1: no users"
        all_at_once postgres_copy postgres-2 postgres-3 || die "postgres: a replica cannot be made"
    fi
    for name in $(hosts_of postgres); do
        start_services "$name" postgres idle archive
    done
    [ -n "$made" ] || postgres_exec postgres-api-1 "$programs/pg_basebackup" -D /var/lib/postgresql/backup --no-sync \
        -c fast -d "host=$prefix.11 user=replicator" || die "postgres-api-1: no backup"
    wait_until 60 postgres_replicates || set_not_ready postgres "no PostgreSQL there has two replicas"
}

postgres_copy() {
    postgres_exec "$1" "$(postgres_programs)/pg_basebackup" -D /var/lib/postgresql/data --no-sync -c fast \
        -d "host=$(net_of postgres).11 user=replicator" &&
        postgres_exec "$1" touch /var/lib/postgresql/data/standby.signal
}

# postgres_sql ADDRESS TEXT
postgres_sql() {
    PGCONNECT_TIMEOUT=2 psql -XAtqw -c "$2" "postgresql://drill@$1/shop" 2>/dev/null </dev/null
}

postgres_answers() {
    PGCONNECT_TIMEOUT=2 psql -XAtqw -c 'select 1' "postgresql://postgres@$1/postgres" >/dev/null 2>&1 </dev/null
}

postgres_replicates() {
    local n prefix
    prefix=$(net_of postgres)
    for n in 11 12 13; do
        [ "$(postgres_sql "$prefix.$n" \
            "select count(*) from pg_stat_replication where state = 'streaming' and
                application_name <> 'pg_receivewal' and not pg_is_in_recovery()")" != 2 ] ||
            return 0
    done
    return 1
}

# postgres_rank ADDRESS
postgres_rank() {
    case $(postgres_sql "$1" 'select pg_is_in_recovery()') in
    f) echo primary ;;
    t) echo replica ;;
    *) echo silent ;;
    esac
}

# mariadb.sh - how the sets `mariadb` and `galera` are set up: three MariaDB each, by replication or by Galera.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

# mariadb_config SET PREFIX ADDRESS NAME
mariadb_config() {
    cat <<END
[mariadbd]
user = mysql
datadir = /var/lib/mysql
socket = /tmp/mariadb.sock
pid-file = /tmp/mariadb.pid
bind-address = 0.0.0.0
skip-name-resolve
init-file = /etc/lab/mariadb.sql
server-id = ${3##*.}
max-connections = 300
innodb-buffer-pool-size = 32M
innodb-log-file-size = 8M
innodb-flush-method = fsync
innodb-use-native-aio = 0
slave-net-timeout = 5
skip-ssl
END
    case $1 in
    mariadb)
        cat <<END
log-bin = binlog
log-slave-updates
sync-binlog = 1
gtid-strict-mode = 1
# A server that starts takes no writes: who leads is said by hand.
read-only = 1
rpl-semi-sync-master-enabled = 1
rpl-semi-sync-slave-enabled = 1
rpl-semi-sync-master-timeout = 10000
rpl-semi-sync-master-wait-point = AFTER_SYNC
END
        ;;
    galera)
        cat <<END
wsrep-on = 1
wsrep-provider = /usr/lib/galera/libgalera_smm.so
wsrep-cluster-name = shop
wsrep-cluster-address = gcomm://$2.11,$2.12,$2.13
wsrep-node-address = $3
wsrep-node-name = $4
wsrep-sst-method = rsync
wsrep-provider-options = "gcache.size=32M; pc.recovery=true"
binlog-format = row
innodb-autoinc-lock-mode = 2
innodb-flush-log-at-trx-commit = 2
END
        ;;
    esac
}

# As whom a former primary is brought back, and as whom it follows.
mariadb_client() {
    cat <<'END'
[client]
user = operator
[replication]
user = replicator
END
}

# What every server knows by its start; each has it itself, and it is no part of what is replicated.
mariadb_users() {
    cat <<'END'
set session sql_log_bin = 0;
create database if not exists shop;
create user if not exists drill@'%';
grant select, insert, update, delete, create, drop, alter on shop.* to drill@'%';
grant replica monitor, binlog monitor on *.* to drill@'%';
create user if not exists operator@'%';
grant all on *.* to operator@'%' with grant option;
create user if not exists replicator@'%';
grant replication slave on *.* to replicator@'%';
END
}

mariadb_hosts() {
    local n
    for n in 1 2 3; do echo "mariadb mariadb-$n 1$n mariadb"; done
    echo "mariadb mariadb-api-1 21 idle"
}

galera_hosts() {
    local n
    for n in 1 2 3; do echo "galera galera-$n 1$n mariadb"; done
    echo "galera galera-api-1 21 idle"
}

# What a host of either set has on its disk: DIR PREFIX ADDRESS NAME SERVICES
mariadb_make() {
    mariadb_disk mariadb "$@"
}
galera_make() {
    mariadb_disk galera "$@"
}
mariadb_disk() {
    local set=$1 dir=$2
    [ "$6" = mariadb ] || return 0
    mkdir -p "$dir/disk/lib/mysql"
    mariadb_config "$set" "$3" "$4" "$5" >"$dir/disk/etc/lab/mariadb.cnf"
    mariadb_client >"$dir/disk/etc/lab/client.cnf"
    mariadb_users >"$dir/disk/etc/lab/mariadb.sql"
    (
        flock 7
        [ -e "$state/mariadb.tar" ] || mariadb_seed
    ) 7>>"$state/mariadb.lock" && tar -C "$dir/disk/lib/mysql" -xpf "$state/mariadb.tar"
}

# The empty databases of all hosts: made once, for two that are made at once disturb each other.
mariadb_seed() {
    local dir=$state/mariadb.new as=()
    rm -rf "$dir"
    mkdir -p "$dir/tmp" "$dir/data"
    [ "$EUID" -ne 0 ] || {
        as=(--user=mysql)
        chown mysql:mysql "$dir/tmp" "$dir/data"
        chmod 755 "$dir"
    }
    mariadb-install-db --no-defaults ${as[@]+"${as[@]}"} --datadir="$dir/data" --tmpdir="$dir/tmp" --skip-test-db \
        --skip-name-resolve --auth-root-authentication-method=normal --innodb-log-file-size=8M \
        --innodb-flush-method=nosync --innodb-use-native-aio=0 >"$dir/log" 2>&1 || {
        grep -E 'ERROR|denied|annot' "$dir/log" >&2
        return 1
    }
    tar -C "$dir/data" -cf "$dir/tar" . && mv "$dir/tar" "$state/mariadb.tar"
    rm -rf "$dir"
}

# mariadb_say HOST TEXT
mariadb_say() {
    host_exec "$1" timeout 5 mariadb --defaults-file=/etc/lab/client.cnf --protocol=tcp -N -B -e "$2" 2>/dev/null
}

mariadb_answers() {
    [ "$(mariadb_say "$1" 'select 1')" = 1 ]
}

# Who leads: the one that takes writes; nobody after a first start.
mariadb_leader() {
    local n
    for n in 1 2 3; do
        [ "$(mariadb_rank "mariadb-$n")" != primary ] || {
            echo "mariadb-$n"
            return
        }
    done
    return 1
}

mariadb_up() {
    local n leader prefix
    prefix=$(net_of mariadb)
    for n in 1 2 3; do start_services "mariadb-$n" mariadb; done
    start_services mariadb-api-1 idle
    for n in 1 2 3; do
        wait_until 60 mariadb_answers "mariadb-$n" || set_not_ready mariadb "MariaDB on mariadb-$n does not answer"
    done
    leader=$(mariadb_leader) || {
        leader=mariadb-1
        mariadb_say mariadb-1 'set global read_only = 0'
    }
    for n in 1 2 3; do
        [ "mariadb-$n" = "$leader" ] || [ -n "$(mariadb_say "mariadb-$n" 'show slave status')" ] ||
            mariadb_say "mariadb-$n" "change master to master_host = '$prefix.1${leader#mariadb-}', master_port = 3306,
                master_user = 'replicator', master_use_gtid = slave_pos,
                master_connect_retry = 1; start slave"
    done
    wait_until 30 mariadb_replicates || set_not_ready mariadb "no MariaDB there has two replicas, semi-synchronous"
}

mariadb_replicates() {
    local leader
    leader=$(mariadb_leader) && [ "$(mariadb_say "$leader" "select group_concat(variable_value order by variable_name)
        from information_schema.global_status where variable_name in
        ('rpl_semi_sync_master_clients', 'rpl_semi_sync_master_status')")" = 2,ON ]
}

galera_up() {
    local n
    for n in 1 2 3; do
        galera_serves "galera-$n" && break
    done
    if ! galera_serves "galera-$n"; then
        host_exec galera-1 /etc/init.d/mariadb start --wsrep-new-cluster >/dev/null
        wait_until 60 galera_serves galera-1 || set_not_ready galera "galera-1 does not begin a cluster"
    fi
    for n in 1 2 3; do start_services "galera-$n" mariadb; done
    start_services galera-api-1 idle
    for n in 1 2 3; do
        wait_until 60 galera_is_whole "galera-$n" || set_not_ready galera "galera-$n does not see three, and itself in sync"
    done
}

galera_state() {
    mariadb_say "$1" "select group_concat(variable_value order by variable_name) from information_schema.global_status
        where variable_name in ('wsrep_cluster_status', 'wsrep_ready', 'wsrep_cluster_size', 'wsrep_local_state_comment')"
}

galera_serves() {
    [[ $(galera_state "$1") == *,Primary,*,ON ]]
}

galera_is_whole() {
    [ "$(galera_state "$1")" = 3,Primary,Synced,ON ]
}

# mariadb_rank HOST
mariadb_rank() {
    local said
    case $1 in
    galera-*)
        said=$(galera_state "$1") || said=silent
        echo "${said:-silent}"
        ;;
    *)
        said=$(mariadb_say "$1" "select concat('ro=', @@global.read_only); show slave status") || said=silent
        case $said in
        silent) echo silent ;;
        ro=0 | ro=OFF) echo primary ;;
        ro=1 | ro=ON) echo alone ;;
        *) echo replica ;;
        esac
        ;;
    esac
}

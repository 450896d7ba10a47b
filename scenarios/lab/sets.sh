# sets.sh - which hosts a set has, how its Redis is set up, and when it is ready.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

# A set may be functions of its name: SET_hosts, SET_make, SET_up. Its addresses: net_of.
all_sets=(staging production fresh bare patroni postgres web etcd pair redis-cluster redis rabbitmq repmgr autofailover mariadb galera)
all_services=(etcd rabbitmq patroni postgres repmgrd pg_autoctl archive mariadb nginx haproxy keepalived redis-server redis-sentinel shop counter idle) # in the order of their start
sets=() # the sets of this command, each once
want=() # a line a host of theirs: SET NAME OCTET SERVICES

# For down and status: which sets, whatever is in them.
sets_choose() {
    local item
    sets=()
    for item in "${@:-${all_sets[@]}}"; do
        item=${item%%:*}
        [[ " ${all_sets[*]} " == *" $item "* ]] || die "'$item' is no set: ${all_sets[*]/bare/bare:N}"
        [[ " ${sets[*]-} " == *" $item "* ]] || sets+=("$item")
    done
}

# For up: their hosts too.
sets_want() {
    local item n
    sets_choose "$@"
    want=()
    for item in "$@"; do
        case $item in
        staging | production)
            for n in 1 2 3; do want+=("$item $item-redis-$n 1$n redis-server redis-sentinel"); done
            want+=("$item $item-api-1 21 shop")
            ;;
        fresh)
            for n in 1 2 3; do want+=("fresh fresh-$n 1$n redis-server redis-sentinel"); done
            ;;
        redis-cluster)
            for n in 1 2 3 4 5 6; do want+=("redis-cluster redis-cluster-$n 1$n redis-server"); done
            want+=("redis-cluster redis-cluster-api-1 21 idle")
            ;;
        redis)
            for n in 1 2 3; do want+=("redis redis-$n 1$n redis-server"); done
            want+=("redis redis-api-1 21 idle")
            ;;
        *)
            if declare -F "${item}_hosts" >/dev/null; then
                mapfile -t -O "${#want[@]}" want < <("${item}_hosts")
                continue
            fi
            [[ $item =~ ^bare:([1-9][0-9]{0,2})$ ]] && [ "${BASH_REMATCH[1]}" -le 200 ] ||
                die "'$item': say bare:N, with N from 1 to 200"
            for ((n = 1; n <= BASH_REMATCH[1]; n++)); do want+=("bare bare-$n $((10 + n)) idle"); done
            ;;
        esac
    done
}

set_hosts_file() {
    local line set name octet
    printf '127.0.0.1 localhost\n'
    for line in "${want[@]}"; do
        read -r set name octet _ <<<"$line"
        [ "$set" != "$1" ] || printf '%s.%s %s\n' "$(net_of "$set")" "$octet" "$name"
    done
}

# redis_config PREFIX ADDRESS, with the set's addresses under PREFIX.
redis_config() {
    cat <<END
bind 0.0.0.0
port 6379
protected-mode no
dir /var/lib/redis
appendonly yes
min-replicas-to-write 1
min-replicas-max-lag 10
save ""
repl-diskless-sync-delay 0
replica-announce-ip $2
END
    [ "$2" = "$1.11" ] || printf 'replicaof %s.11 6379\n' "$1"
}

# Sentinels find each other and the replicas by asking every 2 and every 10 s; told so here, they know at once.
sentinel_config() {
    local n
    cat <<END
bind 0.0.0.0
port 26379
protected-mode no
dir /tmp
sentinel myid $(sentinel_id "$2")
sentinel announce-ip $2
sentinel monitor shop $1.11 6379 2
sentinel down-after-milliseconds shop 2000
sentinel failover-timeout shop 10000
sentinel parallel-syncs shop 1
END
    for n in 12 13; do
        printf 'sentinel known-replica shop %s 6379\n' "$1.$n"
    done
    for n in 11 12 13; do
        [ "$1.$n" = "$2" ] || printf 'sentinel known-sentinel shop %s 26379 %s\n' "$1.$n" "$(sentinel_id "$1.$n")"
    done
}

sentinel_id() {
    local sum
    sum=$(sha1sum <<<"$state $1")
    printf '%s\n' "${sum%% *}"
}

# ask ADDRESS PORT COMMAND...
ask() {
    timeout 2 redis-cli -h "$1" -p "$2" "${@:3}" 2>/dev/null
}

redis_rank() {
    local rank
    rank=$(ask "$1" 6379 role) || rank=silent
    rank=${rank%%$'\n'*}
    case $rank in master) rank=primary ;; slave) rank=replica ;; esac
    printf '%s\n' "$rank"
}

# Starts a set's services. Sentinel comes last, for it then finds all in place at its first look and not at its second,
# 10 s later.
set_up() {
    local name
    case $1 in
    patroni | postgres | web | etcd | pair | rabbitmq | repmgr | autofailover | mariadb | galera) "${1}_up" && return ;;
    redis-cluster) redis_cluster_up && return ;;
    redis) redis_alone_up && return ;;
    esac
    for name in $(hosts_of "$1"); do
        start_services "$name" redis-server shop idle
    done
    case $1 in staging | production | fresh) ;; *) return ;; esac
    wait_until 120 redis_replicates "$1" || set_not_ready "$1" "no Redis there has two replicas online"
    for name in $(hosts_of "$1"); do
        start_services "$name" redis-sentinel
    done
    wait_until 120 sentinels_agree "$1" ||
        set_not_ready "$1" "the Sentinels do not see one primary, two replicas and each other"
    [ "$1" = fresh ] || wait_until 120 http_ok "$(net_of "$1").21" /checkout/ping ||
        set_not_ready "$1" "http://$(net_of "$1").21:8080/checkout/ping does not answer 200"
}

set_not_ready() {
    local hint=''
    [ "$(cat /proc/sys/net/bridge/bridge-nf-call-iptables 2>/dev/null)" != 1 ] ||
        hint=" (this machine's firewall filters bridges: is forwarding allowed on $(bridge_of "$1")?)"
    die "$1 is not ready: $2$hint"
}

# start_services HOST SERVICE...: those that the host has.
start_services() {
    local name=$1 service have
    have=" $(<"$state/hosts/$name/services") "
    shift
    for service in "$@"; do
        [[ $have != *" $service "* ]] || host_exec "$name" "/etc/init.d/$service" start >/dev/null ||
            die "$name: cannot start $service"
    done
}

redis_replicates() {
    local n
    for n in 11 12 13; do
        has_two_replicas "$(net_of "$1").$n" && return
    done
    return 1
}

has_two_replicas() {
    local info
    info=$(ask "$1" 6379 info replication) || return 1
    [[ $info == *role:master* ]] && [ "$(grep -c '^slave[0-9]*:.*state=online' <<<"$info")" -eq 2 ]
}

sentinels_agree() {
    local prefix n primary='' seen key value
    local -A fact
    prefix=$(net_of "$1")
    for n in 11 12 13; do
        seen=$(ask "$prefix.$n" 26379 sentinel master shop) || return 1
        fact=()
        while read -r key && read -r value; do fact[$key]=$value; done <<<"$seen"
        [ "${fact[flags]-} ${fact[num-slaves]-} ${fact[num-other-sentinels]-}" = "master 2 2" ] || return 1
        [ "${primary:=${fact[ip]}}" = "${fact[ip]}" ] || return 1
        seen=$(ask "$prefix.$n" 26379 sentinel replicas shop) || return 1
        [ "$(grep -A1 -x flags <<<"$seen" | grep -cx slave)" -eq 2 ] || return 1
        [ "$(grep -A1 -x master-link-status <<<"$seen" | grep -cx ok)" -eq 2 ] || return 1
        seen=$(ask "$prefix.$n" 26379 sentinel ckquorum shop) && [[ $seen == OK* ]] || return 1
    done
    has_two_replicas "$primary"
}

# http_get ADDRESS PORT PATH: prints the answer, whatever its status.
http_get() {
    (
        exec 5<>"/dev/tcp/$1/$2" || exit 1
        printf 'GET %s HTTP/1.0\r\n\r\n' "$3" >&5
        timeout 3 cat <&5
    ) 2>/dev/null
}

http_ok() {
    (
        exec 5<>"/dev/tcp/$1/8080" || exit 1
        printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&5
        read -r -t 3 _ status _ <&5
        [ "$status" = 200 ]
    ) 2>/dev/null
}

# The environment of the bare set: reached without ssh.
bare_environment() {
    local name
    cat <<END
environment: bare
roles:
  idle:
    hosts:
END
    for name in $(hosts_of bare); do
        printf '      %s: {address: %s}\n' "$name" "$(<"$state/hosts/$name/address")"
    done
    cat <<END
    service: {pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}
    reach: {prefix: [$here/lab, --state, $state, exec, "\${host.name}"]}
END
}

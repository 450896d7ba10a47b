# redis.sh - how the sets `redis-cluster` and `redis` are set up: Redis without Sentinel.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

# redis_alone_config PREFIX ADDRESS: a primary and two replicas that nobody watches over.
redis_alone_config() {
    redis_config "$@" | sed '/^min-replicas/d'
    printf 'repl-timeout 5\nrepl-ping-replica-period 1\n'
}

# redis_cluster_config ADDRESS. A shorter timeout than Redis' own (15 s), so that a drill takes half a minute.
redis_cluster_config() {
    cat <<END
bind 0.0.0.0
port 6379
protected-mode no
dir /var/lib/redis
appendonly yes
save ""
repl-diskless-sync-delay 0
repl-timeout 5
repl-ping-replica-period 1
cluster-enabled yes
cluster-config-file nodes.conf
cluster-node-timeout 3000
cluster-announce-ip $1
END
}

# Three shards of one replica each, made once: hosts keep what they know on their disks.
redis_cluster_up() {
    local name prefix n places=()
    prefix=$(net_of redis-cluster)
    for name in $(hosts_of redis-cluster); do
        start_services "$name" redis-server idle
    done
    for n in 11 12 13 14 15 16; do
        wait_until 10 redis_answers "$prefix.$n" || set_not_ready redis-cluster "Redis on $prefix.$n does not answer"
        places+=("$prefix.$n:6379")
    done
    redis_has_slots "$prefix.11" ||
        redis-cli --cluster create "${places[@]}" --cluster-replicas 1 --cluster-yes >/dev/null ||
        set_not_ready redis-cluster "redis-cli cannot make a cluster of them"
    wait_until 30 redis_cluster_is_whole ||
        set_not_ready redis-cluster "not all slots are served, or not every primary has its replica online"
}

redis_answers() {
    [ "$(ask "$1" 6379 ping)" = PONG ]
}

redis_has_slots() {
    [[ $(ask "$1" 6379 cluster info) == *cluster_slots_assigned:16384* ]]
}

redis_cluster_is_whole() {
    local n info linked=0
    for n in 11 12 13 14 15 16; do
        info=$(ask "$(net_of redis-cluster).$n" 6379 cluster info) || return 1
        [[ $info == *cluster_state:ok* && $info == *cluster_slots_ok:16384* && $info == *cluster_known_nodes:6* ]] || return 1
        info=$(ask "$(net_of redis-cluster).$n" 6379 info replication) || return 1
        [[ $info != *master_link_status:up* ]] || linked=$((linked + 1))
    done
    [ "$linked" -eq 3 ]
}

redis_alone_up() {
    local name
    for name in $(hosts_of redis); do
        start_services "$name" redis-server idle
    done
    wait_until 30 redis_replicates redis || set_not_ready redis "no Redis there has two replicas online"
}

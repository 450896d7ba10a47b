# rabbitmq.sh - how RabbitMQ is set up: a cluster of three with one quorum queue, the set of that name.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

rabbitmq_hosts() {
    local n
    for n in 1 2 3; do echo "rabbitmq rabbitmq-$n 1$n rabbitmq"; done
    echo "rabbitmq rabbitmq-api-1 21 idle"
}

# What a host of the set has on its disk: rabbitmq_make DIR PREFIX ADDRESS NAME SERVICES
rabbitmq_make() {
    local home=$1/disk/lib/rabbitmq
    [ "$5" != idle ] || return 0
    mkdir -p "$home" "$1/disk/log/rabbitmq" "$1/disk/etc/rabbitmq"
    printf 'LAB%s' "$(cksum <<<"$state" | tr -d ' /')" >"$home/.erlang.cookie"
    chmod 600 "$home/.erlang.cookie"
    rabbitmq_config >"$1/disk/etc/rabbitmq/rabbitmq.conf"
    echo '[rabbitmq_management].' >"$1/disk/etc/rabbitmq/enabled_plugins"
    # Two cores for three of them: they wait for each other less where none spins.
    echo 'SERVER_ADDITIONAL_ERL_ARGS="+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"' >"$1/disk/etc/rabbitmq/rabbitmq-env.conf"
    [ "$EUID" -ne 0 ] || chown -R rabbitmq:rabbitmq "$home" "$1/disk/log/rabbitmq" "$1/disk/etc/rabbitmq"
}

rabbitmq_config() {
    cat <<END
listeners.tcp.default = 0.0.0.0:5672
management.tcp.ip = 0.0.0.0
management.tcp.port = 15672
cluster_formation.peer_discovery_backend = classic_config
cluster_formation.classic_config.nodes.1 = rabbit@rabbitmq-1
cluster_formation.classic_config.nodes.2 = rabbit@rabbitmq-2
cluster_formation.classic_config.nodes.3 = rabbit@rabbitmq-3
cluster_partition_handling = pause_minority
cluster_formation.discovery_retry_limit = 1
cluster_formation.discovery_retry_interval = 100
# The user of a new server, also from elsewhere.
loopback_users = none
log.file.level = warning
END
}

rabbitmq_up() {
    local name
    for name in $(hosts_of rabbitmq); do
        start_services "$name" rabbitmq idle
    done
    wait_until 180 rabbitmq_is_one || set_not_ready rabbitmq "the three are no cluster"
    rabbitmq_api PUT /queues/%2f/drills '{"durable": true, "arguments": {"x-queue-type": "quorum"}}' >/dev/null ||
        set_not_ready rabbitmq "it makes no queue"
    wait_until 60 rabbitmq_is_whole || set_not_ready rabbitmq "the queue does not have a leader and two followers"
}

# rabbitmq_api METHOD PATH [BODY]: what the first one's management says; 1 unless it is a success.
rabbitmq_api() {
    local said
    said=$(rabbitmq_request "$@" 2>/dev/null)
    printf '%s\n' "$said"
    [[ $said == HTTP/1.?\ 2* ]]
}

rabbitmq_request() {
    exec 5<>"/dev/tcp/$(net_of rabbitmq).11/15672" || exit 1
    printf '%s /api%s HTTP/1.0\r\nAuthorization: Basic Z3Vlc3Q6Z3Vlc3Q=\r\n' "$1" "$2" >&5
    printf 'Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' "${#3}" "$3" >&5
    timeout 5 cat <&5
}

rabbitmq_is_one() {
    [ "$(rabbitmq_api GET /nodes?columns=running '' | grep -o true | wc -l)" -eq 3 ]
}

rabbitmq_is_whole() {
    [ "$(for name in rabbitmq-{1..3}; do rabbitmq_rank "$name"; done | sort | uniq -c | tr -d ' \n')" = 2follower1leader ]
}

# rabbitmq_rank HOST: of the queue's member there, as its own Ra has it.
rabbitmq_rank() {
    local said
    # shellcheck disable=SC2016
    said=$(host_exec "$1" sh -c 'HOME=/var/lib/rabbitmq exec timeout 3 erl_call -r -sname "rabbit@$(hostname)" -a "ets lookup [ra_state, '"'%2F_drills'"']"' 2>/dev/null)
    if [[ $said =~ ,\ ([a-z_]+)\} ]]; then echo "${BASH_REMATCH[1]}"; else echo silent; fi
}

# holder_redis.sh - the host's own Redis, asked by redis-cli with the password that its file has.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015,SC2034
# Stands behind holder.sh and redis_host.sh; functions only. `address`, `port`, `config` and `tls`
# say which. Where the file `server` names one (pid, start time), that one alone is meant.

# redis_ask WORD...: by redis-cli; what it says is on stdout, without the carriage returns.
redis_ask() {
    (redis "$own_secret" "$address" "$port" "$@" 5<&- 8<&-) | tr -d '\r'
}

# redis_field NAME: of what `info` holds.
redis_field() {
    printf '%s\n' "$info" | sed -n "s/^$1://p"
}

# Sets `server`, `server_born` and `info`. 1: nobody answers. 2: it is no process of this host.
redis_server() {
    own_port=$port answer_within=4
    read_access
    redis_why="no Redis answers at $address:$port with the password in $config"
    info=$(redis_ask info </dev/null)
    server=$(redis_field process_id)
    case $server in '' | *[!0-9]*) return 1 ;; esac
    redis_why="the Redis that answers at $address:$port is no process of this host"
    [ "/proc/$server/ns/net" -ef /proc/self/ns/net ] && look_at "$server" || return 2
    server_born=$born
}

redis_must_run() {
    command -v redis-cli >/dev/null || hold_fail "there is no redis-cli here (apt-get install redis-tools)"
    redis_server || hold_fail "$redis_why"
}

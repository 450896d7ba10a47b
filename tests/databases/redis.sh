# redis.sh - what the tests of Redis that nobody watches over share: its hosts asked directly, a project of their own.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
export role=redis
net=$(<"$LAB_STATE/net")
net=${net%.*}.$((${net##*.} + 11))
# shellcheck source=tests/drills.sh
. "$root/tests/drills.sh"
drills_of redis_alone redis

# redis N WORD...: to redis-N itself.
redis() {
    timeout 5 redis-cli -h "$net.1$1" "${@:2}" 2>&1
}
on() {
    "$lab" --state "$LAB_STATE" exec "redis-$1" "${@:2}"
}
redis_on() {
    on "$1" /etc/init.d/redis-server "$2"
}
is_down() {
    [[ $(redis_on "$before" status) == *"not running"* ]]
}
# By number, those that say that they lead.
leaders() {
    local n
    for n in 1 2 3; do
        [ "$(redis $n role | head -n 1)" != master ] || echo "$n"
    done
}
# One leads, and two are in step with whom they follow.
is_whole() {
    local n linked=0
    n=$(leaders)
    [ ${#n} -eq 1 ] || return 1
    for n in 1 2 3; do
        ! redis $n info replication | grep -q '^master_link_status:up' || linked=$((linked + 1))
    done
    [ "$linked" -eq 2 ]
}
# Whoever is started next, or boots, is what it is now.
files_agree() {
    local n whom
    for n in 1 2 3; do
        whom=$(redis $n info replication | tr -d '\r' | sed -n 's/^master_host://p')
        [ "$(on $n sed -n 's/^replicaof \([^ ]*\) .*/\1/p' /etc/redis/redis.conf)" = "$whom" ] || {
            echo "redis-$n does not follow ${whom:-nobody} by its file"
            return 1
        }
    done
}
# follows N: it is a replica of who leads now.
follows() {
    [ "$(redis "$1" role | head -n 3 | tr '\n' ' ')" = "slave $net.1$(leaders) 6379 " ]
}
# setting NAME VALUE: on all hosts, and in their files.
setting() {
    local n
    for n in 1 2 3; do
        [ "$(redis $n config set "$1" "$2")" = OK ] && [ "$(redis $n config rewrite)" = OK ] || return 1
    done
}

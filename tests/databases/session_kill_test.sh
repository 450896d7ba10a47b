#!/usr/bin/env bash
# session_kill_test.sh - sessions of a PostgreSQL and a Redis are ended: those that are meant, counted, and no others.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/session_kill_test.sh      ONLY: named everybody replicas refusals runner_killed by_address redis
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || skip_all "there is no PostgreSQL here"
export ONLY=${ONLY-$*}
in_lab postgres redis

# shellcheck source=tests/databases/postgres.sh
. "$root/tests/databases/postgres.sh"
# shellcheck source=tests/databases/held.sh
. "$root/tests/databases/held.sh"

# clients COUNT NAME: so many sessions that call themselves so, from the clients' machine.
clients() {
    local n
    for ((n = 0; n < $1; n++)); do
        "$lab" --state "$LAB_STATE" exec postgres-api-1 env PGAPPNAME="$2" psql -XAtqw -c 'select pg_sleep(120)' \
            "postgresql://drill@$net.1$before/shop" </dev/null >/dev/null 2>&1 &
    done
    wait_for 30 eval '[ "$(sessions '"$2"')" = '"$1"' ]'
}
sessions() {
    sql "$before" "select count(*) from pg_stat_activity where application_name = '$1'" postgres
}
# Whoever sends the log to replicas, by pid and start.
senders() {
    sql "$before" "select string_agg(pid::text || backend_start, ' ' order by pid) from pg_stat_activity
        where backend_type = 'walsender'" postgres
}
end_clients() {
    sql "$before" "select count(pg_terminate_backend(pid)) from pg_stat_activity where query ~ '^select pg_sleep'" postgres >/dev/null
}
is_gone() {
    ! on "$before" sh -c 'test -e /run/faildrill'
}
# ended STEP WORDS: it passes and says so.
ended() {
    scenario ended "session_kill: $1"
    drill ended
    cat "$work/said"
    [ "$status" -eq 0 ] && grep -qF -- "$2" "$work/said"
}
named() {
    check "by name: they are there" eval 'clients 3 shop-api && clients 2 other'
    senders_before=$(senders)
    check "by name: PASS, and how many were ended" ended 'primary, application: shop-api, user: drill, database: shop' '3 sessions were ended'
    check "by name: those three, and no others" [ "$(sessions shop-api) $(sessions other)" = "0 2" ]
    check "by name: replicas get their data as before" [ "$(senders)" = "$senders_before" ]
    check "by name: nothing of ours is left on the host" is_gone
    end_clients
}
by_address() {
    check "by address: they are there" clients 2 shop-api
    check "by address: from elsewhere there is none" refused_as 3 'there is no such session' 'primary, client: 203.0.113.9'
    check "by address: PASS" ended "primary, client: $net.21" '2 sessions were ended'
    check "by address: they are gone" [ "$(sessions shop-api)" = 0 ]
}
everybody() {
    check "everybody: they are there" eval 'clients 2 shop-api && clients 1 faildrill'
    senders_before=$(senders)
    check "everybody: PASS" ended primary 'sessions were ended'
    check "everybody: all but what calls itself faildrill" [ "$(sessions shop-api)" = 0 ]
    check "everybody: replicas get their data as before" [ "$(senders)" = "$senders_before" ]
    check "everybody: ours goes on" sql "$before" "select 1 / count(*) from pg_stat_activity where application_name = 'faildrill'
        and query ~ '^select pg_sleep'" postgres
    end_clients
}
replicas() {
    senders_before=$(senders)
    check "replication: PASS" ended 'primary, replication: true, user: replicator' 'sessions were ended'
    wait_for 60 is_whole
    check "replication: the replicas came back with sessions of their own" [ "$(senders)" != "$senders_before" ]
}
# refused_as STATUS WORDS STEP
refused_as() {
    scenario refused "session_kill: $3"
    refused "$1" refused "$2"
}
refusals() {
    check "nobody is there: NOT READY" refused_as 3 'there is no such session' 'primary, application: nobody'
    check "no server is there: NOT READY" refused_as 3 'has port 5499' 'primary, port: 5499'
    check "what would end a statement: refused" refused_as 2 'no plain name' "primary, user: \"x' or true\""
}
runner_killed() {
    check "the runner is killed: they are there" clients 2 shop-api
    scenario long 'session_kill: primary, application: shop-api'
    sed -i 's/^observe: 1s/observe: 60s/' "$work/own/long.yaml"
    check "the runner is killed: they were ended" begin long eval '[ "$(sessions shop-api)" = 0 ]'
    check "the runner is killed: whoever comes again" clients 2 shop-api
    check "the runner is killed: by SIGKILL" kill_runner
    check "the runner is killed: nothing of ours is left after the lease" wait_for $((lease + 8)) is_gone
    check "the runner is killed: whoever came again stays" [ "$(sessions shop-api)" = 2 ]
    "$FAILDRILL" -C "$work" undo
    end_clients
}

# ---- Redis ----

cached() {
    "$lab" --state "$LAB_STATE" exec "$1" redis-cli -h "$cache" "${@:2}"
}
cache_leader() {
    local n
    for n in 1 2 3; do
        cache=$cache_net.1$n
        [ "$(cached redis-1 role | head -n 1)" != master ] || return 0
    done
    return 1
}
# cache_clients COUNT NAME: from redis-1's machine, each waits for a list that nobody fills.
cache_clients() {
    local n
    for ((n = 0; n < $1; n++)); do
        printf 'client setname %s\nblpop nothing 120\n' "$2" | cached redis-2 >/dev/null 2>&1 &
    done
    wait_for 20 eval '[ "$(cache_named '"$2"')" = '"$1"' ]'
}
cache_named() {
    cached redis-1 client list | grep -c " name=$1 .*cmd=blpop"
}
cache_idle() {
    [ "$(cached redis-1 client list | grep -c ' name=idle .*cmd=client')" = "$1" ]
}
cache_replicas() {
    cached redis-1 client list type replica | sed -n 's/^id=\([0-9]*\) .*/\1/p' | tr '\n' ' '
}
cache_scenario() {
    scenario "$@"
    sed -i "s/role: postgres, is: primary/role: redis, is: primary/; s/primary: postgres/primary: redis/; s/postgres: {/cache: {/" "$work/own/$1.yaml"
}
cache_ended() {
    cache_scenario ended "session_kill: $1"
    drill ended
    cat "$work/said"
    [ "$status" -eq 0 ] && grep -qF -- "$2" "$work/said"
}
redis() {
    cache_net=${net%.*}.$((${net##*.} + 5))
    environment=redis_alone
    check "Redis: there is a primary" wait_for 30 cache_leader
    check "Redis: clients are there" eval 'cache_clients 3 shop && cache_clients 2 other'
    # As in a pool that nobody has used yet: its name is all that it ever said.
    mkfifo "$work/idle"
    cached redis-2 <"$work/idle" >/dev/null 2>&1 &
    exec 5>"$work/idle"
    echo 'client setname idle' >&5
    check "Redis: so is one that has only said its name" wait_for 20 cache_idle 1
    # An application may run where the runner does.
    redis-cli -h "$cache" blpop nothing 120 >/dev/null 2>&1 &
    local beside=$!
    # Nobody knows whether one is ours whose user names none.
    redis-cli -h "$cache" acl setuser another on nopass '~*' +@all -client >/dev/null
    redis-cli -h "$cache" --user another --pass none blpop nothing 120 >/dev/null 2>&1 &
    local doubtful=$!
    links=$(cache_replicas)
    check "Redis: by name: PASS, and how many" cache_ended 'primary, application: shop' '3 sessions were ended'
    check "Redis: by name: those three, and no others" [ "$(cache_named shop) $(cache_named other)" = "0 2" ]
    check "Redis: everybody: PASS" cache_ended primary 'sessions were ended'
    check "Redis: everybody: nobody is left" [ "$(cache_named other)" = 0 ]
    check "Redis: everybody: also who has only said its name" cache_idle 0
    check "Redis: everybody: also who comes from the runner's address" wait_for 5 eval '! kill -0 '"$beside"' 2>/dev/null'
    check "Redis: everybody: not whom it cannot tell from ours" kill "$doubtful"
    redis-cli -h "$cache" acl deluser another >/dev/null
    exec 5>&-
    check "Redis: replicas keep their links" [ "$(cache_replicas)" = "$links" ]
    check "Redis: by a database: refused" eval '! cache_ended "primary, database: shop" PASS'
    environment=postgres
}

for part in named by_address everybody replicas refusals runner_killed redis; do
    wanted "$part" || continue
    wait_for 60 is_whole
    before=$(leaders) begun=$SECONDS
    "$part"
    echo "    $part: $((SECONDS - begun)) s"
done

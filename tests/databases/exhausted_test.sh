#!/usr/bin/env bash
# exhausted_test.sh - the connections of a PostgreSQL run out step by step; they are back on every way out.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/exhausted_test.sh      ONLY: all_of_them some_of_them handed_over runner_killed both_killed
#     folder_lost holder_killed one_ended restarted rebooted by_hand refusals redis
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || skip_all "there is no PostgreSQL here"
export ONLY=${ONLY-$*}
in_lab postgres redis

# shellcheck source=tests/databases/postgres.sh
. "$root/tests/databases/postgres.sh"
# shellcheck source=tests/databases/held.sh
. "$root/tests/databases/held.sh"

# As an administrator, by a reserved connection.
ours() {
    sql "$before" "select count(*) from pg_stat_activity where application_name ~ '^fd_.* hold\$'" postgres
}
is_clean() {
    echo "sessions: $(ours)"
    on "$before" sh -c 'ls -A /run/faildrill; grep -l FD_HELD= /proc/[0-9]*/environ' 2>/dev/null
    [ "$(ours)" = 0 ] && ! on "$before" sh -c 'grep -qs FD_HELD= /proc/[0-9]*/environ || test -e /run/faildrill'
}
is_released() {
    [ "$(ours)" = 0 ] && sql "$before" 'select 1'
}
# A client finds none, whoever may use a reserved one does.
is_full() {
    ! sql "$before" 'select 1' >/dev/null 2>&1 && [ "$(ours)" -gt 150 ]
}
kill_on_host() {
    on "$before" sh -c 'set -- $(cat /run/faildrill/*_1/'"$1"') && kill -9 "$1"'
}
# In the order of the timeline: the steps, then the first failure, with the count that was seen before it.
in_steps() {
    sed -n 's/.* \([0-9]*\) sessions are held, .*/\1/p' "$work/said" | tr '\n' ' '
    [ "$(grep -c 'postgres-[0-9] .* sessions are held, ' "$work/said")" -ge 4 ] &&
        grep -q 'client .*first failure: .*last seen before: [0-9]* sessions are held' "$work/said" &&
        grep -q ' sessions are held, 0 connections of 200 are left for others' "$work/said"
}
# watched NAME STEP: beside it, a client that may use no reserved connection.
watched() {
    scenario "$1" "$2"
    sed -i "s|^  postgres: {primary.*|&\n  client: {sql: \"postgresql://drill@$net.1$before/shop\", query: select 1, every: 100ms, ok: {rows: 1}}|
        s|^  postgres: {max_split.*|&\n  client: {$3}|" "$work/own/$1.yaml"
}
all_of_them() {
    watched all 'exhaust: primary, what: sessions, count: 500, ramp: 9s, ramp_steps: 10, for: 20s' 'must_notice: true, after: {max_outage: 2s}'
    drill all
    cp "$work/said" "$work/all"
    check "all of them: PASS" [ "$status" -eq 0 ]
    check "all of them: the timeline has the steps, and at which clients failed" in_steps
    sed -n 's/^/    /; /held\|client/p' "$work/all"
    check "all of them: nothing is left" is_clean
}
some_of_them() {
    watched some 'exhaust: primary, what: sessions, count: 40, ramp: 2s, ramp_steps: 4, for: 6s' 'max_errors: 0%'
    check "some of them: PASS, and no client notices" passes some
    check "some of them: nothing is left" is_clean
}
# Others have some; when they go, we have those as well.
handed_over() {
    local n
    for ((n = 0; n < 20; n++)); do
        psql -XAtqw -c 'select pg_sleep(60)' "postgresql://drill@$net.1$before/shop" </dev/null >/dev/null 2>&1 &
    done
    wait_for 30 eval '[ "$(sql "$before" "select count(*) from pg_stat_activity where query ~ '"'^select pg_sleep'"'" postgres)" = 20 ]'
    check "handed over: all are taken" begin full is_full
    export held_then
    held_then=$(ours)
    sql "$before" "select count(pg_terminate_backend(pid)) from pg_stat_activity where query ~ '^select pg_sleep'" postgres >/dev/null
    check "handed over: what others give back is taken too" wait_for 10 eval '[ "$(ours)" -ge $((held_then + 18)) ]'
    check "handed over: undone by hand" on "$before" sh /run/faildrill/undo
    check "handed over: INCONCLUSIVE, exit 7" over 7 'ended early'
    check "handed over: nothing is left" is_clean
}
runner_killed() {
    check "the runner is killed: all are taken" begin full is_full
    check "the runner is killed: by SIGKILL" kill_runner
    check "the runner is killed: nothing is left after its lease" wait_for $((lease + 6)) is_clean
    check "the runner is killed: undo frees the environment" "$FAILDRILL" -C "$work" undo
}
both_killed() {
    check "guard and runner are killed: all are taken" begin full is_full
    check "guard and runner are killed: by SIGKILL" eval 'kill_runner && kill_on_host armed'
    check "guard and runner are killed: clients are let in after the lease" wait_for $((lease + 8)) is_released
    check "guard and runner are killed: undo proves it" "$FAILDRILL" -C "$work" undo
    check "guard and runner are killed: nothing is left" is_clean
}
folder_lost() {
    check "the folder is lost: all are taken" begin full is_full
    check "the folder is lost: by rm" eval 'kill_runner && on "$before" rm -rf /run/faildrill'
    check "the folder is lost: clients are let in" wait_for 10 is_released
    check "the folder is lost: undo proves it" "$FAILDRILL" -C "$work" undo
    check "the folder is lost: nothing is left" is_clean
}
holder_killed() {
    check "the holder is killed: all are taken" begin full is_full
    check "the holder is killed: by SIGKILL" kill_on_host held
    check "the holder is killed: INCONCLUSIVE, exit 7" over 7 'ended early'
    check "the holder is killed: nothing is left" is_clean
}
one_ended() {
    check "somebody ends one: all are taken" begin full is_full
    check "somebody ends one: by pg_terminate_backend" sql "$before" \
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name ~ '^fd_.* hold' limit 1" postgres
    check "somebody ends one: INCONCLUSIVE, exit 7" over 7 'ended early'
    check "somebody ends one: nothing is left" is_clean
}
restarted() {
    check "the server is restarted: all are taken" begin full is_full
    check "the server is restarted: by hand" on "$before" sh -c '/etc/init.d/postgres stop && /etc/init.d/postgres start'
    check "the server is restarted: INCONCLUSIVE, exit 7" over 7 'ended early'
    wait_for 60 is_whole
    check "the server is restarted: nothing is left" wait_for 60 is_clean
}
rebooted() {
    check "the host is booted anew: all are taken" begin full is_full
    check "the host is booted anew: the server is not up" eval 'kill_runner && "$lab" --state "$LAB_STATE" power off "postgres-$before" &&
        "$lab" --state "$LAB_STATE" power on "postgres-$before" && on "$before" /etc/init.d/postgres stop'
    check "the host is booted anew: undo proves it" "$FAILDRILL" -C "$work" undo
    on "$before" /etc/init.d/postgres start >/dev/null
    wait_for 60 is_whole
    check "the host is booted anew: nothing is left" is_clean
}
by_hand() {
    check "undone by hand: all are taken" begin full is_full
    check "undone by hand: sh /run/faildrill/undo" on "$before" sh /run/faildrill/undo
    check "undone by hand: INCONCLUSIVE, exit 7" over 7 'ended early'
    check "undone by hand: nothing is left" is_clean
}
# refused_with STATUS WORDS STEP
refused_with() {
    scenario refused "exhaust: $3"
    check "refused: $2" refused "$1" refused "$2"
    check "refused: $2: nothing is left" is_clean
}
refusals() {
    refused_with 3 'has port 5499' 'primary, what: sessions, count: 10, port: 5499, for: 5s'
    refused_with 2 'released before all 10' 'primary, what: sessions, count: 10, ramp: 6s, ramp_steps: 2, for: 5s'
    refused_with 3 'no PostgreSQL of this host' '{role: api, pick: 1}, what: sessions, count: 10, for: 5s'
}
# The same steps of connections to Redis, as many as there are clients.
redis() {
    local cache=${net%.*}.$((${net##*.} + 5))
    environment=redis_alone
    scenario cache "exhaust: {role: redis, pick: 1}, what: connections, address: $cache.1PICK, port: 6379, count: 60, ramp: 4s, ramp_steps: 4, for: 8s"
    sed -i 's/role: postgres, is: primary/role: redis, is: primary/; s/primary: postgres/primary: redis/; s/postgres: {/cache: {/' "$work/own/cache.yaml"
    sed -i 's/\$cache.1PICK/${target.primary.address}/; s/{role: redis, pick: 1}/primary/; s/address: [0-9.]*1PICK/address: "${target.primary.address}"/' "$work/own/cache.yaml"
    check "Redis: PASS" passes cache
    cp "$work/said" "$work/cache"
    check "Redis: the timeline has the steps" eval '[ "$(grep -c " connections are held" "$work/cache")" -ge 3 ] && grep -q " 60 connections are held" "$work/cache"'
    environment=postgres
}

scenario full 'exhaust: primary, what: sessions, count: 500, for: 60s'
for part in all_of_them some_of_them handed_over runner_killed both_killed folder_lost holder_killed one_ended restarted rebooted \
    by_hand refusals redis; do
    wanted "$part" || continue
    wait_for 60 is_whole
    before=$(leaders) begun=$SECONDS
    "$part"
    echo "    $part: $((SECONDS - begun)) s"
done

#!/usr/bin/env bash
# lock_row_test.sh - a row of a PostgreSQL that stays locked: who waits for it, and that it is free on every way out.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/lock_row_test.sh      ONLY: published own_row released restarted runner_killed both_killed
#                                              holder_killed by_hand refusals
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || skip_all "there is no PostgreSQL here"
export ONLY=${ONLY-$*}
in_lab postgres

# shellcheck source=tests/databases/drills.sh
. "$root/tests/databases/drills.sh"
export environment=postgres role=postgres
# shellcheck source=tests/databases/postgres.sh
. "$root/tests/databases/postgres.sh"
# shellcheck source=tests/databases/held.sh
. "$root/tests/databases/held.sh"

# sessions NAME: how many of ours are there, by that name.
sessions() {
    sql "$before" "select count(*) from pg_stat_activity where application_name ~ '^fd_.* $1\$'" postgres
}
# The helper tables that are left, in any database.
tables() {
    local database
    for database in shop postgres; do
        psql -XAtqw -c "select relname from pg_class where relname ~ '^fd_' and relkind = 'r'" "postgresql://postgres@$net.1$before/$database"
    done
}
is_clean() {
    echo "sessions: $(sessions '.*'), tables: $(tables)"
    on "$before" sh -c 'ls -A /run/faildrill; grep -l FD_HELD= /proc/[0-9]*/environ' 2>/dev/null
    [ "$(sessions '.*')" = 0 ] && [ -z "$(tables)" ] &&
        ! on "$before" sh -c 'grep -qs FD_HELD= /proc/[0-9]*/environ || test -e /run/faildrill'
}
is_held() {
    [ "$(sessions lock)" = 1 ] && [ "$(sql "$before" "select count(*) from pg_locks where not granted")" = "$1" ]
}
kill_on_host() {
    on "$before" sh -c 'set -- $(cat /run/faildrill/*_1/'"$1"') && kill -9 "$1"'
}
# Every so often, how many wait.
watch_queue() {
    while :; do
        sessions wait
        sleep 0.1
    done
}
in_steps() {
    grep -v '^0$' "$work/queue" | sort -nu | tr '\n' ' '
    [ "$(sort -n "$work/queue" | tail -n 1)" = 50 ] && [ "$(grep -v '^0$' "$work/queue" | head -n 1)" -le 15 ] &&
        [ "$(sort -nu "$work/queue" | wc -l)" -ge 6 ]
}
published() {
    cp "$root/scenarios/published/e04_row_locked.yaml" "$work/own/"
    watch_queue >"$work/queue" 2>/dev/null &
    watching=$!
    "$FAILDRILL" -C "$work" run -e postgres e04_row_locked -p held=25s -p ramp=10s --no-input >"$work/said" 2>&1
    status=$?
    kill "$watching"
    wait "$watching" 2>/dev/null
    cat "$work/said"
    check "E4: passes" [ "$status" -eq 0 ]
    [ "$status" -eq 0 ] || sed 's/^/    /' "$work/said"
    check "E4: 50 sessions came to wait, in steps" in_steps
    check "E4: no session, no table is left" is_clean
    sed -n '/expect/,$p' "$work/said" | sed 's/^/    /'
}

others_wait() {
    ! PGOPTIONS='-c lock_timeout=500' sql "$before" "update kept set n = 2 where id = 1" && sql "$before" "update kept set n = 3 where id = 2"
}
own_row() {
    sql "$before" "drop table if exists kept; create table kept as select id, 1 as n from generate_series(1, 3) id"
    scenario own_row 'lock_row: primary, database: shop, query: "update kept set n = 9 where id = 1", waiters: 3, for: 12s'
    check "a row of one's own: it comes to be locked" begin own_row is_held 3
    check "a row of one's own: an update of it waits, of another row it does not" others_wait
    check "a row of one's own: PASS" over 0 PASS
    check "a row of one's own: the table is there, with what others wrote, and nothing of ours" \
        [ "$(sql "$before" "select string_agg(n::text, ' ' order by id) from kept")" = "1 3 1" ]
    check "a row of one's own: no session is left" is_clean
}
released() {
    check "somebody ends the session: it is held" begin helper is_held 4
    check "somebody ends the session: by pg_terminate_backend" sql "$before" \
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name ~ '^fd_.* lock'" postgres
    check "somebody ends the session: INCONCLUSIVE, exit 7" over 7 'ended early'
    check "somebody ends the session: nothing is left" is_clean
}
restarted() {
    check "the server is restarted: it is held" begin helper is_held 4
    check "the server is restarted: by hand" on "$before" sh -c '/etc/init.d/postgres stop && /etc/init.d/postgres start'
    check "the server is restarted: INCONCLUSIVE or worse, never PASS" over 7 'ended early'
    wait_for 60 is_whole
    check "the server is restarted: nothing is left" wait_for 60 is_clean
}
runner_killed() {
    check "the runner is killed: it is held" begin helper is_held 4
    check "the runner is killed: by SIGKILL" kill_runner
    check "the runner is killed: nothing is left after its lease" wait_for $((lease + 6)) is_clean
    check "the runner is killed: undo finds nothing" "$FAILDRILL" -C "$work" undo
}
both_killed() {
    check "guard and runner are killed: it is held" begin helper is_held 4
    check "guard and runner are killed: by SIGKILL" eval 'kill_on_host armed && kill_runner'
    check "guard and runner are killed: nobody has the lock after the lease" wait_for $((lease + 6)) \
        eval '[ "$(sessions ".*")" = 0 ]'
    check "guard and runner are killed: undo drops the table" "$FAILDRILL" -C "$work" undo
    check "guard and runner are killed: nothing is left" is_clean
}
holder_killed() {
    check "the holder is killed: it is held" begin helper is_held 4
    check "the holder is killed: by SIGKILL" kill_on_host held
    check "the holder is killed: INCONCLUSIVE, exit 7" over 7 'ended early'
    check "the holder is killed: nothing is left" is_clean
}
by_hand() {
    check "undone by hand: it is held" begin helper is_held 4
    check "undone by hand: sh /run/faildrill/undo" on "$before" sh /run/faildrill/undo
    check "undone by hand: INCONCLUSIVE, exit 7" over 7 'ended early'
    check "undone by hand: nothing is left" is_clean
}
# refused_with STATUS WORDS STEP
refused_with() {
    scenario refused "lock_row: $3"
    check "refused: $2" refused "$1" refused "$2"
    check "refused: $2: nothing is left" is_clean
}
refusals() {
    sql "$before" "drop table if exists kept; create table kept as select id, 1 as n from generate_series(1, 3) id"
    refused_with 3 'is a replica' '{role: postgres, is: replica, pick: 1}, for: 5s'
    refused_with 3 'has port 5499' 'primary, port: 5499, for: 5s'
    refused_with 3 'fewer than 5 of 200 connections' 'primary, waiters: 198, for: 5s'
    refused_with 3 'database "nowhere" does not exist' 'primary, database: nowhere, for: 5s'
    refused_with 7 'locks no row' 'primary, database: shop, query: "select id from kept where id = 7 for update", for: 5s'
    refused_with 7 'locks no row' 'primary, database: shop, query: "select id from kept", for: 5s'
    refused_with 7 'relation "nothing" does not exist' 'primary, database: shop, query: "select 1 from nothing for update", for: 5s'
    refused_with 2 'is released before all 9' 'primary, waiters: 9, ramp: 6s, for: 5s'
    refused_with 7 'locks no row' 'primary, database: shop, query: "select id from kept where id = 1 -- for update", for: 5s'
}

scenario helper 'lock_row: primary, waiters: 4, for: 60s'
wait_for 60 is_whole
before=$(leaders)
for part in published own_row released restarted runner_killed both_killed holder_killed by_hand refusals; do
    wanted "$part" || continue
    wait_for 60 is_whole
    before=$(leaders) begun=$SECONDS
    "$part"
    echo "    $part: $((SECONDS - begun)) s"
done

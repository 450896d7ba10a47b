#!/usr/bin/env bash
# lock_row_test.sh - a row of a PostgreSQL that stays locked: who waits for it, and that it is free on every way out.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/lock_row_test.sh      ONLY: published own_row led_astray crowded released restarted
#     runner_killed both_killed all_killed link_cut folder_lost holder_killed waiter_killed by_hand rebooted
#     another_server demoted refusals strangers
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || skip_all "there is no PostgreSQL here"
export ONLY=${ONLY-$*}
in_lab postgres

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

# postgres_sql N TEXT: in the database of the helper table, as who owns all.
postgres_sql() {
    psql -XAtqw -c "$2" "postgresql://postgres@$net.1$1/postgres" </dev/null
}
helper_undone() {
    "$FAILDRILL" -C "$work" undo >"$work/undone" 2>&1
    status=$?
    cat "$work/undone"
    return "$status"
}
# left_over WORDS: an undo says NOT UNDONE, and that.
left_over() {
    helper_undone
    [ "$status" -eq 6 ] && grep -q '^NOT UNDONE' "$work/undone" && grep -qF -- "$1" "$work/undone"
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
    check "the runner is killed: undo finds nothing" helper_undone
}
# Nobody is left to put the folder away, but what it is about is gone.
is_released() {
    [ "$(sessions '.*')" = 0 ] && [ -z "$(tables)" ]
}
both_killed() {
    check "guard and runner are killed: it is held" begin helper is_held 4
    check "guard and runner are killed: by SIGKILL" eval 'kill_runner && kill_on_host armed'
    check "guard and runner are killed: no lock, no table after the lease" wait_for $((lease + 8)) is_released
    check "guard and runner are killed: undo proves it" helper_undone
    check "guard and runner are killed: nothing is left" is_clean
}
# kill_all: whoever could have dropped the table, so that it is left.
kill_all() {
    kill_runner && kill_on_host armed && kill_on_host held && wait_for 20 eval '[ "$(sessions ".*")" = 0 ]' &&
        [ -n "$(tables)" ]
}
all_killed() {
    check "all of ours are killed: it is held" begin helper is_held 4
    check "all of ours are killed: the table is left" kill_all
    check "all of ours are killed: undo drops it" helper_undone
    check "all of ours are killed: nothing is left" is_clean
}
cut_ssh() {
    on "$before" nft -f - <<'END'
table inet t_link {
    chain in {
        type filter hook input priority -400
        tcp dport 22 drop
    }
}
END
}
link_cut() {
    check "the link is cut: it is held" begin helper is_held 4
    check "the link is cut: by a rule" cut_ssh
    check "the link is cut: no lock, no table after the lease" wait_for $((lease + 8)) is_released
    check "the link is cut: it heals" on "$before" nft delete table inet t_link
    check "the link is cut: INCONCLUSIVE, exit 7" over 7 'ended early'
    check "the link is cut: nothing is left" wait_for 30 is_clean
}
folder_lost() {
    check "the folder is lost: it is held" begin helper is_held 4
    check "the folder is lost: by rm" eval 'kill_runner && on "$before" rm -rf /run/faildrill'
    check "the folder is lost: no lock, no table" wait_for 10 is_released
    check "the folder is lost: undo proves it" helper_undone
    check "the folder is lost: nothing is left" is_clean
}
waiter_killed() {
    check "one who waits is killed: it is held" begin helper is_held 4
    check "one who waits is killed: by SIGKILL" on "$before" sh -c 'set -- $(tail -n 1 /run/faildrill/*_1/held) && kill -9 "$1"'
    check "one who waits is killed: INCONCLUSIVE, exit 7" over 7 'ended early'
    check "one who waits is killed: nothing is left" is_clean
}
reboot_down() {
    "$lab" --state "$LAB_STATE" power off "postgres-$before" && "$lab" --state "$LAB_STATE" power on "postgres-$before" &&
        on "$before" /etc/init.d/postgres stop
}
rebooted() {
    check "the host is booted anew: it is held" begin helper is_held 4
    check "the host is booted anew: the server is not up yet" eval 'kill_runner && reboot_down'
    check "the host is booted anew: the table may be left, and how it goes by hand" \
        left_over "psql -p 5432 -d postgres -c 'drop table if exists public.fd_"
    on "$before" /etc/init.d/postgres start >/dev/null
    wait_for 60 is_whole
    check "the host is booted anew: the table was left" [ -n "$(tables)" ]
    check "the host is booted anew: undo drops it" helper_undone
    check "the host is booted anew: nothing is left" is_clean
}
# Another cluster, at the port of the one that has the table.
stranger_up() {
    on "$before" sh -c '/etc/init.d/postgres stop >/dev/null && mkdir /tmp/stranger && chown postgres /tmp/stranger &&
        cd /tmp/stranger && set -- setpriv --reuid=postgres --regid=postgres --init-groups &&
        PATH=$(printf "%s\n" /usr/lib/postgresql/*/bin | tail -n 1):$PATH &&
        "$@" initdb -D /tmp/stranger/data -U postgres -N --locale=C -A trust >/dev/null &&
        "$@" pg_ctl -D /tmp/stranger/data -o "-k /tmp -h 127.0.0.1 -c fsync=off" -l /tmp/stranger/log -w start </dev/null >/dev/null'
}
stranger_down() {
    on "$before" sh -c 'kill -INT "$(head -n 1 /tmp/stranger/data/postmaster.pid)"'
    wait_for 20 eval '! on "$before" test -e /tmp/stranger/data/postmaster.pid'
    on "$before" rm -rf /tmp/stranger
    on "$before" /etc/init.d/postgres start >/dev/null
    wait_for 60 is_whole
}
another_server() {
    check "another server has the port: it is held" begin helper is_held 4
    check "another server has the port: the table is left in the first" kill_all
    check "another server has the port: it is there" stranger_up
    check "another server has the port: it is not asked, and the table may be left" left_over 'is another than it was'
    check "another server has the port: the first comes back" stranger_down
    check "another server has the port: undo drops it there" helper_undone
    check "another server has the port: nothing is left" is_clean
}
# The others have all that it wrote, so it may follow whoever is promoted as it is.
demote() {
    local next=$((before % 3 + 1))
    on "$before" sh -c '/etc/init.d/postgres stop >/dev/null && touch /var/lib/postgresql/data/standby.signal &&
        chown postgres /var/lib/postgresql/data/standby.signal' && sql "$next" 'select pg_promote()' &&
        on "$before" sh -c '/etc/init.d/postgres start >/dev/null' && wait_for 60 is_whole && [ "$(leaders)" = "$next" ]
}
by_the_hand_that_it_names() {
    local hand
    hand=$(grep -o 'drop table if exists public.fd_[0-9a-z]*_1' "$work/undone" | head -n 1)
    [ -n "$hand" ] && postgres_sql "$(leaders)" "$hand" && wait_for 20 eval '[ -z "$(tables)" ]'
}
demoted() {
    check "it became a replica: it is held" begin helper is_held 4
    check "it became a replica: the table is left" kill_all
    check "it became a replica: another leads" demote
    check "it became a replica: the undo says where the table is to be dropped" left_over 'this host is a replica now; on its primary: psql'
    check "it became a replica: that statement drops it" by_the_hand_that_it_names
    check "it became a replica: undo proves it" helper_undone
    check "it became a replica: nothing is left" is_clean
}
# Who has a connection of his own, and many who take what others leave.
crowd() {
    local n
    for ((n = 0; n < $1; n++)); do
        psql -XAtqw -c 'select pg_sleep(60)' "postgresql://drill@$net.1$before/shop" </dev/null >/dev/null 2>&1 &
    done
    wait_for 60 eval '[ "$(sql "$before" "select count(*) from pg_stat_activity where query ~ '"'^select pg_sleep'"'")" -ge '"$1"' ]'
}
crowded() {
    scenario crowded 'lock_row: primary, waiters: 150, ramp: 20s, ramp_steps: 10, for: 60s'
    check "others come as well: it is held" begin crowded
    check "others come as well: 60 of them" crowd 60
    check "others come as well: INCONCLUSIVE, exit 7" over 7 'leave fewer than 5 of 200 connections'
    check "others come as well: nothing is left" is_clean
    sql "$before" "select count(pg_terminate_backend(pid)) from pg_stat_activity where query ~ '^select pg_sleep'" >/dev/null
}
# The environment of our login names another server; psql is not asked by that.
led_astray() {
    on "$before" sh -c 'sed -i "s/^SetEnv .*/& PGHOSTADDR=203.0.113.1 PGSERVICE=elsewhere PGUSER=nobody PGDATABASE=nowhere/" /etc/ssh/sshd_config &&
        kill -HUP "$(cat /run/sshd.pid)"'
    check "a login that names another server: it is held here" begin helper is_held 4
    check "a login that names another server: no subscriber would get the table" eval \
        '[ "$(postgres_sql "$before" "select relpersistence from pg_class where relname ~ '"'^fd_.*_1\$'"'")" = u ]'
    check "a login that names another server: it is undone by hand" on "$before" sh /run/faildrill/undo
    check "a login that names another server: INCONCLUSIVE, exit 7" over 7 'ended early'
    check "a login that names another server: nothing is left" is_clean
    on "$before" sh -c 'sed -i "s/ PGHOSTADDR=.*//" /etc/ssh/sshd_config && kill -HUP "$(cat /run/sshd.pid)"'
}
# A program of that name in a folder that is not its user's: whose psql, and as whom?
strangers() {
    [ "$(id -u)" -eq 0 ] || return 0
    on "$before" sh -c 'mkdir -p /tmp/odd/global && cd /tmp/odd && cp "$(command -v sleep)" postgres && echo 12345678 >global/pg_control &&
        printf "#!/bin/sh\nid -u >>/tmp/odd/log/as\n" >psql && chmod 755 psql && mkdir -m 777 log &&
        { setsid setpriv --reuid=www-data --regid=www-data --clear-groups ./postgres 600 </dev/null >/dev/null 2>&1 & } &&
        printf "%s\n/tmp/odd\n1\n5499\n/tmp\n127.0.0.1\n" $! >postmaster.pid'
    scenario odd 'lock_row: primary, port: 5499, for: 5s'
    check "a program of that name in root's folder is not asked" refused 3 odd 'runs as another user than root'
    on "$before" chown www-data /tmp/odd
    check "a program of that name in its own folder is asked as its user" refused 3 odd 'gives www-data of this host no answer'
    check "nobody's psql ran as root" eval '[ "$(on "$before" sort -u /tmp/odd/log/as)" = "$(id -u www-data)" ]'
    on "$before" sh -c 'kill "$(head -n 1 /tmp/odd/postmaster.pid)" && rm -rf /tmp/odd'
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
    scenario moved 'lock_row: primary'
    sed -i 's/^halt:/  - failover: postgres\n&/' "$work/own/moved.yaml"
    check "refused: the primary is moved under it" refused 4 moved 'may move the primary of role'
    refused_with 7 'locks no row' 'primary, database: shop, query: "select id from kept where id = 1 -- for update", for: 5s'
}

scenario helper 'lock_row: primary, waiters: 4, for: 60s'
wait_for 60 is_whole
before=$(leaders)
for part in published own_row led_astray crowded released restarted runner_killed both_killed all_killed link_cut folder_lost \
    holder_killed waiter_killed by_hand rebooted another_server demoted refusals strangers; do
    wanted "$part" || continue
    wait_for 60 is_whole
    before=$(leaders) begun=$SECONDS
    "$part"
    echo "    $part: $((SECONDS - begun)) s"
done

#!/usr/bin/env bash
# replay_paused_test.sh - a replica of PostgreSQL does not replay what it gets; it goes on, on every way out.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/replay_paused_test.sh      ONLY: bounded resumed restarted promoted runner_killed both_killed
#     all_killed folder_lost all_lost holder_killed holder_told rebooted by_hand refusals
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || skip_all "there is no PostgreSQL here"
export ONLY=${ONLY-$*}
in_lab postgres

# shellcheck source=tests/databases/postgres.sh
. "$root/tests/databases/postgres.sh"
# shellcheck source=tests/databases/held.sh
. "$root/tests/databases/held.sh"

# step NAME STEP: a drill whose `replica` is one of two.
step() {
    scenario "$1" "$2"
    sed -i 's/^  primary: .*/&\n  replica: {role: postgres, is: replica, pick: 1}/' "$work/own/$1.yaml"
}
is_paused() {
    [ "$(sql "$1" "select case when pg_is_in_recovery() then pg_is_wal_replay_paused()::text else 'false' end" postgres)" = true ]
}
# Sets `late`, the one that is paused.
one_is_paused() {
    local n
    late=''
    for n in 1 2 3; do ! is_paused "$n" || late=$n; done
    [ -n "$late" ]
}
all_replay() {
    local n
    for n in 1 2 3; do
        ! is_paused "$n" && sql "$n" 'select 1' >/dev/null || return 1
    done
}
is_clean() {
    local n
    all_replay || return 1
    for n in 1 2 3; do
        [ -z "$(on "$n" sh -c 'ls -d /run/faildrill* 2>/dev/null; grep -l FD_HELD= /proc/[0-9]*/environ' 2>/dev/null)" ] || return 1
    done
}
kill_on_host() {
    on "$late" sh -c 'set -- $(cat /run/faildrill/*_[0-9]/'"$1"') && kill -9 "$1"'
}
undone() {
    "$FAILDRILL" -C "$work" undo >"$work/undone" 2>&1
    status=$?
    cat "$work/undone"
    return "$status"
}
# left_over WORDS: an undo says NOT UNDONE, and that.
left_over() {
    undone
    [ "$status" -eq 6 ] && grep -qF -- "$1" "$work/undone"
}
kill_all() {
    kill_runner && kill_on_host armed && kill_on_host held && is_paused "$late"
}
bounded() {
    step bounded 'pause_replication: replica, most: 24MiB, for: 60s'
    check "so much of the log waits: it is paused" begin bounded one_is_paused
    one_is_paused
    check "so much of the log waits: 64 MiB are written" sql "$before" \
        "create table if not exists much (text text); insert into much select repeat(md5(n::text), 32) from generate_series(1, 65536) n"
    check "so much of the log waits: INCONCLUSIVE, exit 7" over 7 'of the log wait: it goes on'
    check "so much of the log waits: nothing is left" is_clean
    sql "$before" 'drop table much'
}
resumed() {
    check "somebody lets it go on: it is paused" begin paused one_is_paused
    one_is_paused
    check "somebody lets it go on: by pg_wal_replay_resume" sql "$late" 'select pg_wal_replay_resume()' postgres
    check "somebody lets it go on: INCONCLUSIVE, exit 7" over 7 'ended early'
    check "somebody lets it go on: nothing is left" is_clean
}
restarted() {
    check "the server is restarted: it is paused" begin paused one_is_paused
    one_is_paused
    check "the server is restarted: by hand" on "$late" sh -c '/etc/init.d/postgres stop && /etc/init.d/postgres start'
    check "the server is restarted: INCONCLUSIVE, exit 7" over 7 'ended early'
    wait_for 60 is_whole
    check "the server is restarted: nothing is left" is_clean
}
# Somebody pauses the one that was restarted; that is not ours to end.
theirs() {
    check "another's pause: it is paused" begin paused one_is_paused
    one_is_paused
    check "another's pause: all of ours are killed" kill_all
    check "another's pause: the server is restarted, and paused by hand" eval 'on "$late" sh -c "/etc/init.d/postgres stop && /etc/init.d/postgres start" &&
        wait_for 30 sql "$late" "select 1" && sql "$late" "select pg_wal_replay_pause()" postgres'
    check "another's pause: undo proves that ours is gone" undone
    check "another's pause: theirs stays" is_paused "$late"
    sql "$late" 'select pg_wal_replay_resume()' postgres
    check "another's pause: nothing is left" is_clean
}
promoted() {
    check "it is promoted: it is paused" begin paused one_is_paused
    one_is_paused
    check "it is promoted: the primary goes, and it leads" eval 'on "$before" /etc/init.d/postgres stop && sql "$late" "select pg_promote()" postgres'
    check "it is promoted: INCONCLUSIVE or worse" eval '! over 0 PASS'
    on "$before" sh -c 'touch /var/lib/postgresql/data/standby.signal && chown postgres /var/lib/postgresql/data/standby.signal &&
        /etc/init.d/postgres start' >/dev/null
    wait_for 60 is_whole
    check "it is promoted: undo proves it" undone
    check "it is promoted: nothing is left" is_clean
}
runner_killed() {
    check "the runner is killed: it is paused" begin paused one_is_paused
    one_is_paused
    check "the runner is killed: by SIGKILL" kill_runner
    check "the runner is killed: nothing is left after its lease" wait_for $((lease + 8)) is_clean
    check "the runner is killed: undo finds nothing" undone
}
both_killed() {
    check "guard and runner are killed: it is paused" begin paused one_is_paused
    one_is_paused
    check "guard and runner are killed: by SIGKILL" eval 'kill_runner && kill_on_host armed'
    check "guard and runner are killed: it goes on after the lease" wait_for $((lease + 8)) all_replay
    check "guard and runner are killed: undo proves it" undone
    check "guard and runner are killed: nothing is left" is_clean
}
all_killed() {
    check "all of ours are killed: it is paused" begin paused one_is_paused
    one_is_paused
    check "all of ours are killed: it stays paused" kill_all
    check "all of ours are killed: undo lets it go on" undone
    check "all of ours are killed: nothing is left" is_clean
}
folder_lost() {
    check "the folder is lost: it is paused" begin paused one_is_paused
    one_is_paused
    check "the folder is lost: by rm" eval 'kill_runner && on "$late" rm -rf /run/faildrill'
    check "the folder is lost: it goes on" wait_for 10 all_replay
    check "the folder is lost: undo proves it" undone
    check "the folder is lost: nothing is left" is_clean
}
# Nobody and nothing is left that knows whose pause it is.
all_lost() {
    check "all is lost: it is paused" begin paused one_is_paused
    one_is_paused
    check "all is lost: by kill and rm" eval 'kill_all && on "$late" sh -c "rm -rf /run/faildrill*"'
    check "all is lost: undo says so, and how it goes on" left_over 'nothing here says by whom'
    check "all is lost: by hand" sql "$late" 'select pg_wal_replay_resume()' postgres
    check "all is lost: undo proves it" undone
    check "all is lost: nothing is left" is_clean
}
holder_killed() {
    check "the holder is killed: it is paused" begin paused one_is_paused
    one_is_paused
    check "the holder is killed: by SIGKILL" kill_on_host held
    check "the holder is killed: INCONCLUSIVE, exit 7" over 7 'ended early'
    check "the holder is killed: nothing is left" is_clean
}
# By whoever stops its unit, or as its unit has run for too long.
holder_told() {
    check "the holder is told to end: it is paused" begin paused one_is_paused
    one_is_paused
    check "the holder is told to end: by SIGTERM, with nobody else there" eval 'kill_runner && kill_on_host armed &&
        on "$late" sh -c "set -- \$(cat /run/faildrill/*_[0-9]/held) && kill -TERM \$1"'
    check "the holder is told to end: it lets it go on first, before its lease ends" wait_for 3 all_replay
    check "the holder is told to end: undo proves it" undone
    check "the holder is told to end: nothing is left" is_clean
}
rebooted() {
    check "the host is booted anew: it is paused" begin paused one_is_paused
    one_is_paused
    check "the host is booted anew: the server is not up" eval 'kill_runner && "$lab" --state "$LAB_STATE" power off "postgres-$late" &&
        "$lab" --state "$LAB_STATE" power on "postgres-$late" && on "$late" /etc/init.d/postgres stop'
    check "the host is booted anew: undo proves it" undone
    on "$late" /etc/init.d/postgres start >/dev/null
    wait_for 60 is_whole
    check "the host is booted anew: nothing is left" is_clean
}
by_hand() {
    check "undone by hand: it is paused" begin paused one_is_paused
    one_is_paused
    check "undone by hand: sh /run/faildrill/undo" on "$late" sh /run/faildrill/undo
    check "undone by hand: INCONCLUSIVE, exit 7" over 7 'ended early'
    check "undone by hand: nothing is left" is_clean
}
# refused_with STATUS WORDS STEP
refused_with() {
    step refused "pause_replication: $3"
    check "refused: $2" refused "$1" refused "$2"
}
refusals() {
    refused_with 3 'is a primary' 'primary, for: 5s'
    refused_with 3 'has port 5499' 'replica, port: 5499, for: 5s'
    refused_with 3 'its log may grow by' 'replica, most: 900GiB, for: 5s'
    refused_with 3 'no PostgreSQL of this host' '{role: api, pick: 1}, for: 5s'
    for n in 1 2 3; do sql $n 'select pg_wal_replay_pause() where pg_is_in_recovery()' postgres; done
    refused_with 3 'replay is paused' 'replica, for: 5s'
    for n in 1 2 3; do sql $n 'select pg_wal_replay_resume() where pg_is_in_recovery()' postgres; done
    check "refused: nothing is left" is_clean
}

step paused 'pause_replication: replica, for: 60s'
for part in bounded resumed restarted theirs runner_killed both_killed all_killed folder_lost all_lost holder_killed holder_told rebooted \
    by_hand refusals promoted; do
    wanted "$part" || continue
    wait_for 60 is_whole
    before=$(leaders) begun=$SECONDS
    "$part"
    echo "    $part: $((SECONDS - begun)) s"
done

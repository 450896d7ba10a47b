#!/usr/bin/env bash
# redis_test.sh - Redis with replicas and nobody to fail it over, drilled: what is lost, who leads, what returns.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/redis_test.sh      ONLY: some scenarios of scenarios/redis, and: observed traps ready alone
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
export ONLY=${ONLY-$*}
in_lab redis

# shellcheck source=tests/databases/redis.sh
. "$root/tests/databases/redis.sh"
# shellcheck source=tests/databases/alone.sh
. "$root/tests/databases/alone.sh"
within=15s

moved() {
    [ -n "$before" ] && [ "$(leaders)" != "$before" ] && follows "$before"
}

# ---- the losses, beside an observer of our own ----

# What it executed until it was stopped, by its own MONITOR: run, probe, writer, number a line.
acknowledged() {
    sed -n 's/.*"RPUSH" "faildrill:\([^:]*\):\([0-9]*\):\([0-9]*\)" "\([0-9]*\)".*/\1 \2 \3 \4/p' "$work/monitor" | sort -u
}
# The same of who leads now.
present() {
    local key
    redis "$(leaders)" keys 'faildrill:*' | while read -r key; do
        redis "$(leaders)" lrange "$key" 0 -1 </dev/null | sed "s/^/$(cut -d: -f2- <<<"$key" | tr : ' ') /"
    done | sort -u
}
cuts_off_beside_an_observer() {
    wait_for 60 is_whole
    before=$(leaders)
    on "$before" redis-cli monitor >"$work/monitor" &
    watching=$!
    "$1" redis_alone_primary_lost
    status=$?
    kill "$watching" 2>/dev/null
    wait "$watching" 2>/dev/null
    acknowledged >"$work/acknowledged"
    present >"$work/rows"
    [ "$status" -eq 0 ]
}
observed() {
    check "asynchronous: cut off, it acknowledges what is lost" cuts_off_beside_an_observer passes
    check "asynchronous: writes are lost" [ "$(field 'led["stranded"]["lost"] > 20')" = True ]
    check "asynchronous: the same number, the same ids as an observer has" same_as_observed
    sed 's/^/    /' "$work/check.out"
    row "redis_alone_primary_lost, asynchronous"
    wait_for 60 is_whole
    setting min-replicas-max-lag 2
    setting min-replicas-to-write 1
    check "min-replicas-to-write 1, max-lag 2 s: the same drill comes to its end" cuts_off_beside_an_observer judged
    check "min-replicas: no more than 4 s of writes are lost" [ "$(field 'led["stranded"]["lost"] <= 40')" = True ]
    check "min-replicas: the same number, the same ids as an observer has" same_as_observed
    sed 's/^/    /' "$work/check.out"
    row "redis_alone_primary_lost, min-replicas-to-write 1"
    setting min-replicas-to-write 0
    setting min-replicas-max-lag 10
}

# refuses STATUS NAME WORDS: and nothing was touched.
refuses() {
    refused "$@" && stayed && [ "$(redis "$before" get trap:key)" = kept ]
}

# ---- B.11: what is known beforehand to make a drill worthless, or worse ----

traps() {
    wait_for 60 is_whole
    before=$(leaders)
    redis "$before" set trap:key kept >/dev/null
    setting appendonly no
    check "nothing is on disk: kill is REFUSED" refuses 4 redis_alone_primary_restarts \
        'kill of a Redis primary without persistence is refused'
    setting save '3600 1'
    check "snapshots alone: kill is REFUSED" refuses 4 redis_alone_primary_restarts 'it has snapshots (RDB) alone'
    setting save ''
    setting appendonly yes
    setting min-replicas-to-write 3
    check "min-replicas-to-write above the replicas: NOT READY" refuses 3 redis_alone_primary_dies \
        'min-replicas-to-write is 3 on redis-'
    setting min-replicas-to-write 0
    setting replica-priority 0
    check "no replica may be promoted: NOT READY" refuses 3 redis_alone_primary_dies 'replica-priority is 0 on every replica'
    setting replica-priority 100
    scenario unfenced '  - {isolate: primary, for: 10s}
  - {failover: redis, forced: true}'
    check "nobody is promoted past a primary that was not stopped" refuses 4 unfenced 'may leave two primaries'
    scenario restarted '  - restart: primary
  - failover: redis'
    check "a restart is no way to a failover" refuses 4 restarted 'second primary'
    scenario cut_off '  - isolate: primary
  - stop: primary
  - {failover: redis, forced: true}'
    check "an undo that could ask nobody is refused" refuses 4 cut_off 'cut off from each other'
}

# ---- a host that could not come back: nothing of it is stopped ----

could_not() {
    judged_as=$(refused "$1" redis_alone_primary_dies "$2") || {
        echo "$judged_as"
        return 1
    }
    stayed && [ "$(redis "$before" ping)" = PONG ]
}
ready() {
    local file
    wait_for 60 is_whole
    before=$(leaders)
    redis "$before" config set appendonly no >/dev/null
    redis "$before" config set save '' >/dev/null
    redis "$before" config rewrite >/dev/null
    redis "$before" config set appendonly yes >/dev/null
    check "its AOF would not be read: it is not killed" could_not 3 'is not what it runs with'
    redis "$before" config rewrite >/dev/null
    on "$before" sed -i 's|^dir .*|dir /tmp|' /etc/redis/redis.conf
    check "its file names another folder: it is not killed" could_not 3 'is not what it runs with'
    redis "$before" config rewrite >/dev/null
    redis "$before" replicaof "$net.19" 6379 >/dev/null
    redis "$before" config rewrite >/dev/null
    redis "$before" replicaof no one >/dev/null
    check "by its file it would follow another: it is not killed" could_not 3 'whom it follows, or that it leads'
    redis "$before" config rewrite >/dev/null
    check "whole again" wait_for 60 is_whole
}

# ---- an undo that cannot know who leads, and data that is not there ----

others() {
    local n
    for n in 1 2 3; do [ "$n" = "$before" ] || echo "$n"; done
}
# drill_while NAME COMMAND...: COMMAND once the primary is down; sets status.
drill_while() {
    local running
    "$FAILDRILL" -C "$work" run -e redis_alone "$1" --no-input >"$work/said" 2>&1 &
    running=$!
    wait_for 60 is_down || echo "it is never down"
    "${@:2}"
    wait "$running"
    status=$?
    cat "$work/said"
}
stop_others() {
    local n
    for n in $(others); do redis_on "$n" stop; done
}
start_others() {
    local n
    for n in $(others); do redis_on "$n" start; done
}
lose_its_data() {
    on "$before" sh -c 'mv /var/lib/redis/appendonlydir /var/lib/redis/lost'
}
give_it_back() {
    on "$before" sh -c 'rm -rf /var/lib/redis/appendonlydir; mv /var/lib/redis/lost /var/lib/redis/appendonlydir'
}
# An operator's mistake: one that has lost its data, started as a primary.
empty_leader() {
    empty=$(others | head -n 1)
    redis_on "$empty" stop
    on "$empty" sh -c 'rm -rf /var/lib/redis/appendonlydir; sed -i "/^replicaof/d" /etc/redis/redis.conf'
    redis_on "$empty" start
}
# One that never heard of the primary again after it had lost its data, and was promoted: by its own word it was a replica.
promoted_empty() {
    empty=$(others | head -n 1)
    redis_on "$empty" stop
    on "$empty" sh -c 'rm -rf /var/lib/redis/appendonlydir'
    redis_on "$empty" start
    wait_for 10 follows_still "$empty"
    redis "$empty" replicaof no one >/dev/null
}
follows_still() {
    [ "$(redis "$1" role | head -n 1)" = slave ]
}
follow_again() {
    redis "$empty" replicaof "$net.1$before" 6379 >/dev/null
    redis "$empty" config rewrite >/dev/null
}
# stays_stopped NAME WORDS COMMAND...
stays_stopped() {
    drill_while "$1" "${@:3}"
    [ "$status" -eq 6 ] && grep -q "Redis stays stopped: $2" "$work/said" && grep -q 'by hand: ' "$work/said" && is_down
}
undone() {
    "$FAILDRILL" -C "$work" undo
    wait_for 60 is_whole && all_kept
}
all_kept() {
    local n
    for n in 1 2 3; do
        [ "$(redis "$n" get kept:500)" = 500 ] || {
            echo "redis-$n has lost data"
            return 1
        }
    done
}
alone() {
    wait_for 60 is_whole
    before=$(leaders)
    seq 500 | sed 's/.*/set kept:& &/' | redis-cli -h "$net.1$before" >/dev/null
    redis "$before" wait 2 5000 >/dev/null
    scenario stays_away '  - kill: primary
  - wait: 10s'
    check "nobody can say who leads: it stays stopped, and the run says so" stays_stopped stays_away \
        'nobody is known to be primary' stop_others
    start_others
    check "once they can say, it is started as the primary that it was" undone
    check "it leads" stayed
    check "its data is gone: it stays stopped, for it would wipe its replicas" stays_stopped stays_away \
        'there is no data in /var/lib/redis' lose_its_data
    give_it_back
    check "once its data is back, it is started" undone
    check "an empty one leads: it stays stopped, and is not wiped" stays_stopped stays_away \
        'more than one is primary\|.* may be empty' empty_leader
    follow_again
    check "once the empty one follows, it is started with its data" undone
    check "an empty replica was promoted: it stays stopped, and is not wiped" stays_stopped stays_away \
        '.* may be empty\|.* primary and empty' promoted_empty
    follow_again
    check "once that one follows, it is started with its data" undone
}

check "one leads, two follow" wait_for 60 is_whole
for file in "$root"/scenarios/redis/*.yaml; do
    name=${file##*/}
    name=${name%.yaml}
    wanted "$name" || continue
    wait_for 60 is_whole
    before=$(leaders)
    check "$name passes" passes "$name"
    row "$name"
    [[ $name != *_cut_from_clients ]] || check "$name: it is said that nobody saw it" nobody_saw redis shop
    case $name in
    *_dies | *_lost)
        check "$name: another leads, and the old one follows it" moved
        check "$name: within the range that was predicted" as_predicted
        ;;
    *_switchover)
        check "$name: who led leads again" gave_back redis
        say_back "$name"
        check "$name: within the range that was predicted" as_predicted
        check "$name: each file says what its host is" wait_for 20 files_agree
        ;;
    *) check "$name: the primary stays" stayed ;;
    esac
    case $name in
    *_lost) ;;
    *_dies) check "$name: no more is lost than was on its way" test "$(field 'led["writes"]["lost"] <= 10')" = True ;;
    *_clients) check "$name: every acknowledged write is there, once" every_write writes shop ;;
    *) check "$name: every acknowledged write is there, once" every_write writes ;;
    esac
done
for part in observed traps ready alone; do
    ! wanted "$part" || "$part"
done

#!/usr/bin/env bash
# redis_killed_test.sh - runner and guard are killed at each second of a drill that kills a Redis primary.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/redis_killed_test.sh      ONLY: runner guard undoing fenced asked held given_up; TRY: 0 1 2 ...
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
export ONLY=${ONLY-$*}
in_lab redis

# shellcheck source=tests/databases/redis.sh
. "$root/tests/databases/redis.sh"

writes() {
    [[ $(redis "$1" incr "census:$1") =~ ^[0-9]+$ ]]
}
has_kept() {
    files_agree && [ "$(redis "$1" eval "return #redis.call('keys', 'kept:*')" 0)" = 1000 ]
}
# shellcheck source=tests/databases/killed.sh
. "$root/tests/databases/killed.sh"

wait_for 60 is_whole
before=$(leaders)
seq 1000 | sed 's/.*/set kept:& &/' | redis-cli -h "$net.1$before" >/dev/null
redis "$before" wait 2 5000 >/dev/null
parts=${ONLY-}
for part in ${parts:-runner guard undoing fenced}; do
    case $part in runner | guard | undoing | fenced) ONLY=$part kill_at_each_second ;; esac
done

# ---- a primary that runs hands over: nothing is left to a guard, and the hosts end it ----

cat >"$work/own/handover.yaml" <<END
scenario: handover
probes:
  redis: {primary: redis, every: 250ms}
hold: 3s
observe: 3s
steady: {for: 3s}
steps:
  - failover: redis
halt: {redis: {max_outage: 60s}}
expect:
  redis: {failover_within: 60s, max_split: 0s}
END
# Between the moment that it is no primary any more and that in which another is: its server reaches no other from now
# on, which it does not need while it leads. Whoever looks from its host does.
hold_the_handover() {
    on "$before" nft 'add table inet held; add chain inet held out { type filter hook output priority 0; }
        add rule inet held out meta skuid redis tcp dport 6379 tcp flags & (syn | ack) == syn drop'
}
let_go() {
    on "$before" nft delete table inet held 2>/dev/null
}
hand_over() {
    wait_for 90 is_whole || return 1
    before=$(leaders)
    : >"$work/said"
    census >"$work/census" &
    watching=$!
    ! "$1" || hold_the_handover || return 1
    "$FAILDRILL" -C "$work" run -e "$environment" handover --no-input >"$work/said" 2>&1 &
    runner=$!
}
# One leads, all follow it, and each file says so; nothing of ours is left.
handed_over() {
    wait_for 60 settled
    "$FAILDRILL" -C "$work" undo >>"$work/said" 2>&1
    undone=$?
    sleep 1 # for the census to have seen it
    kill "$watching"
    wait "$watching" 2>/dev/null
    cat "$work/said"
    one_after_the_other && nothing_wiped && [ "$undone" -eq 0 ] && settled && nothing_left
}
settled() {
    local n
    is_whole && files_agree || return 1
    for n in 1 2 3; do
        [ "$n" = "$(leaders)" ] || follows "$n" || return 1
    done
}
is_asked() {
    grep -q 'failover redis' "$work/said"
}
asked_killed_at() {
    hand_over false || return 1
    wait_for 60 is_asked
    sleep "$1"
    kill_runner
    sleep 2
    handed_over
}
is_held() {
    redis "$before" info replication | grep -q '^master_failover_state:failover-in-progress' && [ -z "$(leaders)" ]
}
# The way is shut for four seconds more than that.
held_killed_at() {
    local held
    hand_over true || return 1
    wait_for 60 is_held
    held=$?
    sleep "$1"
    kill_runner
    sleep 4
    is_held || held=1
    let_go
    wait_for 30 moved
    handed_over && moved && [ "$held" -eq 0 ]
}
moved() {
    [ -n "$(leaders)" ] && [ "$(leaders)" != "$before" ]
}
# A replica that hangs once it was looked at: Redis gives it up by itself, and takes writes again.
given_up() {
    local to text
    wait_for 90 is_whole
    before=$(leaders)
    to=$((before % 3 + 1))
    text=$(cat "$root/runner/systems/redis_host.sh" "$root/runner/systems/redis_alone_switch.sh")
    on "$to" sh -c 'kill -STOP $(cat /run/redis/redis-server.pid)'
    writes "$before" # which it lacks: one that has all is told at once, and from then on there is no limit
    on "$before" sh -c "$text" redis "$text" work "$net.1$before" 6379 /etc/redis/redis.conf "" 30 5000 "$net.1$to" "$net.1$to" >"$work/said" &
    runner=$!
    wait_for 30 eval 'redis "$before" info replication | grep -q waiting-for-sync'
    wait_for 20 writes "$before"
    on "$to" sh -c 'kill -CONT $(cat /run/redis/redis-server.pid)'
    wait "$runner"
    cat "$work/said"
    grep -q "^refused: Redis gave it up" "$work/said" && wait_for 30 settled && [ "$(leaders)" = "$before" ]
}
for part in ${parts:-asked held given_up}; do
    case $part in
    asked) for at in ${TRY:-0 0.5 1 1.5 2 2.5 3 4}; do
        check "runner killed $at s after a switchover is asked for: one primary, nothing wiped" asked_killed_at "$at"
    done ;;
    held) for at in ${TRY:-0 1 2 3 4 5 6}; do
        check "runner killed $at s into a handover that hangs: it comes to its end" held_killed_at "$at"
    done ;;
    given_up) check "a replica that hangs: Redis gives it up, and the primary takes writes" given_up ;;
    esac
    sed -n 's/^took writes.*/    &/p' "$work/check.out"
done

#!/usr/bin/env bash
# sentinel_test.sh - the traps of Sentinel: a drill that could not be measured is refused, and says when it can be.
# SPDX-License-Identifier: Apache-2.0
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab staging
# shellcheck source=tests/drills.sh
. "$root/tests/drills.sh"

drills_of staging .
net=$(<"$LAB_STATE/net")
net=${net%.*}.$((${net##*.} + 1))

# at N PORT COMMAND...: of the Nth host.
at() {
    timeout 5 redis-cli -h "$net.1$1" -p "$2" "${@:3}" 2>&1
}
primary() {
    local n
    for n in 1 2 3; do [ "$(at $n 6379 role | head -n 1)" != master ] || echo "$n"; done
}
is_ready() {
    "$FAILDRILL" -C "$work" doctor staging --no-input >"$work/doctor" 2>&1
}
# value FIELD: of each array of fields and values in the input, a line.
value() {
    awk -v field="$1" 'wanted { print; wanted = 0 } $0 == field { wanted = 1 }'
}
priority() {
    local n
    for n in 1 2 3; do [ "$(at $n 6379 config set replica-priority "$1")" = OK ] || return 1; done
    wait_for 20 sentinels_know "$1"
}
sentinels_know() {
    local n
    for n in 1 2 3; do
        [ "$(at $n 26379 sentinel replicas shop | value slave-priority | sort -u)" = "$1" ] || return 1
    done
}
# Two Sentinels voted since somebody last became the primary.
have_voted() {
    local n epoch voted=0
    for n in 1 2 3; do
        epoch=$(at $n 26379 sentinel master shop | value config-epoch)
        [ "$(at $n 26379 sentinel sentinels shop | value voted-leader-epoch | sort -n | tail -n 1)" -le "$epoch" ] ||
            voted=$((voted + 1))
    done
    [ "$voted" -gt 0 ]
}
redis_service() {
    "$lab" --state "$LAB_STATE" exec "staging-redis-$1" /etc/init.d/redis-server "$2"
}

# ---- an attempt that came to nothing: with failover-timeout 10 s no other begins for 20 s ----

comes_to_nothing() {
    before=$(primary)
    priority 0 || return
    redis_service "$before" stop
    wait_for 20 have_voted || return
    redis_service "$before" start
    priority 100 && wait_for 20 all_linked && [ "$(primary)" = "$before" ]
}
all_linked() {
    [ "$(at "$before" 6379 info replication | grep -c state=online)" -eq 2 ]
}
refused_for_now() {
    refused 4 redis_primary_dies "role 'redis' is in its cool-down: next drill not before" && [ "$(primary)" = "$before" ]
}
# As soon as it said, and no sooner than the Sentinels can.
possible_when_it_said() {
    local said
    said=$(sed -n 's/.*next drill not before \([0-9]*\).* from now.*/\1/p' "$work/said" | head -n 1)
    [ "$said" -gt 0 ] && [ "$said" -le 21 ] && wait_for $((said + 3)) is_ready
}

check "Sentinels and hosts are ready" wait_for 60 is_ready
check "a failover comes to nothing: no replica may be promoted" comes_to_nothing
check "the next drill is REFUSED, exit 4, and says from when on it is possible" refused_for_now
check "from then on it is" possible_when_it_said
check "and the Sentinels fail over in the time that the plan says" passes redis_primary_dies
check "as predicted" as_predicted

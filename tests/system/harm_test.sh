#!/usr/bin/env bash
# harm_test.sh - the undo of a killed Redis primary does no harm: no key is lost, nobody leads twice.
# SPDX-License-Identifier: Apache-2.0
# POINTS: at how many moments of the drill the runner is killed, each with a failover in time and
# without (default 12: less than a second between two). Three sets of hosts take the cases from one list.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016,SC2030,SC2031 # what is quoted is for the host; each case has its own $work
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab staging production fresh
# shellcheck source=tests/project.sh
. "$root/tests/project.sh"

points=${POINTS:-12}

# ---- a set: $set, its hosts by name and address ----

# use SET: a project in $work for its three Redis hosts.
use() {
    local at name
    set=$1
    names=() addresses=()
    for at in 1 2 3; do
        name=$set-redis-$at
        [ "$set" != fresh ] || name=fresh-$at
        names+=("$name")
        addresses+=("$(<"$LAB_STATE/hosts/$name/address")")
    done
    mkdir -p "$work/project/scenarios" "$work/project/environments"
    echo 'project: harm' >"$work/project/faildrill.yaml"
    cat >"$work/project/environments/here.yaml" <<END
environment: here
ssh: {config: $LAB_STATE/ssh_config}
roles:
  redis:
    hosts:
$(for at in 0 1 2; do echo "      ${names[at]}: {address: ${addresses[at]}}"; done)
    service: {pidfile: /run/redis/redis-server.pid, start: "/etc/init.d/redis-server start", stop: "/etc/init.d/redis-server stop"}
    redis_sentinel: {master: shop, sentinels: [${names[0]}, ${names[1]}, ${names[2]}]}
END
}
# scenario [KEY=TEXT...]: verb, hold and undo of the drill.
scenario() {
    local verb=kill hold=8s undo='lease: 2s, grace: 30s' more=''
    [ $# -eq 0 ] || local "$@"
    cat >"$work/project/scenarios/drill.yaml" <<END
scenario: drill
targets:
  primary: {role: redis, is: primary}
probes:
  redis: {primary: redis, every: 200ms, timeout: 1s}
$more
steady: {for: 200ms}
hold: 500ms
observe: 500ms
settle: 60s
steps:
  - {$verb: primary, for: $hold}
expect:
  redis: {max_split: 30s}
undo: {$undo}
END
}
redis() {
    timeout 60 redis-cli -h "$1" "${@:2}" 2>&1
}
redis_all() {
    local address
    for address in "${addresses[@]}"; do [ "$(redis "$address" "$@")" = OK ] || return 1; done
}
sentinel_all() {
    local address
    for address in "${addresses[@]}"; do
        [ "$(redis "$address" -p 26379 sentinel set shop "$@")" = OK ] || return 1
    done
}
# Who leads as the Sentinels have it; false where they differ.
sentinels_name() {
    local address named='' each
    for address in "${addresses[@]}"; do
        each=$(redis "$address" -p 26379 sentinel get-master-addr-by-name shop | head -n 1)
        [ "${named:=$each}" = "$each" ] || return 1
    done
    [ -n "$named" ] && echo "$named"
}
# One leads, the Sentinels name it, the others follow it and are in step.
is_whole() {
    local address role
    primary=$(sentinels_name) || return 1
    for address in "${addresses[@]}"; do
        role=$(redis "$address" role | head -n 4 | tr '\n' ' ')
        case $address:$role in
        "$primary:master "*) ;;
        "$primary:"*) return 1 ;;
        *":slave $primary 6379 connected "*) ;;
        *) return 1 ;;
        esac
    done
    [ "$(redis "$primary" info replication | grep -c '^slave[0-9]*:.*state=online')" -eq 2 ]
}
# The drill's own preflight also wants each Sentinel content with the others.
is_ready() {
    local address
    is_whole || return 1
    for address in "${addresses[@]}"; do
        redis "$address" -p 26379 sentinel ckquorum shop | grep -q ^OK || return 1
        redis "$address" -p 26379 sentinel master shop | grep -A1 -x flags | grep -qx master || return 1
    done
}
name_of() {
    local at
    for at in 0 1 2; do
        [ "${addresses[at]}" != "$1" ] || echo "${names[at]}"
    done
}

# ---- keys ----

# write_keys: 2,000 of them, acknowledged by the primary and by both replicas.
write_keys() {
    seq 2000 | sed "s/.*/set harm:$1:& value-&-$1/" | redis-cli -h "$primary" >"$work/acks" 2>&1
    [ "$(grep -cx OK "$work/acks")" -eq 2000 ] && [ "$(redis "$primary" wait 2 30000)" = 2 ] || return 1
    size=$(redis "$primary" dbsize)
}
# keys_are_there ADDRESS PREFIX: all of them, with their values, and no other one is gone.
keys_are_there() {
    local found
    found=$(redis "$1" dbsize)
    echo "$found keys on $1, $size before"
    [ "$found" = "$size" ] &&
        [ "$(seq 2000 | sed "s/^/get harm:$2:/" | redis-cli -h "$1" | sha256sum)" = \
            "$(seq 2000 | sed "s/.*/value-&-$2/" | sha256sum)" ]
}
keys_everywhere() {
    local address
    for address in "${addresses[@]}"; do keys_are_there "$address" "$1" || return 1; done
}

nothing_left() {
    local name
    for name in "${names[@]}"; do
        "$lab" exec "$name" test ! -e /run/faildrill || {
            echo "$name:"
            "$lab" exec "$name" sh -c 'ls -la /run/faildrill/*'
            return 1
        }
    done
}
service_is_up() {
    [ "$(redis "$1" ping)" = PONG ]
}
ready() {
    check "$1: the set is whole" wait_for 120 is_ready
}

# ---- a, b: what its disk does not hold is not killed ----

# Kept in its configuration, for a restart reads that.
persistence() {
    redis_all config set appendonly "$1" && redis_all config set save "$2" && redis_all config rewrite
}
is_rewritten() {
    local address
    for address in "${addresses[@]}"; do
        redis "$address" info persistence | tr -d '\r' >"$work/persistence"
        grep -qx aof_enabled:1 "$work/persistence" && grep -qx aof_rewrite_in_progress:0 "$work/persistence" &&
            grep -qx aof_rewrite_scheduled:0 "$work/persistence" || return 1
    done
}
case_persistence() {
    local name
    ready "persistence"
    sentinel_all down-after-milliseconds 2000
    check "no persistence: set so on all hosts" persistence no ''
    write_keys none
    scenario
    check "no persistence: kill of the primary is REFUSED, exit 4" ends 4 \
        'kill of a Redis primary without persistence is refused' drill run -e here drill
    scenario verb=freeze
    check "no persistence: freeze of the primary is planned" drill plan -e here drill
    check "no persistence: nothing was touched" keys_everywhere none

    check "snapshots alone: set so on all hosts" persistence no '3600 1'
    # So that no replica takes over: what comes back is what its disk holds.
    sentinel_all down-after-milliseconds 60000
    write_keys some
    scenario hold=2s
    check "snapshots alone: kill of the primary is REFUSED, exit 4" ends 4 'it has snapshots (RDB) alone' \
        drill run -e here drill
    check "snapshots alone: the refusal names the way out" grep -qF 'undo: {snapshot: true}' "$work/said"
    scenario hold=2s undo='lease: 5s, snapshot: true'
    name=$primary
    check "snapshots alone, undo: {snapshot: true}: it runs, exit 0" ends 0 'snapshot  on disk' \
        drill run -e here drill
    check "snapshots alone, undo: {snapshot: true}: whole again" wait_for 120 is_whole
    check "snapshots alone, undo: {snapshot: true}: the same one leads" test "$(sentinels_name)" = "$name"
    check "snapshots alone, undo: {snapshot: true}: every key is there" keys_everywhere some
    check "snapshots alone, undo: {snapshot: true}: nothing is left on a host" nothing_left
    check "persistence as before" persistence yes ''
    check "persistence is on disk again" wait_for 120 is_rewritten
}

# ---- the wrong process ----

# The files of the scripts that start Redis and the file that the drill is told of differ.
case_foreign() {
    local name
    ready "a pidfile that names somebody else"
    scenario
    sed -i 's#pidfile: /run/redis/redis-server.pid#pidfile: /run/foreign.pid#' "$work/project/environments/here.yaml"
    for name in "${names[@]}"; do
        "$lab" exec "$name" sh -c 'setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >/run/foreign.pid'
    done
    check "a pidfile that names somebody else: NOT READY, exit 3" ends 3 'by its own word' drill run -e here drill
    check "a pidfile that names somebody else: nobody was killed" \
        "$lab" exec "$(name_of "$primary")" sh -c 'kill -0 "$(cat /run/foreign.pid)"'
    check "a pidfile that names somebody else: nothing came to the hosts" nothing_left
    for name in "${names[@]}"; do
        "$lab" exec "$name" sh -c 'kill "$(cat /run/foreign.pid)"; rm /run/foreign.pid'
    done
}

# ---- c: the old primary comes back as a replica ----

no_second_primary() {
    drill report last --format json -o - | python3 -c '
import json, sys
(primary,) = json.load(sys.stdin)["primaries"]
seen = {key: primary[key] for key in ("before", "after", "census", "split", "split_after_undo")}
print(seen)
def none(span):
    return span is None or (span["low_ns"] or 0) == (span["high_ns"] or 0) == 0
sys.exit(not (seen["census"] and seen["before"] != seen["after"] and
              none(seen["split"]) and none(seen["split_after_undo"])))'
}
# Asks a Redis for its ROLE every 20 ms and prints each change. Who is slow has said nothing new.
watch_role() {
    exec python3 -u -c '
import socket, sys, time
last, at = None, time.monotonic()
while True:
    try:
        with socket.create_connection((sys.argv[1], 6379), 0.5) as redis:
            redis.sendall(b"ROLE\r\n")
            reply = redis.recv(4096)
        role = "master" if b"master" in reply else "slave" if b"slave" in reply else reply[:20].decode("latin1").strip() or "closed"
    except TimeoutError:
        role = last
    except OSError:
        role = "down"
    if role != last:
        print(role)
    last = role
    at = max(at + 0.02, time.monotonic() - 1)
    time.sleep(max(0, at - time.monotonic()))
' "$1"
}
never_led_again() {
    cat "$work/roles"
    [ "$(head -n 1 "$work/roles")" = master ] && grep -qx down "$work/roles" && grep -qx slave "$work/roles" &&
        [ "$(grep -cx master "$work/roles")" -eq 1 ]
}
case_returns() {
    local old watching
    ready "a killed primary"
    sentinel_all down-after-milliseconds 2000
    write_keys returns
    scenario hold=12s
    old=$primary
    watch_role "$old" >"$work/roles" 2>&1 &
    watching=$!
    wait_for 60 grep -qx master "$work/roles"
    check "a killed primary: PASS, exit 0" ends 0 PASS drill run -e here drill
    check "a killed primary: whole again" wait_for 120 is_whole
    kill "$watching"
    check "a killed primary: another one leads" test "$(sentinels_name)" != "$old"
    check "a killed primary: never says master after its restart" never_led_again
    check "a killed primary: no two primaries in the census, 0 s after the undo" no_second_primary
    check "a killed primary: every key is there, on each host" keys_everywhere returns
    check "a killed primary: nothing is left on a host" nothing_left
}

# ---- d: the runner dies at each second of the drill ----

has_begun() {
    grep -q 'state *STEPS' "$work/run.out" || ! kill -0 "$runner"
}
# case_point MODE NUMBER TENTHS: so long after the first step began.
case_point() {
    local mode=$1 id=$1-$2 name old runner hold=8s
    name="runner killed at $(($3 / 10)).$(($3 % 10)) s, $mode failover"
    ready "$name"
    sentinel_all down-after-milliseconds 2000
    if [ "$mode" = without ]; then
        sentinel_all down-after-milliseconds 60000
        hold=5s
    fi
    scenario hold="$hold"
    check "$name: 2,000 keys are written" write_keys "$id"
    old=$primary
    "$FAILDRILL" -C "$work/project" --no-input run -e here drill >"$work/run.out" 2>&1 &
    runner=$!
    check "$name: the drill begins" wait_for 60 has_begun
    sleep "$(($3 / 10)).$(($3 % 10))"
    kill -9 "$runner" 2>/dev/null
    wait "$runner" 2>/dev/null
    # The lease, 2 s, and the start of the service: it may wait for a failover under way.
    check "$name: the service is up" wait_for 60 service_is_up "$old"
    check "$name: one leads, the others follow" wait_for 120 is_whole
    [ "$mode" = with ] || check "$name: none came, and the same one leads" test "$primary" = "$old"
    check "$name: undo exits 0" drill undo
    check "$name: nothing is left to undo" ends 0 'nothing is left to undo' drill undo
    check "$name: every key is there, on each host" keys_everywhere "$id"
    check "$name: nothing is left on a host" nothing_left
    sed "s/^/    $(name_of "$old") led, $(name_of "$primary") leads: /" "$work/run.out" | tail -n 1
}

# ---- the list, and three who take from it ----

cases=("persistence" "returns" "foreign")
for ((i = 0; i < points; i++)); do
    cases+=("point with $i $((i * 110 / points))" "point without $i $((i * 70 / points))")
done
[ -z "${ONLY-}" ] || mapfile -t cases <<<"$ONLY"
echo 0 >"$work/next"
take() {
    flock 9
    next=$(<"$work/next")
    echo $((next + 1)) >"$work/next"
    [ "$next" -lt "${#cases[@]}" ]
} 9<"$work"
worker() {
    local words all=$work set next
    while take; do
        read -ra words <<<"${cases[next]}"
        (
            work=$all/$next
            mkdir "$work"
            use "$1"
            "case_${words[0]}" "${words[@]:1}"
        ) >"$work/$next.log" 2>&1 </dev/null
    done
}
for set in staging production fresh; do worker "$set" & done
wait
for next in "${!cases[@]}"; do
    cat "$work/$next.log"
    failed=$((failed + $(grep -c '^not ok ' "$work/$next.log")))
    grep -q '^ok ' "$work/$next.log" || not_ok "${cases[next]} says nothing"
done

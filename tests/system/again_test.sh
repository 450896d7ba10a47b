#!/usr/bin/env bash
# again_test.sh - who a target is, is asked again before each use, and whom the drill touches then is counted again.
# SPDX-License-Identifier: Apache-2.0
# The plan freezes one replica twice, which is one machine. Once it is frozen another one is the replica that answers.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # what is quoted is for the host
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab fresh
# shellcheck source=tests/project.sh
. "$root/tests/project.sh"

# project GATE
project() {
    local name
    mkdir -p "$work/project/scenarios" "$work/project/environments"
    echo 'project: again' >"$work/project/faildrill.yaml"
    {
        printf 'environment: here\nssh: {config: %s}\nroles:\n  redis:\n    hosts:\n' "$LAB_STATE/ssh_config"
        for name in fresh-1 fresh-2 fresh-3; do echo "      $name: {address: $(address_of "$name")}"; done
        cat <<ENVIRONMENT
    service: {pidfile: /run/redis/redis-server.pid, start: "/etc/init.d/redis-server start", stop: "/etc/init.d/redis-server stop"}
    redis_sentinel: {master: shop, sentinels: [fresh-1, fresh-2, fresh-3]}
gate: $1
ENVIRONMENT
    } >"$work/project/environments/here.yaml"
    cat >"$work/project/scenarios/drill.yaml" <<SCENARIO
scenario: drill
targets: {replica: {role: redis, is: replica}}
probes: {redis: {primary: redis, every: 100ms}}
steady: {for: 300ms}
hold: 500ms
observe: 500ms
settle: 2m
steps:
  - {freeze: replica}
  - {freeze: replica}
expect: {redis: {max_split: 2m}}
undo: {lease: 30s, grace: 60s}
SCENARIO
}
# ends STATUS TEXT COMMAND...: it ends so and says this text somewhere; anew where the machine was too busy to answer.
ends() {
    local want=$1 text=$2 got tries
    shift 2
    for tries in 1 2 3 4 5; do
        "$@" >"$work/said" 2>&1
        got=$?
        [ "$got" -ne 3 ] || [ "$want" -eq 3 ] || ! grep -q 'in time' "$work/said" || continue
        break
    done
    cat "$work/said"
    [ "$got" -eq "$want" ] && grep -qF -- "$text" "$work/said" || {
        echo "exit $got, not $want, the ${tries}th time; or it does not say: $text"
        return 1
    }
}
# Nothing of ours, and no Redis that is stopped.
is_clean() {
    local name
    for name in fresh-1 fresh-2 fresh-3; do
        "$lab" exec "$name" sh -c '[ -z "$(ls -A /run/faildrill 2>/dev/null)" ] && read -r pid </run/redis/redis-server.pid &&
            ! grep -q "^State:.T" "/proc/$pid/status"' || return 1
    done
}

project '{blast_radius: {hosts: 1}, keep_healthy: {redis: 0}}'
check "the plan touches one machine, twice" ends 0 'blast_radius 1 machine at once: 1 of 3 redis' drill plan -e here drill
check "another one at its turn would be two: not done, exit 7" \
    ends 7 'right before the fault, blast_radius: 2 machines at once, at most 1: 2 of 3 redis' drill run -e here drill
check "one was frozen, and is not any more" is_clean

project '{keep_healthy: {redis: 2}}'
check "one of three less is allowed by the plan" ends 0 'keep_healthy left: 2 of 3 redis' drill plan -e here drill
check "a second one less is not: exit 7" \
    ends 7 'right before the fault, keep_healthy: 1 of 3 redis would be left, at least 2' drill run -e here drill
check "that leaves nothing either" is_clean

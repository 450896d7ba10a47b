#!/usr/bin/env bash
# parity_test.sh - two labs: silent while they are equal, and each setting is named once it is another.
# SPDX-License-Identifier: Apache-2.0
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab staging production

net=$(<"$LAB_STATE/net")
production=${net%.*}.$((${net##*.} + 2))
mkdir -p "$work/environments"
cp "$LAB_STATE"/environments/{staging,production}.yaml "$work/environments/"
printf 'project: parity\nstate: state\nscenarios: [%s]\nenvironments: [environments]\n' "$root/scenarios" >"$work/faildrill.yaml"

parity() {
    "$FAILDRILL" -C "$work" doctor staging production --for redis_primary_dies >"$work/said" 2>&1
    status=$?
    cat "$work/said"
}
# says KNOB: it differs, and only what follows from it does as well.
says() {
    parity
    [ "$status" -eq 3 ] && grep -q "^redis  $1  " "$work/said" &&
        ! grep '^redis  ' "$work/said" | grep -vq "^redis  \($1\|failover expected in\)  "
}
is_silent() {
    parity
    [ "$status" -eq 0 ] && [ ! -s "$work/said" ]
}
# Of production's Redis, or its Sentinels: PORT WORDS...
set_all() {
    local n port=$1
    shift
    for n in 11 12 13; do
        [ "$(redis-cli -h "$production.$n" -p "$port" "$@")" = OK ] || return 1
    done
}
# differs KNOB PORT WORDS... OTHER BACK: set to OTHER it is named; set BACK nothing is.
differs() {
    local knob=$1 port=$2 words=("${@:3:$#-4}")
    check "$knob: can be set" set_all "$port" "${words[@]}" "${@: -2:1}"
    check "$knob: is named, and nothing else" says "$knob"
    set_all "$port" "${words[@]}" "${@: -1}"
}
check "an equal pair is silent" is_silent
differs down-after-milliseconds 26379 SENTINEL SET shop down-after-milliseconds 30000 2000
differs failover-timeout 26379 SENTINEL SET shop failover-timeout 180000 10000
differs parallel-syncs 26379 SENTINEL SET shop parallel-syncs 2 1
differs quorum 26379 SENTINEL SET shop quorum 3 2
differs min-replicas-to-write 6379 CONFIG SET min-replicas-to-write 0 1
differs min-replicas-max-lag 6379 CONFIG SET min-replicas-max-lag 60 10
differs save 6379 CONFIG SET save '3600 1' ''
differs appendonly 6379 CONFIG SET appendonly no yes
differs replica-priority 6379 CONFIG SET replica-priority 50 100
check "and silent again" wait_for 20 is_silent
# What the files say: a host less, another way to run it, and company.
sed -i '/redis-3: /d; s/, *[a-z]*-redis-3\]/]/' "$work/environments/production.yaml"
check "a host less is named" eval 'parity; [ "$status" -eq 3 ] && grep -q "^redis  hosts  *3  *2$" "$work/said"'
check "and what a pass does not prove" grep -q '^a pass in staging does not prove for production:.* that enough are left' "$work/said"
check "one environment alone wants none of this" eval '! "$FAILDRILL" -C "$work" doctor staging --for redis_primary_dies'

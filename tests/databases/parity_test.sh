#!/usr/bin/env bash
# parity_test.sh - Redis with Sentinel twice: silent while they are equal, and each setting is named once it is another.
# SPDX-License-Identifier: Apache-2.0
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab staging production
# shellcheck source=tests/databases/parity.sh
. "$root/tests/databases/parity.sh"

net=$(<"$LAB_STATE/net")
production=${net%.*}.$((${net##*.} + 2))
mkdir -p "$work/environments"
cp "$LAB_STATE"/environments/{staging,production}.yaml "$work/environments/"
printf 'project: parity\nstate: state\nscenarios: [%s]\nenvironments: [environments]\n' "$root/scenarios" >"$work/faildrill.yaml"
pair=(staging production) drill_for=redis_primary_dies

# Of production's Redis, or its Sentinels: PORT WORDS...
set_all() {
    local n port=$1
    shift
    for n in 11 12 13; do
        [ "$(redis-cli -h "$production.$n" -p "$port" "$@")" = OK ] || return 1
    done
}
check "an equal pair is silent" is_silent
for knob in 'down-after-milliseconds 30000 2000' 'failover-timeout 180000 10000' 'parallel-syncs 2 1' 'quorum 3 2'; do
    read -r knob value back <<<"$knob"
    differs redis "$knob" set_all 26379 SENTINEL SET shop "$knob" "$value" "$back"
done
for knob in 'min-replicas-to-write 0 1' 'min-replicas-max-lag 60 10' 'appendonly no yes' 'replica-priority 50 100'; do
    read -r knob value back <<<"$knob"
    differs redis "$knob" set_all 6379 CONFIG SET "$knob" "$value" "$back"
done
differs redis save set_all 6379 CONFIG SET save '3600 1' ''
parity_sum
# What the files say: a host less, another way to run it, and company.
sed -i '/redis-3: /d; s/, *[a-z]*-redis-3\]/]/' "$work/environments/production.yaml"
check "a host less is named" eval 'parity; [ "$status" -eq 3 ] && grep -q "^redis  hosts  *3  *2$" "$work/said"'
check "and what a pass does not prove" grep -q '^a pass in staging does not prove for production:.* that enough are left' "$work/said"
check "one environment alone wants none of this" eval '! "$FAILDRILL" -C "$work" doctor staging --for redis_primary_dies'

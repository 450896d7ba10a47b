#!/usr/bin/env bash
# rigged_patroni_test.sh - PostgreSQL with Patroni with settings made worse: the right one is named, and mended.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/rigged_patroni_test.sh      ONLY: ttl asynchronous
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
for tool in patroni patronictl etcd haproxy psql; do
    command -v "$tool" >/dev/null || skip_all "there is no $tool here"
done
export ONLY=${ONLY-$*}
in_lab patroni
# shellcheck source=tests/databases/rigged.sh
. "$root/tests/databases/rigged.sh"

# set_line LINE KNOB VALUE, until each host goes by it.
set_line() {
    local n
    read -ra words <<<"$1"
    "$lab" --state "$LAB_STATE" exec patroni-1 env PATRONICTL_CONFIG_FILE=/etc/lab/patroni.yml LC_ALL=C.UTF-8 \
        "${words[@]}" --force || return 1
    for n in 1 2 3; do wait_for 20 goes_by "$n" "${words[-1]}" || return 1; done
}
# goes_by N KEY=VALUE
goes_by() {
    curl -sf "http://$net.1$1:8008/config" | tr -d ' ' | grep -qE "\"${2%%=*}\":\"?$(sed 's/^on$/(on|true)/; s/^off$/(off|false)/' <<<"${2#*=}")\"?[,}]"
}
clients='  writes: {ledger: postgres, every: 100ms}
  postgres: {primary: postgres, every: 250ms}'

export role=postgres
rigged_in patroni 5
if wanted ttl; then
    set_line 'patronictl edit-config -s ttl=40'
    scenario ttl '{kill: primary, for: 60s}' "$clients" '  writes: {recover_within: 55s}
  postgres: {failover_within: 32s}'
    rigged ttl ttl=20
    set_line 'patronictl edit-config -s ttl=10'
fi
if wanted asynchronous; then
    set_line 'patronictl edit-config -s synchronous_mode=off'
    scenario asynchronous '{isolate: primary, for: 45s}' "$clients
  stranded: {ledger: postgres, from: primary, every: 100ms}" '  writes: {recover_within: 40s}
  postgres: {failover_within: 25s}
  stranded: {max_lost: 0}'
    rigged asynchronous synchronous_mode=on
fi
rigged_sum

#!/usr/bin/env bash
# rigged_postgres_test.sh - PostgreSQL that people fail over, with settings made worse: the right one is named, and mended.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/rigged_postgres_test.sh      ONLY: nobody local
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
for tool in psql pg_isready; do
    command -v "$tool" >/dev/null || skip_all "there is no $tool here"
done
export ONLY=${ONLY-$*}
in_lab postgres
# shellcheck source=tests/databases/rigged.sh
. "$root/tests/databases/rigged.sh"

# set_line LINE: in the file of each host, until each goes by it.
set_line() {
    local n
    for n in 1 2 3; do
        in_file "postgres-$n" /etc/lab/postgresql.conf "${1%% *}" "$1" || return 1
        wait_for 20 goes_by "$n" "${1%% *}" "$(sed "s/^[^=]*= *//; s/^'//; s/'\$//" <<<"$1")" || return 1
    done
}
# goes_by N NAME VALUE
goes_by() {
    local sql="psql -XAtqw postgresql://postgres@$net.1$1/shop"
    $sql -c 'select pg_reload_conf()' && [ "$($sql -c "show $2")" = "$3" ]
}
clients='  writes: {ledger: postgres, every: 100ms}
  stranded: {ledger: postgres, from: primary, every: 100ms}
  postgres: {primary: postgres, every: 250ms}'
limits='  writes: {max_outage: 60s}
  postgres: {failover_within: 32s}
  stranded: {max_lost: 0}'
# A busy machine takes long to prove the fence, and nobody is promoted before.
lost='{isolate: primary, at: 0s, for: 40s}
  - {stop: primary, at: 6s}
  - {failover: postgres, forced: true, at: 22s}'

export role=postgres
rigged_in postgres 6
doubts='loss possible'
contents='synchronous_standby_names ANY 1'
if wanted nobody; then
    set_line "synchronous_standby_names = ''"
    scenario nobody "$lost" "$clients" "$limits"
    rigged nobody 'synchronous_standby_names=ANY 1 (*)'
fi
if wanted local; then
    set_line "synchronous_standby_names = 'ANY 1 (*)'" && set_line 'synchronous_commit = local'
    scenario local "$lost" "$clients" "$limits"
    contents='synchronous_commit on'
    rigged local synchronous_commit=on
fi
rigged_sum

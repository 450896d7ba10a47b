# postgres.sh - what the tests of PostgreSQL share: its hosts asked directly, a project of their own.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
net=$(<"$LAB_STATE/net")
net=${net%.*}.$((${net##*.} + 6))
# shellcheck source=tests/drills.sh
. "$root/tests/drills.sh"
drills_of postgres postgres

# sql N TEXT: as the ledger's user on postgres-N itself.
sql() {
    PGCONNECT_TIMEOUT=2 timeout 5 psql -XAtqw -c "$2" "postgresql://${3-drill}@$net.1$1/shop" </dev/null
}
leaders() {
    local n
    for n in 1 2 3; do
        [ "$(sql $n 'select pg_is_in_recovery()' 2>/dev/null)" != f ] || echo "$n"
    done
}
# Two replicas stream from the only primary.
is_whole() {
    local n
    n=$(leaders)
    [ ${#n} -eq 1 ] && [ "$(sql "$n" "select count(*) from pg_stat_replication where state = 'streaming'
        and application_name <> 'pg_receivewal'")" = 2 ]
}

#!/usr/bin/env bash
# mariadb_killed_test.sh - runner and guard are killed at each second of a drill that kills a MariaDB primary.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/mariadb_killed_test.sh      ONLY: runner guard undoing fenced; TRY: 0 1 2 ...
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
for tool in mariadbd mariadb; do
    command -v "$tool" >/dev/null || skip_all "there is no $tool here"
done
export ONLY=${ONLY-$*}
in_lab mariadb

# shellcheck source=tests/databases/mariadb.sh
. "$root/tests/databases/mariadb.sh"

writes() {
    user=drill sql "$1" "insert into shop.census values ($1)"
}
has_kept() {
    [ "$(sql "$1" 'select count(*) from shop.kept')" = 1000 ]
}
is_down() {
    [[ $(on "$before" /etc/init.d/mariadb status) == *"not running"* ]] # its status is no failure of ours
}
export environment=mariadb role=mariadb
# shellcheck source=tests/databases/killed.sh
. "$root/tests/databases/killed.sh"

wait_for 60 is_whole
before=$(leaders)
sql "$before" 'create table shop.census (n int); create table shop.kept as select seq from shop.seq_1_to_1000'
# A clean stop would commit what waited for a replica, and it could not come back then.
scenario fenced "  - {isolate: primary, at: 0s, for: 25s}
  - {kill: primary, at: 2s}
  - {failover: mariadb, at: 12s}"
kill_at_each_second

#!/usr/bin/env bash
# postgres_killed_test.sh - runner and guard are killed at each second of a drill that kills a PostgreSQL primary.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/postgres_killed_test.sh      ONLY: runner guard undoing fenced; TRY: 0 1 2 ...
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || skip_all "there is no PostgreSQL here"
export ONLY=${ONLY-$*}
in_lab postgres

# shellcheck source=tests/databases/postgres.sh
. "$root/tests/databases/postgres.sh"

on() {
    "$lab" --state "$LAB_STATE" exec "postgres-$1" "${@:2}"
}

writes() {
    sql "$1" "insert into census values ($1)"
}
has_kept() {
    [ "$(sql "$1" 'select count(*) from kept')" = 1000 ]
}
is_down() {
    [[ $(on "$before" /etc/init.d/postgres status) == *"not running"* ]] # its status is no failure of ours
}
export environment=postgres role=postgres
# shellcheck source=tests/databases/killed.sh
. "$root/tests/databases/killed.sh"

wait_for 60 is_whole
before=$(leaders)
sql "$before" 'create table census (n int)' && sql "$before" 'create table kept as select generate_series(1, 1000)'
kill_at_each_second

# mariadb.sh - what the tests of MariaDB with replicas share: its hosts asked directly, a project of their own.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
net=$(<"$LAB_STATE/net")
net=${net%.*}.$((${net##*.} + 12))
# shellcheck source=tests/drills.sh
. "$root/tests/drills.sh"
drills_of mariadb mariadb

on() {
    "$lab" --state "$LAB_STATE" exec "mariadb-$1" "${@:2}"
}
# sql N TEXT [OPTION...]: as the lab's operator, to mariadb-N itself.
sql() {
    timeout 5 mariadb --no-defaults --protocol=tcp --connect-timeout=2 -h "$net.1$1" -u "${user-operator}" -N -B -e "$2" \
        "${@:3}" </dev/null
}
leaders() {
    local n
    for n in 1 2 3; do
        [ "$(sql $n 'select @@global.read_only' 2>/dev/null)" != 0 ] || echo "$n"
    done
}
# Two replicas stream from the only primary, and semi-sync is in effect.
is_whole() {
    local n
    n=$(leaders)
    [ ${#n} -eq 1 ] && [ "$(sql "$n" "select group_concat(variable_value order by variable_name) from
        information_schema.global_status where variable_name in ('rpl_semi_sync_master_clients',
        'rpl_semi_sync_master_status')")" = 2,ON ] && applies "$n"
}
# Each of the others applies.
applies() {
    local n
    for n in 1 2 3; do
        [ "$n" = "$1" ] || [ "$(sql "$n" 'show slave status\G' --column-names 2>/dev/null | grep -c 'Slave_\(IO\|SQL\)_Running: Yes')" = 2 ] || return 1
    done
}

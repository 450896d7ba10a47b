#!/usr/bin/env bash
# mariadb_test.sh - MariaDB, replicated and with Galera, drilled for real: what is lost, who leads, what comes back.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/mariadb_test.sh [SCENARIO...]     default: all of scenarios/mariadb and scenarios/galera, and `traps`
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
for tool in mariadbd mariadb rsync; do
    command -v "$tool" >/dev/null || skip_all "there is no $tool here"
done
export ONLY=${ONLY-$*}
in_lab mariadb galera

printf 'project: mariadb\nstate: state\nscenarios: [%s]\nenvironments: [%s]\n' \
    "$root/scenarios/mariadb, $root/scenarios/galera" "$LAB_STATE/environments" >"$work/faildrill.yaml"

# sql HOST TEXT: on the host itself.
sql() {
    "$lab" --state "$LAB_STATE" exec "$1" timeout 5 mariadb --defaults-file=/etc/lab/mariadb.cnf --protocol=tcp -N -B -e "$2"
}
# leaders SET: the hosts that take writes, by their own word.
leaders() {
    local n
    for n in 1 2 3; do
        case $1 in
        mariadb) sql "mariadb-$n" "select concat('ro=', @@global.read_only); show slave status" 2>/dev/null | grep -qxE 'ro=(0|OFF)' ;;
        galera) [ "$(state "galera-$n")" = 3,Primary,Synced,ON ] ;;
        esac && echo "$1-$n"
    done
}
state() {
    sql "$1" "select group_concat(variable_value order by variable_name) from information_schema.global_status where
        variable_name in ('wsrep_cluster_status', 'wsrep_ready', 'wsrep_cluster_size', 'wsrep_local_state_comment')" 2>/dev/null
}
followers() {
    [ "$(sql "$(leaders mariadb)" "select variable_value from information_schema.global_status
        where variable_name = 'rpl_semi_sync_master_clients'")" = 2 ]
}
is_whole() {
    case $1 in
    mariadb) [ "$(leaders mariadb | wc -l)" -eq 1 ] && followers ;;
    galera) [ "$(leaders galera | wc -l)" -eq 3 ] ;;
    esac
}

# field EXPRESSION: of the last report, as Python has it in `r`.
field() {
    python3 -c 'import json, sys
r = json.load(open(sys.argv[1]))
led = {l["probe"]: l for l in r["ledgers"]}
pri = r["primaries"][0]
pro = {p["name"]: p for p in r["probes"]}
def s(span, end="high_ns"): return "-" if not span or span.get(end) is None else "%.1f" % (span[end] / 1e9)
print(eval(sys.argv[2]))' "$work/report.json" "$1"
}

# drill SET NAME
drill() {
    "$FAILDRILL" -C "$work" run -e "$1" "$2" --no-input >"$work/said" 2>&1
    status=$?
    "$FAILDRILL" -C "$work" report last --format json -o "$work/report.json" >>"$work/said" 2>&1
    return "$status"
}
passes() {
    drill "$1" "$2" || {
        echo "exit $status"
        cat "$work/said"
        return 1
    }
}
nothing_is_lost() {
    [ "$(field '[(led["writes"][k]) for k in ("lost", "duplicated", "unexpected")]')" = '[0, 0, 0]' ] &&
        [ "$(field 'led["writes"]["acked"] > 20 and {l["read_back_complete"] for l in r["ledgers"]} == {"yes"}')" = True ]
}
# What a lost primary took alone: it had given up waiting (rpl_semi_sync_master_timeout), and says so by number.
counts_what_was_stranded() {
    [ "$(field 'led["stranded"]["lost"] > 0 and pri["split"]["low_ns"] > 0')" = True ]
}
as_predicted() {
    [ "$(field 'pri["failover"]["low_ns"] <= (pri["expected"]["high_ns"] or 1e18)')" = True ] &&
        [ "$(field 'pri["failover"]["high_ns"] >= pri["expected"]["low_ns"]')" = True ]
}

# ---- what is refused ----

# refuses ENVIRONMENT NAME SENTENCE
refuses() {
    "$FAILDRILL" -C "$work" run -e "$1" "$2" --no-input >"$work/said" 2>&1
    [ $? -eq 3 ] && grep -qF "$3" "$work/said"
}
traps() {
    local leader replica
    leader=$(leaders mariadb)
    replica=mariadb-$((${leader#mariadb-} % 3 + 1))
    sql "$replica" 'set global read_only = 0'
    check "a replica that takes writes is refused" refuses mariadb mariadb_switchover \
        "read_only is off on the replica $replica"
    sql "$replica" 'set global read_only = 1; stop slave io_thread'
    check "a replica that does not follow is lacking" refuses mariadb mariadb_switchover "$replica does not replicate"
    sql "$replica" 'start slave'
    wait_for 30 is_whole mariadb
    for n in 1 2 3; do [ "mariadb-$n" = "$leader" ] || sql "mariadb-$n" \
        'set global rpl_semi_sync_slave_enabled = 0; stop slave io_thread; start slave io_thread'; done
    sql "$leader" 'create database if not exists waits_for_nobody'
    check "semi-sync that has fallen back is refused" wait_for 20 refuses mariadb mariadb_switchover \
        'semi-sync has fallen back to asynchronous'
    for n in 1 2 3; do [ "mariadb-$n" = "$leader" ] || sql "mariadb-$n" \
        'set global rpl_semi_sync_slave_enabled = 1; stop slave io_thread; start slave io_thread'; done
    sql galera-2 'set global wsrep_desync = 1'
    check "a node that is desynced is refused" refuses galera galera_node_dies 'galera-2 is desynced'
    sql galera-2 'set global wsrep_desync = 0'
    wait_for 20 is_whole galera
    sql galera-3 "set global wsrep_provider_options = 'pc.ignore_sb = true'"
    sql galera-1 "set global wsrep_provider_options = 'pc.ignore_sb = true'"
    sql galera-2 "set global wsrep_provider_options = 'pc.ignore_sb = true'"
    check "a cluster that allows split brain is refused" refuses galera galera_node_dies 'pc.ignore_sb is on'
    for n in 1 2 3; do sql "galera-$n" "set global wsrep_provider_options = 'pc.ignore_sb = false'"; done
}

for file in "$root"/scenarios/mariadb/*.yaml "$root"/scenarios/galera/*.yaml; do
    name=${file##*/}
    name=${name%.yaml}
    set=${name%%_*}
    [ -z "$ONLY" ] || [[ " $ONLY " == *" $name "* ]] || continue
    wait_for 60 is_whole "$set"
    before=$(leaders "$set")
    begun=$SECONDS
    check "$name passes" passes "$set" "$name"
    check "$name: every acknowledged write is there, once" nothing_is_lost
    [ "$name" != mariadb_primary_lost ] || check "$name: what the old primary took alone is counted" counts_what_was_stranded
    check "$name: all of it is whole again" wait_for 60 is_whole "$set"
    [ "$set" = galera ] || check "$name: another leads" [ "$(leaders mariadb)" != "$before" ]
    check "$name: within the range that the knobs promise" as_predicted
    printf '    %-30s %-5s recovered %5s s, failover %5s s (%s-%s), lost %s of %s, redundant %s s, took %d s\n' "$name" \
        "$(field 'r["verdict"]')" "$(field 's(pro["writes"]["recovered"])')" "$(field 's(pri["failover"])')" \
        "$(field 's(pri["expected"], "low_ns")')" "$(field 's(pri["expected"])')" \
        "$(field 'led["writes"]["lost"]')" "$(field 'led["writes"]["acked"]')" \
        "$(field 's(pri["redundant"])')" $((SECONDS - begun))
done
case " ${ONLY:-traps} " in *" traps "*) traps ;; esac

#!/usr/bin/env bash
# mariadb_test.sh - MariaDB with replicas and nobody to fail it over, drilled: what is lost, who leads, what returns.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/mariadb_test.sh      ONLY: some scenarios of scenarios/mariadb, and: observed alone started stray traps
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
# shellcheck source=tests/databases/alone.sh
. "$root/tests/databases/alone.sh"
role=mariadb

# It acknowledged again while it was cut off, after what semi-sync waits.
went_on_alone() {
    holds 'f["recovered"][1] is not None and 9e9 < f["recovered"][0] < f["recovered"][1] < 15e9'
}
mariadb_on() {
    on "$1" /etc/init.d/mariadb "$2"
}

# ---- the losses, beside an observer of our own ----

# What the cut-off primary carried out within two seconds, by its own log of statements: a client that waits longer has gone,
# and was told nothing. Writer and number a line.
acknowledged() {
    on "$1" cat /var/lib/mysql/slow.log |
        awk '/^# Query_time:/ { quick = $3 < 2 } quick && /^insert into faildrill_ledger/' |
        sed -n "s/.*values ('[^']*', *\([0-9]*\), *\([0-9]*\), *\([0-9]*\)).*/\1 \2 \3/p" | sort -u
}
# Until told to end: the ledger's rows on any primary but the old one; they are deleted at the end.
watch_rows() {
    local n
    while :; do
        for n in 1 2 3; do
            [ "$n" != "$1" ] || continue
            sql "$n" "select probe, writer, number from shop.faildrill_ledger where @@global.read_only = 0" 2>/dev/null |
                tr '\t' ' ' >>"$work/rows.new"
        done
        sort -u -o "$work/rows" "$work/rows" "$work/rows.new"
        : >"$work/rows.new"
        sleep 0.2
    done
}
# Cut off for longer than rpl_semi_sync_master_timeout: it acknowledges alone. It stays out, for nobody could take it back.
cuts_off_beside_an_observer() {
    before=$(leaders)
    scenario too_late '  - {isolate: primary, at: 0s, for: 40s}
  - {stop: primary, at: 16s}
  - {failover: mariadb, at: 26s}' '  stranded: {ledger: mariadb, from: primary, every: 100ms}' ', leave: stopped' '  stranded: {max_lost: 60s}'
    sql "$before" "set global slow_query_log_file = 'slow.log'; set global long_query_time = 0; set global slow_query_log = 1"
    : >"$work/rows" && : >"$work/rows.new"
    watch_rows "$before" &
    watching=$!
    drill too_late
    kill "$watching"
    wait "$watching" 2>/dev/null
    acknowledged "$before" >"$work/acknowledged"
    cat "$work/said"
    [ "$status" -eq 1 ] && moved && grep -q 'undone   3 of 3' "$work/said"
}
is_made_anew() {
    on "$before" /etc/lab/mariadb_remake && wait_for 30 is_whole
}
observed() {
    wait_for 60 is_whole
    check "cut off for long, it acknowledges what is lost" cuts_off_beside_an_observer
    check "writes are lost, and said" holds 'led["stranded"]["lost"] > 20 and led["stranded"]["read_back_complete"] == "yes"'
    check "the same number, the same ids as an observer has" same_as_observed
    sed 's/^/    /' "$work/check.out"
    row "cut off for long"
    check "left stopped, it is not started" is_down
    check "made anew, it is a replica" is_made_anew
}

# ---- what would leave two primaries, and an undo that cannot know who leads ----

# Both replicas are gone by the time that the undo asks them.
stays_stopped() {
    local n running
    "$FAILDRILL" -C "$work" run -e mariadb unknown_primary --no-input >"$work/said" 2>&1 &
    running=$!
    wait_for 60 grep -q 'wait' "$work/said" || echo "it does not wait"
    for n in 1 2 3; do [ "$n" = "$before" ] || mariadb_on "$n" stop; done
    wait "$running"
    status=$?
    cat "$work/said"
    [ "$status" -eq 6 ] && grep -q 'MariaDB stays stopped: who leads is not known where one does not answer' "$work/said" &&
        grep -q 'by hand: once every peer answers' "$work/said" && [ -z "$(leaders)" ]
}
comes_back() {
    local n
    for n in 1 2 3; do [ "$n" = "$before" ] || mariadb_on "$n" start; done
    wait_for 60 is_whole || "$FAILDRILL" -C "$work" undo # by its guard
    "$FAILDRILL" -C "$work" undo && wait_for 30 is_whole && stayed
}
# Ours, until it is proven.
begin_kill() {
    scenario killed_once '  - kill: primary
  - wait: 10s'
    "$FAILDRILL" -C "$work" run -e mariadb killed_once --no-input >"$work/said" 2>&1 &
    running=$!
    wait_for 60 grep -q 'kill proven' "$work/said" || echo "it kills nobody"
}
# Somebody starts it before the undo does: it is read-only, and follows nobody.
is_started_by_another() {
    local running
    begin_kill
    mariadb_on "$before" start
    wait "$running"
    cat "$work/said"
    wait_for 30 is_whole && stayed
}
# So does its boot, for which folder and guard are gone as well.
is_started_without_a_folder() {
    local running
    begin_kill
    kill -9 "$running"
    wait "$running" 2>/dev/null
    on "$before" sh -c 'rm -rf /run/faildrill/*_*'
    mariadb_on "$before" start
    [ -z "$(leaders)" ] || echo "it takes writes"
    "$FAILDRILL" -C "$work" undo --no-input
    wait_for 30 is_whole && stayed
}
started() {
    wait_for 60 is_whole
    before=$(leaders)
    check "started by another before the undo: it takes writes again" is_started_by_another
    check "so does one whose host has lost our folder" is_started_without_a_folder
}
alone() {
    wait_for 60 is_whole
    before=$(leaders)
    scenario second_primary '  - failover: mariadb'
    check "while the primary runs, nobody is promoted" refuses 7 second_primary 'is a primary that runs'
    scenario rejected '  - run: "nft add table inet wall; nft add chain inet wall in \\{ type filter hook input priority 0\\; \\};
      nft add rule inet wall in tcp dport 3306 reject with tcp reset"
    target: primary
    fault: true
    proof: nft list table inet wall
    undo: "nft delete table inet wall; ! nft list table inet wall"
    at: 0s
    for: 15s
  - {failover: mariadb, at: 6s}'
    check "nor past one that runs and refuses our connections" refuses 7 rejected 'which refuses our connection'
    wait_for 60 is_whole
    scenario silent '  - {isolate: primary, at: 0s, for: 25s}
  - {failover: mariadb, at: 12s}'
    check "nor past one that is cut off, whose host says that it runs" refuses 7 silent 'which does not answer'
    wait_for 60 is_whole
    scenario unfenced '  - {isolate: primary, for: 10s}
  - {failover: mariadb, forced: true}'
    check "nobody is promoted past a primary that was not stopped" refuses 4 unfenced 'may leave two primaries'
    scenario restarted '  - restart: primary
  - failover: mariadb'
    check "a restart is no way to a failover" refuses 4 restarted 'second primary'
    scenario unknown_primary '  - kill: primary
  - wait: 10s'
    check "nobody can say who leads: it stays stopped, and the run says so" stays_stopped
    check "once they can say, it is started as the primary that it was" comes_back
}

# ---- what it alone has ----

# A row that no replica got, for semi-sync waits for nobody and they do not read; then the drill kills the primary.
kills_with_a_row_of_its_own() {
    local n running
    scenario stray '  - wait: 8s
  - kill: primary
  - failover: mariadb'
    sql "$before" 'create table if not exists shop.strays (n int)'
    "$FAILDRILL" -C "$work" run -e mariadb stray --no-input >"$work/said" 2>&1 &
    running=$!
    wait_for 60 grep -q 'wait' "$work/said" || echo "it does not wait"
    sql "$before" 'set global rpl_semi_sync_master_enabled = 0'
    for n in 1 2 3; do [ "$n" = "$before" ] || sql "$n" 'stop slave io_thread'; done
    sql "$before" 'insert into shop.strays values (1)'
    wait "$running"
    status=$?
    cat "$work/said"
    [ "$status" -eq 6 ] && moved && is_down &&
        grep -q 'MariaDB stays stopped: it has transactions that .* has not: 0-1[1-3]-' "$work/said"
}
is_down() {
    [[ $(mariadb_on "$before" status) == *"not running"* ]] # its status is no failure of ours
}
nobody_has_it() {
    local n
    for n in 1 2 3; do
        [ "$n" = "$before" ] || [ "$(sql "$n" 'select count(*) from shop.strays')" = 0 ] || return 1
    done
}
is_undone_by_hand() {
    on "$before" /etc/lab/mariadb_remake || return 1
    sql "$(leaders)" 'create or replace database a_write' # semi-sync comes back with the next write
    wait_for 60 is_whole || "$lab" --state "$LAB_STATE" status
    "$FAILDRILL" -C "$work" undo && is_whole && nobody_has_it
}
stray() {
    wait_for 60 is_whole
    before=$(leaders)
    check "a former primary with a row of its own stays stopped, and the run says so" kills_with_a_row_of_its_own
    check "nobody got that row from it" nobody_has_it
    check "made anew by hand, it is a replica, and the run is undone" is_undone_by_hand
}

# ---- what is not as it must be ----

# starts_writable N WORD: its configuration says so.
says_in_config() {
    on "$1" sed -i "s/^read-only.*/$2/" /etc/lab/mariadb.cnf
}
# A write waits, and nobody acknowledges it.
has_fallen_back() {
    local n
    for n in 1 2 3; do
        [ "$n" = "$before" ] || sql "$n" 'set global rpl_semi_sync_slave_enabled = 0; stop slave io_thread; start slave io_thread'
    done
    sql "$before" 'create or replace database waits_for_nobody'
    [ "$(sql "$before" "select variable_value from information_schema.global_status
        where variable_name = 'rpl_semi_sync_master_status'")" = OFF ]
}
# foretells WORDS: by the plan, of a killed primary.
foretells() {
    "$FAILDRILL" -C "$work" plan -e mariadb mariadb_primary_dies --no-input >"$work/said" 2>&1
    cat "$work/said"
    tr -s ' \n' ' ' <"$work/said" | grep -q "$1"
}
# What decides whether it can come back, and whether its successor waits for anybody.
semi_sync_details() {
    local replica=$1
    sql "$before" 'set global rpl_semi_sync_slave_enabled = 0'
    check "what the primary's recovery would keep is foretold" foretells 'rpl_semi_sync_slave_enabled is off on it'
    sql "$before" "set global rpl_semi_sync_slave_enabled = 1, rpl_semi_sync_master_wait_point = 'AFTER_COMMIT'"
    check "so is what it commits before a replica has it" foretells 'wait_point is not AFTER_SYNC on it'
    sql "$before" "set global rpl_semi_sync_master_wait_point = 'AFTER_SYNC'"
    sql "$replica" 'set global rpl_semi_sync_master_enabled = 0'
    check "a replica that would wait for nobody is named" foretells "semi-sync once promoted.* mariadb-$replica"
    sql "$replica" 'set global rpl_semi_sync_master_enabled = 1'
    sql "$before" 'set global rpl_semi_sync_master_enabled = 0'
    check "a primary without semi-sync, where others have it, is lacking" refuses 3 mariadb_primary_dies 'acknowledges without semi-sync'
    sql "$before" 'set global rpl_semi_sync_master_enabled = 1'
    sql "$before" 'create or replace database a_write'
    wait_for 30 is_whole
}
traps() {
    local n replica
    wait_for 60 is_whole
    before=$(leaders)
    replica=$((before % 3 + 1))
    semi_sync_details "$replica"
    says_in_config "$before" 'read-only = 0'
    check "who would be started taking writes is not killed" refuses 3 mariadb_primary_dies 'does not say read_only = 1'
    says_in_config "$before" 'read-only = 1'
    sql "$replica" 'set global read_only = 0'
    check "a replica that takes writes is refused" refused 3 mariadb_primary_dies "read_only is off on the replica mariadb-$replica"
    sql "$replica" 'set global read_only = 1; stop slave io_thread'
    check "a replica that does not follow is lacking" refuses 3 mariadb_primary_dies "mariadb-$replica does not replicate"
    sql "$replica" 'start slave'
    wait_for 30 is_whole
    sql "$before" 'set global rpl_semi_sync_master_timeout = 1000'
    wait_for 30 has_fallen_back
    check "semi-sync that has fallen back is refused" refuses 3 mariadb_primary_dies 'semi-sync has fallen back to asynchronous'
    for n in 1 2 3; do
        [ "$n" = "$before" ] || sql "$n" 'set global rpl_semi_sync_slave_enabled = 1; stop slave io_thread; start slave io_thread'
    done
    sql "$before" 'set global rpl_semi_sync_master_timeout = 10000'
}

for file in "$root"/scenarios/mariadb/*.yaml; do
    name=${file##*/}
    name=${name%.yaml}
    wanted "$name" || continue
    wait_for 60 is_whole
    before=$(leaders)
    check "$name passes" passes "$name"
    row "$name"
    check "$name: every acknowledged write is there, once" every_write writes
    check "$name: redundant again" wait_for 60 is_whole
    check "$name: the ledger's rows are gone" is_tidy shop.faildrill_ledger
    case $name in
    *_frozen | *_cut_from_*) check "$name: the primary stays" stayed ;;
    *)
        check "$name: another leads" moved
        check "$name: within the range that was predicted" as_predicted
        ;;
    esac
    case $name in
    *_cut_from_clients) check "$name: it is said that nobody saw it" nobody_saw mariadb writes ;;
    *_cut_from_replicas) check "$name: it waits for nobody for longer than semi-sync's time-out" went_on_alone ;;
    esac
done
for part in observed alone started stray traps; do
    ! wanted "$part" || "$part"
done

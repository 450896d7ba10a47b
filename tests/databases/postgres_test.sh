#!/usr/bin/env bash
# postgres_test.sh - PostgreSQL with replicas and nobody to fail it over, drilled: what is lost, who leads, what returns.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/postgres_test.sh      ONLY: some scenarios of scenarios/postgres, and: observed alone
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || skip_all "there is no PostgreSQL here"
export ONLY=${ONLY-$*}
in_lab postgres

# shellcheck source=tests/databases/postgres.sh
. "$root/tests/databases/postgres.sh"
# shellcheck source=tests/databases/alone.sh
. "$root/tests/databases/alone.sh"
role=postgres

# setting NAME VALUE: on all hosts.
setting() {
    local n
    for n in 1 2 3; do
        sql $n "alter system set $1 = '$2'" postgres && sql $n 'select pg_reload_conf()' postgres
    done >/dev/null
}
in_sync() {
    [ "$(sql "$(leaders)" "select count(*) > 0 from pg_stat_replication where sync_state in ('sync', 'quorum')")" = t ]
}

# ---- the losses, beside an observer of our own ----

# What the cut-off primary's own log says that it executed, not only parsed: probe, writer, number a line.
acknowledged() {
    "$lab" --state "$LAB_STATE" exec "postgres-$1" cat /var/log/postgres.log |
        awk '/ LOG:  / { executed = / execute / } executed && /DETAIL:  parameters:/' |
        sed -n "s/.*parameters: \$1 = '\([^']*\)', \$2 = '\([0-9]*\)', \$3 = '\([0-9]*\)', \$4 = '\([0-9]*\)'.*/\2 \3 \4/p" | sort -u
}
# Until told to end: the ledger's rows on any primary but the old one; they are deleted at the end.
watch_rows() {
    local n
    while :; do
        for n in 1 2 3; do
            [ "$n" = "$1" ] || sql "$n" "select probe, writer, number from faildrill_ledger where not pg_is_in_recovery()" \
                2>/dev/null | tr '|' ' ' | sort -u >"$work/rows.new"
            [ "$n" = "$1" ] || sort -u -o "$work/rows" "$work/rows" "$work/rows.new"
        done
        sleep 0.2
    done
}

cuts_off_beside_an_observer() {
    wait_for 60 is_whole
    before=$(leaders)
    sql "$before" 'create table if not exists faildrill_ledger (run text not null, probe int not null, writer int not null,
        number bigint not null, at timestamptz not null default now())'
    setting log_min_duration_statement 0
    : >"$work/rows"
    watch_rows "$before" &
    watching=$!
    drill postgres_primary_lost
    kill "$watching"
    wait "$watching" 2>/dev/null
    acknowledged "$before" >"$work/acknowledged"
    setting log_min_duration_statement -1
    cat "$work/said"
    [ "$status" -eq 0 ]
}
observed() {
    check "asynchronous: cut off, it acknowledges what is lost" cuts_off_beside_an_observer
    check "asynchronous: writes are lost" holds 'led["stranded"]["lost"] > 20'
    check "asynchronous: the same number, the same ids as an observer has" same_as_observed
    sed 's/^/    /' "$work/check.out"
    row "postgres_primary_lost, asynchronous"
    wait_for 60 is_whole
    setting synchronous_standby_names 'ANY 1 (walreceiver)'
    check "a replica is synchronous now" wait_for 30 in_sync
    # Commits wait for the third host to follow the new primary, so recover_within may be missed.
    check "synchronous: the same drill comes to its end" judged postgres_primary_lost
    check "synchronous: nothing that was acknowledged is lost" \
        [ "$(field '(led["writes"]["lost"], led["stranded"]["lost"], led["writes"]["read_back_complete"])')" = "(0, 0, 'yes')" ]
    row "postgres_primary_lost, synchronous"
    wait_for 60 is_whole
    setting synchronous_standby_names ''
}

# ---- what would leave two primaries, and an undo that cannot know who leads ----

postgres_on() {
    "$lab" --state "$LAB_STATE" exec "postgres-$1" /etc/init.d/postgres "$2"
}
# Both replicas are gone by the time that the undo asks them.
stays_stopped() {
    local n running
    "$FAILDRILL" -C "$work" run -e postgres unknown_primary --no-input >"$work/said" 2>&1 &
    running=$!
    wait_for 60 grep -q 'wait' "$work/said" || echo "it does not wait"
    for n in 1 2 3; do [ "$n" = "$before" ] || postgres_on "$n" stop; done
    wait "$running"
    status=$?
    cat "$work/said"
    [ "$status" -eq 6 ] && grep -q 'PostgreSQL stays stopped: nobody is known to be primary' "$work/said" &&
        grep -q 'by hand: once every peer answers' "$work/said" && [ -z "$(leaders)" ]
}
comes_back() {
    local n
    for n in 1 2 3; do [ "$n" = "$before" ] || postgres_on "$n" start; done
    wait_for 60 is_whole # by its guard
    "$FAILDRILL" -C "$work" undo && is_whole && stayed
}
alone() {
    wait_for 60 is_whole
    before=$(leaders)
    scenario second_primary '  - failover: postgres'
    check "while the primary runs, nobody is promoted" refuses 7 second_primary 'is a primary that runs'
    scenario rejected '  - run: "nft add table inet wall; nft add chain inet wall in \\{ type filter hook input priority 0\\; \\};
      nft add rule inet wall in tcp dport 5432 reject with tcp reset"
    target: primary
    fault: true
    proof: nft list table inet wall
    undo: "nft delete table inet wall; ! nft list table inet wall"
    at: 0s
    for: 15s
  - {failover: postgres, at: 6s}'
    check "nor past one that runs and refuses our connections" refuses 7 rejected 'which refuses our connection'
    wait_for 60 is_whole
    scenario unfenced '  - {isolate: primary, for: 10s}
  - {failover: postgres, forced: true}'
    check "nobody is promoted past a primary that was not stopped" refuses 4 unfenced 'may leave two primaries'
    scenario restarted '  - restart: primary
  - failover: postgres'
    check "a restart is no way to a failover" refuses 4 restarted 'second primary'
    scenario cut_off '  - isolate: primary
  - stop: primary
  - {failover: postgres, forced: true}'
    check "an undo that could ask nobody is refused" refuses 4 cut_off 'cut off from each other'
    scenario unknown_primary '  - kill: primary
  - wait: 10s'
    check "nobody can say who leads: it stays stopped, and the run says so" stays_stopped
    check "once they can say, it is started as the primary that it was" comes_back
}

for file in "$root"/scenarios/postgres/*.yaml; do
    name=${file##*/}
    name=${name%.yaml}
    wanted "$name" || continue
    wait_for 60 is_whole
    before=$(leaders)
    check "$name passes" passes "$name"
    [ "$name" != postgres_backup_restore ] || {
        grep 'rto\|restore  \|data_age\|rows  ' "$work/said" | grep measured | sed 's/^/  /'
        continue
    }
    row "$name"
    [[ $name != *_cut_from_clients ]] || check "$name: it is said that nobody saw it" nobody_saw postgres writes
    check "$name: redundant again" wait_for 30 is_whole
    check "$name: the ledger's rows are gone" is_tidy
    case $name in
    *_dies | *_lost | *_switchover)
        check "$name: another leads" moved
        check "$name: within the range that was predicted" as_predicted
        ;;
    *) check "$name: the primary stays" stayed ;;
    esac
done
for part in observed alone; do
    ! wanted "$part" || "$part"
done

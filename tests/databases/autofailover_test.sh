#!/usr/bin/env bash
# autofailover_test.sh - PostgreSQL that pg_auto_failover fails over, drilled: what is lost, who leads, what returns.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/autofailover_test.sh      ONLY: some scenarios of scenarios/autofailover, and: refused
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
command -v pg_autoctl >/dev/null || skip_all "there is no pg_autoctl here"
export ONLY=${ONLY-$*}
in_lab autofailover

net=$(<"$LAB_STATE/net")
net=${net%.*}.$((${net##*.} + 14))
# shellcheck source=tests/drills.sh
. "$root/tests/drills.sh"
drills_of autofailover autofailover

# sql N TEXT: as the ledger's user on autofailover-N itself.
sql() {
    PGCONNECT_TIMEOUT=2 timeout 5 psql -XAtqw -c "$2" "postgresql://drill@$net.1$1/shop" </dev/null 2>/dev/null
}
leaders() {
    local n
    for n in 1 2; do
        [ "$(sql $n 'select pg_is_in_recovery()')" != f ] || echo "$n"
    done
}
monitor() {
    PGCONNECT_TIMEOUT=2 timeout 5 psql -XAtqw -c "$1" "postgresql://autoctl_node@$net.31/pg_auto_failover" </dev/null 2>/dev/null
}
# The replica streams, synchronous, from the only primary, and the monitor has both as what they are.
is_whole() {
    local leads
    leads=$(leaders)
    [ ${#leads} -eq 1 ] && [ "$(sql "$leads" "select count(*) from pg_stat_replication where state = 'streaming' and
        sync_state in ('sync', 'quorum')")" = 1 ] &&
        [ "$(monitor "select string_agg(nodename || ' ' || current_group_state, ' ' order by current_group_state) from
            pgautofailover.current_state() where current_group_state = assigned_group_state and health = 1")" = \
            "autofailover-$leads primary autofailover-$((3 - leads)) secondary" ]
}

# scenario NAME STEPS
scenario() {
    cat >"$work/own/$1.yaml" <<END
scenario: $1
targets:
  primary: {role: postgres, is: primary}
probes:
  postgres: {primary: postgres, every: 250ms}
hold: 3s
observe: 3s
steady: {for: 3s}
steps:
$2
halt: {postgres: {max_outage: 90s}}
expect:
  postgres: {max_split: 0s}
END
}
on_monitor() {
    "$lab" --state "$LAB_STATE" exec autofailover-monitor-1 /etc/init.d/pg_autoctl "$1" >/dev/null
}
# graces MS: so long after its start, and it is started anew.
graces() {
    "$lab" --state "$LAB_STATE" exec autofailover-monitor-1 \
        sed -i "s/^\(pgautofailover.startup_grace_period = \).*/\1$1/" /var/lib/postgresql/data/postgresql.conf
    on_monitor stop
    on_monitor start
    wait_for 60 is_whole
}
refused_ones() {
    wait_for 60 is_whole
    before=$(leaders)
    scenario dies '  - {kill: primary, for: 20s}'
    scenario forced '  - {failover: postgres, forced: true}'
    check "a switchover that is forced is refused" refuses 7 forced 'is never forced'
    on_monitor stop
    check "without a monitor nobody would promote: refused" refuses 3 dies 'the monitor gives no answer'
    graces 60000
    check "a monitor that has just started promotes nobody yet: refused, and until when is said" \
        refuses 4 dies 'is in its cool-down: next drill not before'
    graces 2000
}

for file in "$root"/scenarios/autofailover/*.yaml; do
    name=${file##*/}
    name=${name%.yaml}
    wanted "$name" || continue
    wait_for 60 is_whole
    before=$(leaders)
    check "$name passes" passes "$name"
    row "$name"
    [[ $name != *_cut_from_clients ]] || check "$name: it is said that nobody saw it" nobody_saw postgres writes
    check "$name: whole again, by PostgreSQL's word and the monitor's" wait_for 60 is_whole
    check "$name: the ledger's rows are gone" is_tidy
    case $name in
    *_switchover)
        check "$name: who led at the start leads again" gave_back postgres
        say_back "$name"
        ;;
    *_dies | *_isolated | *_frozen)
        [ "$name" != autofailover_monitor_dies ] || {
            check "$name: the primary stays" stayed
            continue
        }
        check "$name: another leads" moved
        check "$name: within the range that was predicted" as_predicted
        ;;
    *_cut_from_coordinator) ;; # either is right
    *) check "$name: the primary stays" stayed ;;
    esac
done
! wanted refused || refused_ones

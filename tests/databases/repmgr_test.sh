#!/usr/bin/env bash
# repmgr_test.sh - PostgreSQL that repmgrd fails over, drilled: what is lost, who leads, what returns as what.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/repmgr_test.sh      ONLY: some scenarios of scenarios/repmgr, and: refused killed
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
ls /usr/lib/postgresql/*/bin/repmgrd >/dev/null 2>&1 || skip_all "there is no repmgr here"
export ONLY=${ONLY-$*}
in_lab repmgr

net=$(<"$LAB_STATE/net")
net=${net%.*}.$((${net##*.} + 15))
# shellcheck source=tests/drills.sh
. "$root/tests/drills.sh"
drills_of repmgr repmgr

# sql N TEXT [DATABASE]: as the ledger's user on repmgr-N itself.
sql() {
    PGCONNECT_TIMEOUT=2 timeout 5 psql -XAtqw -c "$2" "postgresql://drill@$net.1$1/${3-shop}" </dev/null 2>/dev/null
}
leaders() {
    local n
    for n in 1 2 3; do
        [ "$(sql $n 'select pg_is_in_recovery()')" != f ] || echo "$n"
    done
}
# Two replicas stream from the only primary, and repmgr has all three as what they are, by each one's tables.
is_whole() {
    local n leads
    leads=$(leaders)
    [ ${#leads} -eq 1 ] && [ "$(sql "$leads" "select count(*) from pg_stat_replication where state = 'streaming'")" = 2 ] ||
        return 1
    for n in 1 2 3; do
        [ "$(sql $n "select count(*) filter (where active and (type = 'primary') = (node_id = $leads)),
            repmgr.repmgrd_is_running() and not repmgr.repmgrd_is_paused() from repmgr.nodes" repmgr)" = '3|t' ] || return 1
    done
}
is_whole_elsewhere() {
    moved && is_whole
}
repmgr() {
    "$lab" --state "$LAB_STATE" exec "repmgr-$1" setpriv --reuid=postgres --regid=postgres --init-groups \
        /usr/lib/postgresql/15/bin/repmgr -f /etc/lab/repmgr.conf "${@:2}" </dev/null
}

# ---- what would leave two primaries ----

# scenario NAME STEPS
scenario() {
    cat >"$work/own/$1.yaml" <<END
scenario: $1
targets:
  primary: {role: postgres, is: primary}
  replica: {role: postgres, is: replica, pick: 1}
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
refused_ones() {
    local name
    wait_for 60 is_whole
    before=$(leaders)
    scenario isolated '  - {isolate: primary, for: 20s}'
    scenario frozen '  - {freeze: primary, for: 20s}'
    scenario parted '  - {cut: {between: [primary, replica]}, for: 20s}'
    for name in isolated frozen parted; do
        check "$name: who is hidden and runs would be a second primary: refused" refuses 4 $name 'may leave two primaries'
    done
    scenario restarted '  - restart: primary'
    check "restarted: as it is, it may be a second primary: refused" refuses 4 restarted 'second primary'
    scenario forced '  - {failover: postgres, forced: true}'
    check "a switchover that is forced is refused" refuses 7 forced 'is never forced'
    repmgr 1 service pause >/dev/null 2>&1
    scenario dies '  - {kill: primary, for: 20s}'
    check "a paused repmgrd promotes nobody: refused" refuses 3 dies 'is paused'
    repmgr 1 service unpause >/dev/null 2>&1
    wait_for 30 is_whole
}

# ---- the runner dies ----

# kill_it SCENARIO WORDS: our run, once it has said so.
kill_it() {
    "$FAILDRILL" -C "$work" run -e repmgr "$1" --no-input >"$work/said" 2>&1 &
    local running=$!
    wait_for 60 grep -q "$2" "$work/said" || echo "it does not say $2"
    kill -9 "$running"
    wait "$running" 2>/dev/null
    cat "$work/said"
}
# The host's own guard starts it, and finds another primary.
comes_back_by_its_guard() {
    kill_it dies 'kill proven'
    wait_for 90 is_whole_elsewhere
}
# Begun, it is repmgr's own work.
switches_to_the_end() {
    scenario switched '  - failover: postgres'
    "$FAILDRILL" -C "$work" run -e repmgr switched --no-input >"$work/said" 2>&1 &
    local running=$!
    wait_for 60 switchover_runs || echo "no switchover runs"
    kill -9 "$running"
    wait "$running" 2>/dev/null
    wait_for 90 is_whole_elsewhere
}
switchover_runs() {
    local n
    for n in 1 2 3; do
        ! "$lab" --state "$LAB_STATE" exec "repmgr-$n" pgrep -f 'standby switchover --siblings-follow --force-rewind$' \
            >/dev/null || return 0
    done
    return 1
}
killed() {
    scenario dies '  - {kill: primary, for: 20s}'
    wait_for 60 is_whole
    before=$(leaders)
    check "runner killed: the old primary comes back as a replica, and repmgr knows it" comes_back_by_its_guard
    "$FAILDRILL" -C "$work" undo --no-input >"$work/said" 2>&1
    before=$(leaders)
    check "runner killed: a switchover that was begun comes to its end, repmgrd watches again" switches_to_the_end
    "$FAILDRILL" -C "$work" undo --no-input >"$work/said" 2>&1
}

for file in "$root"/scenarios/repmgr/*.yaml; do
    name=${file##*/}
    name=${name%.yaml}
    wanted "$name" || continue
    wait_for 60 is_whole
    before=$(leaders)
    check "$name passes" passes "$name"
    row "$name"
    [[ $name != *_cut_from_clients ]] || check "$name: it is said that nobody saw it" nobody_saw postgres writes
    check "$name: whole again, by PostgreSQL's word and repmgr's" wait_for 30 is_whole
    check "$name: the ledger's rows are gone" is_tidy
    case $name in
    *_switchover)
        check "$name: who led at the start leads again" gave_back postgres
        say_back "$name"
        ;;
    *_cut_from_clients) check "$name: the primary stays" stayed ;;
    *)
        check "$name: another leads" moved
        check "$name: within the range that was predicted" as_predicted
        ;;
    esac
done
! wanted refused || refused_ones
! wanted killed || killed

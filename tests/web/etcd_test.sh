#!/usr/bin/env bash
# etcd_test.sh - etcd, drilled in every way of scenarios/etcd.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/web/etcd_test.sh      ONLY: some scenarios of scenarios/etcd, and: back halted
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
command -v etcd >/dev/null || skip_all "there is no etcd here"
in_lab etcd
# shellcheck source=tests/drills.sh
. "$root/tests/drills.sh"
drills_of etcd etcd
net=$(<"$LAB_STATE/net")
net=${net%.*}.$((${net##*.} + 8))

nothing_is_lost() {
    holds 'all(l["lost"] + l["back_lost"] == 0 and l["duplicated"] == 0 and l["unexpected"] == 0 for l in r["ledgers"])' &&
        holds 'led["writes"]["acked"] > 50' && holds '{l["read_back_complete"] for l in r["ledgers"]} == {"yes"}'
}
# Not one key is left, by etcd's own word.
is_tidy() {
    python3 -c 'import json, sys, urllib.request as u
said = json.load(u.urlopen(u.Request(sys.argv[1], data=b"{\"key\":\"AA==\",\"range_end\":\"AA==\",\"count_only\":true}"), timeout=5))
sys.exit(int(said.get("count", "0")))' "http://$net.31:2379/v3/kv/range"
}
for name in etcd_leader_dies etcd_leader_frozen etcd_leader_isolated etcd_leader_cut_from_members \
    etcd_leader_cut_from_clients etcd_leader_moves; do
    wanted "$name" || continue
    check "$name passes" passes "$name"
    check "$name: every acknowledged write is there, once" nothing_is_lost
    check "$name: the ledger's keys are gone" is_tidy
    if [ "$name" = etcd_leader_cut_from_clients ]; then
        check "$name: it is said that nobody saw it" nobody_saw etcd writes
    else
        check "$name: within the range that is foreseen" as_predicted
    fi
    row "$name"
done

# The role given back to who led: the first one's id stands at `targetID` on the way back.
gives_back() {
    passes etcd_leader_back && nothing_is_lost && gave_back etcd
}
sed 's/^scenario: .*/scenario: etcd_leader_back/; s/^  - failover: etcd$/  - {failover: etcd, switch_back: true}/' \
    "$root/scenarios/etcd/etcd_leader_moves.yaml" >"$work/own/etcd_leader_back.yaml"
if wanted back; then
    check "the leader moves, and moves back" gives_back
    say_back etcd_leader_back
fi

# Halted while its undo is under way: nobody is asked to lead again. The undo waits until the halt was sent.
halts_in_its_undo() {
    : >"$work/slow"
    chmod 755 "$work"
    "$FAILDRILL" -C "$work" run -e etcd etcd_halted_undo --no-input >"$work/said" 2>&1 &
    local runner=$!
    wait_for 120 grep -q 'UNDOING' "$work/said" && kill -INT "$runner"
    wait_for 20 grep -q 'Ctrl-C' "$work/said"
    rm -f "$work/slow"
    wait "$runner"
    status=$?
    cat "$work/said"
    "$FAILDRILL" -C "$work" report last --format json -o "$work/report.json"
    [ "$status" -eq 5 ] && holds 'r["switch_backs"][0]["asked"] is False' &&
        holds 'r["switch_backs"][0]["why"] == "the drill was stopped before its end"' &&
        holds 'pri["etcd"]["after"] != pri["etcd"]["before"] and r["faults_undone"] == r["faults_sent"]'
}
cat >"$work/own/etcd_halted_undo.yaml" <<END
scenario: etcd_halted_undo
hypothesis: Whoever halts a drill while it undoes is not answered with another failover.
probes:
  writes: {ledger: etcd, every: 100ms}
  etcd: {primary: etcd, every: 250ms}
hold: 3s
steady: {for: 3s}
observe: 5s
steps:
  - {failover: etcd, switch_back: true}
  - run: touch $work/there
    target: {role: etcd, is: replica, pick: 1}
    fault: true
    undo: while [ -e $work/slow ]; do sleep 0.1; done; rm -f $work/there
    proof: test -e $work/there
halt:
  writes: {max_outage: 30s}
expect:
  writes: {max_lost: 0}
  etcd: {failover_within: 5s}
END
! wanted halted || check "halted in its undo: who led is not asked to lead again" halts_in_its_undo

#!/usr/bin/env bash
# etcd_test.sh - etcd, drilled in every way of scenarios/etcd.
# SPDX-License-Identifier: Apache-2.0
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
    holds 'all(l["lost"] == 0 and l["duplicated"] == 0 and l["unexpected"] == 0 for l in r["ledgers"])' &&
        holds 'led["writes"]["acked"] > 50' && holds '{l["read_back_complete"] for l in r["ledgers"]} == {"yes"}'
}
# Not one key is left, by etcd's own word.
is_tidy() {
    python3 -c 'import json, sys, urllib.request as u
said = json.load(u.urlopen(u.Request(sys.argv[1], data=b"{\"key\":\"AA==\",\"range_end\":\"AA==\",\"count_only\":true}"), timeout=5))
sys.exit(int(said.get("count", "0")))' "http://$net.31:2379/v3/kv/range"
}
for name in etcd_leader_dies etcd_leader_frozen etcd_leader_isolated etcd_leader_cut_from_members etcd_leader_moves; do
    check "$name passes" passes "$name"
    check "$name: every acknowledged write is there, once" nothing_is_lost
    check "$name: the ledger's keys are gone" is_tidy
    check "$name: within the range that is foreseen" as_predicted
    row "$name"
done

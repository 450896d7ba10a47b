#!/usr/bin/env bash
# pair_test.sh - a primary and a replica that faildrill is taught by five commands, drilled.
# SPDX-License-Identifier: Apache-2.0
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab pair
# shellcheck source=tests/drills.sh
. "$root/tests/drills.sh"
drills_of pair taught

plan() {
    "$FAILDRILL" -C "$work" plan -e pair "$1" --no-input >"$work/plan" 2>&1
    status=$?
    cat "$work/plan"
    return "$status"
}
foresees() {
    plan counter_primary_dies && grep -q 'promote_after 2 s' "$work/plan" && grep -q '1.5-4.0 s' "$work/plan" &&
        grep -q 'what it acknowledged in the last' "$work/plan"
}
check "the plan says what its config says" foresees

# gated GATE WORDS: `failover:` is a command of ours there, on whichever host.
gated() {
    local file=$LAB_STATE/environments/pair.yaml
    cp "$file" "$work/pair.yaml"
    sed -i "s|^roles:|gate: {$1}\n&|" "$file"
    plan counter_hand_over
    cp "$work/pair.yaml" "$file"
    [ "$status" -eq 4 ] && grep -q "$2" "$work/plan"
}
check "a host that is forbidden is none that a hand-over may act on" gated 'forbid: {hosts: [pair-2]}' \
    'host pair-2 is forbidden here'
check "where hosts have to allow it, no command of ours moves the primary" gated 'node_opt_in: true' \
    'failover of role counter is a command on its hosts'

leader() {
    local n
    for n in 1 2; do
        [[ $("$lab" --state "$LAB_STATE" exec pair-$n /etc/lab/counter rank) != primary* ]] || echo pair-$n
    done
}
moves() {
    local before
    before=$(leader)
    passes "$1" && [ "$(leader)" != "$before" ] && [ "$(leader | wc -l)" -eq 1 ]
}
# The undo started it as `rejoin:` says: a plain start would have led again, until it met the other.
rejoined() {
    "$lab" --state "$LAB_STATE" exec "$1" sh -c 'tr "\0" " " </proc/$(cat /run/counter.pid)/cmdline' | grep -q -- ' --replica'
}
first=$(leader)
for name in counter_primary_dies counter_primary_frozen counter_hand_over counter_primary_isolated; do
    wanted "$name" || continue
    check "$name passes, and another leads" moves "$name"
    [ "$name" != counter_primary_dies ] || check "$name: the undo starts the old one as its \`rejoin:\` says" rejoined "$first"
    [ "$name" = counter_hand_over ] || check "$name: within the range that its config says" as_predicted
    row "$name"
done
! wanted counter_primary_isolated || check "a primary that is cut off is a second one, and is seen" holds 'pri["counter"]["split"]["low_ns"] > 3e9'

silent() {
    sed -i 's|rank: .*|rank: sleep 60|' "$LAB_STATE/environments/pair.yaml"
    plan counter_hand_over
    [ "$status" -eq 3 ] && grep -q 'does not say whether it leads' "$work/plan"
}
check "commands that do not answer are unknown, and nothing is drilled" silent

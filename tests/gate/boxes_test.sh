#!/usr/bin/env bash
# boxes_test.sh - two drill boxes without a network between them: the receipt alone opens the gate of the other.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:2
# shellcheck source=tests/project.sh
. "$root/tests/project.sh"

ssh-keygen -q -t ed25519 -N '' -C box -f "$work/key"
ssh-keygen -q -t ed25519 -N '' -C eve -f "$work/eve"
# box NAME HOST MORE: a project and a store of its own; its host stands in the lab.
box() {
    mkdir -p "$work/$1/scenarios" "$work/$1/environments" "$work/$1/receipts"
    echo "project: $1" >"$work/$1/faildrill.yaml"
    echo "staging_box $(cat "$work/key.pub")" >"$work/$1/box.signers"
    cat >"$work/$1/environments/$1.yaml" <<END
environment: $1
roles:
  idle:
    hosts: {$2: {address: $(<"$LAB_STATE/hosts/$2/address")}}
    reach: {prefix: [$lab, --state, $LAB_STATE, exec, "\${host.name}"]}
$3
END
    cat >"$work/$1/scenarios/drill.yaml" <<'END'
scenario: drill
targets: {victim: {role: idle}}
steps:
  - run: "echo fine"
    target: victim
    capture: {answer: {regex: "(.*)"}}
expect:
  answer: {equals: fine}
END
}
# on BOX ARGUMENT...: in a network of its own, in which there is nobody else.
on() {
    local box=$1
    shift
    unshare --net "$FAILDRILL" -C "$work/$box" --state "$work/$box/state" --no-input "$@" </dev/null
}
refused() {
    ends 4 "$1" on production run -e production drill
}
alone() {
    [ "$(unshare --net ip -o link | wc -l)" -eq 1 ]
}

box staging bare-1 "receipts: {sign_with: $work/key}"
box production bare-2 'gate: {passed_in: {environment: staging, within: 14d, signed_by: box.signers}}'
check "a box stands in a network without anybody else" alone
check "production refuses what staging has not passed" refused 'passed_in: staging has not passed'
check "staging passes it" ends 0 PASS on staging run -e staging drill
receipt=$(echo "$work"/staging/receipts/*.json)
there=$work/production/receipts/${receipt##*/}
bring() {
    cp "$receipt" "$there" && cp "$receipt.sig" "$there.sig"
}
bring
sed -i 's/"unaffected": [a-z]*/"unaffected": 12345/' "$there"
check "a changed byte is refused by its name" refused 'is not what was signed'
bring
ssh-keygen -q -Y sign -f "$work/eve" -n faildrill-receipt <"$there" >"$there.sig" 2>/dev/null
check "a foreign signer too" refused 'is signed by nobody in box.signers'
bring
sed -i -E 's/("(started|ended)": )"20[0-9]{2}-/\1"2019-/' "$there"
ssh-keygen -q -Y sign -f "$work/key" -n faildrill-receipt <"$there" >"$there.sig" 2>/dev/null
check "and its age" refused 'which is not within 14d'
bring
sed -i 's/echo fine/echo  fine/' "$work/production/scenarios/drill.yaml"
check "and an older text, with what changed since" refused 'changed since'
sed -i 's/echo  fine/echo fine/' "$work/production/scenarios/drill.yaml"
check "the receipt alone opens the gate" ends 0 PASS on production run -e production drill

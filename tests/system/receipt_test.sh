#!/usr/bin/env bash
# receipt_test.sh - a pass on one box opens the gate on another by its receipt alone; a forged one opens nothing.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # what is quoted is for the host
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:2
# shellcheck source=tests/project.sh
. "$root/tests/project.sh"

# Every command that goes to a host leaves a line.
cat >"$work/reach" <<END
#!/bin/sh
echo "\$1" >>"$work/asked"
exec "$lab" --state "$LAB_STATE" exec "\$@"
END
chmod +x "$work/reach"
# Fresh keys, of nobody else.
mkdir "$work/keys"
for key in staging foreign; do
    ssh-keygen -q -t ed25519 -N '' -C "$key" -f "$work/keys/$key"
    echo "${key}_box $(cat "$work/keys/$key.pub")" >"$work/keys/$key.signers"
done

# box NAME ENVIRONMENT GATE: a project of its own, with a store of its own.
box() {
    mkdir -p "$work/$1/scenarios" "$work/$1/environments"
    echo "project: $1" >"$work/$1/faildrill.yaml"
    cat >"$work/$1/environments/$2.yaml" <<END
environment: $2
roles:
  idle:
    hosts: {bare-1: {address: $(address_of bare-1)}, bare-2: {address: $(address_of bare-2)}}
    service: {pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}
    reach: {prefix: [$work/reach, "\${host.name}"]}
endpoints: {ssh: "$(address_of bare-2):22"}
$3
END
}
# scenario BOX OUTAGE
scenario() {
    cat >"$work/$1/scenarios/drill.yaml" <<END
scenario: drill
targets:
  victim: {role: idle}
probes:
  ssh: {tcp: "\${endpoint.ssh}", every: 500ms, timeout: 5s}
steady: {for: 300ms}
hold: 300ms
observe: 300ms
settle: 20s
steps:
  - {freeze: victim, for: 1s}
halt:
  ssh: {max_outage: $2}
expect:
  ssh: {max_outage: 20s}
undo: {lease: 10s, grace: 10s}
END
}
# on BOX ARGS...
on() {
    local name=$1
    shift
    "$FAILDRILL" -C "$work/$name" --state "$work/$name/state" --no-input "$@"
}
# refused TEXT: production says no with this text, and no command went to any host.
refused() {
    : >"$work/asked"
    ends 4 "$1" on production run -e production drill || return 1
    [ ! -s "$work/asked" ] || {
        echo "hosts were asked: $(wc -l <"$work/asked") times"
        return 1
    }
}
gate() {
    box production production "gate: {passed_in: {environment: staging, within: $1, signed_by: ../keys/$2.signers}}"
}

box staging staging "receipts: {sign_with: ../keys/staging}"
scenario staging 20s
gate 14d staging
scenario production 20s
check "what staging has not passed is refused" refused 'passed_in: staging has not passed `drill` yet'
check "staging passes it" ends 0 'PASS' on staging run -e staging drill
receipt=$(echo "$work"/staging/receipts/*.json)
check "and has left one receipt with its signature" test -s "$receipt" -a -s "$receipt.sig"

mkdir "$work/production/receipts"
there=$work/production/receipts/${receipt##*/}
bring() {
    cp "$receipt" "$there" && cp "$receipt.sig" "$there.sig"
}
cp "$receipt" "$there"
check "a receipt without its signature opens nothing" refused "receipt ${receipt##*/} has no signature that can be read"
bring
gate 14d foreign
check "a receipt by a foreign signer opens nothing" refused "receipt ${receipt##*/} is signed by nobody in foreign.signers"
gate 14d staging
sed -i -E 's/("(started|ended)": )"20[0-9]{2}-/\1"2019-/' "$there"
ssh-keygen -q -Y sign -f "$work/keys/staging" -n faildrill-receipt <"$there" >"$there.sig" 2>/dev/null
check "a receipt that is too old opens nothing" refused 'which is not within 14d'
bring
scenario production 30s
check "a receipt of an older text opens nothing, and the difference is said" refused 'halt.ssh.max_outage 20s -> 30s'
scenario production 20s

# Byte for byte: each in turn becomes another one.
changed() {
    local size at
    size=$(stat -c %s "$1")
    for ((at = 3; at < size; at += size / 6)); do
        bring
        python3 - "$1" "$at" <<'END'
import sys
name, at = sys.argv[1], int(sys.argv[2])
data = bytearray(open(name, 'rb').read())
data[at] = 0x31 if data[at] != 0x31 else 0x32
open(name, 'wb').write(data)
END
        refused 'REFUSED' || {
            echo "byte $at of $1"
            return 1
        }
    done
}
check "no receipt with a changed byte opens anything" changed "$there"
bring
sed -i 's/"undone": "1 of 1"/"undone": "2 of 2"/' "$there"
check "and what became of it is said" refused "receipt ${receipt##*/} is not what was signed"
bring
ssh-keygen -q -Y sign -f "$work/keys/staging" -n file <"$there" >"$there.sig" 2>/dev/null
check "nor does one that was signed for another use" refused "receipt ${receipt##*/} is not what was signed"

# A pass of its own store, which nobody signed.
box production staging ''
check "an unsigned pass of its own" ends 0 'PASS' on production run -e staging drill
rm -f "$there" "$there.sig"
check "counts for nothing where the environment says who signs" refused 'has not passed `drill` yet, as far as signed receipts say'
bring
# More of other drills than are ever looked at, and all of them newer.
for at in {1..600}; do
    echo '{"receipt": 1, "scenario": "other", "environment": "staging", "verdict": "PASS"}' >"$work/production/receipts/zz$at.json"
done
check "the receipt alone opens the gate" ends 0 'PASS' on production run -e production drill

# from_git, while a store is there.
box production production "gate: {from_git: main}"
check "files of no repository are refused" refused 'from_git: environments/production.yaml is in no git repository'
git -C "$work/production" init -q -b main
git -C "$work/production" add environments
git -C "$work/production" -c user.name=t -c user.email=t@example.net commit -q -m 1
check "a file that the branch has not is refused" refused 'from_git: scenarios/drill.yaml is not in refs/heads/main'
git -C "$work/production" add scenarios
git -C "$work/production" -c user.name=t -c user.email=t@example.net commit -q -m 2
check "files of the branch may run" ends 0 'from_git     refs/heads/main, 2 files equal' on production plan --ascii -e production drill
scenario production 25s
check "another byte is refused" refused 'from_git: scenarios/drill.yaml is not as in refs/heads/main'
# Nothing but the branch says what it has: no other repository, no tag of its name.
cp -r "$work/production" "$work/forged"
git -C "$work/forged" -c user.name=t -c user.email=t@example.net commit -qam forged
forged() {
    GIT_DIR=$work/forged/.git GIT_WORK_TREE=$work/production refused 'from_git: scenarios/drill.yaml is not as in refs/heads/main'
}
check "GIT_DIR of the caller leads nowhere else" forged
git -C "$work/production" fetch -q "$work/forged" main:refs/tags/main
check "a tag of the branch's name is not the branch" refused 'from_git: scenarios/drill.yaml is not as in refs/heads/main'
git -C "$work/production" tag -d main >"$work/tag" 2>&1
git init -q --bare -b main "$work/origin"
git -C "$work/production" remote add origin "$work/origin"
git -C "$work/production" push -q origin main
git -C "$work/production" -c user.name=t -c user.email=t@example.net commit -qam local
check "where there is an origin, a commit made here is not the branch" refused 'from_git: scenarios/drill.yaml is not as in refs/remotes/origin/main'
git -C "$work/production" push -q origin main
check "once it is there, it is" ends 0 'from_git     refs/remotes/origin/main, 2 files equal' on production plan --ascii -e production drill
# What a scenario includes is a part of it: its bytes count as the scenario's own.
mkdir -p "$work/production/scenarios/fragments"
printf 'fragment: late\nalways:\n  - note: it is over\n' >"$work/production/scenarios/fragments/late.yaml"
echo 'include: fragments/late.yaml' >>"$work/production/scenarios/drill.yaml"
git -C "$work/production" add scenarios/drill.yaml
git -C "$work/production" -c user.name=t -c user.email=t@example.net commit -qm including
git -C "$work/production" push -q origin main
check "a fragment that the branch has not is refused" refused 'from_git: scenarios/fragments/late.yaml is not in refs/remotes/origin/main'
git -C "$work/production" add scenarios
git -C "$work/production" -c user.name=t -c user.email=t@example.net commit -qm fragment
git -C "$work/production" push -q origin main
check "one that it has counts as a file" ends 0 'from_git     refs/remotes/origin/main, 3 files equal' on production plan --ascii -e production drill
echo '# another byte' >>"$work/production/scenarios/fragments/late.yaml"
check "another byte of a fragment is refused" refused 'from_git: scenarios/fragments/late.yaml is not as in refs/remotes/origin/main'
git -C "$work/production" reset -q --hard HEAD^^^
git -C "$work/production" remote remove origin
scenario production 20s
cp "$work/keys/staging.signers" "$work/production/own.signers"
box production production "gate: {from_git: main, passed_in: {environment: staging, signed_by: own.signers}}"
git -C "$work/production" add environments
git -C "$work/production" -c user.name=t -c user.email=t@example.net commit -q -m 3
check "a list of signers that the branch has not is refused" refused '/production/own.signers is not in refs/heads/main'
git -C "$work/production" branch -q -m other
check "a branch that is not there is refused" refused 'from_git: there is no branch main here'

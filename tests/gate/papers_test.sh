#!/usr/bin/env bash
# papers_test.sh - forged, expired, foreign and replayed papers by real ssh: nothing reaches a host.
# SPDX-License-Identifier: Apache-2.0
# What reached a host is what its login shell wrote down there, never the runner's word.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # what is quoted is for the host
. "${BASH_SOURCE[0]%/*}/../lib.sh"
[ "$EUID" -eq 0 ] || skip_all "login shells of hosts want root"
in_lab bare:3
# shellcheck source=tests/gate/wrong.sh
. "${BASH_SOURCE[0]%/*}/wrong.sh"

part "approvals"
approvals='{approvals: {need: 1, from: approvers.signers, valid_for: 4h}}'
plan() { # a fresh plan, in $file
    rm -rf "$work/plans"
    mkdir "$work/plans"
    file=$work/plans/plan.json
    drill plan -e here --seed 1 -o "$file" drill >"$work/planned" 2>&1
    [ -s "$file" ] || cat "$work/planned" >&2
}
sign() {
    drill approve --key "$work/keys/$1" --confirm here "${2:-$file}" >"$work/signed" 2>&1
}
run_plan() {
    wrong "$1" "$2" run "$file"
}
environment "$approvals"
wrong "no plan" 'approvals: 0 of 1'
plan
run_plan "nobody signed" 'approvals: 0 of 1'
sign eve
run_plan "a foreign signer" 'approvals: 0 of 1'
sign operator
run_plan "who runs it" 'approvals: 0 of 1'
plan
sign raj
cp "$file" "$work/signed.json"
signature=$(echo "$file".*.sig)
size=$(stat -c %s "$file")
for ((at = 5; at < size; at += size / 40)); do # another byte of what was signed
    python3 - "$work/signed.json" "$file" "$at" <<'END'
import sys
data = bytearray(open(sys.argv[1], 'rb').read())
at = int(sys.argv[3])
data[at] = 0x31 if data[at] != 0x31 else 0x32
open(sys.argv[2], 'wb').write(data)
END
    run_plan "byte $at of the plan" ''
done
cp "$work/signed.json" "$file"
cp "$signature" "$work/signature"
size=$(stat -c %s "$signature")
for ((at = 40; at < size - 40; at += size / 8)); do # a 7th bit, so that base64 means another byte
    python3 - "$work/signature" "$signature" "$at" <<'END'
import sys
data = bytearray(open(sys.argv[1], 'rb').read())
at = int(sys.argv[3])
while data[at] == 10:
    at += 1
data[at] = 0x41 if data[at] != 0x41 else 0x42
open(sys.argv[2], 'wb').write(data)
END
    run_plan "byte $at of the signature" 'approvals: 0 of 1'
done
rm "$signature"
ssh-keygen -q -Y sign -f "$work/keys/raj" -n file <"$file" >"$signature" 2>/dev/null
run_plan "signed for another use" 'approvals: 0 of 1'
cp "$work/signature" "$signature"
scenario '- {freeze: victim, for: 2s}'
run_plan "another scenario since" ''
scenario '- {freeze: victim, for: 1s}' '{role: idle, pick: 2}'
run_plan "more hosts since" ''
scenario
environment "${approvals/4h/3h}"
run_plan "another environment since" ''
environment "$approvals" "$(printf '%s' "$good" | sed "s|$(address_of bare-1)|$(address_of bare-2)|")"
run_plan "other addresses since" ''
environment "$approvals"
wrong "another state folder" '' run --state "$work/other" "$file"
wrong "another environment" '' run -e production "$file"
wrong "an override that nobody saw" 'a saved plan' run --override approvals --reason 'a reason that is long enough' "$file"
sed -i -E 's/("valid_until": )"20[0-9]{2}-/\1"2019-/' "$file"
run_plan "expired" ''
cp "$work/signed.json" "$file"
drill approve --revoke --key "$work/keys/raj" --confirm here "$file" >"$work/signed" 2>&1
run_plan "taken back" 'revoked by'
plan
first=$file.first
sign raj
cp "$(echo "$file".*.sig)" "$work/first.sig"
plan
cp "$work/first.sig" "$file.0123456789ab.sig"
run_plan "the approval of another plan" 'approvals: 0 of 1'
: "$first"

part "receipts"
passed='{passed_in: {environment: staging, within: 14d, signed_by: box.signers}}'
environment "$passed"
wrong "none" 'passed_in'
text_hash=$(drill plan --json -e here --seed 1 drill 2>/dev/null | sed -n 's/.*"text_hash": "\(.*\)".*/\1/p')
receipt=$project/receipts/01kz0000000000000000004k2p.json
write_receipt() { # KEY=VALUE in place of the good one...
    python3 - "$text_hash" "$receipt" "$@" <<'END'
import json, sys, datetime
now = datetime.datetime.now(datetime.timezone.utc)
at = lambda days: (now - datetime.timedelta(days=days)).strftime('%Y-%m-%dT%H:%M:%S.000Z')
row = {"receipt": 1, "run": "01kz0000000000000000004k2p", "scenario": "drill", "text": "sha256:" + sys.argv[1],
       "environment": "staging", "verdict": "PASS", "unaffected": False, "started": at(1.1), "ended": at(1),
       "undone": "1 of 1", "version": "0.1.0"}
for word in sys.argv[3:]:
    key, _, value = word.partition('=')
    row[key] = at(float(value[1:])) if value.startswith('-') else value
json.dump(row, open(sys.argv[2], 'w'))
END
}
seal() {
    ssh-keygen -q -Y sign -f "$work/keys/${1:-box}" -n "${2:-faildrill-receipt}" <"$receipt" >"$receipt.sig" 2>/dev/null
}
for word in environment=production environment=stagin scenario=other verdict=FAIL verdict=INCONCLUSIVE verdict=HALTED "text=sha256:$(printf %064d 7)" text=sha256: \
    text= 'undone=0 of 1' receipt=2; do
    write_receipt "$word"
    seal
    wrong "$word" 'passed_in'
done
for days in 15 30 365 14.1; do
    write_receipt ended=-$days started=-$days
    seal
    wrong "$days days old" 'passed_in'
done
write_receipt ended=--2 started=--2
seal
wrong "from the future" 'passed_in'
write_receipt
wrong "the signature of another" 'passed_in'
for key in eve raj operator; do
    seal "$key"
    wrong "signed by $key" 'passed_in'
done
seal box faildrill
wrong "signed for another use" 'passed_in'
rm "$receipt.sig"
wrong "no signature" 'passed_in'
seal
cp "$receipt" "$work/receipt"
size=$(stat -c %s "$receipt")
for ((at = 1; at < size; at += size / 20)); do
    python3 - "$work/receipt" "$receipt" "$at" <<'END'
import sys
data = bytearray(open(sys.argv[1], 'rb').read())
at = int(sys.argv[3])
data[at] = 0x31 if data[at] != 0x31 else 0x32
open(sys.argv[2], 'wb').write(data)
END
    wrong "byte $at" 'passed_in'
done
cp "$work/receipt" "$receipt"
environment "${passed/within: 14d/within: 14d, times: 2}"
cp "$receipt" "${receipt%.json}2.json"
cp "$receipt.sig" "${receipt%.json}2.json.sig"
wrong "one receipt twice" 'passed_in'
rm "${receipt%.json}2.json"*
environment "$passed"
for change in 's/for: 1s/for: 2s/' 's/max_outage: 20s/max_outage: 30s/' 's/pick: 1/pick: 2/' 's/freeze:/kill:/' 's/hold: 300ms/hold: 400ms/' 's/every: 100ms/every: 200ms/'; do
    scenario
    sed -i "$change" "$project/scenarios/drill.yaml"
    wrong "another text: $change" 'passed_in'
done

part "files and branches"
scenario
environment '{from_git: main}'
wrong "no repository" 'from_git'
git() {
    command git -C "$project" -c user.name=t -c user.email=t@example.net "$@" >>"$work/git" 2>&1
}
git init -b main
git add environments
git commit -m 1
wrong "a scenario that the branch has not" 'from_git: scenarios/drill.yaml is not in'
git add scenarios
git commit -m 2
for change in 's/for: 1s/for: 2s/' '$a # a remark' 's/idle/idle /' 's/20s/20s /'; do
    scenario
    sed -i "$change" "$project/scenarios/drill.yaml"
    wrong "scenario: $change" 'from_git'
done
scenario
environment '{from_git: main, max_per_day: 50}'
wrong "the environment's gate" 'from_git: environments/here.yaml'
environment '{from_git: other}'
wrong "another branch" 'from_git'
environment '{from_git: main}'
chmod -x "$project/scenarios/drill.yaml"
git branch -m elsewhere
wrong "no such branch" 'from_git'
git branch -m main

ended 100

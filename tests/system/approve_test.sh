#!/usr/bin/env bash
# approve_test.sh - a plan runs as it was shown and signed by somebody else, once, in its time; else no host is asked.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
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
mkdir -p "$work/keys" "$work/project/scenarios" "$work/project/environments"
# raj has two keys; the operator is in the list too; eve is not.
for key in raj raj_too operator eve; do
    ssh-keygen -q -t ed25519 -N '' -C "$key" -f "$work/keys/$key"
done
{
    echo "raj@example.net $(cat "$work/keys/raj.pub")"
    echo "raj@example.net $(cat "$work/keys/raj_too.pub")"
    echo "$(id -un)@example.net $(cat "$work/keys/operator.pub")"
} >"$work/keys/approvers.signers"
echo 'project: approve' >"$work/project/faildrill.yaml"

# environment APPROVALS
environment() {
    cat >"$work/project/environments/production.yaml" <<END
environment: production
protected: true
roles:
  idle:
    hosts: {bare-1: {address: $(address_of bare-1)}, bare-2: {address: $(address_of bare-2)}}
    service: {pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}
    reach: {prefix: [$work/reach, "\${host.name}"]}
gate: {approvals: $1}
END
}
# scenario FOR [STEADY]
scenario() {
    cat >"$work/project/scenarios/drill.yaml" <<END
scenario: drill
targets:
  victim: {role: idle}
probes:
  ssh: {tcp: "$(address_of bare-2):22", every: 500ms, timeout: 5s}
steady: {for: ${2:-300ms}}
hold: 300ms
observe: 300ms
settle: 20s
steps:
  - {freeze: victim, for: $1}
halt:
  ssh: {max_outage: 20s}
expect:
  ssh: {max_outage: 20s}
undo: {lease: 10s, grace: 10s}
END
}
# refused TEXT [PLAN]: the plan does not run, with this text, and no command went to any host.
refused() {
    : >"$work/asked"
    ends 4 "$1" drill run "${2:-$plan}" --confirm production || return 1
    [ ! -s "$work/asked" ] || {
        echo "hosts were asked: $(wc -l <"$work/asked") times"
        return 1
    }
}
# refused_late TEXT: as refused, after hosts were looked at; nothing is done to any.
refused_late() {
    ends 4 "$1" drill run "$plan" --confirm production &&
        ! "$lab" --state "$LAB_STATE" exec bare-1 test -e /run/approved &&
        ! "$lab" --state "$LAB_STATE" exec bare-2 test -e /run/approved
}
plan=$work/plan.json
# fresh_plan [OPTION...]: a new one, without any signature.
fresh_plan() {
    rm -f "$work"/plan.json*
    drill plan -e production --seed 1 -o "$plan" "$@" drill >"$work/shown" 2>&1
    [ -s "$plan" ]
}
# approve KEY [OPTION...]
approve() {
    local key=$1
    shift
    drill approve "$plan" --key "$work/keys/$key" --confirm production "$@"
}

scenario 1s
environment '{need: 1, from: ../keys/approvers.signers, valid_for: 1h}'
a_file() {
    : >"$work/asked"
    ends 4 'approvals: 0 of 1: faildrill plan, faildrill approve PLAN' drill run -e production drill --confirm production &&
        [ ! -s "$work/asked" ]
}
check "a file does not run where a plan must be approved" a_file
check "plan writes one that travels" fresh_plan
check "and shows that nobody has approved it" grep -qE '(✗|x) approvals +0 of 1' "$work/shown"
check "as it is it does not run" refused 'approvals: 0 of 1'
check "somebody who is not in the list may sign" ends 0 'approved by' approve eve
check "which counts for nothing" refused 'is signed by nobody in approvers.signers'
check "who made the plan may sign" ends 0 'approved by' approve operator
check "which counts for nothing either" refused 'who made the plan or runs it'
check "without the environment's name nothing is signed" ends 4 'not confirmed' drill approve "$plan" --key "$work/keys/raj"
check "approve shows the hosts and the steps" ends 0 'on bare-' approve raj

# Each change of the plan, small as it may be.
changed() {
    local edit
    cp "$plan" "$work/kept"
    for edit in 's/"valid_until": "20/"valid_until": "21/' 's/"seed": 1/"seed": 2/' 's/freeze/freezf/' '1s/{/{ /' \
        's/"who": "/"who": "x/' 's/for 1/for 9/'; do
        sed "$edit" "$work/kept" >"$plan"
        ! cmp -s "$plan" "$work/kept" || {
            echo "$edit changes nothing"
            return 1
        }
        refused 'is not what was signed' || {
            echo "after $edit"
            return 1
        }
    done
    cp "$work/kept" "$plan"
}
check "a changed plan is none that was approved" changed
scenario 2s
check "nor does another text run under it" ends 4 'REFUSED' drill run "$plan" --confirm production
scenario 1s
# Another state folder knows nothing of what was run from this one.
elsewhere() {
    : >"$work/asked"
    ends 4 'was made with another state folder' drill --state "$work/elsewhere" run "$plan" --confirm production &&
        [ ! -s "$work/asked" ]
}
check "with another state folder it does not run" elsewhere
check "approved by somebody else it runs" ends 0 'PASS' drill run "$plan" --confirm production
check "and never again" refused 'was run already: a plan is run once'

# What was signed when the run began counts for nothing once it is taken back.
scenario 1s 15s
fresh_plan
approve raj >"$work/approved" 2>&1
drill run "$plan" --confirm production >"$work/late" 2>&1 &
late=$!
locked() {
    "$lab" --state "$LAB_STATE" exec bare-1 test -e /run/faildrill/lock
}
check "an approved plan begins, and awaits a steady state" wait_for 60 locked
check "meanwhile its approval is taken back" ends 0 'revoked by' approve raj --revoke
ends_late() {
    local got=0
    wait "$late" || got=$?
    cat "$work/late"
    [ "$got" -eq 4 ] && grep -qF 'approvals: revoked by raj@example.net' "$work/late" &&
        ! grep -qF 'proven' "$work/late"
}
check "then nothing is broken" ends_late
scenario 1s

fresh_plan
approve raj >"$work/approved" 2>&1
check "who approved may take it back" ends 0 'revoked by' approve raj --revoke
check "then it does not run" refused 'approvals: revoked by raj@example.net'
fresh_plan --valid 1ms
check "what is no longer valid is not approved" ends 4 'is no longer valid' approve raj
check "and does not run" refused 'is no longer valid'

# Plain work: what is signed is its very text, its parameters and its probes.
work_scenario() {
    cat >"$work/project/scenarios/drill.yaml" <<END
scenario: drill
params: {word: {type: str, default: hello}}
targets:
  victim: {role: idle}
probes:
  ssh: {tcp: "$(address_of bare-2):22", every: $1, timeout: 5s}
steady: {for: 300ms}
observe: 300ms
settle: 20s
steps:
  - run: |
      echo "\${param.word}" >/run/approved

      echo $2
    target: victim
  - {http: "http://$(address_of bare-2):1/$3", method: POST}
halt:
  ssh: {max_outage: 20s}
expect:
  ssh: {max_outage: 20s}
END
}
work_scenario 500ms first one
fresh_plan -p word=salut
check "work is approved" ends 0 'approved by' approve raj
for text in '      echo first' '/one", method: POST}' '${param.word} is salut' "22\", every: 500ms" '     on bare-'; do
    check "after it was shown: $text" grep -qF -- "$text" "$work/said"
done
for change in "500ms other one" "500ms first two" "400ms first one"; do
    # shellcheck disable=SC2086 # three words
    work_scenario $change
    check "changed to $change it does not run" refused_late 'was made from other files'
done
work_scenario 500ms first one
printf '# %0100d\n' {1..2450} >>"$work/project/scenarios/drill.yaml"
check "a plan that could not be read again is not saved" ends 2 'this plan is too long to be saved' drill plan -e production drill
work_scenario 500ms "$(printf '%05000d' 0)" one
fresh_plan
approve raj >"$work/approved" 2>&1
check "one with a line of 5000 bytes runs as far as its work goes" ends 1 'step 2: POST got no answer' drill run "$plan" --confirm production
scenario 1s

environment '{need: 2, from: ../keys/approvers.signers}'
fresh_plan
approve raj >"$work/approved" 2>&1
approve raj_too >>"$work/approved" 2>&1
check "one person with two keys is one" refused 'approvals: 1 of 2: raj@example.net'

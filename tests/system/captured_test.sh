#!/usr/bin/env bash
# captured_test.sh - a fault's command, undo and proof know what a step before it has read, as data and nothing else.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:1

mkdir "$work/scenarios" "$work/environments"
{
    cat "$LAB_STATE/environments/bare.yaml"
    echo 'secrets: {token: {env: CANARY}}'
} >"$work/environments/bare.yaml"
printf 'project: captured\nstate: state\n' >"$work/faildrill.yaml"
export CANARY="can'ary 4711/?"
on_host() {
    "$lab" exec bare-1 "$@"
}
# It would run a command, if it ever became a part of a text.
value="a'b\"\$(touch /run/pasted)\`touch /run/pasted\`;touch /run/pasted #"
printf '%s\n' "$value" | on_host sh -c 'cat >/run/label'

# scenario NAME FOR READ: the drill captures what READ prints.
scenario() {
    cat >"$work/scenarios/$1.yaml" <<END
scenario: $1
targets:
  victim: {role: idle, pick: 1}
probes:
  door: {tcp: "\${target.victim.address}:22", every: 100ms, control: true}
steady: {for: 300ms}
hold: 300ms
observe: 300ms
settle: 20s
defaults: {target: victim}
steps:
  - run: $3
    capture: {label: {stdout: text}}
  - run: printf '%s' "\${capture.label}" >/run/broken
    fault: true
    for: $2
    undo: '[ ! -e /run/broken ] || [ "\$(cat /run/broken)" != "\${capture.label}" ] || rm /run/broken'
    proof: '[ -e /run/broken ] && [ "\$(cat /run/broken)" = "\${capture.label}" ]'
expect:
  label: {equals: "$(printf '%s' "$value" | sed 's/[\\"]/\\&/g')"}
undo: {lease: 3s, grace: 3s}
END
}
# drill STATUS WORDS...: it ends so; what it said is in $work/said.
drill() {
    local want=$1 got=0
    shift
    (cd "$work" && exec "$FAILDRILL" --no-input "$@" >"$work/said" 2>&1) || got=$?
    cat "$work/said"
    [ "$got" -eq "$want" ]
}
broken() {
    on_host test -e /run/broken
}
whole() {
    ! broken
}
never_pasted() {
    ! on_host test -e /run/pasted
}
clean() {
    [ -z "$(on_host sh -c 'ls -A /run/faildrill 2>/dev/null')" ]
}

scenario breaks 1s 'cat /run/label'
check "a fault made of what was read is proven and undone" drill 0 run -e bare breaks
check "it is put back" whole
check "and nothing of the value ran" never_pasted
check "a plan is made before it is known" drill 0 plan -e bare -o "$work/plan.json" breaks
check "and runs with it" drill 0 run "$work/plan.json"
check "it is put back then too" whole

# The guard has the undo with the value before anything breaks.
scenario held 5m 'cat /run/label'
(cd "$work" && exec "$FAILDRILL" run -e bare held --no-input >"$work/held" 2>&1) &
runner=$!
check "a fault is held" wait_for 60 broken
kill -9 "$runner"
wait "$runner" 2>/dev/null
check "without its runner the host puts it back by itself" wait_for 60 whole
check "and nothing of the value ran there" never_pasted
check "undo has it in its own log" drill 0 undo
check "nothing is left on the host" clean

# What may not stand in a command, or is not there, breaks nothing.
# shellcheck disable=SC2016
scenario tells 1s 'echo "it is ${secret.token}"'
check "a value that holds a secret is refused" drill 3 run -e bare tells
check "by its name" grep -q '`label` holds the value of a secret' "$work/said"
check "nothing was armed" bash -c "! grep -q 'guard armed' '$work/said'"
check "nothing is broken" whole
check "the secret is nowhere" bash -c "! grep -rqaF 'ary 4711' '$work/said' '$work/state'"
scenario nothing 1s 'true'
check "what was not captured breaks nothing" drill 3 run -e bare nothing
check "and is named" grep -q '`label` was not captured: it is empty' "$work/said"
check "nothing is left" clean

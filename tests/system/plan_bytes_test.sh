#!/usr/bin/env bash
# plan_bytes_test.sh - what `plan` prints for a host is what lies on that host while the plan runs.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:2

project=$work/project
mkdir -p "$project/scenarios" "$project/environments"
cp "$LAB_STATE/environments/bare.yaml" "$project/environments/"
echo 'project: bytes' >"$project/faildrill.yaml"
cat >"$project/scenarios/held.yaml" <<'END'
scenario: held
hypothesis: What is planned is what is done.
targets:
  victim: {role: idle, pick: 1}
probes:
  ssh: {tcp: "${target.victim.address}:22", every: 500ms, timeout: 5s}
steady: {for: 300ms}
hold: 300ms
observe: 300ms
settle: 10s
steps:
  - freeze: victim
    for: 5m
halt:
  ssh: {max_outage: 20s}
expect:
  ssh: {max_outage: 5s}
undo: {lease: 20s, grace: 5s}
END

drill() {
    "$FAILDRILL" -C "$project" --no-input "$@"
}
# Of every host: names, contents and times of what may change, and whether the service runs.
fingerprint() {
    for host in bare-1 bare-2; do
        "$lab" exec "$host" sh -c 'hostname; nft list ruleset; find /run /etc/init.d | sort; cat /run/idle.pid'
    done
}

fingerprint >"$work/before"
check "plan says yes" drill plan -e bare -v held
cp "$work/check.out" "$work/plan"
fingerprint >"$work/after_plan"
check "plan changes nothing on any host" cmp "$work/before" "$work/after_plan"

plan=$(sed -n 's/^Next: faildrill run //p' "$work/plan")
host=$(sed -n 's/^  Touches *\([^ ]*\) .*/\1/p' "$work/plan")
# The parts of the procedure stand first, as shell assignments; what acts on them comes after.
sed -n '/^FD_VARS=/,/^FD_RENEW=/p' "$work/plan" | sed '/^FD_RENEW=/d' >"$work/bytes"

drill run "$plan" >"$work/run.out" 2>&1 &
runner=$!
at_end sh -c "kill -INT $runner 2>/dev/null"
in_effect() {
    drill status | grep -q IN_EFFECT
}
check "the plan runs" wait_for 60 in_effect
# shellcheck disable=SC2016
same_part() {
    local variable=$1 part=$2
    sh -c '. "$1"; eval "printf %s \"\$$2\""' sh "$work/bytes" "$variable" >"$work/planned"
    "$lab" exec "$host" sh -c 'cat /run/faildrill/*_1/"$1"' sh "$part" >"$work/there"
    [ -s "$work/planned" ] || return 1
    echo 'exit 0' >>"$work/planned" # which shows that it was read to its end
    cmp "$work/planned" "$work/there"
}
check "litmus-go 679: apply on the host is what was printed" same_part FD_APPLY apply
case $host in bare-1) other=bare-2 ;; *) other=bare-1 ;; esac
# (But for the lock of the environment, where that lies there.)
check "litmus-go 679: a host that was not printed has nothing of it" "$lab" exec "$other" sh -c 'ls -A /run/faildrill 2>/dev/null; ! ls -d /run/faildrill/*_[0-9]*'
check "undo on the host is what was printed" same_part FD_UNDO undo
check "in_place on the host is what was printed" same_part FD_PLACE place
check "all_clear on the host is what was printed" same_part FD_CLEAR clear

check "halt is taken" drill halt --reason 'seen enough'
wait "$runner"
check "the run is HALTED, exit 5" test $? -eq 5
planned_hash=$(sed -n 's/^  bytes *sha256:\([0-9a-f]*\)$/\1/p' "$work/plan")
drill report last --format json -o - >"$work/report.json" 2>&1
check "the report holds the hash of the plan's bytes" grep -q "$planned_hash" "$work/report.json"
fingerprint >"$work/after"
check "every host is as it was before" cmp "$work/before" "$work/after"
again() {
    drill run "$plan"
    [ $? -eq 4 ]
}
check "a plan is run once" again

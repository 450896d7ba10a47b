#!/usr/bin/env bash
# link_test.sh - `link: cut` takes our own ssh too, and the host alone brings it back; else it is never cut.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:3

# shellcheck source=tests/system/network.sh
. "${BASH_SOURCE[0]%/*}/network.sh"
hosts_ready 3

cat >"$work/project/scenarios/gone.yaml" <<END
scenario: gone
targets:
  victim: {role: host_1}
probes:
  ssh: {tcp: "${v4[1]}:22", every: 200ms}
steady: {for: 300ms}
hold: 300ms
observe: 1s
steps:
  - {isolate: victim, link: cut, for: 30s}
expect:
  ssh: {max_outage: 60s, must_notice: true}
undo: {lease: 4s, grace: 10s}
END
ssh_gets_in() {
    ssh -F "$LAB_STATE/ssh_config" -o ControlPath=none -o ConnectTimeout=2 "bare-$1" true
}
# By the port alone: a login takes longer on a busy machine than the cut may last.
port_is_silent() {
    ! timeout 1 bash -c "exec 3<>/dev/tcp/${v4[1]}/22"
}

drill plan -e here gone >"$work/plan" 2>&1
check "plan says when it ends" grep -q 'class K   ends 40 s after arming, and not before: our link is cut' "$work/plan"
check "plan says that our ssh goes" grep -q 'our own ssh goes 10 s later' "$work/plan"
drill_begin gone
check "proven while our link still stood" wait_for 60 grep -q 'isolate proven' "$work/run.out"
check "our own link is cut" wait_for 40 port_is_silent
wait "$runner"
status=$?
check "the cap ended it, the run passed: exit 0" test "$status" = 0
[ "$status" = 0 ] || cat "$work/run.out"
# A probe's own failure may say that there was no answer; a look at the host may not.
quiet() {
    ! grep -v ' first failure: ' "$work/run.out" | grep -e 'no answer' -e early
}
check "no look was missed, nothing ended early" quiet
check "the link is back" wait_for 20 ssh_gets_in 1
check "nothing is left on a host" nothing_left 3

drill_begin gone
check "once more proven" wait_for 60 grep -q 'isolate proven' "$work/run.out"
kill -9 "$runner"
wait "$runner" 2>/dev/null
check "the runner is gone: the host brings its link back" wait_for 60 "$lab" exec bare-1 test ! -e /run/faildrill
check "undo finds nothing left to do" drill undo
check "nothing is left on a host, again" nothing_left 3

drill_begin gone
check "a third time proven" wait_for 60 grep -q 'isolate proven' "$work/run.out"
drill_end
check "halted: it waits for the cap, and then all is undone: exit 5" test "$status" = 5
check "and says for what" grep -q 'its link is cut: its guard ends the fault in' "$work/run.out"
check "nothing is left on a host, a third time" nothing_left 3

# ---- one host stands on our way to another ----

awk '/^Host / { host = $2 } { print } host == "bare-2" && /^Host / { print "    ProxyJump bare-1" }' \
    "$LAB_STATE/ssh_config" >"$work/ssh_config"
sed "s|config: .*}|config: $work/ssh_config}|" "$work/project/environments/here.yaml" >"$work/project/environments/behind.yaml"
sed -i 's/^environment: here/environment: behind/' "$work/project/environments/behind.yaml"
cat >"$work/project/scenarios/both.yaml" <<END
scenario: both
targets:
  way: {role: host_1}
  end: {role: host_2}
probes:
  ssh: {tcp: "${v4[3]}:22", every: 200ms}
steady: {for: 300ms}
hold: 300ms
observe: 1s
steps:
  - {dns_cut: end}
  - {isolate: way, for: 5s}
expect:
  ssh: {max_outage: 60s}
END
check "the second host is behind the first" ssh -F "$work/ssh_config" -o ControlPath=none bare-2 true
drill plan -e behind both >"$work/plan" 2>&1
status=$?
check "what would cut our way to another host is refused: exit 4" test "$status" = 4
check "and says which way" grep -q "our way to host 'bare-2' leads through 'bare-1'" "$work/plan"
check "without it in the way the same is planned" drill plan -e here both

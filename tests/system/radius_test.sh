#!/usr/bin/env bash
# radius_test.sh - whom a drill may touch: every role of the machine counts, in the plan and right before the fault.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # what is quoted is for the host
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:4
# shellcheck source=tests/project.sh
. "$root/tests/project.sh"

# environment GATE: bare-1 and bare-4 carry `beside` too.
environment() {
    mkdir -p "$work/project/scenarios" "$work/project/environments"
    echo 'project: radius' >"$work/project/faildrill.yaml"
    cat >"$work/project/environments/here.yaml" <<END
environment: here
roles:
  idle:
    hosts:
      bare-1: {address: $(address_of bare-1)}
      bare-2: {address: $(address_of bare-2)}
      bare-3: {address: $(address_of bare-3)}
    service: {pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}
    reach: {prefix: [$lab, --state, $LAB_STATE, exec, "\${host.name}"]}
  other:
    hosts: {bare-4: {address: $(address_of bare-4)}}
    service: {pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}
    reach: {prefix: [$lab, --state, $LAB_STATE, exec, "\${host.name}"]}
  beside:
    hosts: [bare-1, bare-4]
    service: {pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}
gate: $1
END
}
# scenario TARGET [FIRST_STEP]
scenario() {
    cat >"$work/project/scenarios/drill.yaml" <<END
scenario: drill
targets:
  victim: $1
  other: {role: other}
probes:
  ssh: {tcp: "$(address_of bare-4):22", every: 500ms, timeout: 5s}
steady: {for: 300ms}
hold: 300ms
observe: 300ms
settle: 20s
steps:
${2:+  - $2}
  - {freeze: victim, for: 1s}
halt:
  ssh: {max_outage: 20s}
expect:
  ssh: {max_outage: 20s}
undo: {lease: 10s, grace: 10s}
END
}
# A seed with which this host is drawn.
seed_of() {
    local seed
    for ((seed = 0; seed < 60; seed++)); do
        drill plan -e here --seed "$seed" drill >"$work/plan" 2>&1
        ! grep -q "Touches *$1 " "$work/plan" || break
    done
    echo "$seed"
}
is_empty() {
    [ -z "$("$lab" exec "$1" sh -c 'ls -A /run/faildrill 2>/dev/null')" ]
}

environment '{blast_radius: {hosts: 1, of_role: 50%}}'
scenario '{role: idle}'
seed=$(seed_of bare-1)
check "the plan names what else the machine carries, and what is left of it" \
    ends 0 'bare-1 also carries: beside (1 of 2 left)' drill plan -e here --seed "$seed" drill
check "the plan shows the rules it keeps" \
    ends 0 'keep_healthy left: 2 of 3 idle, 1 of 2 beside' drill plan -e here --seed "$seed" drill

scenario '{role: idle, pick: 2}'
check "two machines at once where one may be: refused, exit 4" \
    ends 4 'blast_radius: 2 machines at once, at most 1' drill run -e here drill
check "the refusal touched nothing" is_empty bare-1

scenario '{role: idle}'
"$lab" exec bare-4 /etc/init.d/idle stop >/dev/null 2>&1
check "the last healthy one of a role that the drill does not name: refused, exit 4" \
    ends 4 '0 of 2 beside would be left, at least 1 (bare-4 does not serve)' \
    drill run -e here --seed "$seed" drill
check "the refusal left nothing" is_empty bare-1
check "a machine that carries nothing else goes" \
    ends 0 'PASS' drill run -e here --seed "$(seed_of bare-2)" drill
"$lab" exec bare-4 /etc/init.d/idle start >/dev/null 2>&1

scenario '{role: idle}' '{run: /etc/init.d/idle stop, target: other}'
check "what went down since the plan is seen right before the fault: exit 4" \
    ends 4 'right before the fault, keep_healthy: 0 of 2 beside would be left' \
    drill run -e here --seed "$seed" drill
check "and its armed guard is gone again" wait_for 60 is_empty bare-1
check "nothing was frozen" "$lab" exec bare-1 sh -c 'read -r pid </run/idle.pid; ! grep -q "^State:.T" /proc/$pid/status'
"$lab" exec bare-4 /etc/init.d/idle start >/dev/null 2>&1

environment '{forbid: {hosts: [bare-2]}, keep_healthy: {beside: 0}}'
scenario '{role: idle}'
never_bare_2() {
    local seed
    for seed in 1 2 3 4 5; do
        drill plan -e here --seed "$seed" drill >"$work/plan" || return 1
        grep -q 'Touches *bare-[13] ' "$work/plan" || return 1
    done
    return 0
}
check "a forbidden host is never drawn" never_bare_2
scenario '{role: idle, pick: all}'
check "all of a role with a forbidden host: refused, exit 4" \
    ends 4 "gate.forbid.hosts keeps 'bare-2' out of every drill" drill run -e here drill

environment '{keep_healthy: {beside: 0}}'
scenario '{role: idle, rotate: true}'
one_after_the_other() {
    drill run -e here drill >"$work/rotated" 2>&1 &&
        drill run -e here drill >>"$work/rotated" 2>&1 || return 1
    # bare-2 had its drill above: the two others come first.
    grep -oE '(bare-[123]) *freeze proven' "$work/rotated" | sort -u | cut -d' ' -f1 | tr '\n' ' ' |
        tee "$work/hosts"
    [ "$(cat "$work/hosts")" = 'bare-1 bare-3 ' ]
}
check "rotate takes the hosts that had no drill for longest" one_after_the_other

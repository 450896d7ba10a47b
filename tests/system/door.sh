# door.sh - for tests with a lab of two bare hosts: scenarios of one probe, and what a drill says.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced after tests/lib.sh; $work is the project.

# scenario NAME [LINE]: its steps and bounds are read from stdin.
scenario() {
    {
        printf 'scenario: %s\n%s\n' "$1" "${2-}"
        cat <<'END'
targets:
  victim: {role: idle, pick: 1}
probes:
  door: {tcp: "${target.victim.address}:22", every: 200ms}
steady: {for: 200ms}
hold: 300ms
observe: 300ms
settle: 20s
END
        cat
    } >"$work/scenarios/$1.yaml"
}
# drill STATUS WORD...: exits with STATUS; what it said is in $work/said. Anew where the machine was too busy to look.
drill() {
    local status=$1 got
    shift
    for _ in 1 2 3; do
        got=0
        (cd "$work" && exec "$FAILDRILL" "$@" --no-input >"$work/said" 2>&1) || got=$?
        [ "$got" != "$status" ] || return 0
        grep -q 'of the attempts of probe .* were skipped or broken' "$work/said" || break
    done
    echo "exit $got"
    cat "$work/said"
    return 1
}
said() {
    grep -qE -- "$1" "$work/said" || { cat "$work/said"; return 1; }
}
unsaid() {
    ! said "$1" >/dev/null || { cat "$work/said"; return 1; }
}
clean() {
    for host in bare-1 bare-2; do
        [ -z "$("$lab" exec "$host" sh -c 'ls -A /run/faildrill 2>/dev/null')" ] || return 1
    done
}

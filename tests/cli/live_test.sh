#!/usr/bin/env bash
# live_test.sh - the live view on a terminal, and Ctrl-C once and twice: every fault is undone.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
command -v tmux >/dev/null || skip_all "no tmux here"
in_lab bare:1

mkdir "$work/scenarios"
printf 'project: live\nstate: state\nenvironments: [%s]\n' "$LAB_STATE/environments" >"$work/faildrill.yaml"
cat >"$work/scenarios/long.yaml" <<'END'
scenario: long
targets:
  victim: {role: idle}
probes:
  door: {tcp: "${target.victim.address}:22", every: 500ms, timeout: 5s}
steady: {for: 300ms}
steps:
  - freeze: victim
    for: 5m
hold: 300ms
settle: 10s
expect:
  door: {max_outage: 90s}
END

terminals=0
# begin: the drill on a terminal of its own; its exit status is written below it.
begin() {
    terminals=$((terminals + 1))
    terminal=(tmux -S "$work/terminal-$terminals" -f /dev/null)
    at_end "${terminal[@]}" kill-server
    "${terminal[@]}" new-session -d -x 110 -y 40 "cd '$work'; LC_ALL=C.UTF-8 '$FAILDRILL' run -e bare long; \
        echo exit \$?; read -r _"
}
screen() {
    "${terminal[@]}" capture-pane -p -S -200
}
shows() {
    screen | grep -qE -- "$1"
}
# shellcheck disable=SC2016 # the host expands it
frozen() {
    [ "$("$lab" exec bare-1 sh -c 'cut -d" " -f3 /proc/$(cat /run/idle.pid)/stat')" = T ]
}
clean() {
    ! frozen && [ -z "$("$lab" exec bare-1 sh -c 'ls -A /run/faildrill 2>/dev/null')" ]
}
show_screen_and_fail() {
    screen
    return 1
}
sees() {
    wait_for "$1" shows "$2" || show_screen_and_fail
}

begin
check "a plain environment asks y on a terminal" sees 60 'Run long in bare\?'
"${terminal[@]}" send-keys y Enter
check "the live view says what is in effect" sees 60 'freeze'
check "the host is frozen" wait_for 60 frozen
check "and until when" sees 60 'fault in effect [0-9:]+ of 05:00'
"${terminal[@]}" send-keys C-c
check "Ctrl-C halts and undoes" sees 60 'Ctrl-C: halting'
check "exit 5, all undone" sees 60 'exit 5'
check "the verdict is HALTED" shows '^HALTED '
check "nothing is left on the host" wait_for 60 clean

begin
sees 60 'Run long in bare\?' >/dev/null
"${terminal[@]}" send-keys y Enter
wait_for 60 frozen
"${terminal[@]}" send-keys C-c C-c C-c
check "Ctrl-C three times still undoes" sees 60 'exit 5'
check "nothing is left on the host after that" wait_for 60 clean

begin
sees 60 'Run long in bare\?' >/dev/null
"${terminal[@]}" send-keys n Enter
check "anything but y is a no: exit 4, nothing was done" sees 60 'exit 4'

#!/usr/bin/env bash
# ask_test.sh - questions of a drill on a terminal: a parameter's, a step's; and Ctrl-C while one stands there.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
command -v tmux >/dev/null || skip_all "no tmux here"
in_lab bare:1

mkdir "$work/scenarios"
printf 'project: asks\nstate: state\nenvironments: [%s]\n' "$LAB_STATE/environments" >"$work/faildrill.yaml"
cat >"$work/scenarios/asks.yaml" <<'END'
scenario: asks
params:
  pause: {type: duration, default: 1s, max: 5s, ask: How long?}
targets:
  victim: {role: idle}
probes:
  door: {tcp: "${target.victim.address}:22", every: 500ms, timeout: 5s}
steady: {for: 300ms}
steps:
  - freeze: victim
  - wait: ${param.pause}
  - ask: Is it frozen in ${param.pause}?
  - note: a person saw it
hold: 300ms
settle: 10s
undo: {lease: 6s}
expect:
  door: {max_outage: 90s}
END

terminals=0
begin() {
    terminals=$((terminals + 1))
    terminal=(tmux -S "$work/terminal-$terminals" -f /dev/null)
    at_end "${terminal[@]}" kill-server
    "${terminal[@]}" new-session -d -x 110 -y 40 "cd '$work'; LC_ALL=C.UTF-8 '$FAILDRILL' run -e bare asks; \
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
sees() {
    wait_for "$1" shows "$2" || {
        screen
        return 1
    }
}
# asked PAUSE: answers all that comes before the step's own question.
asked() {
    sees 60 'How long\? \[1s\]' || return 1
    "${terminal[@]}" send-keys ${1:+"$1"} Enter
    sees 60 'Run asks in bare\?' || return 1
    "${terminal[@]}" send-keys y Enter
    sees 60 'Is it frozen in .*\? \[y/n\]'
}

begin
check "a parameter asks for its value, then the step puts its question" asked 2s
check "with the value that was typed" shows 'Is it frozen in 2s\?'
check "the fault stays in effect meanwhile" frozen
"${terminal[@]}" send-keys what Enter
check "what is neither yes nor no is asked again" sees 60 'Is it frozen in 2s\? \[y/n\]'
# The lease is 6 s: a question that kept the runner from renewing it would end the fault.
wait_for 8 false
check "the lease is renewed while a question stands there" frozen
"${terminal[@]}" send-keys y Enter
check "yes goes on to the end: exit 0" sees 60 'exit 0'
check "nothing is left on the host" wait_for 60 clean

# The lead's go comes from another terminal.
begin
asked '' >/dev/null
check "note --go is taken" "$FAILDRILL" -C "$work" note --go 'seen, go on'
check "and answers the question: exit 0" sees 60 'exit 0'
check "nothing is left on the host after a go" wait_for 60 clean
in_timeline() {
    "$FAILDRILL" -C "$work" report last --format json -o - | grep -q 'seen, go on'
}
check "the go stands in the timeline" in_timeline

begin
asked '' >/dev/null
"${terminal[@]}" send-keys n Enter
check "no halts and undoes: exit 5" sees 60 'exit 5'
check "and says who said no" shows 'said no to'
check "nothing is left on the host after a no" wait_for 60 clean

begin
asked '' >/dev/null
"${terminal[@]}" send-keys C-c
check "Ctrl-C halts while a question stands there: exit 5" sees 60 'exit 5'
check "nothing is left on the host after Ctrl-C" wait_for 60 clean

begin
sees 60 'How long' >/dev/null
"${terminal[@]}" send-keys 9s Enter
check "an answer that does not fit is an error: exit 2" sees 60 'exit 2'
check "which says why" shows 'too much for parameter'

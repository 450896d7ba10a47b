#!/usr/bin/env bash
# follow_test.sh - a second terminal looks on and halts; a protected environment's name is typed.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
command -v tmux >/dev/null || skip_all "no tmux here"
in_lab bare:1

mkdir "$work/scenarios" "$work/environments"
printf 'project: follow\nstate: state\n' >"$work/faildrill.yaml"
sed 's/^environment: .*/environment: prod\nprotected: true/' "$LAB_STATE/environments/bare.yaml" >"$work/environments/prod.yaml"
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
halt:
  door: {max_outage: 90s}
expect:
  door: {max_outage: 90s}
END

# terminal NAME COMMAND: on one of its own; its exit status is written below it.
terminal() {
    at_end tmux -S "$work/$1" kill-server
    tmux -S "$work/$1" -f /dev/null new-session -d -x 110 -y 40 "cd '$work'; LC_ALL=C.UTF-8 $2; echo exit \$?; read -r _"
}
screen() {
    tmux -S "$work/$1" capture-pane -p -S -200
}
shows() {
    screen "$1" | grep -qE -- "$2"
}
# sees SECONDS NAME PATTERN
sees() {
    wait_for "$1" shows "$2" "$3" || {
        screen "$2"
        return 1
    }
}
types() {
    local name=$1
    shift
    tmux -S "$work/$name" send-keys "$@" Enter
}
# shellcheck disable=SC2016 # the host expands it
frozen() {
    [ "$("$lab" exec bare-1 sh -c 'cut -d" " -f3 /proc/$(cat /run/idle.pid)/stat')" = T ]
}
clean() {
    ! frozen && [ -z "$("$lab" exec bare-1 sh -c 'ls -A /run/faildrill 2>/dev/null')" ]
}

terminal wrong "'$FAILDRILL' run -e prod long"
check "a protected environment wants its name" sees 60 wrong 'This breaks PROD on purpose. Type its name'
types wrong y
check "and nothing but its name: exit 4" sees 60 wrong 'exit 4'
check "nothing was done" clean

terminal first "'$FAILDRILL' run -e prod long"
sees 60 first 'Type its name' >/dev/null
types first prod
check "with its name the drill begins" sees 60 first 'fault in effect'

terminal second "'$FAILDRILL' status --follow"
check "a second terminal sees what is in effect, and where" sees 60 second 'freeze victim +bare-1 +in effect'
check "how the probe does" sees 60 second 'door .* ok [0-9]'
check "what happened" sees 60 second 'freeze victim proven'
"$FAILDRILL" -C "$work" status --follow >"$work/log" 2>&1 </dev/null &
looker=$!
at_end sh -c "kill $looker 2>/dev/null"
check "and so does a log, a line an event" wait_for 60 grep -qE '^[0-9:.]+ bare-1 +freeze victim proven' "$work/log"
check "status names the holder" bash -c "'$FAILDRILL' -C '$work' status | grep -qE 'prod is held by .* on .*pid [0-9]+'"
breaks() {
    "$FAILDRILL" -C "$work" undo --break-lock -e prod --confirm prod
    [ $? -eq 4 ]
}
check "whose lock is not broken while it lives: exit 4" breaks
check "nor is its fault" frozen

terminal third "'$FAILDRILL' halt --reason 'seen enough'"
check "a third one halts it" sees 60 third 'asked .* to halt'
check "the Tab key knows its id" bash -c "'$FAILDRILL' -C '$work' completion words -- report '' | grep -qE '^[0-9a-z]{4}\$'"
check "its runner says so: exit 5" sees 60 first 'exit 5'
check "who looked on sees the end: exit 0" sees 60 second 'exit 0'
check "with its verdict" shows second '^HALTED +long +prod'
ended() {
    wait "$looker" && grep -qE '^HALTED +long' "$work/log" && ! grep -q "$(printf '\033')" "$work/log"
}
check "and so does the log" ended
check "nothing is left on the host" wait_for 60 clean
nobody() {
    "$FAILDRILL" -C "$work" status --follow
    [ $? -eq 2 ]
}
check "where nothing runs there is nothing to follow: exit 2" nobody
check "and nobody holds anything" bash -c "'$FAILDRILL' -C '$work' undo --break-lock -e prod | grep -q 'nobody holds it'"

# A runner that is killed while somebody looks on.
"$FAILDRILL" -C "$work" --no-input run -e prod long --confirm prod >"$work/killed" 2>&1 &
runner=$!
wait_for 60 frozen
"$FAILDRILL" -C "$work" status --follow >"$work/log" 2>&1 </dev/null &
looker=$!
wait_for 60 grep -q 'freeze victim proven' "$work/log"
kill -9 "$runner"
wait "$runner" 2>/dev/null
gone() {
    wait "$looker" && grep -qE '^[0-9a-z]{4}  did not end, and its runner is gone: faildrill undo [0-9a-z]{4}$' "$work/log"
}
check "who looks on a runner that is killed is told so, and what to do" gone
check "undo" "$FAILDRILL" -C "$work" undo
check "nothing is left on the host after that" wait_for 60 clean

# A run of another machine's store, that nobody here knows anything of.
"$lab" exec bare-1 sh -c 'mkdir -p /run/faildrill/lock && cd /run/faildrill/lock && echo 01kfffffffffffffffffffff4k2p >token &&
    echo raj@elsewhere >who && echo 0 >since && echo 99999999999 >until && cat /proc/sys/kernel/random/boot_id >boot'
holder='bare-1: lock of this host for [0-9]+ s, by run 4k2p of raj@elsewhere'
# breaking STATUS WORDS...
breaking() {
    local status=$1
    shift
    "$FAILDRILL" -C "$work" --no-input undo --break-lock -e prod "$@" >"$work/breaking" 2>&1
    local got=$?
    cat "$work/breaking"
    [ "$got" -eq "$status" ] && grep -qE "$holder" "$work/breaking"
}
check "a lock of elsewhere is named, and stays without a yes: exit 4" breaking 4
"$lab" exec bare-1 mkdir /run/faildrill/01kfffffffffffffffffffff4k2p_1
check "and while something of that run is there: exit 4" breaking 4 --confirm prod
"$lab" exec bare-1 rmdir /run/faildrill/01kfffffffffffffffffffff4k2p_1
check "with the environment's name it is broken" breaking 0 --confirm prod
check "and nothing of it is left" clean

[ "$failed" -eq 0 ]

#!/usr/bin/env bash
# honest_test.sh - no verdict without a proof, no stop without an undo: what goes wrong in a drill is said.
# SPDX-License-Identifier: Apache-2.0
# Each case has a host and a project of its own, so that some run beside each other (AT_ONCE).
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016,SC2030,SC2031 # what is quoted is for the host; each case has its own $work
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab staging bare:11
# shellcheck source=tests/project.sh
. "$root/tests/project.sh"

at_once=${AT_ONCE:-4}

# begin HOST [KEY=TEXT...]: a project in $work with an environment `bare` of this one host.
# pidfile, start: of its service; steps, lease, within, halt, every, timeout: of its scenario `drill`.
begin() {
    local pidfile=/run/idle.pid start='/etc/init.d/idle start' lease=15s within=60s grace=5s settle=60s
    local every=100ms timeout=500ms
    local steps='kill: victim, for: 4s' probe='ssh: {max_outage: 20s}' halt='ssh: {max_outage: 20s}'
    host=$1
    shift
    [ $# -eq 0 ] || local "$@"
    address=$(sed -n "s/^ *$host: {address: \(.*\)}/\1/p" "$LAB_STATE/environments/bare.yaml")
    mkdir -p "$work/project/scenarios" "$work/project/environments"
    echo 'project: honest' >"$work/project/faildrill.yaml"
    cat >"$work/project/environments/bare.yaml" <<END
environment: bare
roles:
  idle:
    hosts: {$host: {address: $address}}
    service: {pidfile: $pidfile, start: "$start", stop: "/etc/init.d/idle stop"}
    reach: {prefix: [$lab, --state, $LAB_STATE, exec, "\${host.name}"]}
END
    cat >"$work/project/scenarios/drill.yaml" <<END
scenario: drill
targets:
  victim: {role: idle, pick: 1}
probes:
  ssh: {tcp: "\${target.victim.address}:22", every: $every, timeout: $timeout}
steady: {for: 300ms}
hold: 300ms
observe: 300ms
settle: $settle
steps:
  - {$steps}
halt:
  $halt
expect:
  $probe
undo: {lease: $lease, grace: $grace, within: $within}
END
}
# ends STATUS COMMAND...: that it ends with this status and says, somewhere, each line of stdin.
ends() {
    local want=$1 got words
    shift
    "$@" >"$work/said" 2>&1
    got=$?
    cat "$work/said"
    while read -r words; do
        grep -qF -- "$words" "$work/said" || echo "it does not say: $words" >>"$work/missing"
    done
    [ ! -e "$work/missing" ] || {
        cat "$work/missing"
        rm "$work/missing"
        return 1
    }
    [ "$got" -eq "$want" ] || {
        echo "exit $got, not $want"
        return 1
    }
}
# go: the drill in the background, until its fault is in effect.
go() {
    "$FAILDRILL" -C "$work/project" --no-input run -e bare drill >"$work/run.out" 2>&1 &
    runner=$!
    check "$1: the fault comes into effect" wait_for 60 is_in_effect
}
# over: what go began has ended; sets `status`.
over() {
    wait "$runner"
    status=$?
    cp "$work/run.out" "$work/said"
}
said_with() {
    cat "$work/said"
    echo "exit $status"
    [ "$status" -eq "$1" ] && grep -qF -- "$2" "$work/said"
}
not_said() {
    cat "$work/said"
    ! grep -qF -- "$1" "$work/said"
}
service_runs() {
    on_host /etc/init.d/idle status
}
# Nothing of ours is left on the host, and its service runs.
is_clean() {
    service_runs && on_host sh -c '[ ! -e /run/faildrill ] && [ -z "$(nft list ruleset)" ]'
}
is_without_trace() {
    on_host sh -c '[ ! -e /run/faildrill ] && [ -z "$(nft list ruleset)" ]'
}
in_no_trend() {
    drill trends --json | python3 -c '
import json, sys
trends = json.load(sys.stdin)
print(trends)
sys.exit(trends["rows"] != [])'
}

dead_before() {
    begin bare-1
    on_host sh -c 'kill -9 "$(cat /run/idle.pid)"'
    check "a service that is dead before the drill: NOT READY, exit 3" ends 3 drill run -e bare drill <<'END'
NOT READY
does not run on host 'bare-1'
nothing was injected
END
    check "chaostoolkit 168: a service that is dead before the drill: nothing came to its host" is_without_trace
    check "chaostoolkit 168: and no undo was run, which would have started it" eval '! service_runs'
    check "a service that is dead before the drill: in no trend" in_no_trend
}

wrong_pidfile() {
    begin bare-2 pidfile=/run/nothing.pid
    check "a pidfile that is not there: NOT READY, exit 3" ends 3 drill run -e bare drill <<<'NOT READY'
    begin bare-2 pidfile=/run/wrong.pid
    on_host sh -c 'echo 4194000 >/run/wrong.pid'
    check "a pidfile that names nobody: NOT READY, exit 3" ends 3 drill run -e bare drill <<<'NOT READY'
    # The number was given out anew: the file is older than the process.
    on_host sh -c 'setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >/run/wrong.pid; touch -d "1 hour ago" /run/wrong.pid'
    check "a pidfile older than its process: NOT READY, exit 3" ends 3 drill run -e bare drill <<<'NOT READY'
    check "a wrong pidfile: nothing came to its host" is_clean
    check "a wrong pidfile: its process was left alone" on_host sh -c 'kill -0 "$(cat /run/wrong.pid)"'
    check "a wrong pidfile: in no trend" in_no_trend
}

ends_early_kill() {
    local status
    begin bare-3 steps='kill: victim, for: 60s'
    go "a service that somebody starts meanwhile"
    check "a service that somebody starts meanwhile: started by hand" on_host /etc/init.d/idle start
    over
    check "a service that somebody starts meanwhile: INCONCLUSIVE, exit 7" said_with 7 'ended early'
    check "a service that somebody starts meanwhile: in no trend" in_no_trend
    check "a service that somebody starts meanwhile: all undone" is_clean
}

ends_early_isolate() {
    local status
    begin bare-4 steps='isolate: victim, for: 60s'
    go "rules that somebody flushes meanwhile"
    check "rules that somebody flushes meanwhile: flushed by hand" on_host nft flush ruleset
    over
    check "rules that somebody flushes meanwhile: INCONCLUSIVE, exit 7" said_with 7 'ended early'
    check "rules that somebody flushes meanwhile: in no trend" in_no_trend
    check "rules that somebody flushes meanwhile: all undone" is_clean
}

counts_as_unaffected() {
    drill trends --json | python3 -c '
import json, sys
(row,) = json.load(sys.stdin)["rows"]
print(row)
sys.exit((row["runs"], row["unaffected"], row["affected"], row["median_ns"]) != (1, 1, 0, None))'
}
nobody_notices() {
    begin bare-5 steps='kill: victim, for: 3s' probe='ssh: {recover_within: 2s}' every=500ms timeout=5s
    check "a proven fault that nobody notices: PASS, exit 0, says so" ends 0 drill run -e bare drill <<'END'
PASS
ssh  no outage of
s or more seen     unaffected: 1 of 1 run, not in the median
END
    check "a proven fault that nobody notices: unaffected in the trend, no median" counts_as_unaffected
    check "a proven fault that nobody notices: all undone" is_clean
}

second_runner() {
    local status who
    begin bare-6 steps='kill: victim, for: 5m'
    go "two runners"
    who=$(id -un 2>/dev/null || id -u)@$(hostname)
    check "a second runner with the same store: REFUSED, exit 4, names the holder" \
        ends 4 drill run -e bare drill <<<"$who"
    check "a second runner with another store: REFUSED, exit 4, names the holder" \
        ends 4 drill --state "$work/other" run -e bare drill <<END
REFUSED
$who
END
    check "the refused ones took nothing away from the first" is_in_effect
    check "halt from another process is taken" drill halt --reason 'the shop complains'
    over
    check "halt from another process: HALTED, exit 5, says why" said_with 5 'the shop complains'
    check "halt from another process: all undone" is_clean
}

signals() {
    local signal status
    for signal in INT TERM HUP; do
        # The start line waits, so that the second signal comes during the undo.
        begin bare-7 start='until [ -e /run/go ]; do sleep 0.1; done; /etc/init.d/idle start' \
            steps='kill: victim, for: 5m' grace=60s
        on_host rm -f /run/go
        go "SIG$signal"
        kill -"$signal" "$runner"
        check "SIG$signal is heard" wait_for 60 grep -q 'halting, undoing' "$work/run.out"
        kill -"$signal" "$runner"
        check "chaostoolkit-lib 133: SIG$signal once more: what is left is said, nothing is skipped" \
            wait_for 60 grep -q 'still undoing; nothing is skipped' "$work/run.out"
        on_host touch /run/go
        over
        check "SIG$signal: HALTED, exit 5" said_with 5 HALTED
        check "chaostoolkit-lib 133: SIG$signal twice: all undone" is_clean
        rm -rf "$work/project"
    done
}

halt_rule() {
    begin bare-8 steps='isolate: victim, for: 60s' halt='ssh: {max_outage: 1s}' probe='ssh: {max_errors: 99%}'
    check "halt rule max_outage: HALTED, exit 5, names the rule" ends 5 drill run -e bare drill <<'END'
HALTED
ssh.max_outage 1 s
END
    check "halt rule max_outage: all undone" is_clean
    check "halt rule max_outage: what healed after it is not said to be down" not_said "did not heal"
}

guard_dies() {
    local status
    begin bare-9 steps='kill: victim, for: 5m'
    go "a guard that dies"
    check "a guard that dies: killed by hand" \
        on_host sh -c 'kill -9 "$(cut -d " " -f 1 /run/faildrill/*_1/armed)"'
    over
    check "a guard that dies: INCONCLUSIVE, exit 7" said_with 7 'a guard is gone'
    check "a guard that dies: all undone" is_clean
    check "a guard that dies: in no trend" in_no_trend
}

names_host_and_hand() {
    tail -n 2 "$work/said"
    tail -n 2 "$work/said" | grep -q '^NOT UNDONE: .*; faildrill undo ....$' &&
        tail -n 1 "$work/said" | grep -q "$host;.* sudo sh /run/faildrill/undo$"
}
never_undone() {
    local status
    begin bare-10 within=3s grace=60s steps='kill: victim, for: 3s' start='test -e /run/mended && /etc/init.d/idle start'
    go "an undo that cannot be"
    over
    check "an undo that cannot be: NOT UNDONE, exit 6" said_with 6 'NOT UNDONE'
    check "an undo that cannot be: the last lines name the host and what to do there" names_host_and_hand
    check "an undo that cannot be: no other drill may begin there" ends 4 drill run -e bare drill <<<REFUSED
    check "an undo that cannot be: undo says so, exit 6" ends 6 drill undo <<<'NOT UNDONE'
    on_host touch /run/mended
    check "an undo that was mended: undo exits 0" ends 0 drill undo </dev/null
    check "an undo that was mended: all undone" is_clean
    check "an undo that was mended: nothing is left to do" ends 0 drill undo <<<'nothing is left to undo'
    check "an undo that was mended: the run is in no trend" in_no_trend
}

# With the hold over when the runner wakes, and long before its end.
stopped_runner() {
    local status hold
    for hold in 12s 5m; do
        begin bare-11 lease=8s steps="kill: victim, for: $hold"
        go "a runner that is stopped (for: $hold)"
        kill -STOP "$runner"
        check "a runner that is stopped (for: $hold): the guard undoes" wait_for 60 service_runs
        [ "$hold" = 5m ] || sleep 8 # the hold itself
        kill -CONT "$runner"
        over
        check "a runner that is stopped (for: $hold): INCONCLUSIVE, exit 7" said_with 7 "ended before its undo was sent"
        check "a runner that is stopped (for: $hold): all undone" is_clean
        check "a runner that is stopped (for: $hold): in no trend" in_no_trend
        rm -rf "$work/project"
    done
}

# TCP to a frozen primary connects as long as its backlog has room; nobody answers.
frozen_says() {
    drill report last --format json -o - | python3 -c '
import json, sys
report = json.load(sys.stdin)
probes = {probe["name"]: probe for probe in report["probes"]}
for name, probe in probes.items():
    print(name, {key: probe[key] for key in ("attempts", "failed", "during_failed", "froze", "unaffected")})
print(report["verdict"], report["findings"])
sys.exit(not (probes["tcp"]["failed"] == 0 and probes["tcp"]["unaffected"] and
              probes["direct"]["froze"] and not probes["direct"]["unaffected"] and
              probes["checkout"]["failed"] > 0 and
              any(text.startswith("direct: TCP still connects") for text in report["findings"])))'
}
frozen_primary() {
    local primary
    mkdir -p "$work/project/scenarios"
    printf 'project: honest\nenvironments: [%s]\n' "$LAB_STATE/environments" >"$work/project/faildrill.yaml"
    primary=$("$lab" exec staging-redis-1 redis-cli -p 26379 sentinel get-master-addr-by-name shop | head -n 1)
    cat >"$work/project/scenarios/frozen.yaml" <<END
scenario: frozen
targets:
  primary: {role: redis, is: primary}
probes:
  tcp: {tcp: "$primary:6379", every: 200ms, timeout: 10s}
  direct: {redis: "redis://$primary:6379", every: 200ms, timeout: 500ms}
  checkout: {http: "\${endpoint.api}/checkout/ping", every: 200ms, timeout: 500ms}
steady: {for: 500ms}
hold: 500ms
observe: 500ms
settle: 60s
steps:
  - {freeze: primary, for: 12s}
expect:
  tcp: {max_outage: 1s}
  direct: {max_outage: 50s}
  checkout: {max_outage: 50s}
END
    check "a frozen primary: PASS, exit 0" ends 0 drill run -e staging frozen <<'END'
direct: TCP still connects, the service does not answer
END
    check "a frozen primary: redis and http see it as down, tcp does not" frozen_says
}

# Each case on its own, AT_ONCE of them; their lines come in order at the end.
cases=(frozen_primary signals stopped_runner never_undone second_runner wrong_pidfile ends_early_kill
    ends_early_isolate guard_dies halt_rule nobody_notices dead_before)
[ -z "${ONLY-}" ] || read -r -a cases <<<"$ONLY"
for case in "${cases[@]}"; do
    while [ "$(jobs -pr | wc -l)" -ge "$at_once" ]; do wait -n; done
    (
        work=$work/$case
        mkdir "$work"
        "$case"
    ) >"$work/$case.log" 2>&1 </dev/null &
done
wait
for case in "${cases[@]}"; do
    cat "$work/$case.log"
    failed=$((failed + $(grep -c '^not ok ' "$work/$case.log")))
    grep -q '^ok ' "$work/$case.log" || not_ok "$case says nothing"
done

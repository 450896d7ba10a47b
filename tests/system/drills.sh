#!/usr/bin/env bash
# drills.sh - drills beside an independent observer: what it saw lies inside the brackets that we print.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/system/drills.sh [N]      N drills (default: DRILLS, else 20): killed, frozen, isolated in turn
#
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
export DRILLS=${1:-${DRILLS:-20}}
in_lab staging

here=$root/tests/system
net=$(<"$LAB_STATE/net")
net=${net%.*}.$((${net##*.} + 1))
observer=$BUILD/tests/system/observer
verbs=(kill freeze isolate)
timeout_ms=500 # of our probes and of the observer, so that they call the same thing silence

mkdir "$work/scenarios"
printf 'project: drills\nstate: state\nenvironments: [%s]\n' "$LAB_STATE/environments" >"$work/faildrill.yaml"
for verb in "${verbs[@]}"; do
    cat >"$work/scenarios/observed_$verb.yaml" <<END
scenario: observed_$verb
targets:
  primary: {role: redis, is: primary}
probes:
  writes: {ledger: redis, every: 20ms, timeout: ${timeout_ms}ms}
  checkout: {http: "\${endpoint.api}/checkout/ping", every: 20ms, timeout: ${timeout_ms}ms}
steady: {for: 2s, within: 90s}
steps:
  - $verb: primary
    for: 18s
hold: 2s
settle: 90s
expect:
  writes: {recover_within: 15s, max_lost: 0}
  checkout: {recover_within: 15s}
END
done

at_end end_observer
end_observer() {
    [ -z "${watching-}" ] || kill -TERM "$watching" 2>/dev/null
    watching=''
}
both_ready() {
    [ "$(grep -c '^ready ' "$work/seen")" -eq 2 ]
}

# One that had no time for more than 5 % of its attempts saw nothing to the millisecond.
was_starved() {
    awk '$1 == "total" && $5 > $3 / 20 { starved = 1 } END { exit !starved }' "$work/seen"
}

# drill NUMBER VERB: a line a drill, and what was wrong below it. On a machine that is too busy to look, up to
# twice more.
drill() {
    local name="drill $1 $2" status try
    for try in 1 2 3; do
        observed "$2" || return
        if [ "$status" -eq 0 ] || [ "$try" -eq 3 ] || ! was_starved; then break; fi
        echo "    $name: the observer was starved, once more"
    done
    if [ "$status" -eq 0 ]; then
        ok "$name"
        sed 's/^/    /' "$work/compared"
    else
        not_ok "$name"
        sed 's/^/    /' "$work/compared" "$work/seen" "$work/said"
    fi
}
# observed VERB: sets `status`, 0 where the drill passed and what was seen lies inside what was printed.
observed() {
    "$observer" -t "$timeout_ms" "writes=redis://shop@$net.11:26379,$net.12:26379,$net.13:26379" \
        "checkout/4=http://$net.21:8080/checkout/ping" >"$work/seen" 2>&1 &
    watching=$!
    wait_for 90 both_ready || {
        not_ok "$name: the observer sees no service"
        end_observer
        return 1
    }
    "$FAILDRILL" -C "$work" run -e staging "observed_$1" --no-input >"$work/said" 2>&1
    status=$?
    kill -TERM "$watching"
    wait "$watching"
    watching=''
    "$FAILDRILL" -C "$work" report last --format json -o "$work/report.json" >/dev/null
    echo "exit $status" >>"$work/said"
    python3 "$here/compare.py" "$work/seen" "$work/report.json" "$work/state/history.db" >"$work/compared" 2>&1 ||
        status=1
}

for ((i = 0; i < DRILLS; i++)); do
    drill $((i + 1)) "${verbs[i % 3]}"
done

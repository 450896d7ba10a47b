# parity.sh - two labs that are alike: doctor is silent, and names each setting that is another on one side, alone.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Sourced after tests/lib.sh, inside a lab. Ends with `parity_sum`.
export ONLY=${ONLY-}
# shellcheck source=tests/drills.sh
. "$root/tests/drills.sh"

# twins_of ENVIRONMENT FOLDER SCENARIO: its set a second time, in $twin, with its addresses under $other; the drill of
# FOLDER that parity is asked for.
twins_of() {
    local set
    twin=$LAB_STATE-twin drill_for=$3
    set=$(sed -n 's/.*`scenarios\/lab\/lab up \([a-z-]*\)`.*/\1/p' "$root/scenarios/environments/$1.yaml")
    "$lab" --state "$LAB_STATE" up "$set" >/dev/null && "$lab" --state "$twin" up "$set" >/dev/null || return 1
    # shellcheck disable=SC2034
    other=$(grep -om1 '10\.[0-9]*\.[0-9]*' "$twin/environments/$1.yaml")
    rm -rf "$work/environments"
    mkdir "$work/environments"
    sed 's/^environment: .*/environment: one/' "$LAB_STATE/environments/$1.yaml" >"$work/environments/one.yaml"
    sed 's/^environment: .*/environment: other/' "$twin/environments/$1.yaml" >"$work/environments/other.yaml"
    printf 'project: parity\nstate: state\nscenarios: [%s]\nenvironments: [environments]\n' "$root/scenarios/$2" >"$work/faildrill.yaml"
    pair=(one other)
}
twins_down() {
    "$lab" --state "$twin" down
    "$lab" --state "$LAB_STATE" down
} >/dev/null
# in_twin HOST COMMAND...
in_twin() {
    "$lab" --state "$twin" exec "$@" </dev/null
}

parity() {
    "$FAILDRILL" -C "$work" doctor "${pair[@]}" --for "$drill_for" --no-input >"$work/said" 2>&1
    status=$?
    cat "$work/said"
}
is_silent() {
    parity
    [ "$status" -eq 0 ] && [ ! -s "$work/said" ]
}
# says ROLE KNOB: it differs, and only what follows from it does as well, in whatever role is asked of the same file.
says() {
    parity
    [ "$status" -eq 3 ] && grep -q "^$1 *  $2  " "$work/said" &&
        ! sed '1d; /^a pass in /d' "$work/said" | grep -vq "^[a-z]*  *\($2\|failover expected in\)  "
}
changed=0 named=0
# differs ROLE KNOB COMMAND... OTHER BACK: with OTHER it is named, with BACK nothing is.
differs() {
    local role=$1 knob=$2 set=("${@:3:$#-4}") before=$failed
    changed=$((changed + 1))
    check "$knob: can be set" "${set[@]}" "${@: -2:1}"
    check "$knob: is named, and nothing else" says "$role" "$knob"
    [ "$failed" -ne "$before" ] || named=$((named + 1))
    check "$knob: can be set back" "${set[@]}" "${@: -1}"
    check "$knob: and nothing is named" wait_for 20 is_silent
}
parity_sum() {
    check "$changed settings changed one by one, $named named" [ "$changed" -eq "$named" ]
}

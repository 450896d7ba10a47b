# project.sh - what tests share that run a drill of their own: of $work/project, in whose environment `here` it stands.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# Sourced after tests/lib.sh, inside a lab.

address_of() {
    cat "$LAB_STATE/hosts/$1/address"
}
host=bare-1
on_host() {
    "$lab" exec "$host" "$@"
}
drill() {
    "$FAILDRILL" -C "$work/project" --no-input "$@"
}
is_in_effect() {
    drill status | grep -q IN_EFFECT
}
# ends STATUS TEXT COMMAND...: it ends so and says this text somewhere.
ends() {
    local want=$1 text=$2 got
    shift 2
    "$@" >"$work/said" 2>&1
    got=$?
    cat "$work/said"
    [ "$got" -eq "$want" ] && grep -qF -- "$text" "$work/said" || {
        echo "exit $got, not $want; or it does not say: $text"
        return 1
    }
}

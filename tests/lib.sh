# lib.sh - what test scripts share: a line a promise, waiting for conditions, a lab of one's own.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# A script sources this, calls `check NAME COMMAND...` for each promise, and ends by itself:
#   ok NAME | not ok NAME | skip NAME: REASON     one line each; tests/run counts them
# FAILDRILL is the program under test; what a script leaves in $work goes with it.
set -uo pipefail

root=$(cd -- "${BASH_SOURCE[0]%/*}/.." && pwd -P)
: "${BUILD:=$root/build}"
case $BUILD in /*) ;; *) BUILD=$root/$BUILD ;; esac
: "${FAILDRILL:=$BUILD/faildrill}"
export BUILD FAILDRILL
lab=$root/scenarios/lab/lab
failed=0

work=$(mktemp -d "${TMPDIR:-/tmp}/faildrill-test.XXXXXX")
ends=() # commands for the end, last first
at_end() {
    ends+=("$(printf '%q ' "$@")")
}
finish() {
    local status=$? i
    trap - EXIT
    for ((i = ${#ends[@]} - 1; i >= 0; i--)); do eval "${ends[i]}"; done
    rm -rf "$work"
    [ "$failed" -eq 0 ] || status=1
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

ok() {
    printf 'ok %s\n' "$1"
}
not_ok() {
    printf 'not ok %s\n' "$1"
    failed=$((failed + 1))
}
# check NAME COMMAND...: the promise NAME holds if COMMAND succeeds; what it printed is shown if not.
check() {
    local name=$1
    shift
    if "$@" >"$work/check.out" 2>&1; then
        ok "$name"
    else
        not_ok "$name"
        sed 's/^/    /' "$work/check.out" | tail -40
    fi
}
skip() {
    printf 'skip %s: %s\n' "$1" "$2"
}
# skip_all REASON: nothing of this script can run here.
skip_all() {
    printf 'skip all: %s\n' "$1"
    exit 77
}

# wait_for SECONDS COMMAND...: until COMMAND succeeds; false when it never did.
wait_for() {
    local end=$((${EPOCHREALTIME%[.,]*} + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "${EPOCHREALTIME%[.,]*}" -lt "$end" ] || return 1
        sleep 0.02
    done
}

# can_make_hosts: whether this machine lets us have namespaces; else why not.
can_make_hosts() {
    unshare --net --mount --pid --fork true 2>/dev/null ||
        unshare --user --map-current-user --keep-caps --net true 2>/dev/null
}

# in_lab SET...: becomes a script inside a lab of its own (private namespaces, gone with it).
# Called at the top; returns inside, where LAB_STATE is set; skips where there can be none.
in_lab() {
    [ -z "${IN_LAB-}" ] || return 0
    can_make_hosts || skip_all "this machine gives no namespaces"
    trap - EXIT
    rm -rf "$work"
    IN_LAB=1 exec "$lab" --state "${LAB_STATE:-$BUILD/test-lab-$$}" run --private "$@" -- "$0"
}

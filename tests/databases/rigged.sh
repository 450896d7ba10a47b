# rigged.sh - settings made worse on purpose: the drill fails, the right one is named, its own line mends it.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Sourced after tests/lib.sh, inside a lab; sets $work up as a project. A test defines `set_line LINE KNOB VALUE`, which
# does what the advice says, calls `rigged` once the setting is bad, and `rigged_sum` at its end.
# shellcheck source=tests/drills.sh
. "$root/tests/drills.sh"

# rigged_in ENVIRONMENT NUMBER: whose hosts are drilled from here on; the number of its set's net.
rigged_in() {
    environment=$1
    net=$(<"$LAB_STATE/net")
    net=${net%.*}.$((${net##*.} + $2))
    mkdir -p "$work/own" "$work/environments"
    printf 'project: rigged\nstate: state\nscenarios: [own]\nenvironments: [environments]\n' >"$work/faildrill.yaml"
    cp "$LAB_STATE/environments/$environment.yaml" "$work/environments/"
}
# scenario NAME STEPS PROBES EXPECT: of who leads role $role.
scenario() {
    cat >"$work/own/$1.yaml" <<END
scenario: $1
owner: team-data
targets:
  primary: {role: $role, is: primary, stays: true}
probes:
$3
hold: 3s
observe: 3s
steady: {for: 3s, within: 90s}
settle: 90s
steps:
  - $2
expect:
$4
END
}
# ends_with STATUS NAME; a machine that was too busy to look says INCONCLUSIVE, or that the failover took longer than
# settings explain; it is given two chances more.
ends_with() {
    local try
    for try in 1 2 3; do
        drill "$2"
        { [ "$status" -eq 7 ] || holds 'f["inside"] is False and f["failover"] is not None'; } && [ "$try" -lt 3 ] || break
        wait_for 120 is_ready
    done
    cat "$work/said"
    [ "$status" -eq "$1" ]
}
# names KNOB=VALUE...: these are advised, and nothing else.
names() {
    field '" ".join("%s=%s" % (a["knob"].replace(" ", "_"), a["value"]) for a in r["advice"])' >"$work/named" || return 1
    cat "$work/named" "$work/said"
    [ "$(<"$work/named")" = "$*" ]
}
# mend: every line that is advised is set.
mend() {
    local line knob value
    while IFS=$'\t' read -r line knob value; do
        set_line "$line" "$knob" "$value" || return 1
    done < <(field '"\n".join("\t".join((a["line"], a["knob"], a["value"])) for a in r["advice"])')
}
is_open() {
    "$FAILDRILL" -C "$work" trends "$1" >"$work/trends" 2>&1
    cat "$work/trends"
    grep "^open: $1 " "$work/trends" | tr ' ' _ | grep -qF "$2"
}
is_repaired() {
    "$FAILDRILL" -C "$work" trends "$1" >"$work/trends" 2>&1
    cat "$work/trends"
    grep -q "^repaired: $1 " "$work/trends" && ! grep -q "^open: $1 " "$work/trends"
}
# in_file HOST FILE NAME LINE: LINE instead of what begins with NAME.
in_file() {
    # shellcheck disable=SC2016
    "$lab" --state "$LAB_STATE" exec "$1" sh -c 'sed -i "/^$2/d" "$1" && printf "%s\n" "$3" >>"$1"' in_file "${@:2}" </dev/null
}
# foreseen SCENARIO WORDS: its plan says so.
foreseen() {
    "$FAILDRILL" -C "$work" plan -e "$environment" "$1" --no-input 2>&1 | sed -n '/^  Predicts/,/^  Will/p' >"$work/plan"
    cat "$work/plan"
    grep -qE "$2" "$work/plan"
}
# is_ready: somebody leads, and nobody is missing.
is_ready() {
    "$FAILDRILL" -C "$work" doctor "$environment" --no-input
}
# holds_too NAME COMMAND...: `check`, and whether it held.
holds_too() {
    local before=$failed
    check "$@"
    [ "$failed" -eq "$before" ]
}
# What its plan says where the setting is bad, and where it is not.
doubts='CANNOT HOLD|may not hold|no failover'
contents=' holds: '
rigged=0 named=0 mended=0
# rigged SCENARIO KNOB=VALUE...: fails, names these, passes once they are set.
rigged() {
    local name=$1 knob=${2%%=*}
    shift
    rigged=$((rigged + 1))
    wait_for 120 is_ready
    check "$name: the plan doubts it" foreseen "$name" "$doubts"
    sed 's/^/    /' "$work/plan"
    check "$name: the drill fails" ends_with 1 "$name"
    ! holds_too "$name: $* is advised, and nothing else" names "$@" || named=$((named + 1))
    sed -n '/^look at/,/^report/{/^report/!s/^/    /p}' "$work/said"
    check "$name: the finding is open, with its owner" is_open "$name" "$knob"
    check "$name: its line can be set" mend
    wait_for 120 is_ready
    check "$name: the plan is content" foreseen "$name" "$contents"
    ! holds_too "$name: then the drill passes" ends_with 0 "$name" || mended=$((mended + 1))
    check "$name: and names nothing" names
    check "$name: and the finding is repaired" is_repaired "$name"
}
# rigged_sum: of all that were rigged here, the right setting was named, and mended it.
rigged_sum() {
    check "$rigged rigged, $named named, $mended mended" [ "$rigged $named $mended" = "$rigged $rigged $rigged" ]
}

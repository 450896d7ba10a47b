# allow.sh - the host's own word: /etc/faildrill.allow says which drills may run here.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154
# Stands behind node.sh; functions only. Its lines: `environment NAME...`, `kinds WORD...`,
# `longest 300s` (or 5m, 1h), `procedure ...` for the node's helper, `#` begins a remark.

allow_longest() {
    count=${1%?}
    case $count in '' | *[!0-9]* | ?????????*) return 1 ;; esac
    case $1 in
    *s) allowed_longest=$((count * 100)) ;;
    *m) allowed_longest=$((count * 6000)) ;;
    *h) allowed_longest=$((count * 360000)) ;;
    *) return 1 ;;
    esac
}

# False with `why` where the file is not there, where others than root may write it, or where it
# says what nobody knows: what cannot be read allows nothing.
allow_read() {
    allowed_environments='' allowed_kinds='' allowed_longest=0 why=''
    allow_file=/etc/faildrill.allow
    [ -f "$allow_file" ] && [ ! -h "$allow_file" ] && [ -r "$allow_file" ] ||
        { why="there is no $allow_file"; return 1; }
    read -r mode _ owner _ <<EOF
$(ls -nd "$allow_file")
EOF
    case $mode in
    -????-??-?*) ;;
    *) why="others may write $allow_file"; return 1 ;;
    esac
    [ "$owner" = "$(id -u)" ] || { why="$allow_file does not belong to root"; return 1; }
    while read -r word rest || [ -n "$word" ]; do
        rest=${rest%%#*}
        case $word in
        '' | '#'* | procedure) ;;
        environment) allowed_environments="$allowed_environments $rest" ;;
        kinds) allowed_kinds="$allowed_kinds $rest" ;;
        longest)
            # shellcheck disable=SC2086 # the blanks go
            allow_longest $rest || { why="$allow_file: 'longest' wants 300s, 5m or 1h"; return 1; }
            ;;
        *) why="$allow_file: nobody knows the word '$word'"; return 1 ;;
        esac
    done <"$allow_file"
}

# allowed ENVIRONMENT KIND CAP: 1/100 s, grace included.
allowed() {
    allow_read || return 1
    case " $allowed_environments " in
    *[[:space:]]"$1"[[:space:]]*) ;;
    *) why="$allow_file is not for environment $1"; return 1 ;;
    esac
    case " $allowed_kinds " in
    *[[:space:]]"$2"[[:space:]]*) ;;
    *) why="$allow_file does not allow $2"; return 1 ;;
    esac
    [ "$3" -le "$allowed_longest" ] ||
        { why="$allow_file allows faults of $((allowed_longest / 100)) s, not $((($3 + 99) / 100)) s"; return 1; }
}

# Before anything lies here: FD_ALLOW holds environment and kind where the gate wants the opt-in.
# What watches on the runner's own machine does nothing to a host: there nobody is asked.
allowed_here() {
    [ -n "${FD_ALLOW:-}" ] && [ -z "$FD_ROOT" ] || return 0
    # shellcheck disable=SC2086 # two words
    allowed $FD_ALLOW "${FD_CAP:-0}" || refuse "$why"
}

allow_say() {
    if allow_read; then
        # shellcheck disable=SC2086 # words, with one blank between
        say allow_environments $allowed_environments
        # shellcheck disable=SC2086
        say allow_kinds $allowed_kinds
        say "allow_longest $allowed_longest"
    else
        say "no_allow $why"
    fi
}

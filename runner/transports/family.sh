# family.sh - finds processes by who they are, and ends them with all that they have begot.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154
# Stands behind node.sh; functions only.

# state, parent and born (start time) of a process; false where there is none. By a process more
# only where a name holds the end of a line; and `self` is that process.
look_at() {
    state='' parent='' born='' stat=''
    [ "$1" = self ] || read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
    case $stat in *') '*) ;; *) stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1 ;; esac
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    state=$1 parent=$2 born=${20}
}

# alive PID BORN: this very process, and no zombie.
alive() {
    look_at "${1:-0}" && [ "$born" = "$2" ] && [ "$state" != Z ] && [ "$state" != X ]
}

# Adds to `pids` all descendants of those in it. By awk: the shell reads byte by byte, and a host
# has hundreds of processes.
family() {
    pids=$(cat /proc/[0-9]*/stat 2>/dev/null | awk -v pids="$pids" '
        { pid = $1; sub(/^.*\) /, ""); split($0, field, " "); parent[pid] = field[2] }
        END {
            count = split(pids, list, " ")
            for (i = 1; i <= count; i++) inside[list[i]] = 1
            for (grown = 1; grown;) {
                grown = 0
                for (pid in parent)
                    if (!(pid in inside) && (parent[pid] in inside)) {
                        inside[pid] = grown = 1
                        pids = pids " " pid
                    }
            }
            print pids
        }')
}

# kill_family PID. All but the eldest are stopped first, so nothing is born in between; it waits
# for them, and whoever waits for it (sudo, nsenter) would stop along with it, and stay so. One that
# bears more without end is killed with those whom it has by then.
kill_family() {
    pids=$1 known_family='' turns=20
    until [ "$pids" = "$known_family" ] || [ "$turns" -eq 0 ]; do
        known_family=$pids turns=$((turns - 1))
        family
        for child in $pids; do
            [ "$child" = "$1" ] || [ "$child" = $$ ] || kill -STOP "$child" 2>/dev/null
        done
    done
    for child in $pids; do
        [ "$child" = $$ ] || kill -KILL "$child" 2>/dev/null
    done
}

# Those who still wait for their line will never get it.
end_waiting() {
    while read -r pid pid_born; do
        [ "$pid" = $$ ] || { alive "$pid" "$pid_born" && kill -KILL "$pid"; }
    done 2>/dev/null <"$FD_DIR/waiting"
    return 0
}

# session_of NOTE: the pids of whoever the file NOTE names, and of all that it began, by its session.
# Its number is nobody else's while one of them lives; where another bears it, none does.
session_of() {
    read -r leader leader_born 2>/dev/null <"$1" || return 0
    cat /proc/[0-9]*/stat 2>/dev/null | awk -v leader="$leader" -v born="$leader_born" '
        { pid = $1; sub(/^.*\) /, ""); split($0, field, " ") }
        pid == leader && field[20] != born { taken = 1; exit }
        (pid == leader || field[4] == leader) && field[1] !~ /[ZX]/ { pids = pids " " pid }
        END { if (!taken) print pids }'
}

# Nobody fences it any more. False where it cannot be ended.
end_session() {
    tries=100
    while pids=$(session_of "$1") || return 1; [ -n "$pids" ]; do
        [ "$tries" -gt 0 ] || return 1
        tries=$((tries - 1))
        # shellcheck disable=SC2086 # words on purpose
        kill -KILL $pids 2>/dev/null
        nap 0.05
    done
    return 0
}

# By the store's word, where this folder is one made for the undo alone: what looks like ours was so before.
never_fired() {
    [ "$(cat scratch 2>/dev/null)" = plain ]
}

# holder.sh - a process that holds a resource, whose death ends the fault: starts, looks, ends it.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015,SC2034
# Stands behind node.sh, and beside holder_*.sh, which know the resources; functions only. In a
# fault's folder, where it runs, it is the script `hold`:
#   sh hold VERB KIND [WORD VALUE]...
# The holder and all its helpers carry FD_HELD=ID: in their environment: by that they are found,
# also where the folder is lost. `held` names them as pid and start time, the holder first. Whoever
# helps ends with the holder; the holder ends by itself when it is no longer permitted, and when the
# lease, which never passes the cap, ran out: also where guard and runner are gone.

hold_fail() {
    echo "$*"
    exit 1
}

# No helper keeps open what the holder holds; and where `4<&-` stands before a command or function
# some shells put their own 4 aside meanwhile.
hold_nap() {
    (
        exec 4<&- 5<&- 6<&-
        nap "$1"
    )
}

# Sets `pids`, all that carry the mark. Where even we are not found, nobody can be.
hold_marked() {
    grep -qzF "FD_ID=$FD_ID" "/proc/$$/environ" || exit 125
    pids=$(grep -lzF "FD_HELD=$FD_ID:" /proc/[0-9]*/environ 2>/dev/null |
        tr -dc '0-9\n' | tr '\n' ' ')
}

# Those of `held` that live, also while they close what they held: then the mark is gone already.
hold_living() {
    living=''
    [ -e held ] || return 0
    while read -r pid recorded; do
        if alive "$pid" "$recorded"; then living="$living $pid"; fi
    done <held
}

# hold_add PID: one more that helps.
hold_add() {
    look_at "$1" && echo "$1 $born" >>held || hold_fail "process $1 ended at once"
}

# Whether each of `held` lives: none of them is one too many.
hold_whole() {
    while read -r pid recorded; do
        alive "$pid" "$recorded" || return 1
    done <held
}

# Before anything is armed: what is asked for can be had, and leaves what must stay.
hold_check() {
    "${kind}_size"
}

# With systemd a service of its own: it has no limit of our session, and one timer more.
hold_start() {
    look_at_clock
    export FD_DIR FD_ID
    set -- /bin/sh "$FD_DIR/hold" be "$@"
    limits='-p TasksMax=infinity -p LimitNOFILE=1048576'
    [ "$kind" != restart ] || limits='' # whom it starts has them, too
    if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
        # shellcheck disable=SC2086 # words on purpose
        systemd-run --quiet --collect --unit="fd-$FD_ID-hold" --setenv=FD_HELD="$FD_ID:" \
            --setenv=FD_DIR="$FD_DIR" --setenv=FD_ID="$FD_ID" -p WorkingDirectory="$FD_DIR" \
            -p OOMScoreAdjust=1000 $limits \
            -p RuntimeMaxSec=$(((FD_UNTIL - now) / 100 + 5)) -p TimeoutStopSec=60 \
            -p StandardOutput="append:$FD_DIR/log.hold" -p StandardError=inherit "$@"
    else
        FD_HELD=$FD_ID: setsid "$@" </dev/null >log.hold 2>&1 &
    fi
}

hold_take() {
    . ./vars
    rm -f held taken
    hold_start "$@" || hold_fail "the holder cannot be started"
    tries=500
    until [ -e taken ]; do
        if [ -e held ]; then
            hold_living
            [ -n "$living" ] || hold_fail "$(tail -n 2 log.hold)"
        else
            [ "$tries" -gt 0 ] || hold_fail "the holder does not start: $(tail -n 2 log.hold)"
            tries=$((tries - 1))
        fi
        hold_nap 0.02
    done
}

# The lease, and with it the cap, as the guard reads it.
hold_may() {
    [ -e permit ] || return 1
    read -r lease _ 2>/dev/null <lease || return 1
    look_at_clock
    [ "$now" -lt "$lease" ] && [ "$now" -lt "$FD_UNTIL" ]
}

# The holder itself. Whoever undoes takes the permit first and looks for us then: so first we can
# be found, then we ask for it. The kernel, short of memory, takes us before all others.
hold_be() {
    (echo 1000 >"/proc/$$/oom_score_adj") 2>/dev/null
    . ./vars
    look_at $$
    echo "$$ $born" >held.new && mv held.new held || exit 1
    hold_may || exit 0
    "${kind}_size" && "${kind}_take" || exit 1
    echo >taken || exit 1
    pause=0.5
    while hold_may && "${kind}_keep"; do hold_nap "$pause"; done
}

# hold_leave FUNCTION: it is run when the holder ends, also by a signal that can be caught: not every
# shell runs what is trapped at EXIT then. A second one does not end it midway.
hold_leave() {
    # shellcheck disable=SC2064 # now
    trap "trap '' TERM INT HUP; $1" EXIT
    trap 'exit 143' TERM INT HUP
}

# hold_until COMMAND...: again and again, for nobody else may be left who would. Before it is taken
# somebody waits for us, and tries it then.
hold_until() {
    tries=3600
    [ ! -e "$FD_DIR/vars" ] || [ -e "$FD_DIR/taken" ] || tries=5
    until ("$@") >/dev/null 2>&1; do
        [ "$tries" -gt 0 ] || return
        tries=$((tries - 1))
        hold_nap 1
    done
}

hold_held() {
    read -r holder born_then 2>/dev/null <held && alive "$holder" "$born_then" ||
        hold_fail "the process that holds it is gone: $(tail -n 1 log.hold 2>/dev/null)"
    [ -e taken ] || hold_fail "it is not taken yet"
    "${kind}_seen"
}

# Until none is left; what they held is free when they are dead, not when they are told to die.
hold_free() {
    tries=300
    while :; do
        hold_marked
        # shellcheck disable=SC2086
        [ -z "$pids" ] || kill -KILL $pids 2>/dev/null
        hold_living
        [ -n "$pids$living" ] || break
        [ "$tries" -gt 0 ] || hold_fail "these do not end:$pids$living"
        tries=$((tries - 1))
        nap 0.05
    done
    "${kind}_clean"
}

hold_freed() {
    hold_marked
    hold_living
    [ -z "$pids$living" ] || hold_fail "still held by process $pids$living"
    "${kind}_gone"
}

hold_words() {
    kind=$1 path='' share='' leave='' what='' address='' port='' count='' by='' bad='' good='' every=''
    query='' database='' waiters='' ramp='' steps=''
    config='' tls='' user='' application='' client='' of='' replication='' setting='' value=''
    on_primary=''
    shift
    while [ $# -ge 2 ]; do
        case $1 in
        path) path=$2 ;;
        share) share=$2 ;;
        leave) leave=$2 ;;
        what) what=$2 ;;
        address) address=$2 ;;
        port) port=$2 ;;
        count) count=$2 ;;
        by) by=$2 ;;
        bad) bad=$2 ;;
        good) good=$2 ;;
        every) every=$2 ;;
        query) query=$2 ;;
        database) database=$2 ;;
        waiters) waiters=$2 ;;
        ramp) ramp=$2 ;;
        steps) steps=$2 ;;
        config) config=$2 ;;
        tls) tls=$2 ;;
        user) user=$2 ;;
        application) application=$2 ;;
        client) client=$2 ;;
        of) of=$2 ;;
        replication) replication=$2 ;;
        setting) setting=$2 ;;
        value) value=$2 ;;
        on_primary) on_primary=$2 ;;
        esac
        shift 2
    done
}

hold() {
    verb=$1
    shift
    hold_words "$@"
    case $verb in
    check | take | be | held | free | freed)
        case $kind in
        clock_skew) "clock_$verb" ;;
        session_kill) "session_$verb" ;;
        *) "hold_$verb" "$@" ;;
        esac
        ;;
    *) hold_fail "holder.sh knows no '$verb'" ;;
    esac
}

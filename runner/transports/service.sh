# service.sh - finds, records, signals, stops and starts the processes of a service.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015,SC3013
# -ef is in dash, busybox sh and bash. Stands behind node.sh; functions only. In a fault's folder it
# is the script `service`:
#   sh service VERB unit NAME | pidfile PATH | exe PATH | container NAME
#                   [with TEXT] [only main] [by LINE] [stop LINE] [rejoin TEXT] [over yes] [same PID:START...]
#                   [freezer VERSION]
# The file `ids` there says whom the fault means: pid, start time, executable of a process a line.
# `sh service file VERB ...` is files.sh, `sh service request VERB ...` is request.sh.

service_fail() {
    echo "$*"
    exit 1
}

# Behind a look that failed: no, or no answer.
service_no() {
    [ $? -ne 125 ] || exit 125
    service_fail "$@"
}

# main = what the pidfile names. A file older than its process names a dead one: the number was
# given out anew. Measured against ourselves, since a container's uptime may be another clock.
service_main_of_file() {
    main=''
    read -r main 2>/dev/null <"$name" || [ -n "$main" ] || return 1
    case $main in
    '' | *[!0-9]*) main='' && return 1 ;;
    esac
    look_at self # the process that reads it: it begins now
    own=$born
    if ! look_at "$main" || [ "$state" = Z ] || [ "$state" = X ]; then main='' && return 1; fi
    begun=$(($(date +%s) - (own - born) / 100))
    written=$(stat -c %Y "$name") || return 1
    [ "$begun" -le $((written + 5)) ] && return 0
    echo "$name is older than process $main, which it names"
    main=''
    return 1
}

service_is_ours() {
    case " $ancestors " in *" $1 "*) return 0 ;; esac
    return 1
}

service_ancestors() {
    ancestors='' pid=$$
    while [ "$pid" -gt 0 ] && look_at "$pid"; do
        ancestors="$ancestors $pid"
        pid=$parent
    done
}

# By inode where a path is given: no process is forked for each of those on the host.
service_list_by_exe() {
    service_ancestors
    for entry in /proc/[0-9]*; do
        pid=${entry#/proc/}
        case $name in
        */*) [ "$entry/exe" -ef "$name" ] || continue ;;
        *)
            read -r comm 2>/dev/null <"$entry/comm" || continue
            [ "$comm" = "$name" ] || continue
            ;;
        esac
        if service_is_ours "$pid" || ! look_at "$pid" || [ "$state" = Z ]; then continue; fi
        if [ -n "$with" ]; then
            case $(tr '\0' ' ' 2>/dev/null <"$entry/cmdline") in
            *"$with"*) ;;
            *) continue ;;
            esac
        fi
        pids="$pids${pids:+ }$pid"
    done
    named=''
    for pid in $pids; do
        ! look_at "$pid" || named="$named${named:+ }$pid:$born"
    done
    # The main process is the one that none of the others has begot.
    for pid in $pids; do
        look_at "$pid" || continue
        case " $pids " in *" $parent "*) ;; *) main=${main:-$pid} ;; esac
    done
    [ -z "$pids" ] || family
}

# Sets `pids`, the service's processes now, and `main`; 125 where nobody can say.
service_list() {
    pids='' main=''
    case $form in
    unit)
        unit_look || return
        main=$unit_main group=$unit_group
        case $group in /?*) ;; *) return 0 ;; esac
        pids=$(find "/sys/fs/cgroup$group" "/sys/fs/cgroup/systemd$group" \
            "/sys/fs/cgroup/unified$group" -name cgroup.procs -exec cat {} + 2>/dev/null |
            sort -un | tr '\n' ' ')
        main=${main:-${pids%% *}}
        ;;
    pidfile)
        service_main_of_file || return 1
        pids=$main
        family
        ;;
    exe) service_list_by_exe ;;
    container)
        service_main_of_container || { [ -n "$engine" ]; return; }
        pids=$main
        family
        ;;
    esac
    [ -z "$only" ] || pids=$main
}

# What a name alone finds must be what the plan has seen, no one more and no one less.
service_planned() {
    [ -z "$same" ] || [ "$named" = "$same" ] ||
        service_fail "$name finds other processes than the plan saw: now ${named:-none}, then $same"
}

# Adds to `ids` all of `pids` that are not there.
service_record() {
    for pid in $pids; do
        look_at "$pid" || continue
        grep -q "^$pid $born " ids 2>/dev/null && continue
        echo "$pid $born $(readlink "/proc/$pid/exe")" >>ids || return 1
        changed=1
    done
}

# each_id CMD...: with pid, born, state of every recorded process that lives.
each_id() {
    [ -e ids ] || return 0
    while read -r pid recorded exe; do
        if alive "$pid" "$recorded"; then "$@"; fi
    done <ids
}

# Before anything is armed: the service runs, all of it, and does not carry our own connection.
service_save() {
    service_list || service_fail "no service: $name names no process that runs"
    service_planned
    [ -n "$pids" ] || service_fail "no service: there is no process of $name"
    [ "$form" != unit ] || [ "$unit_active" = active ] ||
        service_fail "no service: $name is $unit_active"
    [ "$form" != unit ] || systemctl is-enabled -- "$name" >enabled 2>/dev/null
    service_ancestors
    for pid in $pids; do
        [ "$pid" != 1 ] ||
            service_fail "process 1 belongs to $name: no signal from inside its container ends it"
        ! service_is_ours "$pid" || service_fail "$name carries our own connection to this host"
        ! look_at "$pid" || [ "$state" != T ] ||
            service_fail "process $pid of $name is stopped already"
    done
    freezer_save
    service_record || service_fail "cannot write the ids"
}

# The service as recorded, or an heir of it? A main process that we do not know is none of ours.
service_same() {
    service_list || service_fail "$name names no process that runs"
    [ -n "$main" ] && look_at "$main" && grep -q "^$main $born " ids ||
        service_fail "process ${main:-none} of $name is not the one that was recorded"
    service_planned
}

service_stop_one() {
    [ "$state" = T ] || { kill -STOP "$pid" && changed=1; }
}

# Until no process is new and none runs: a stopped one begets nobody.
service_freeze() {
    [ -z "$by_group" ] || { freezer_freeze; return; }
    tries=100 changed=1
    while [ "$changed" = 1 ]; do
        [ "$tries" -gt 0 ] || service_fail "processes of $name cannot be stopped"
        tries=$((tries - 1)) changed=''
        service_list && service_record || service_fail "cannot record the processes of $name"
        each_id service_stop_one
        [ -z "$changed" ] || nap 0.01
    done
}

service_kill() {
    service_same
    service_freeze
    each_id service_kill_one
}

service_kill_one() {
    kill -KILL "$pid"
}

# Whether we may be who has stopped what is: never in another boot, which has other processes and
# groups by the same numbers.
service_may_be_ours() {
    ! never_fired || return 1
    fired_in=$(. ./vars && echo "$FD_BOOT") && look_at_boot || exit 125
    [ "$fired_in" = "$boot" ]
}

service_thaw() {
    service_may_be_ours || return 0
    freezer_thaw
    each_id service_thaw_one
    [ -e ids ] || { # a host that has lost our record
        service_list
        for pid in $pids; do ! look_at "$pid" || service_thaw_one; done
    }
    return 0
}

service_thaw_one() {
    [ "$state" != T ] || kill -CONT "$pid" || :
}

service_says_alive() {
    service_fail "process $pid ($exe) lives, state $state"
}

service_says_moving() {
    some=1
    [ "$state" = T ] || service_fail "process $pid ($exe) is not stopped, state $state"
}

service_says_stopped() {
    [ "$state" != T ] || service_fail "process $pid is still stopped"
}

# None of those recorded is left, whoever may have taken their place.
service_gone() {
    each_id service_says_alive
}

service_frozen() {
    [ -z "$by_group" ] || { freezer_frozen; return; }
    some=''
    each_id service_says_moving
    [ -n "$some" ] || service_fail "no recorded process is left"
}

service_moving() {
    service_may_be_ours || return 0
    freezer_moving
    each_id service_says_stopped
    service_list || [ $? -ne 125 ] || exit 125
    for pid in $pids; do ! look_at "$pid" || service_says_stopped; done
}

# No process of the service at all.
service_down() {
    service_gone
    service_list || { [ $? -ne 125 ] || exit 125; return 0; }
    if [ "$form" = unit ]; then
        case $unit_active in active | activating | reloading) service_fail "$name is up again" ;; esac
    fi
    [ -z "$pids" ] || service_fail "$name is up again: process $main"
}

service_up() {
    if [ "$form" = unit ]; then
        unit_look || return
        case $unit_active in active | reloading) ;; *) return 1 ;; esac
    else
        service_list && [ -n "$pids" ]
    fi
}

# over: as somebody else started it, it is not back; the rejoin sees to that, once.
service_half_back() {
    [ -n "$over" ] && [ ! -e rejoined ] || return 1
    if [ -e scratch ]; then ! never_fired; else [ -e fired ]; fi
}

service_says_up() {
    service_up || service_no "$name is down"
    ! service_half_back || service_fail "$name was started by somebody else, and has not been brought back yet"
    [ ! -e starting ] || service_fail "$name was started by half"
    [ ! -e ending ] || service_fail "$name was told to end, and may yet do so"
}

# Enabled or not as before: we never change it, but somebody might have.
service_unchanged() {
    service_says_up
    [ ! -s enabled ] || [ "$(cat enabled)" = "$(systemctl is-enabled -- "$name")" ] ||
        service_fail "$name is no longer $(cat enabled)"
}

# Whatever is started lives on without us: no variable, folder, mask or immunity of ours.
unlike_us() {
    echo 0 >"/proc/self/oom_score_adj"
    umask 022
    unset FD_DIR FD_ID FD_PEER FD_PORT FD_LEASE FD_HELD INVOCATION_ID JOURNAL_STREAM SYSTEMD_EXEC_PID
    cd /
}

service_spawn() {
    if [ -n "$rejoin$by" ]; then
        (unlike_us && begin_outside "${rejoin:-$by}")
    elif [ "$form" = container ]; then
        engine_starts || service_fail "nobody knows how container $name is started"
        (unlike_us && exec "$engine" start "$name" >/dev/null)
    else
        systemctl reset-failed -- "$name" 2>/dev/null
        systemctl start -- "$name"
    fi
}

# Who was told to end may do so at any time, also when whoever told it was ended himself, perhaps
# before he had: it is told again, for only what begins behind its end stays.
service_end_whole() {
    [ -e ending ] || return 0
    (service_gone >/dev/null) || { service_list && service_end; }
    until (service_gone >/dev/null); do nap 0.05; done # ends by the command's timeout
    rm -f ending
}

# Only where it is down, or was started by half before.
service_start_alone() {
    service_end_whole
    [ -e starting ] || ! service_up || service_half_back || return 0
    echo >starting
    service_spawn 7>&- || service_fail "$name cannot be started"
    tries=100
    until service_up; do
        [ "$tries" -gt 0 ] || service_fail "$name was started and is down"
        tries=$((tries - 1))
        nap 0.1
    done
    echo >rejoined
    rm -f starting
}

# One at a time: an undo may come while a restart has yet to start it. Without the folder, nobody.
service_start() {
    service_thaw
    { grab 7 600 && service_start_alone; } 7>>start.lock
}

service_end() {
    echo >ending || service_fail "cannot write down that $name is to end"
    if [ -n "$stop" ]; then
        (unlike_us && begin_outside "$stop")
    elif [ "$form" = container ] && engine_starts; then
        "$engine" stop "$name" >/dev/null
    else
        kill -TERM "$main"
    fi
}

service_stop() {
    service_same
    service_record
    service_end
    until (service_down >/dev/null); do nap 0.05; done # ends by the command's timeout
    rm -f ending
}

# Stops, and starts without waiting: the fault is proven once the old processes are gone.
service_restart() {
    service_stop
    service_start >/dev/null 2>&1 &
}

service() {
    case $1 in
    file | request)
        "$@"
        return
        ;;
    esac
    verb=$1 form=$2 name=$3
    with='' only='' by='' stop='' rejoin='' over='' same='' by_group=''
    shift 3
    while [ $# -ge 2 ]; do
        case $1 in
        with) with=$2 ;;
        only) only=$2 ;;
        by) by=$2 ;;
        stop) stop=$2 ;;
        rejoin) rejoin=$2 ;;
        over) over=$2 ;;
        same) same=$2 ;;
        freezer) by_group=$2 ;;
        esac
        shift 2
    done
    case $verb in
    freeze)
        [ -z "$same" ] || service_same
        service_freeze
        ;;
    save | kill | thaw | gone | frozen | moving) "service_$verb" ;;
    down | unchanged | start | stop | restart | turn | settled) "service_$verb" ;;
    up) service_says_up ;;
    record) service_same && service_record ;;
    *) service_fail "service.sh knows no '$verb'" ;;
    esac
}

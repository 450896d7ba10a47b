# freezer.sh - stops a service by its control group: no child is missed, and no parent is told.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154,SC2015,SC3013
# Stands behind service.sh; functions only. In a fault's folder `group` names the one that `save`
# found, by inode and folder; it is `frozen` from right before we write to it.

# Nobody but the service is in folder `at`. A child that came meanwhile is of it; so is whoever
# shares a container's own numbering of processes, also where the engine put it there.
freezer_alone() {
    for pid in $inside; do
        case " $pids " in *" $pid "*) continue ;; esac
        [ "$pid" != 0 ] || return 1 # of a numbering above ours
        if ! look_at "$pid" || [ "$state" = Z ]; then continue; fi
        case " $pids " in *" $parent "*) continue ;; esac
        [ "$form" = container ] && [ "/proc/$pid/ns/pid" -ef "/proc/$main/ns/pid" ] &&
            ! [ "/proc/$pid/ns/pid" -ef /proc/self/ns/pid ] || return 1
    done
}

freezer_whole() {
    for pid in $pids; do
        case " $inside " in *" $pid "*) continue ;; esac
        ! look_at "$pid" || [ "$state" = Z ] || return 1
    done
}

# freezer_take VERSION FOLDER FILE: that folder, or one above where the service has several below it.
# Opened for writing and left as it is: so we may write to it.
freezer_take() {
    at=$2
    while [ -e "$at/$3" ]; do
        inside=$(find "$at" -name cgroup.procs -exec cat {} + 2>/dev/null | tr '\n' ' ')
        [ "$form$1" = unit2 ] || freezer_alone || return 1
        ! freezer_whole || break
        [ "$form$1" != unit2 ] || return 1
        at=${at%/*}
    done
    (: >>"$at/$3") 2>/dev/null || return 1
    freezer=$1 folder=$at
}

# Behind service_list: sets freezer, its version, and folder, where the service has a control group
# of its own that can be frozen. Of one process among several none can.
freezer_find() {
    freezer='' folder=''
    [ -n "$main" ] && [ -z "$only" ] && [ -r "/proc/$main/cgroup" ] || return 1
    while IFS=: read -r _ kinds path; do
        case ,$kinds, in
        ,,)
            [ "$form" != unit ] || path=$group
            case $path in
            /?*)
                freezer_take 2 "/sys/fs/cgroup$path" cgroup.freeze ||
                    freezer_take 2 "/sys/fs/cgroup/unified$path" cgroup.freeze
                ;;
            esac
            ;;
        *,freezer,*)
            case $path in /?*) freezer_take 1 "/sys/fs/cgroup/freezer$path" freezer.state ;; esac
            ;;
        esac
    done <"/proc/$main/cgroup"
    [ -n "$freezer" ]
}

# Whether a freezer has stopped process $1, that of its group or of one above.
freezer_stops() {
    while IFS=: read -r _ kinds path; do
        case ,$kinds, in
        ,,)
            grep -qsx 'frozen 1' "/sys/fs/cgroup$path/cgroup.events" \
                "/sys/fs/cgroup/unified$path/cgroup.events" && return 0
            ;;
        *,freezer,*)
            grep -qsE 'FROZEN|FREEZING' "/sys/fs/cgroup/freezer$path/freezer.state" && return 0
            ;;
        esac
    done 2>/dev/null <"/proc/$1/cgroup"
    return 1
}

# Sets asked, whether folder `at` itself is to be frozen, and stands, whether all of it is. False
# where it is gone.
freezer_look() {
    asked='' stands=''
    if [ -e "$at/cgroup.freeze" ]; then
        read -r asked <"$at/cgroup.freeze" && events=$(cat "$at/cgroup.events") || freezer_gone
        case $events in *'frozen 1'*) stands=1 ;; esac
    elif [ -e "$at/freezer.state" ]; then
        read -r asked <"$at/freezer.self_freezing" && read -r stands <"$at/freezer.state" ||
            freezer_gone
        case $stands in FROZEN) stands=1 ;; *) stands='' ;; esac
    fi
    [ -n "$asked" ]
}

# It could not be read: it went away under our eyes, or that is no answer.
freezer_gone() {
    asked='' stands='' events=''
    [ ! -d "$at" ] || exit 125
}

freezer_write() {
    if [ -e "$at/cgroup.freeze" ]; then
        echo "$1" >"$at/cgroup.freeze"
    else
        case $1 in 1) echo FROZEN ;; 0) echo THAWED ;; esac >"$at/freezer.state"
    fi
}

# freezer_read FILE: sets `at`, the very folder that it names; false where there is none any more.
freezer_read() {
    read -r inode at 2>/dev/null <"$1" || return 1
    if ! now_inode=$(stat -c %i "$at" 2>/dev/null); then
        [ ! -d "$at" ] || exit 125
        return 1
    fi
    [ "$now_inode" = "$inode" ]
}

# Behind service_list, before anything is armed.
freezer_save() {
    ! freezer_stops "$main" || service_fail "the control group of $name is frozen already"
    [ -n "$by_group" ] || return 0
    freezer_find && [ "$freezer" = "$by_group" ] ||
        service_fail "$name no longer has a control group of its own, as the plan saw"
    echo "$(stat -c %i "$folder") $folder" >group || service_fail "cannot write the group"
}

freezer_freeze() {
    service_same
    service_record || service_fail "cannot record the processes of $name"
    freezer_find && [ "$freezer" = "$by_group" ] && freezer_read group && [ "$at" = "$folder" ] &&
        freezer_look || service_fail "$name no longer has the control group to itself that was recorded"
    [ "$asked" = 0 ] || service_fail "the control group of $name is frozen already"
    mv group frozen || service_fail "cannot write the group"
    tries=500
    until freezer_look && [ "$stands" = 1 ]; do
        [ "$tries" -gt 0 ] || service_fail "the control group of $name cannot be frozen"
        tries=$((tries - 1))
        freezer_write 1 || service_fail "the control group of $name cannot be frozen"
        nap 0.02
    done
}

# Sets `at` to what we froze; where a host has lost our record, to what the service has now. False
# where none can be told.
freezer_ours() {
    if [ -e frozen ]; then
        freezer_read frozen
    else
        freezer_lost && service_list && freezer_find && [ "$freezer" = "$by_group" ] && at=$folder
    fi
}

freezer_lost() {
    [ ! -e ids ] && [ -n "$by_group" ]
}

# Says who, where folder `at` stands still only since somebody else has frozen one above.
freezer_above() (
    [ "$asked$stands" = 01 ] || exit 1
    while at=${at%/*} && freezer_look; do
        [ "$asked" = 0 ] || { echo "note: $name stands still, for $at is frozen, not by us"; exit; }
    done
    exit 1
)

freezer_thaw() {
    freezer_ours || return 0
    tries=200
    while freezer_look && [ "$asked$stands" != 0 ] && ! freezer_above; do
        [ "$tries" -gt 0 ] || service_fail "the control group of $name cannot be thawed"
        tries=$((tries - 1))
        [ "$asked" != 1 ] || freezer_write 0
        nap 0.02
    done
}

freezer_frozen() {
    some=''
    freezer_read frozen && freezer_look || service_fail "the control group that was frozen is gone"
    [ "$asked$stands" = 11 ] || service_fail "the control group of $name is not frozen"
    each_id freezer_lives
    [ -n "$some" ] || service_fail "no recorded process is left"
}

freezer_lives() {
    some=1
}

freezer_unknown() {
    echo "a control group of $name is frozen, and our record is lost: was it us? Thaw it by hand"
    exit 125
}

freezer_moving() {
    if freezer_ours; then
        freezer_look && [ "$asked$stands" != 0 ] || return 0
        [ -e frozen ] || [ "$asked" = 1 ] || freezer_unknown
        freezer_above || service_no "the control group of $name is still frozen"
    elif freezer_lost && [ -n "$main" ] && freezer_stops "$main"; then
        freezer_unknown
    fi
}

# drive.sh - what the runner asks of a host beyond node.sh: lock, arm, undo, disarm, halt.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015
# Sent on stdin behind quoted assignments and node.sh; functions only.

# Of another boot, or its holder's time is over and no fault is left. Also one whose maker died
# half-way, without a boot id: we have the mutex.
lock_is_stale() {
    read -r lock_boot 2>/dev/null <"$fd_root/lock/boot" || lock_boot=''
    read -r lock_until 2>/dev/null <"$fd_root/lock/until" || lock_until=0
    look_at_boot
    look_at_clock
    [ "$lock_boot" != "$boot" ] || { [ "$now" -ge "$lock_until" ] && ! faults_left; }
}

lock_take() {
    if [ -d "$fd_root/lock" ]; then
        read -r holder 2>/dev/null <"$fd_root/lock/token" || holder=''
        if [ "$holder" != "$FD_TOKEN" ] && ! lock_is_stale; then
            read -r since 2>/dev/null <"$fd_root/lock/since" || since=$now
            say "held $holder"
            say "who $(tr -c ' -~' ' ' <"$fd_root/lock/who")"
            say "since $((now - since))"
            return
        fi
        rm -rf "$fd_root/lock"
    fi
    look_at_boot
    look_at_clock
    mkdir "$fd_root/lock" &&
        echo "$FD_TOKEN" >"$fd_root/lock/token" &&
        printf '%s\n' "$FD_WHO" >"$fd_root/lock/who" &&
        echo "$now" >"$fd_root/lock/since" &&
        echo $((now + FD_LONGEST)) >"$fd_root/lock/until" &&
        echo "$boot" >"$fd_root/lock/boot" &&
        say locked
}

lock_give() {
    sweep "$FD_TOKEN"
    read -r holder 2>/dev/null <"$fd_root/lock/token" || holder=''
    [ "$holder" != "$FD_TOKEN" ] || rm -rf "$fd_root/lock"
    say unlocked
}

# The banner tells people what is going on, until when, and the way out. Who logs in to the runner's
# own machine has nothing to learn from it.
announce() {
    where='on this host' as='sudo '
    [ -z "$FD_ROOT" ] || where='watched from this host' as=''
    last=$(date -u -d "@$(($(date +%s) + FD_CAP / 100))" '+%H:%M:%S UTC' 2>/dev/null)
    text="faildrill: '$FD_WHAT' $where by $FD_WHO, until ${last:-its cap} at the latest."
    text="$text End it now: ${as}sh $fd_root/undo"
    if [ -z "$FD_ROOT" ]; then
        [ -d "$fd_motd" ] || { echo >"$fd_root/made_motd" && mkdir -m 755 "$fd_motd"; }
        (umask 022 && printf '%s\n' "$text" >>"$fd_motd/faildrill")
    fi
    shout notice "$text"
}

# What the parts call by `sh service`, `sh hold` and `sh pods`; empty where none of them does.
write_scripts() {
    [ -z "$FD_SERVICE" ] ||
        printf '%s\n%s\nservice "$@"\n' "$FD_LIB" "$FD_SERVICE" >"$FD_DIR/service" || return
    [ -z "$FD_HOLDER" ] ||
        printf '%s\n%s\nhold "$@"\n' "$FD_LIB" "$FD_HOLDER" >"$FD_DIR/hold" || return
    [ -z "$FD_PODS" ] || printf '%s\n%s\npods "$@"\n' "$FD_LIB" "$FD_PODS" >"$FD_DIR/pods"
}

# Everything that the undo will need, before anything is changed.
write_folder() {
    read -r holder 2>/dev/null <"$fd_root/lock/token" || holder=''
    [ "$holder" = "$FD_TOKEN" ] || { refuse "the lock of this host is not ours"; return; }
    mkdir "$FD_DIR" 2>/dev/null || { refuse "$FD_DIR is there already"; return; }
    made=1
    look_at_boot
    look_at_clock
    first=$FD_LEASED
    [ "$first" -gt 0 ] || first=$FD_CAP
    printf '%s\nFD_ROOT=%s FD_DIR=%s FD_BOOT=%s FD_UNTIL=%s FD_PEER=%s FD_PORT=%s\n' "$FD_VARS" \
        "$FD_ROOT" "$FD_DIR" "$boot" $((now + FD_CAP)) "$FD_PEER" "$FD_PORT" >"$FD_DIR/vars" &&
        echo "$((now + first)) $((now + first))" >"$FD_DIR/lease" &&
        printf '%s\n' "$FD_LIB" >"$FD_DIR/node" && write_scripts &&
        write_part save "$FD_SAVE" && write_part apply "$FD_APPLY" &&
        write_part undo "$FD_UNDO" && write_part place "$FD_PLACE" &&
        write_part clear "$FD_CLEAR" && write_part renew "$FD_RENEW" &&
        printf '. %s/vars\n. %s/node\nguard\n' "$FD_DIR" "$FD_DIR" >"$FD_DIR/guard" &&
        printf 'FD_ROOT=%s\n%s\nhand_all\n' "$FD_ROOT" "$FD_LIB" >"$fd_root/undo" &&
        echo >"$FD_DIR/permit" && echo >"$FD_DIR/dirty" ||
        { refuse "cannot write $FD_DIR"; return; }
    for script in save apply undo place clear renew; do
        sh -n "$FD_DIR/$script" 2>/dev/null || { refuse "'$script' is not sh"; return; }
    done
    announce
}

guard_unit() {
    systemd-run --quiet --collect --unit="fd-$FD_ID" -p OOMScoreAdjust=-1000 \
        ${FD_ROOT:+--setenv=HOME="$HOME" --setenv=PATH="$PATH" --setenv=KUBECONFIG="$KUBECONFIG"} \
        -p KillMode=process -p Restart=on-failure -p RestartSec=1 \
        -p RestartPreventExitStatus='2 127' /bin/sh "$FD_DIR/guard" \
        </dev/null >"$FD_DIR/log.guard" 2>&1 3<&- 8<&- 9<&-
}

# A service that sleeps where systemd is, else a process of its own session with no stream of ours
# (the channel would stay open as long as it lives).
start_guard() {
    started=''
    if has_systemd; then
        starts=3 # systemd loses what it is asked while it is loaded anew
        until guard_unit || [ -s "$FD_DIR/armed" ] || [ "$starts" -eq 0 ]; do
            starts=$((starts - 1))
            nap 0.5
        done
    else
        setsid sh "$FD_DIR/guard" </dev/null >/dev/null 2>&1 3<&- 8<&- 9<&- &
        started=$!
    fi
    tries=250
    until [ -s "$FD_DIR/armed" ]; do
        if [ -n "$started" ] && { ! look_at "$started" || [ "$state" = Z ]; }; then
            [ ! -s "$FD_DIR/armed" ] || break
            tries=0
        fi
        if [ "$tries" -eq 0 ]; then # one that hangs has not said who it is: nobody else could end it
            [ -z "$started" ] || ! look_at "$started" || kill_family "$started"
            refuse "the guard does not start: $(part_said guard)"
            return
        fi
        tries=$((tries - 1))
        nap 0.02
    done
}

# On the runner's own machine our end must not be the guard's: a service kills all that it has
# started, and logind may do so with a session.
outlives_us() {
    [ -n "$FD_ROOT" ] && [ -d /run/systemd/system ] && ! has_systemd || return 0
    manager='org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager'
    while IFS=: read -r _ controller group; do
        case $controller in '' | name=systemd) ;; *) continue ;; esac
        case ${group##*/} in
        *.service)
            case $(systemctl show -p KillMode --value -- "${group##*/}") in
            process | none) ;;
            *) refuse "${group##*/} would end the watcher with the runner: KillMode=process" ;;
            esac
            ;;
        session-*.scope)
            # shellcheck disable=SC2086 # words on purpose
            [ "$(busctl get-property $manager KillUserProcesses 2>/dev/null)" != 'b true' ] ||
                refuse "logind would end the watcher with this session: KillUserProcesses=no"
            ;;
        esac
        return
    done </proc/self/cgroup
}

save_first() {
    part save || refuse "$(part_said save)"
}

# Said at the end: where nobody reads any more, the first word is the last, and what is armed by
# half would stay.
arm() {
    said=$(arm_or_leave_nothing)
    printf '%s\n' "$said"
}

# What is armed is read back from the host, and the guard seen alive.
arm_or_leave_nothing() {
    made=''
    if allowed_here && outlives_us && with_host write_folder && save_first && start_guard; then
        read -r pid pid_born armed_boot armed_until <"$FD_DIR/armed"
        say "armed $pid $pid_born $armed_boot $armed_until"
        say "undo $(sed '$d' "$FD_DIR/undo" | sha256sum)"
        ! alive "$pid" "$pid_born" || say alive
    elif [ -n "$made" ]; then
        disarm
    fi
}

# Behind KNOWN_YES, or where nothing was ever fired.
disarm() {
    [ -d "$FD_DIR" ] || { with_host sweep; say disarmed; return; }
    if [ -e "$FD_DIR/fired" ] && [ ! -e "$FD_DIR/clean" ]; then
        refuse "it was not proven undone"
        return
    fi
    mv "$FD_DIR/permit" "$FD_DIR/tomb" 2>/dev/null
    end_waiting
    stop_guard
    put_away && say disarmed
}

# A folder without permit and guard, in which nobody can fire, for a host that has lost its own, or
# has half of one. False where an arming that was sent before has come in between.
scratch_folder() {
    [ ! -e "$FD_DIR/vars" ] || return 1
    case $FD_ARMED in '' | "$boot") armed_boot=$boot ;; *) armed_boot=another ;; esac
    rm -rf "$FD_DIR"
    mkdir "$FD_DIR" && echo "$FD_PLAIN" >"$FD_DIR/scratch" &&
        printf 'FD_ROOT=%s FD_DIR=%s FD_ID=%s FD_BOOT=%s FD_PEER=%s FD_PORT=%s FD_LEASED=0 FD_CAP=0\n' \
            "$FD_ROOT" "$FD_DIR" "$FD_ID" "$armed_boot" "$FD_PEER" "$FD_PORT" >"$FD_DIR/vars" &&
        write_scripts && write_part undo "$FD_UNDO" && write_part clear "$FD_CLEAR"
}

end_delays() {
    tc qdisc show 2>/dev/null | while read -r _ _ handle _ device _; do
        [ "$handle" != fd1d: ] || tc qdisc del dev "$device" root handle fd1d: 2>/dev/null
    done
    ip link delete dev fd1d 2>/dev/null
    while ip rule del lookup 64797 2>/dev/null || ip -6 rule del lookup 64797 2>/dev/null; do :; done
}

# What can be ended by its name alone: where neither folder nor store knows more. Sets `known`.
undo_by_name() {
    nft delete table inet "fd_$FD_ID" 2>/dev/null
    chains_name "$FD_ID"
    chains_undo 2>/dev/null
    file_unmount
    # Some give back what they hold when they are told to end.
    for signal in TERM KILL; do
        tries=20
        while holders | grep -q " $FD_ID\$" && [ "$tries" -gt 0 ]; do
            [ "$tries" -lt 20 ] && [ "$signal" = TERM ] || holders | while read -r pid id; do
                [ "$id" != "$FD_ID" ] || kill -"$signal" "$pid" 2>/dev/null
            done
            tries=$((tries - 1))
            nap 0.1
        done
    done
    ls "$fd_root"/*/delays >/dev/null 2>&1 || end_delays
    stop_unit
    traces_of "$FD_ID"
}

undo_in_folder() {
    # shellcheck source=/dev/null
    . "$FD_DIR/vars"
    if [ "$again" = yes ]; then finish; else look_clear; fi
}

# Looks first: whoever removed the folder had seen all_clear, or the host was rebooted.
undo_in_scratch() {
    [ "$FD_DIR" -ef /proc/self/fd/9 ] || return
    look_clear || [ "$again" = no ] || undo_and_look
}

# Behind the fence: the guard whose folder was there may yet be about to put it away, and does not
# know ours from it. Once more where it came in between.
undo_anew() {
    chances=5
    while [ "$known" = unknown ] && [ "$chances" -gt 0 ] && [ ! -e "$FD_DIR/vars" ]; do
        chances=$((chances - 1))
        if with_host scratch_folder; then
            fenced 50 undo_in_scratch
        elif [ -e "$FD_DIR/vars" ]; then
            undo_in_folder
        fi
    done
}

# FD_UNDO and FD_CLEAR as the store has them, or empty; FD_ARMED the boot id then; FD_STICKY = 1
# where a reboot does not end the fault; FD_LOOKS = 1: look only; FD_PLAIN = plain where the line to
# apply it was never sent.
undo() {
    look_at_boot
    say "boot $boot"
    again=yes known=unknown
    [ -z "$FD_ARMED" ] || [ "$FD_ARMED" = "$boot" ] || [ "$FD_STICKY" = 1 ] || again=no
    [ "$FD_LOOKS" != 1 ] || again=no
    [ ! -e "$FD_DIR/vars" ] || undo_in_folder
    # There was none; or its guard, or somebody by hand, has finished it under our eyes.
    if [ ! -e "$FD_DIR/vars" ]; then
        if [ -z "$FD_CLEAR" ]; then
            with_host rm -rf "$FD_DIR"
            undo_by_name >/dev/null
            by_name=$found
        else
            undo_anew
        fi
    fi
    if [ "$known" = yes ]; then
        last_said=$(part_said clear | sed -n 's/.*note: //p')
    else
        last_said="$(part_said undo) $(part_said clear) $(printf %s "${by_name:-}" | tail -n 1 | tr '\t' ' ')"
    fi
    # Before anything is said: where nobody reads any more, the next word is the last.
    [ ! -e "$FD_DIR/scratch" ] || put_away
    say "clear $known"
    [ -z "$last_said" ] || say "said $last_said"
}

halt() {
    for folder in "$fd_root"/*_[0-9]*; do
        case ${folder##*/} in
        "${FD_TOKEN:-${folder##*/}}" | "${FD_TOKEN:-}"_*)
            [ ! -d "$folder" ] || { echo >"$folder/halt" && say "halt ${folder##*/}"; }
            ;;
        esac
    done
}

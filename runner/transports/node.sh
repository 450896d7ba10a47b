# node.sh - what lies on a host while a fault is armed: guard, fence, fire, watch, the way out.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2015,SC2094,SC2153,SC2154,SC3013
# Functions only, most values come from `vars`; for dash, busybox sh and bash. Answers are lines
# that begin with "fd:".
# The folder of a fault holds: vars (its values), node and service (scripts), save apply undo place
# clear renew (the procedure), guard; `permit`, which becomes `tomb` before anything is undone;
# `dirty`, which becomes `clean` once all_clear said so. They are renamed, since a rename needs no
# room on a full disk. `lease` holds two times since boot in 1/100 s: when the guard acts, and until
# when the runner is thought alive. A flock on the folder itself is the fence.
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
umask 077
fd_root=${FD_ROOT:-/run/faildrill}
fd_motd=${FD_ROOT:-/run}/motd.d

say() {
    printf 'fd:%s\n' "$*"
}

refuse() {
    say "refused $*"
    return 1
}

has_systemd() { [ -d /run/systemd/system ] && [ -w /run ] && command -v systemd-run >/dev/null; }

# Not every sleep knows fractions. No descriptor of ours goes along.
nap() {
    sleep "$1" 2>/dev/null 3<&- 7<&- 8<&- 9<&- || sleep 1 3<&- 7<&- 8<&- 9<&-
}

# now = 1/100 s since boot; leading zeros would mean octal.
look_at_clock() {
    read -r up _ </proc/uptime
    now=${up%.*}${up#*.}
    while [ "$now" != "${now#0}" ] && [ "$now" != 0 ]; do now=${now#0}; done
}

look_at_boot() {
    read -r boot </proc/sys/kernel/random/boot_id
}

shout() {
    timeout 2 logger -t faildrill -p "user.$1" -- "$2" </dev/null >/dev/null 2>&1 3<&- 8<&- 9<&- ||
        :
}

# grab FD TENTHS: takes the flock on a descriptor; busybox flock cannot wait for a time.
grab() {
    tries=$2
    until flock -n "$1" 2>/dev/null; do
        [ "$tries" -gt 0 ] || return 1
        tries=$((tries - 1))
        nap 0.1
    done
}

# Runs "$@" with the whole host's mutex: a flock on the root folder, so no file stays behind. Who
# had it before may have removed the folder: then once more, on the new one; also where mkdir found
# it, and the next moment did not.
with_host() {
    rounds=100
    while [ "$rounds" -gt 0 ]; do
        { [ -d "$fd_root" ] || mkdir -p "$fd_root" 2>/dev/null; } && {
            grab 8 100 || return 1
            if [ "$fd_root" -ef /proc/self/fd/8 ]; then
                "$@"
                done_with=$?
                for thing in "$fd_root"/* "$fd_root"/.[!.]*; do # a process less where it is not empty
                    [ ! -e "$thing" ] || return "$done_with"
                done
                rmdir "$fd_root" 2>/dev/null
                return "$done_with"
            fi
        } 8<"$fd_root"
        rounds=$((rounds - 1))
        nap 0.01
    done
    return 1
}

# fenced TENTHS CMD...: apply, the runner's undo and the guard's keep apart. 75 = not got in time.
fenced() {
    { { grab 9 "$1" || return 75; } && shift && "$@"; } 9<"$FD_DIR"
}

# part NAME [BY]: one part of the procedure; nothing of ours is open in it. 0 where there is none,
# but no answer where it is a look.
part() {
    case $1 in place | clear) unknown=125 ;; *) unknown=0 ;; esac
    [ -s "$FD_DIR/$1" ] || return "$unknown"
    look_at_clock
    read -r lease beat 2>/dev/null <"$FD_DIR/lease" || lease=$now
    FD_LEASE=$(((lease - now + 99) / 100))
    [ "$FD_LEASE" -gt 0 ] || FD_LEASE=1
    export FD_DIR FD_ID FD_PEER FD_PORT FD_LEASE
    (umask 022 && cd "$FD_DIR" && "${2:-begin}" "./$1") </dev/null >"$FD_DIR/log.$1" 2>&1 \
        3<&- 8<&- 9<&-
}

# A part ends with `exit 0`: some shells take a file that they cannot read on for one that ended.
# shellcheck disable=SC2016
to_the_end='. "$1"; exit 125'

begin() { exec sh -c "$to_the_end" sh "$1"; }

# write_part NAME TEXT: lines, or nothing; where there is nothing to look at, a look says yes.
write_part() {
    case $1$2 in
    place | clear) echo 'exit 0' ;;
    save | apply | undo | renew) ;;
    *) printf '%sexit 0\n' "$2" ;;
    esac >"$FD_DIR/$1"
}

# Apply has a session of its own, noted before it may begin: by that an undo ends all of it, also
# where its shell, or the one that holds the fence, was killed alone. Whoever undoes takes the
# permit first and looks for the note then.
begin_apart() {
    read -r pid _ </proc/self/stat
    look_at "$pid" && echo "$pid $born" >"$FD_DIR/applying" && [ -e "$FD_DIR/permit" ] &&
        exec setsid sh -c "$to_the_end" sh "$1"
}

# What the last run of a part said, as one line for people. Not every tr knows [:print:].
part_said() {
    tail -n 3 "$FD_DIR/log.$1" 2>/dev/null | tr -c ' -~' ' ' | tail -c 300
}

# Sets `known` to yes, no or unknown by the exit status of a look.
known_by() {
    case $1 in
    0) known=yes ;;
    [1-9] | [1-9][0-9] | 1[01][0-9] | 12[0-3]) known=no ;;
    *) known=unknown ;;
    esac
}

faults_left() {
    for folder in "$fd_root"/*_[0-9]*; do
        [ -d "$folder" ] && return 0
    done
    return 1
}

# With the last fault go the banner and, last, the way out for people: while that is there, whoever
# comes sweeps again. And the lock, where "$1" says any or whose.
sweep() {
    for gone in "$fd_root"/.gone.*; do [ ! -e "$gone" ] || rm -rf "$gone"; done
    faults_left && return 0
    rm -f "$fd_motd/faildrill"
    [ ! -e "$fd_root/made_motd" ] || rmdir "$fd_motd" 2>/dev/null
    rm -f "$fd_root/made_motd" "$fd_root/undo"
    if [ -n "${1:-}" ]; then
        read -r holder 2>/dev/null <"$fd_root/lock/token" || holder=''
        if [ "$1" = any ] || [ "$1" = "$holder" ]; then rm -rf "$fd_root/lock"; fi
    fi
    return 0
}

# put_away [any or TOKEN, whose lock goes too]: behind the fence, or somebody's undo would lose the
# ground under its feet. True once the folder is gone, by whomever: also by a guard that disarm
# killed before it had swept.
put_away() {
    fenced 50 with_host take_away "${1:-}" 2>/dev/null
    [ ! -e "$FD_DIR" ] || return 1
    [ ! -e "$fd_root/undo" ] || with_host sweep "${1:-}"
}

# At one stroke: nobody sees half of a folder. Only whose fence we hold: not another one by the same
# name, which a runner has made since to look once more.
take_away() {
    [ ! -e "$fd_root/.gone.$FD_ID" ] || rm -rf "$fd_root/.gone.$FD_ID"
    [ ! "$FD_DIR" -ef /proc/self/fd/9 ] || mv "$FD_DIR" "$fd_root/.gone.$FD_ID" 2>/dev/null
    sweep "${1:-}"
}

# Being loaded anew, systemd loses what it is asked. 5: there is no such unit.
stop_unit() {
    has_systemd || return 0
    for try in 1 2 3; do
        systemctl stop "fd-$FD_ID.service" >/dev/null 2>&1 </dev/null
        case $? in 0 | 5) return 0 ;; esac
        [ "$try" -eq 3 ] || nap 0.3
    done
}

# With what it sleeps in: else that keeps the unit alive for another moment.
stop_guard() {
    read -r pid pid_born _ 2>/dev/null <"$FD_DIR/armed" && alive "$pid" "$pid_born" &&
        kill_family "$pid"
    stop_unit
    return 0
}

# Until its lease or cap ends or `halt` lies there; then undo, again and again, until all is clear.
guard() {
    (echo -1000 >"/proc/$$/oom_score_adj") 2>/dev/null
    look_at $$
    echo "$$ $born $FD_BOOT $FD_UNTIL" >"$FD_DIR/armed.new" &&
        mv "$FD_DIR/armed.new" "$FD_DIR/armed"
    while :; do
        [ -e "$FD_DIR/armed" ] || return 0
        [ -e "$FD_DIR/halt" ] && why='halt was asked for' && break
        read -r lease beat 2>/dev/null <"$FD_DIR/lease" || lease=0
        look_at_clock
        rest=$((lease - now))
        [ "$rest" -le 0 ] && why='its lease or its cap ran out' && break
        if [ "$rest" -ge 50 ]; then nap 0.5; else nap "0.$((rest / 10))$((rest % 10))"; fi
    done
    guard_finish || return 0
    shout notice "'$FD_WHAT' ($FD_ID) was undone by its guard: $why"
    # A runner that is alive learns it from `clean`, until it cannot be alive any more.
    while [ -e "$FD_DIR/armed" ]; do
        read -r lease beat 2>/dev/null <"$FD_DIR/lease" || beat=0
        look_at_clock
        [ "$now" -lt "$beat" ] || break
        nap 0.5
    done
    until put_away "$FD_TOKEN"; do nap 1; done
}

# False where somebody else has finished it meanwhile.
guard_finish() {
    failed=0 pause=1
    until finish; do
        [ -e "$FD_DIR/armed" ] || return 1
        failed=$((failed + 1))
        if [ "$failed" -eq 3 ]; then
            mv "$FD_DIR/dirty" "$FD_DIR/FAILED" 2>/dev/null
            shout crit "'$FD_WHAT' ($FD_ID) could not be undone 3 times: $(part_said clear)"
        fi
        nap "$pause"
        pause=$((pause * 2))
        [ "$pause" -le 30 ] || pause=30
    done
    [ -e "$FD_DIR/armed" ]
}

# From the tomb on nobody applies; behind the fence nobody is in the middle of it.
finish() {
    [ -e "$FD_DIR/tomb" ] || mv "$FD_DIR/permit" "$FD_DIR/tomb" 2>/dev/null
    fenced 50 undo_and_look
    result=$?
    if [ "$result" -eq 75 ]; then
        read -r pid pid_born 2>/dev/null <"$FD_DIR/holder" && alive "$pid" "$pid_born" &&
            kill -KILL "$pid"
        fenced 50 undo_and_look
        result=$?
    fi
    return "$result"
}

undo_and_look() {
    [ -e "$FD_DIR/vars" ] || return 1
    end_waiting
    end_session "$FD_DIR/applying"
    ended=$?
    part undo
    [ "$ended" -eq 0 ] || { known=no; return 1; }
    look_clear
}

look_clear() {
    part clear
    known_by $?
    [ "$known" = yes ] || return 1
    for dirt in dirty FAILED; do
        [ ! -e "$FD_DIR/$dirt" ] || mv "$FD_DIR/$dirt" "$FD_DIR/clean" 2>/dev/null
    done
    return 0
}

# Whether the line may be waited for, and again whether it may be acted on.
may_act() {
    look_at_boot
    look_at_clock
    [ "$boot" = "${FD_BOOT:-}" ] || { refuse "the host was rebooted"; return; }
    [ -e "$FD_DIR/permit" ] || { refuse "it was undone before"; return; }
    [ ! -e "$FD_DIR/halt" ] || { refuse "halt was asked for"; return; }
    read -r pid pid_born _ 2>/dev/null <"$FD_DIR/armed" || pid=0
    alive "$pid" "$pid_born" || { refuse "its guard is dead"; return; }
    read -r lease beat 2>/dev/null <"$FD_DIR/lease" || lease=0
    length=$FD_LEASED
    [ "$length" -gt 0 ] || length=$FD_CAP
    [ $((lease - now)) -ge $((length / 4)) ] || { refuse "its guard is about to act"; return; }
}

# The line comes on 3, our original stdin; where that ends we are alone and do nothing.
fire() {
    may_act || return
    look_at $$
    echo "$$ $born" >>"$FD_DIR/waiting" || { refuse "cannot write $FD_DIR"; return; }
    say ready
    read -r line <&3 || return 0
    [ "$line" = go ] || return 0
    fenced 50 act
    case $? in
    0) prove ;;
    75) refuse "the fence was held by another" ;;
    esac
}

act() {
    may_act || return 1
    look_at $$
    echo "$$ $born" >"$FD_DIR/holder" && echo >"$FD_DIR/fired" ||
        { refuse "cannot write $FD_DIR"; return; }
    renew_lease
    part apply begin_apart
    applied=$?
    # Killed, or timed out: some of it may still go on.
    [ "$applied" -ge 124 ] || rm -f "$FD_DIR/applying"
    rm -f "$FD_DIR/holder"
    say "applied $applied"
    [ "$applied" -eq 0 ] && return 0
    say "said $(part_said apply)"
    return 3
}

prove() {
    look_at_clock
    proof_until=$((now + FD_PROOF))
    while :; do
        part place
        known_by $?
        [ "$known" != yes ] || break
        look_at_clock
        [ -e "$FD_DIR/permit" ] && [ "$now" -lt "$proof_until" ] || break
        nap 0.05
    done
    say "place $known"
    [ "$known" = yes ] || say "said $(part_said place)"
}

# Never past the cap, never again once somebody undoes.
renew_lease() {
    look_at_clock
    [ -e "$FD_DIR/permit" ] && [ "$FD_LEASED" -gt 0 ] || return 1
    beat=$((now + FD_LEASED))
    lease=$beat
    [ "$lease" -le "$FD_UNTIL" ] || lease=$FD_UNTIL
    echo "$lease $beat" >"$FD_DIR/lease.$$" && mv "$FD_DIR/lease.$$" "$FD_DIR/lease"
    [ -e "$FD_DIR/permit" ]
}

renew_timer() { [ -e "$FD_DIR/permit" ] && part renew; }

# FD_EXTEND and FD_LOOK say whether to renew and whether to look at in_place.
watch() {
    look_at_boot
    say "boot $boot"
    read -r pid pid_born _ 2>/dev/null <"$FD_DIR/armed" && alive "$pid" "$pid_born" && say alive
    [ ! -e "$FD_DIR/halt" ] || say halt
    if [ "$FD_EXTEND" = 1 ] && [ "$FD_LEASED" -gt 0 ]; then
        renewed=no
        if renew_lease; then
            [ -s "$FD_DIR/renew" ] && [ -e "$FD_DIR/fired" ] && ! fenced 10 renew_timer ||
                renewed=yes
        fi
        say "renewed $renewed"
    fi
    if [ "$FD_LOOK" = 1 ]; then
        part place
        known_by $?
        say "place $known"
        say "said $(part_said place)"
    fi
    [ ! -e "$FD_DIR/clean" ] || say undone
}

# Whoever hangs in the middle of an undo would keep the fence for ever.
finish_alone() {
    [ "$result" -eq 75 ] && read -r pid pid_born 2>/dev/null <"$FD_DIR/undoing" &&
        alive "$pid" "$pid_born" && [ "$pid" != $$ ] || return 1
    kill_family "$pid"
    finish
}

# /run/faildrill/undo: ends every fault here, newest first, without runner and guard.
hand_all() {
    [ -w "$fd_root" ] || { echo "as root: sudo sh $fd_root/undo"; return 1; }
    bad=0
    for id in $(cd "$fd_root" && printf '%s\n' ./*_[0-9]* | sort -t_ -k2 -nr); do
        FD_DIR=$fd_root/${id#./} FD_ID=${id#./}
        [ -d "$FD_DIR" ] || continue
        # shellcheck source=/dev/null
        if [ -r "$FD_DIR/vars" ]; then . "$FD_DIR/vars"; else FD_WHAT='never armed'; fi
        if [ ! -r "$FD_DIR/vars" ] || finish || finish_alone || [ ! -d "$FD_DIR" ]; then
            stop_guard
            put_away any
            echo "undone: $FD_WHAT ($FD_ID)"
        else
            bad=1
            echo "NOT UNDONE: $FD_WHAT ($FD_ID): $(part_said undo) $(part_said clear)"
        fi
    done
    return "$bad"
}

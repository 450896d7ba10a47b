# holder_clock.sh - sets the clock ahead or back, and right again by the time since boot.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015,SC2034
# Stands behind holder.sh, which calls clock_VERB; functions only. The record lies beside our
# folder, not in it: whoever removes that must not make a wrong clock look right. It holds the wall
# clock less the time since boot as it was, in 1/100 s, and the units that keep the time and ran; it
# is there before the clock is touched, and until it was seen to be right. A reboot takes it away,
# and the clock is right again: the one that runs without power was never set.

clock_record=/run/faildrill_clock_$FD_ID
clock_units='systemd-timesyncd chrony chronyd ntp ntpd ntpsec openntpd'

# clock_look [exactly]: `ahead`, the wall clock less the time since boot. Not every date knows parts
# of a second: then it is off by up to one, or looked at as one begins.
clock_look() {
    look_at_clock
    wall=$(date +%s%N)
    case $wall in
    *[!0-9]*) wall='' ;;
    esac
    if [ ${#wall} -eq 19 ]; then
        wall=${wall%???????}
    else
        last=$(date +%s)00
        until look_at_clock && wall=$(date +%s)00 && [ "$wall" != "${1:+$last}" ]; do :; done
    fi
    ahead=$((wall - now))
}

# By whole seconds, where date knows no others, as one begins.
clock_set() {
    look_at_clock
    to=$(($1 + now))
    date -s "@$((to / 100)).$((to / 10 % 10))$((to % 10))" >/dev/null 2>&1 && return
    until [ $((to % 100)) -le 1 ]; do
        look_at_clock
        to=$(($1 + now))
    done
    date -s "@$((to / 100))" >/dev/null || hold_fail "the clock cannot be set"
}

# Whether the clock is as we set it. Somebody may have set it since; that is not ours to undo.
clock_is_ours() {
    read -r was 2>/dev/null <"$clock_record" || return 1
    clock_look
    off=$((ahead - was - by * 100))
    [ "$off" -gt -300 ] && [ "$off" -lt 300 ]
}

# A process that keeps the time, which nobody would pause.
clock_kept_by() {
    for entry in /proc/[0-9]*/comm; do
        read -r name 2>/dev/null <"$entry" || continue
        case $name in
        systemd-timesyn | chronyd | ntpd | openntpd) echo "$name" && return ;;
        esac
    done
}

clock_check() {
    [ "$(readlink /proc/self/ns/pid)" = 'pid:[4026531836]' ] ||
        hold_fail "its clock is not its own: a container has that of the machine it is on"
    rights=$(awk '$1 == "CapEff:" { print $2 }' /proc/self/status)
    [ $((0x${rights:-0} >> 25 & 1)) -eq 1 ] || hold_fail "we may not set its clock (CAP_SYS_TIME)"
    : >paused
    if [ -d /run/systemd/system ]; then
        for unit in $clock_units; do
            ! systemctl is-active --quiet "$unit.service" || echo "$unit.service" >>paused
        done
    fi
    [ -s paused ] || [ -z "$(clock_kept_by)" ] ||
        hold_fail "$(clock_kept_by) keeps its time, and no unit is known by which it is paused"
}

clock_take() {
    clock_look exactly
    { echo "$ahead" && cat paused; } >clock && cp clock "$clock_record.new" &&
        mv "$clock_record.new" "$clock_record" || exit 1
    # shellcheck disable=SC2046
    [ ! -s paused ] || systemctl stop $(cat paused) || hold_fail "what keeps the time does not stop"
    clock_set $((ahead + by * 100))
}

clock_held() {
    clock_is_ours || hold_fail "the clock is $((${off:-0} / 100)) s off what was set"
}

# Right to run twice: what is no longer ours is left as it is.
clock_free() {
    [ -e "$clock_record" ] || return 0
    if clock_is_ours; then
        clock_set "$was"
        ! clock_is_ours || hold_fail "the clock is still $by s off"
    elif [ $((ahead - was)) -ge 300 ] || [ $((ahead - was)) -le -300 ]; then
        echo $(((ahead - was) / 100)) >left
    fi
    for unit in $(tail -n +2 "$clock_record"); do
        systemctl start "$unit" && systemctl is-active --quiet "$unit" ||
            hold_fail "$unit does not start"
    done
    rm -f "$clock_record"
}

clock_freed() {
    [ ! -e "$clock_record" ] || hold_fail "the clock was set by $by s, and not yet seen right"
    [ ! -s left ] ||
        echo "note: somebody has set the clock since, to $(cat left) s from what it was: so it stays"
}

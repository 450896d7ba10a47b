# holder_load.sh - keeps processors busy by loops that end with the holder.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015,SC2034
# Stands behind holder.sh, as holder_fill.sh does; functions only.

# ---- cpu_load ----

cpu_load_size() {
    cpus=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null) ||
        hold_fail "nobody says how many processors there are (apt-get install coreutils)"
    want=$((share * cpus))
}

# Asked without a fork: the loops of a busy host are not to begin with one.
load_may() {
    read -r line 2>/dev/null <"/proc/$$/stat" || return 1
    case ${line##*) } in Z* | X*) return 1 ;; esac
}

# A whole processor; the holder is asked for now and then.
cpu_load_whole() {
    while load_may; do
        turns=20000
        while [ "$turns" -gt 0 ]; do turns=$((turns - 1)); done
    done
}

# cpu_load_part PERMILLE: of each half second that part.
cpu_load_part() {
    while load_may; do
        look_at_clock
        until=$((now + $1 / 20))
        while look_at_clock && [ "$now" -lt "$until" ]; do :; done
        rest=$((50 - $1 / 20))
        hold_nap "0.$((rest / 10))$((rest % 10))"
    done
}

# So many whole processors, and the rest of one. No loop can use more processor time than there is
# time until the cap: past it the kernel ends it (RLIMIT_CPU).
cpu_load_take() {
    look_at_clock
    seconds=$(((FD_UNTIL - now) / 100 + 2))
    while [ "$want" -gt 0 ]; do
        part=$want
        [ "$part" -le 1000 ] || part=1000
        if [ "$part" -eq 1000 ]; then
            (ulimit -t "$seconds" && cpu_load_whole) &
        else
            (ulimit -t "$seconds" && cpu_load_part "$part") &
        fi
        hold_add "$!"
        want=$((want - part))
    done
}

cpu_load_keep() {
    while read -r pid recorded; do
        alive "$pid" "$recorded" || return 1
    done <held
}

# All loops are there, none is stopped, and they have had time of a processor.
cpu_load_seen() {
    ticks=0
    while read -r pid recorded; do
        alive "$pid" "$recorded" || hold_fail "a loop is gone: process $pid"
        [ "$pid" != "$holder" ] || continue
        [ "$state" != T ] || hold_fail "a loop is stopped: process $pid"
        # shellcheck disable=SC2086
        set -- ${stat##*) }
        ticks=$((ticks + ${12} + ${13}))
    done <held
    [ "$ticks" -gt 0 ] || hold_fail "the loops have had no time of a processor yet"
}

cpu_load_clean() {
    :
}

cpu_load_gone() {
    :
}

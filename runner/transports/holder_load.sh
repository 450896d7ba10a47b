# holder_load.sh - keeps processors busy by loops, and a disk by writes that are waited for.
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
    hold_whole
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

# ---- disk_load ----

load_chunk=8192 # KiB a write; the file has no more

disk_load_size() {
    disk_look
    case $disk in
    tmpfs | ramfs | squashfs) hold_fail "'$path' lies in memory: no disk would be busy" ;;
    esac
    [ $((usable * block / 1024)) -ge $((disk_least + load_chunk)) ] ||
        hold_fail "the disk of '$path' has only $((usable * block / 1048576)) MiB free"
}

# One write, down to the disk. `pause` is what makes `share` of it.
disk_load_write() {
    look_at_clock
    began=$now
    dd if=/dev/zero of=/proc/self/fd/4 bs=1048576 count=$((load_chunk / 1024)) conv=notrunc,fsync \
        2>>log.hold || hold_fail "the disk of '$path' cannot be written to: $(tail -n 1 log.hold)"
    : >log.hold
    look_at_clock
    echo "$now" >wrote.new && mv wrote.new wrote
    took=$((now - began + 1))
    rest=$((took * (1000 - share) / share))
    pause=$((rest / 100)).$((rest / 10 % 10))$((rest % 10))
}

disk_load_take() {
    hold_file
    disk_load_write
}

disk_load_keep() {
    disk_load_write
}

# The last write is not long ago: it took what it took, and the pause behind it in proportion.
disk_load_seen() {
    read -r last 2>/dev/null <wrote || hold_fail "nothing was written yet"
    look_at_clock
    [ $((now - last)) -lt 3000 ] || hold_fail "nothing was written for $(((now - last) / 100)) s"
}

disk_load_clean() {
    disk_fill_clean
}

disk_load_gone() {
    disk_fill_gone
}

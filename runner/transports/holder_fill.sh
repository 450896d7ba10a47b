# holder_fill.sh - holds room on a disk by a file without a name, and memory by blocked copies.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015,SC2034
# Stands behind holder.sh; functions only. KIND_size sets `want` (KiB) or refuses, KIND_take takes
# it, KIND_keep says each half second whether it is still whole, KIND_seen looks at the effect,
# KIND_clean and KIND_gone take away, and look for, what a dead holder leaves.

disk_least=4096     # KiB that stay free on a disk
memory_chunk=262144 # KiB that a helper takes

# fill_want TOTAL FREE LEAST WHAT: of these KiB, `want` are taken and `rest` stay.
fill_want() {
    if [ -n "$share" ]; then rest=$(($1 * (1000 - share) / 1000)); else rest=$((leave / 1024)); fi
    if [ "$rest" -lt "$3" ]; then
        [ "${share:-0}" -eq 1000 ] || hold_fail "this leaves $((rest / 1024)) MiB of $4 free;" \
            "$((($3 + 1023) / 1024)) MiB are the least"
        rest=$3
    fi
    want=$(($2 - rest))
    [ "$want" -ge 1024 ] || hold_fail "$4 is fuller than that already: $(($2 / 1024)) MiB are free"
}

# ---- disk_fill ----

# `where` is the folder as it is now, `block`, `blocks`, `free` and `usable` those of its disk.
disk_look() {
    where=$(cd -P -- "$path" 2>/dev/null && pwd -P) || hold_fail "there is no folder '$path'"
    [ "$(stat -c %d "$where")" != "$(stat -c %d "$fd_root")" ] ||
        hold_fail "'$path' is on the file system that holds /run, and with it the way back"
    read -r block blocks free usable disk <<END
$(stat -f -c '%S %b %f %a %T' "$where")
END
    [ -n "$disk" ] || hold_fail "stat -f does not say how full the disk of '$path' is"
}

disk_fill_size() {
    disk_look
    fill_want $(((blocks - free + usable) * block / 1024)) $((usable * block / 1024)) \
        "$disk_least" "the disk of '$path'"
    case $disk in
    tmpfs | ramfs)
        memory_look
        [ $((available - want)) -ge "$memory_least" ] ||
            hold_fail "'$path' lies in memory, which has only $((available / 1024)) MiB free"
        ;;
    esac
}

# A file as 4. The name is ours alone (O_EXCL), and gone before the file has any size.
hold_file() {
    echo "$where" >where || exit 1
    set -C
    exec 4>"$where/.fd.$FD_ID" || exit 1
    set +C
    rm -f "$where/.fd.$FD_ID"
}

# A disk that knows no fallocate is written to.
disk_fill_take() {
    echo "$want" >want || exit 1
    hold_file
    fallocate -l $((want * 1024)) /proc/self/fd/4 2>/dev/null ||
        timeout -k 1 100 dd if=/dev/zero bs=1048576 count=$((want / 1024)) 2>>log.hold >&4 ||
        hold_fail "the disk of '$path' cannot be filled: $(tail -n 1 log.hold)"
}

disk_fill_keep() {
    :
}

disk_fill_seen() {
    read -r want <want
    read -r taken_blocks unit <<END
$(stat -L -c '%b %B' "/proc/$holder/fd/4" 2>/dev/null)
END
    [ -n "$unit" ] || hold_fail "the holder has lost its file"
    [ $((taken_blocks * unit / 1024)) -ge $((want / 100 * 95)) ] ||
        hold_fail "the file takes $((taken_blocks * unit / 1048576)) MiB of $((want / 1024)) MiB"
}

# As the folder was when it was taken: a link may lead elsewhere by now.
disk_fill_name() {
    read -r where 2>/dev/null <where || where=$path
    name=$where/.fd.$FD_ID
}

disk_fill_clean() {
    disk_fill_name
    rm -f "$name"
}

disk_fill_gone() {
    disk_fill_name
    [ ! -e "$name" ] || hold_fail "$name is still there"
}

# ---- memory_fill ----

# Of the group that we are in and those above it, in the hierarchies of both kinds.
memory_limit() {
    [ -r "$1/$2" ] && read -r limit <"$1/$2" && read -r used <"$1/$3" || return 0
    case $limit in '' | *[!0-9]*) return 0 ;; esac
    idle=$(awk -v key="$4" '$1 == key { print $2 }' "$1/memory.stat")
    [ $((limit / 1024)) -lt "$total" ] || return 0
    total=$((limit / 1024))
    limited=$(((limit - used + ${idle:-0}) / 1024))
    [ "$limited" -ge "$available" ] || available=$limited
}

# Sets `total`, `available` and what must stay of it, `memory_least`; KiB.
memory_look() {
    total='' available=''
    while read -r key value _; do
        case $key in MemTotal:) total=$value ;; MemAvailable:) available=$value ;; esac
    done </proc/meminfo
    [ -n "$available" ] || hold_fail "/proc/meminfo does not say how much memory is available"
    while IFS=: read -r _ controllers group; do
        while :; do
            case ,$controllers, in
            ,,) memory_limit "/sys/fs/cgroup$group" memory.max memory.current inactive_file ;;
            *,memory,*)
                memory_limit "/sys/fs/cgroup/memory$group" memory.limit_in_bytes \
                    memory.usage_in_bytes total_inactive_file
                ;;
            esac
            [ -n "$group" ] && [ "$group" != / ] || break
            group=${group%/*}
        done
    done </proc/self/cgroup
    memory_least=$((total / 20))
    [ "$memory_least" -ge 65536 ] || memory_least=65536
}

memory_fill_size() {
    memory_look
    fill_want "$total" "$available" "$memory_least" memory
}

# memory_of PID: sets `held_kib`, what it has in memory or swap. (Not by `read`, which in bash goes
# back to each line's end: the lines before it may have another length by then.)
memory_of() {
    held_kib=$(awk '/^Vm(RSS|Swap):/ { n += $2 } END { print n + 0 }' 2>/dev/null "/proc/$1/status")
}

# dd reads a whole block into its memory, and cannot get rid of it: we, who could read it, never do.
# When we die, its write fails and it ends.
memory_fill_take() {
    echo "$want" >want && mkfifo fill && exec 5<>fill || exit 1
    while [ "$want" -ge 1024 ]; do # less would go into the pipe
        chunk=$want
        [ "$chunk" -le "$memory_chunk" ] || chunk=$memory_chunk
        dd if=/dev/zero bs=$((chunk * 1024)) count=1 2>>log.hold >fill 5<&- &
        helper=$!
        hold_add "$helper"
        helper_born=$born
        until memory_of "$helper" && [ "$held_kib" -ge $((chunk / 100 * 95)) ]; do
            alive "$helper" "$helper_born" ||
                hold_fail "memory cannot be had: $(tail -n 1 log.hold)"
            hold_may || exit 0
            hold_nap 0.01
        done
        want=$((want - chunk))
    done
}

memory_fill_keep() {
    hold_whole
}

memory_fill_seen() {
    read -r want <want
    sum=0
    hold_living
    for pid in $living; do
        memory_of "$pid"
        sum=$((sum + held_kib))
    done
    [ "$sum" -ge $((want / 100 * 90)) ] ||
        hold_fail "$((sum / 1024)) MiB of $((want / 1024)) MiB are held"
}

memory_fill_clean() {
    :
}

memory_fill_gone() {
    :
}

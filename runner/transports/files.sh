# files.sh - another file in the place of one, bind-mounted over it, and the way back.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015,SC3013
# -ef is in dash, busybox sh and bash. Stands behind node.sh; functions only. In a fault's folder:
#   sh service file VERB ...
# There `copy` is the file that readers shall find, `sum` its hash, `was` what stood there before.

file_fail() {
    echo "$*"
    exit 1
}

# One process for each mount namespace of this host.
file_spaces() {
    stat -L -c '%i %n' /proc/[0-9]*/ns/mnt 2>/dev/null |
        awk '!seen[$1]++ { split($2, part, "/"); print part[3] }'
}

# file_mounts PID [ID]: where that process sees files of a fault (of any): lines "HOW ID POINT". A
# mount that another one was put on is covered, else it is open.
file_mounts() {
    awk -v wanted="${2:-}" '
        { under[$2, $5] = 1 }
        $4 ~ /\/faildrill\/[^\/]*_[0-9]+\// {
            id = $4
            sub(/^.*\/faildrill\//, "", id)
            sub(/\/.*/, "", id)
            if (wanted == "" || id == wanted) { point[$1] = $5; whose[$1] = id }
        }
        END { for (at in point)
            print ((at, point[at]) in under) ? "covered" : "open", whose[at], point[at] }
    ' "/proc/$1/mountinfo" 2>/dev/null
}

# Lazily where somebody has the file open: readers find the old one at once.
file_unmount_at() {
    if [ "$1" = self ]; then
        umount "$2" 2>/dev/null || umount -l "$2"
    else
        nsenter -t "$1" -m sh -c 'umount "$1" 2>/dev/null || umount -l "$1"' umount "$2"
    fi
}

# Ends the mounts of this fault, wherever they have come to: whoever was started meanwhile with
# mounts of its own has a copy of ours. Never one that somebody put on top.
file_unmount() {
    for space in self $(file_spaces); do
        rounds=20
        while [ "$rounds" -gt 0 ]; do
            read -r _ _ point <<END || break
$(file_mounts "$space" "$FD_ID" | grep '^open ')
END
            [ -n "$point" ] || break
            file_unmount_at "$space" "$point" || break
            rounds=$((rounds - 1))
        done
    done
}

# That nothing can be listed is no proof of anything.
file_unmounted() {
    spaces=$(file_spaces)
    [ -n "$spaces" ] && grep -q . /proc/self/mountinfo || exit 125
    for space in self $spaces; do
        read -r how _ point <<END
$(file_mounts "$space" "$FD_ID")
END
        case $how in
        open) file_fail "it is still mounted on $point, as process $space sees it" ;;
        covered) file_fail "somebody else's mount lies over ours on $point (process $space)" ;;
        esac
    done
}

# file_find PATH KEPT: sets `real`, links followed. Refuses what our own way to this host needs.
file_find() {
    real=$(readlink -f "$1") && [ -e "$real" ] || file_fail "there is no $1"
    [ -f "$real" ] || file_fail "$1 is no plain file"
    case $real in
    *[!A-Za-z0-9_./@%+,:=~-]*) file_fail "$1 is a file whose name has odd letters" ;;
    */.ssh/*) file_fail "$1 means $real, which our own way to this host needs" ;;
    esac
    for needed in $2; do
        case $real in
        "$needed" | "$needed"/*)
            file_fail "$1 means $real, which our own way to this host needs"
            ;;
        esac
    done
}

file_sum() {
    sha256sum <"$1" | cut -d ' ' -f 1
}

# What a reader on this host sees is what process 1 sees: a login with mounts of its own would break
# something for itself alone.
file_over_find() {
    [ -n "$(readlink /proc/1/ns/mnt)" ] &&
        [ "$(readlink /proc/self/ns/mnt)" = "$(readlink /proc/1/ns/mnt)" ] ||
        file_fail "our login has mounts of its own: what we mount, the services would not see"
    file_find "$1" "$2"
    file_mounts self | grep -q " $real\$" && file_fail "another fault has $real"
    cp -a "$real" copy && stat -c '%d:%i %Z' "$real" >was && file_sum "$real" >>was ||
        file_fail "cannot copy $real"
    echo "$real" >real
}

# The new text comes in place of the old one, or before it.
file_text() {
    case $2 in '' | *"
") end='' ;; *) end='\n' ;; esac
    printf "%s$end" "$2" >copy && { [ "$1" != before ] || cat "$real" >>copy; }
}

file_over_text() {
    file_over_find "$1" "$2"
    file_text "$3" "$4" || file_fail "cannot write the copy"
    file_sum copy >sum
    [ "$(cat sum)" != "$(tail -n 1 was)" ] || file_fail "$1 says that already"
}

# Read-only, so that whoever edits it meanwhile is told so, and no edit is lost with our copy. Made so
# before it lies there, as what other mount namespaces get of it keeps what it is then.
file_over() {
    read -r real <real
    [ "$(readlink -f "$1")" = "$real" ] && [ "$(file_sum "$real")" = "$(tail -n 1 was)" ] ||
        file_fail "$1 was changed since it was saved"
    mount --bind "$FD_DIR/copy" "$FD_DIR/copy" && mount -o remount,bind,ro "$FD_DIR/copy" &&
        mount --bind "$FD_DIR/copy" "$real" || file_fail "cannot mount over $real"
    umount "$FD_DIR/copy"
}

# Also through the eyes of those who share this host's root but have mounts of their own.
file_over_place() {
    [ "$1" -ef copy ] || file_fail "$1 is not the file that was put there"
    [ "$(file_sum "$1")" = "$(cat sum)" ] || file_fail "$1 is no longer what was put there"
    read -r inode _ <was
    for space in $(file_spaces); do
        [ "/proc/$space/root" -ef / ] || continue
        [ "$(stat -L -c %d:%i "/proc/$space/root$1" 2>/dev/null)" != "$inode" ] ||
            file_fail "process $space ($(cat "/proc/$space/comm")) has mounts of its own," \
                "and still reads the old $1"
    done
}

# An edit that somebody made meanwhile, by whatever way, is theirs to keep: we never write there.
file_over_clear() {
    file_unmounted
    [ -e was ] || return 0
    [ "$(file_sum "$1")" != "$(tail -n 1 was)" ] || return 0
    [ "$(stat -L -c '%d:%i %Z' "$1")" != "$(head -n 1 was)" ] ||
        file_fail "$1 does not say what it said before"
    echo "$1 was changed by somebody else meanwhile; it stays so"
}

file() {
    verb=$1
    shift
    case $verb in
    over_text | over | over_place | over_clear | unmount) "file_$verb" "$@" ;;
    *) file_fail "files.sh knows no '$verb'" ;;
    esac
}

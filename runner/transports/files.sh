# files.sh - another file in the place of one, mounted over it or renamed, and the way back; settings.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015,SC2094,SC3013
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
        nsenter -t "$1" -m umount "$2" 2>/dev/null || nsenter -t "$1" -m umount -l "$2"
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

# The user's own line, with nothing of ours. `reloading` stands from before the change until it has
# succeeded after the undo.
file_reload() {
    [ -n "$1" ] || return 0
    (unlike_us && exec sh -c "$1") || file_fail "its reload ended with status $?"
}

file_reloaded() {
    [ ! -e reloading ] || file_fail "it is back, but its reload has yet to succeed"
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
file_over_text() {
    file_over_find "$1" "$2"
    printf %s "$4" >copy && { [ "$3" != before ] || cat "$real" >>copy; } ||
        file_fail "cannot write the copy"
    file_sum copy >sum
    [ "$(cat sum)" != "$(tail -n 1 was)" ] || file_fail "$1 says that already"
}

# Read-only, so that whoever edits it meanwhile is told so, and no edit is lost with our copy. Made so
# before it lies there, as what other mount namespaces get of it keeps what it is then.
file_over() {
    read -r real <real
    [ "$(readlink -f "$1")" = "$real" ] && [ "$(file_sum "$real")" = "$(tail -n 1 was)" ] ||
        file_fail "$1 was changed since it was saved"
    [ -z "${2:-}" ] || echo >reloading
    mount --bind "$FD_DIR/copy" "$FD_DIR/copy" && mount -o remount,bind,ro "$FD_DIR/copy" &&
        mount --bind "$FD_DIR/copy" "$real" || file_fail "cannot mount over $real"
    umount "$FD_DIR/copy"
    file_reload "${2:-}"
}

file_over_undo() {
    [ -z "$1" ] || [ -z "$(file_mounts self "$FD_ID")" ] || echo >reloading
    file_unmount
    [ ! -e reloading ] || { file_reload "$1" && rm -f reloading; }
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

# ---- A file replaced: the original waits beside it, the very same inode, and comes back by a rename.

# Sets `real` and `beside`; a link is followed once, when the file is saved.
file_beside() {
    if [ -s real ]; then
        read -r real <real
    else
        real=$(readlink -f "$1") && [ -n "$real" ] || real=$1
    fi
    beside=${real%/*}/.${real##*/}.fd_$FD_ID
}

file_replace_save() {
    file_find "$1" "$2"
    ! awk -v real="$real" '$5 == real { found = 1 } END { exit !found }' /proc/self/mountinfo ||
        file_fail "$real is a mount of its own, which no file can take the place of"
    [ -w "${real%/*}" ] || file_fail "${real%/*} cannot be written to"
    cp -a "$real" copy && printf %s "$3" >copy && file_sum "$real" >was && echo "$real" >real ||
        file_fail "cannot copy $real"
    [ "$(file_sum copy)" != "$(cat was)" ] || file_fail "$1 says that already"
}

# file_replace PATH RELOAD. At no time is there no file, and none by half.
file_replace() {
    file_beside "$1"
    [ "$(readlink -f "$1")" = "$real" ] && [ "$(file_sum "$real")" = "$(cat was)" ] ||
        file_fail "$1 was changed since it was saved"
    [ -z "$2" ] || echo >reloading
    ln "$real" "$beside" || file_fail "the original cannot be kept as $beside"
    cp -a copy "$beside.new" && mv -f "$beside.new" "$real" || file_fail "cannot replace $real"
    file_reload "$2"
}

file_replace_place() {
    [ "$(file_sum "$1")" = "$2" ] || file_fail "$1 does not say what ours says"
}

# Ours, and nobody has changed its owner or mode since.
file_is_ours() {
    [ "$(file_sum "$real" 2>/dev/null)" = "$1" ] &&
        [ "$(stat -c '%u %g %a' "$real")" = "$(stat -c '%u %g %a' "$beside")" ]
}

# file_replace_undo PATH SUM RELOAD
file_replace_undo() {
    file_beside "$1"
    rm -f "$beside.new"
    if [ -e "$beside" ]; then
        if [ "$real" -ef "$beside" ]; then
            rm -f "$beside"
        elif file_is_ours "$2"; then
            [ -z "$3" ] || echo >reloading
            mv -f "$beside" "$real"
        fi
    fi
    [ ! -e reloading ] || [ -e "$beside" ] || { file_reload "$3" && rm -f reloading; }
}

file_replace_clear() {
    file_beside "$1"
    if [ -e "$beside" ]; then
        ! file_is_ours "$2" || file_fail "$real is still ours; the original is $beside"
        file_fail "somebody else changed $real meanwhile. Theirs stays; the original is $beside:" \
            "put it back by mv, or keep theirs and rm it"
    fi
    [ ! -e "$beside.new" ] || file_fail "$beside.new is left"
    never_fired || [ "$(file_sum "$real" 2>/dev/null)" != "$2" ] ||
        file_fail "$real is still ours, and the original is gone from $beside"
    file_reloaded
}

# ---- Kernel settings: files below /proc/sys. `was` is the old value, `got` what became of ours.

# Sets `setting`, one blank between words.
file_setting_read() {
    setting=$(tr -s ' \t\n' ' ' <"/proc/sys/$1") || exit 125
    setting=${setting% }
}

file_setting_save() {
    [ -f "/proc/sys/$1" ] || file_fail "this host has no setting $1"
    [ -w "/proc/sys/$1" ] || file_fail "the setting $1 cannot be changed here"
    [ "$(readlink /proc/self/ns/net)" = "$(readlink /proc/1/ns/net)" ] ||
        file_fail "our login has a network of its own: the services have other settings"
    file_setting_read "$1"
    [ "$setting" != "$2" ] || file_fail "the setting $1 is $2 already"
    echo "$setting" >was
}

file_setting() {
    file_setting_read "$1"
    [ "$setting" = "$(cat was)" ] || file_fail "the setting $1 was changed since it was saved"
    echo >setting
    printf '%s\n' "$2" >"/proc/sys/$1" || file_fail "the kernel does not take $2 for $1"
    file_setting_read "$1"
    echo "$setting" >got
    [ "$setting" = "$2" ] || file_fail "the kernel made $setting of $2"
}

file_setting_place() {
    file_setting_read "$1"
    [ "$setting" = "$2" ] || file_fail "the setting $1 is $setting"
}

# Ours is what we wrote and what the kernel made of it, known or not.
file_setting_is_ours() {
    [ "$setting" = "$2" ] || { [ -e setting ] && [ ! -e got ]; } ||
        { [ -e got ] && [ "$setting" = "$(cat got)" ]; }
}

file_setting_undo() {
    [ -e was ] || return 0
    file_setting_read "$1"
    [ "$setting" != "$(cat was)" ] || return 0
    file_setting_is_ours "$1" "$2" || return 0
    cat was >"/proc/sys/$1"
}

file_setting_clear() {
    ! never_fired || return 0
    file_setting_read "$1"
    if [ ! -e was ]; then
        [ "$setting" != "$2" ] || file_fail "$1 is still $2, and nobody knows what it was before"
        return 0
    fi
    was=$(cat was)
    [ "$setting" != "$was" ] && [ ! -e keep ] || return 0
    ! file_setting_is_ours "$1" "$2" || file_fail "the setting $1 is still $setting"
    file_fail "somebody else set $1 to $setting, it was $was: set it back, or keep it:" \
        "touch $FD_DIR/keep"
}

file() {
    verb=$1
    shift
    case $verb in
    over_text | over | over_place | over_clear | over_undo | unmount) "file_$verb" "$@" ;;
    expired | expired_place | expired_clear) "file_$verb" "$@" ;;
    replace_save | replace | replace_place | replace_undo | replace_clear) "file_$verb" "$@" ;;
    setting_save | setting | setting_place | setting_undo | setting_clear) "file_$verb" "$@" ;;
    *) file_fail "files.sh knows no '$verb'" ;;
    esac
}

# ask.sh - what a host is, has and lacks, and which traces of ours it carries; changes nothing.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015
# Sent on stdin behind quoted assignments, node.sh and service.sh; functions only.

tab=$(printf '\t')

trace() {
    case $2 in
    "${traces_wanted:-$2}") say "trace$tab$1$tab$2$tab$3$tab$4" ;;
    esac
}

cannot_look() {
    say "unseen \`$*\`: $(printf %s "$seen" | tail -n 1 | tr -dc ' -~')"
}

# look_by TOOL...: `seen` is what it lists. Where it cannot that is said, for not to see is not to know;
# but where not even root may look, or the kernel knows no such thing, nobody has put anything either.
look_by() {
    seen=$(LC_ALL=C "$@" 2>&1) && return
    answer=$?
    case $answer:$seen in
    12[67]:* | *' not supported'* | *'Invalid argument'* | *'Cannot open session'* | *BusyBox*) ;;
    *' not permitted'* | *ermission\ denied*)
        [ "$(id -u)" -eq 0 ] || [ -n "${FD_ROOT-}" ] || cannot_look "$@"
        ;;
    *) cannot_look "$@" ;;
    esac
    seen=''
    return 1
}

# Pid and id of every process that holds something for a fault (holder.sh).
holders() {
    for entry in $(grep -lzF 'FD_HELD=' /proc/[0-9]*/environ 2>/dev/null); do
        pid=${entry#/proc/}
        id=$(tr '\0' '\n' 2>/dev/null <"$entry" | sed -n 's/^FD_HELD=\([a-z0-9_]*\):$/\1/p')
        [ -z "$id" ] || echo "${pid%/environ} $id"
    done
}

# What a delay needs (faults/delay.sh) has no room for an id: it is of the fault whose folder says so.
delay_traces() {
    id=fd1d
    for owner in "$fd_root"/*/delays; do
        [ ! -e "$owner" ] || { id=${owner%/delays} && id=${id##*/}; }
    done
    look_by tc qdisc show
    printf '%s\n' "$seen" | while read -r _ _ handle _ device _; do
        [ "$handle" != fd1d: ] || trace qdisc "$id" "qdisc fd1d: on $device" ''
    done
    look_by ip -o link show
    case $seen in *': fd1d:'*) trace device "$id" 'device fd1d' '' ;; esac
    look_by ip rule show
    rules=$seen
    look_by ip -6 rule show
    case $rules$seen in *'lookup 64797'*) trace rule "$id" 'rule for the mark 0xfd1d' '' ;; esac
}

# While it loads itself anew systemd does not answer: it is asked again before that is unknown.
list_units() {
    for try in 1 2 3; do
        systemctl list-units --all --plain --no-legend 'fd-*.service' && return
        [ "$try" -eq 3 ] || nap 0.3
    done
    return 1
}

# Every trace, whoever left it: tables, chains, units, folders, holders, delays, files kept beside, mounts.
traces() {
    for folder in "$fd_root"/*_[0-9]*; do
        [ -d "$folder" ] || continue
        FD_WHAT='' FD_WHO=''
        # shellcheck source=/dev/null
        [ ! -r "$folder/vars" ] || . "$folder/vars"
        trace folder "${folder##*/}" "${FD_WHAT:-never armed}" "$FD_WHO"
    done
    tables=unknown
    look_by nft list tables && tables=$seen
    printf '%s\n' "$seen" | while read -r _ family table; do
        case $table in
        fd_*) trace table "${table#fd_}" "nft table $family $table" '' ;;
        esac
    done
    chain_traces
    if [ -d /run/systemd/system ]; then
        look_by list_units
        printf '%s\n' "$seen" | while read -r unit _; do
            id=${unit#fd-} id=${id%.service}
            [ -z "$unit" ] || trace unit "${id%-hold}" "unit $unit" ''
        done
    fi
    for record in "${fd_root}_clock_"*_[0-9]*; do
        [ ! -e "$record" ] || trace clock "${record#"${fd_root}_clock_"}" "a clock set, says $record" ''
    done
    for record in "${fd_root}_pause_"*_[0-9]* "${fd_root}_setting_"*_[0-9]*; do
        id=${record#"${fd_root}_"}
        case $record in
        *'*'* | *.new) ;;
        "${fd_root}_pause_"*) trace pause "${id#pause_}" "a replay paused, says $record" '' ;;
        *) trace setting "${id#setting_}" "a setting of Redis set, says $record" '' ;;
        esac
    done
    holders | while read -r pid id; do trace process "$id" "process $pid" ''; done
    delay_traces
    find /etc /opt /srv /usr/local -xdev -maxdepth 6 -name '.*.fd_*_[0-9]*' -type f 2>/dev/null |
        while read -r file; do
            id=${file##*.fd_}
            trace file "${id%.new}" "an original kept as $file" ''
        done
    for space in self $(file_spaces); do file_mounts "$space"; done | sort -u |
        while read -r how id point; do
            trace mount "$id" "bind mount on $point" ''
        done
}

# The same for one id: sets `known`, yes where there is none.
traces_of() {
    traces_wanted=$1
    found=$(traces)
    traces_wanted=''
    case $found in
    '') known=yes ;;
    *fd:trace*) known=no ;;
    *) known=unknown ;;
    esac
}

scan() {
    traces
    if [ -e "$fd_motd/faildrill" ] && ! faults_left; then
        say "trace${tab}banner$tab-${tab}a login banner of no fault$tab$(
            head -n 1 "$fd_motd/faildrill" | sed -n "s/.* on this host by \(.*\), until.*/\1/p" |
                tr -cd ' -~'
        )"
    fi
    if [ -d "$fd_root/lock" ]; then
        read -r holder 2>/dev/null <"$fd_root/lock/token" || holder=''
        look_at_clock
        read -r since 2>/dev/null <"$fd_root/lock/since" || since=$now
        say "trace${tab}lock$tab$holder${tab}lock of this host for $(((now - since) / 100)) s$tab$(
            tr -c ' -~' ' ' 2>/dev/null <"$fd_root/lock/who"
        )"
    fi
}

lacks() {
    missing="$missing${missing:+; }$1"
}

# By doing, not by looking for names: nft may be there and not work.
nft_works() {
    nft -f - >/dev/null 2>&1 <<EOF
add table inet fd_probe_$$
add set inet fd_probe_$$ s { type ipv4_addr; flags interval,timeout; }
add chain inet fd_probe_$$ c { type filter hook prerouting priority -300; policy accept; }
add rule inet fd_probe_$$ c ip saddr @s drop
delete table inet fd_probe_$$
EOF
}

tools() {
    missing=''
    [ -d /run ] && [ -w /run ] || lacks '/run is not writable for us'
    if ! (flock -n 9) 2>/dev/null 9</proc/self; then lacks 'flock (apt-get install util-linux)'; fi
    timeout -k 1 2 true 2>/dev/null || lacks 'timeout (apt-get install coreutils)'
    [ -n "$(printf x | sha256sum 2>/dev/null)" ] || lacks 'sha256sum (apt-get install coreutils)'
    [ "$(echo x | awk '{ print $1 }' 2>/dev/null)" = x ] || lacks 'awk (apt-get install mawk)'
    command -v setsid >/dev/null || lacks 'setsid (apt-get install util-linux)'
    say "missing $missing"
}

# By which others know this host. Not those that move between hosts: second ones, and single ones
# (/32, /128) that no lease gave.
addresses() {
    ip -o addr show scope global 2>/dev/null | awk '
        { slash = index($4, "/"); address = slash ? substr($4, 1, slash - 1) : $4
          alone = $4 ~ /:.*\/128$/ || $4 ~ /^[0-9.]+\/32$/ }
        $3 == "inet" && / secondary / { next }
        alone && !/ dynamic / { next }
        ($3 == "inet" || $3 == "inet6") && count++ < 32 { printf "%s ", address }'
}

# Of the role's service: form and name as service.sh wants them; form none where there is none.
facts() {
    look_at_boot
    say "boot $boot"
    read -r digest _ <<EOF
$(sha256sum </etc/machine-id 2>/dev/null)
EOF
    say "machine $digest"
    [ -d /run/systemd/system ] && command -v systemd-run >/dev/null && say systemd
    [ "$(readlink /proc/self/ns/pid)" = 'pid:[4026531836]' ] || say contained
    [ -f /proc/sysrq-trigger ] && [ -w /proc/sysrq-trigger ] && say sysrq
    say "panic $(cat /proc/sys/kernel/panic 2>/dev/null)"
    (flock -n 9) 2>/dev/null 9</proc/self && say flock
    if nft_works; then
        say nft
    elif why=$(chains_work); then
        say iptables
        chains_keepers
    else
        say "no_filter $why"
    fi
    say "addresses $(addresses)"
    allow_say
    tools
    if [ "$form" != none ]; then
        main=''
        if service_list >/dev/null && [ -n "$main" ] && service_up >/dev/null; then
            say active
        elif [ $? -ne 125 ]; then
            say inactive
        fi
        say "main $main"
        ! freezer_find || say "freezer $freezer"
        [ "$form" != container ] || ! engine_starts || say engine_starts
        [ "$form" != unit ] ||
            say "restart $(systemctl show -p Restart --value -- "$name" 2>/dev/null)"
    fi
    traces
}

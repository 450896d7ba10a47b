# chains.sh - a network fault where there is no nft: chains of iptables, and sets of ipset that empty themselves.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2153,SC2154,SC2034
# Functions only. A chain's name has 28 characters at most and a set's 31, so theirs are fd_, the last
# 16 of the fault's id, _ and what they are for: that is `ours`. The jump into a chain says the whole
# id. Others' rules are not read for more than that, and never written.

# Where the kernel knows no IPv6 there is none to be broken.
chains_families() {
    echo 4
    [ ! -e /proc/net/if_inet6 ] || echo 6
}

chains_save() {
    case $1 in 4) iptables-save ;; 6) ip6tables-save ;; esac
}

# All of a table at one stroke, the lock of iptables being waited for.
chains_load() {
    case $1 in 4) iptables-restore --noflush -w 5 ;; 6) ip6tables-restore --noflush -w 5 ;; esac
}

chains_name() {
    ours=${1%????????????????}
    ours=fd_${1#"$ours"}
    [ "$ours" != fd_ ] || ours=fd_$1
}

# Of one family, the jumps first.
chains_delete() {
    lines=$(chains_save "$1" | awk -v ours="${ours}_" '
        /^\*/ { table = $0; jumps = flushed = gone = "" }
        index($1, ":" ours) == 1 {
            flushed = flushed "-F " substr($1, 2) "\n"
            gone = gone "-X " substr($1, 2) "\n"
        }
        $1 == "-A" && $(NF - 1) == "-j" && index($NF, ours) == 1 { jumps = jumps "-D" substr($0, 3) "\n" }
        $1 == "COMMIT" && flushed != "" { printf "%s\n%s%s%sCOMMIT\n", table, jumps, flushed, gone }')
    [ -z "$lines" ] || printf '%s\n' "$lines" | chains_load "$1"
}

chains_sets() {
    ipset list -n | grep "^${ours}_"
}

# From the first line on nothing is caught, whatever becomes of the others. The kernel lets go of a
# set a moment after the rules that looked into it.
chains_undo() {
    for set in $(chains_sets | grep '_[46]$'); do ipset flush "$set"; done
    for family in $(chains_families); do chains_delete "$family"; done
    tries=40
    for set in $(chains_sets); do
        until ipset destroy "$set" || [ "$tries" -eq 0 ]; do
            tries=$((tries - 1))
            sleep 0.05 2>/dev/null || sleep 1
        done
    done
}

# That a tool does not answer is no proof of anything.
chains_clear() {
    all=$(ipset list -n) || exit 125
    for family in $(chains_families); do
        saved=$(chains_save "$family") || exit 125
        all="$all
$saved"
    done
    printf '%s\n' "$all" | grep "^:\{0,1\}${ours}_"
    case $? in 0) return 1 ;; 1) return 0 ;; *) exit 125 ;; esac
}

# How many are in the set of a family; what ran out is no longer listed.
chains_listed() {
    saved=$(ipset save "${ours}_$1") || {
        ipset list -n >/dev/null || exit 125
        exit 1
    }
    printf '%s\n' "$saved" | grep -c '^add ' || :
}

# chains_full FAMILY: all that shall be in its set is there.
chains_full() {
    in=$(chains_listed "$1") || exit
    case $1 in 4) wanted=$peers4 ;; *) wanted=$peers6 ;; esac
    # shellcheck disable=SC2086 # words on purpose
    set -- $wanted
    [ "$in" -eq $# ] || exit 1
}

# chains_jumps JUMPS: so many of each family, and no rule of others before any: it might accept first.
chains_jumps() {
    for family in $(chains_families); do
        saved=$(chains_save "$family") || exit 125
        printf '%s\n' "$saved" | awk -v ours="${ours}_" -v wanted="$1" '
            /^\*/ { table = $1 }
            $1 != "-A" || $2 ~ /^fd_/ { next }
            NF != 8 || $7 != "-j" || $8 !~ /^fd_[a-z0-9]*_[0-9]+_/ { others[table $2] = 1; next }
            index($8, ours) == 1 && !others[table $2] && !seen[table $2]++ { jumps++ }
            END { exit jumps + 0 != wanted + 0 }'
        case $? in
        0) ;;
        1)
            echo "its jumps are gone, or others' rules stand before them" >&2
            exit 1
            ;;
        *) exit 125 ;;
        esac
        [ "$(chains_inside "$family")" = "$(cat "inside_$family")" ] || {
            chains_save "$family" >/dev/null || exit 125
            echo "its own chains are not as they were made" >&2
            exit 1
        }
    done
}

# The rules in our chains, without what leads there.
chains_inside() {
    chains_save "$1" | grep "^-A ${ours}_"
}

chains_place() {
    for family in $(chains_families); do chains_full "$family"; done
    chains_jumps "$1"
}

# How many are in the sets of a fault that flaps; those whom the kernel does not know count as well.
chains_peers() {
    chains_jumps "$1"
    four=$(chains_listed 4) || exit
    # shellcheck disable=SC2086 # words on purpose
    set -- $peers6
    six=$#
    [ ! -e /proc/net/if_inet6 ] || six=$(chains_listed 6) || exit
    echo $((four + six))
}

# A bad phase of FD_PHASE milliseconds: the timers know whole seconds.
chains_beat() {
    FD_LEASE=$(((FD_PHASE + 999) / 1000))
    for family in $(chains_families); do chains_elements "$family" | ipset -exist restore || exit 1; done
}

chains_elements() {
    case $1 in 4) wanted=$peers4 ;; *) wanted=$peers6 ;; esac
    for peer in $wanted; do echo "add ${ours}_$1 $peer timeout $FD_LEASE"; done
}

# At the other end of the lease nothing is put in anew: it would be a second fault.
chains_renew() {
    for family in $(chains_families); do chains_full "$family"; done
    for family in $(chains_families); do chains_elements "$family" | ipset -exist restore || exit 1; done
}

# Whether our own ssh goes by this family.
chains_leads() {
    case $1$FD_PEER in
    4 | 6 | 4*:*) return 1 ;;
    4* | 6*:*) return 0 ;;
    *) return 1 ;;
    esac
}

# chains_spare FAMILY CHAIN in|out: what is never caught. $spared is `set` where our own ssh is spared
# for $spared_s only, until its set is empty; else it is known by its address.
chains_spare() {
    case $3 in
    in) lo=-i own="src --dport" by=-s ;;
    out) lo=-o own="dst --sport" by=-d ;;
    esac
    echo "-A $2 $lo lo -j RETURN"
    [ "$spared" = set ] && by="-m set --match-set ${ours}_own ${own% *}" || by="$by $FD_PEER"
    ! chains_leads "$1" || echo "-A $2 $by -p tcp ${own#* } $FD_PORT -j RETURN"
    [ "$1" != 6 ] || for kind in 133 134 135 136; do
        echo "-A $2 -p ipv6-icmp --icmpv6-type $kind -j RETURN"
    done
}

# The sets are there before anything looks into them, and empty themselves. chains_rules, with the
# words of its family, is the fault's own.
chains_apply() {
    chains_undo 2>/dev/null
    for family in $(chains_families); do
        case $family in 4) type=inet ;; *) type=inet6 ;; esac
        {
            echo "create ${ours}_$family hash:net family $type timeout $FD_LEASE"
            [ "$flaps" = 1 ] || chains_elements "$family"
            if [ "$spared" = set ] && chains_leads "$family"; then
                echo "create ${ours}_own hash:ip family $type timeout $spared_s"
                echo "add ${ours}_own $FD_PEER"
            fi
        } | ipset restore || exit 1
    done
    meter=fd${ours#"${ours%????????}"}
    for family in $(chains_families); do
        case $family in
        4) refusal=icmp-port-unreachable icmp='-p icmp --icmp-type destination-unreachable' ;;
        *) refusal=icmp6-port-unreachable icmp='-p ipv6-icmp --icmpv6-type destination-unreachable' ;;
        esac
        chains_rules "$family" | chains_load "$family" || exit 1
        chains_inside "$family" >"inside_$family" || exit 1
    done
}

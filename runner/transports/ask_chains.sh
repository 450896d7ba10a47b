# ask_chains.sh - whether iptables and ipset can do what nft does elsewhere, and what they carry of ours.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2016
# Stands behind ask.sh; functions only.

# All that a fault may want, in a network namespace that ends with the try: a table of iptables that
# was once looked into stays. Of one family: ip or ip6, its name in ipset, half of it, a refusal.
try_chains='
try() {
    ipset restore <<EOF && ${1}tables-restore --noflush -w 5 <<END && ${1}tables-save >/dev/null
create fd_$1 hash:net family $2 timeout 5
add fd_$1 $3 timeout 5
EOF
*raw
:fd_$1 - [0:0]
:fd_${1}_c - [0:0]
-A fd_$1 -p tcp -m set --match-set fd_$1 src -m multiport --dports 1,2 -g fd_${1}_c
-A fd_$1 -m statistic --mode random --probability 0.5 -j DROP
-A fd_${1}_c -m hashlimit --hashlimit-name fd_$1 --hashlimit-above 1000b/s -j DROP
-I PREROUTING 1 -m comment --comment fd_$1 -j fd_$1
COMMIT
*filter
:fd_$1 - [0:0]
-A fd_$1 -p tcp -j REJECT --reject-with tcp-reset
-A fd_$1 -j REJECT --reject-with $4
-I FORWARD 1 -j fd_$1
COMMIT
END
}
try ip inet 128.0.0.0/1 icmp-port-unreachable || exit
[ ! -e /proc/net/if_inet6 ] || try ip6 inet6 8000::/1 icmp6-port-unreachable'

# Says why not.
chains_work() {
    for tool in iptables-restore ip6tables-restore ipset; do
        [ "$tool" != ip6tables-restore ] || [ -e /proc/net/if_inet6 ] || continue
        command -v "$tool" >/dev/null && continue
        case $tool in
        ipset) echo 'nft does not work, and iptables has no timers without ipset (apt-get install ipset)' ;;
        *) echo "nft does not work, and there is no $tool (apt-get install nftables)" ;;
        esac
        return 1
    done
    said=$(unshare -n sh -c "$try_chains" 2>&1) && return
    echo "neither nft nor iptables with ipset works ($(
        printf '%s' "$said" | grep -v '^Try ' | grep . | tail -n 1 | tr -dc ' -~'
    ))"
    return 1
}

# Whether iptables may have a rule here: it keeps them in tables of nft, or in the kernel's older ones.
# `tables` is what nft has listed; to list rules costs more than to know that there are none.
chains_may_be() {
    grep -q . /proc/net/ip_tables_names /proc/net/ip6_tables_names 2>/dev/null && return
    case $tables in unknown | *'table ip '* | *'table ip6 '*) return 0 ;; esac
    return 1
}

# Jumps first, then chains, then sets: so they can be taken away. Rules that were saved and loaded at
# a boot may be without sets. Of a name without jump and folder only the end of its id is known.
chain_traces() {
    look_by ipset list -n
    all=$(printf '%s\n' "$seen" | sed -n 's/^fd_[a-z0-9]*_[0-9][0-9]*_/set &/p')
    for family in $(chains_families); do
        chains_may_be || break
        case $family in 4) look_by iptables-save ;; *) look_by ip6tables-save ;; esac
        all="$all
family $family
$(printf '%s\n' "$seen" | grep -e '^\*' -e fd_)"
    done
    printf '%s\n' "$all" | awk -v known="${traces_wanted#\*} $(cd "$fd_root" 2>/dev/null && echo ./*_[0-9]*)" '
        BEGIN { count = split(known, ids); tab = "\t" }
        function id_of(name, short, i) {
            match(name, /^fd_[a-z0-9]*_[0-9]+/)
            short = substr(name, 4, RLENGTH - 3)
            for (i = 1; i <= count; i++)
                if (substr(ids[i], length(ids[i]) - length(short) + 1) == short) {
                    sub(/^\.\//, "", ids[i])
                    return ids[i]
                }
            return short
        }
        $1 == "family" { tables = $2 == 6 ? "ip6tables" : "iptables" }
        /^\*/ { table = substr($1, 2) }
        /^:fd_[a-z0-9]*_[0-9]+_/ { names[++chains] = substr($1, 2); where[chains] = tables " " table }
        $1 == "-A" && $2 !~ /^fd_/ && $NF ~ /^fd_[a-z0-9]*_[0-9]+_/ && $(NF - 1) == "-j" {
            for (i = 3; i < NF; i++)
                if ($i == "--comment" && $(i + 1) ~ /^"?fd_/) {
                    id = $(i + 1)
                    gsub(/"/, "", id)
                    ids[++count] = substr(id, 4)
                    print "jump" tab substr(id, 4) tab tables " " table " " $2 " " $NF
                }
        }
        $1 == "set" { every[++all] = $2 }
        END {
            for (last = 0; last < 2; last++)
                for (i = 1; i <= chains; i++)
                    if ((names[i] ~ /_c$/) == last)
                        print "chain" tab id_of(names[i]) tab where[i] " " names[i]
            for (i = 1; i <= all; i++)
                print "set" tab id_of(every[i]) tab "ipset " every[i]
        }' | while IFS=$tab read -r kind id what; do trace "$kind" "$id" "$what" ''; done
}

# Who may save the rules of iptables, ours among them, or load its own in their place; for people.
chains_keepers() {
    keepers=''
    for tool in netfilter-persistent firewall-cmd ufw; do
        ! command -v "$tool" >/dev/null || keepers="$keepers${keepers:+, }$tool"
    done
    for file in /etc/init.d/iptables /etc/init.d/iptables-persistent /usr/libexec/iptables/iptables.init; do
        [ ! -e "$file" ] || keepers="$keepers${keepers:+, }$file"
    done
    [ -z "$keepers" ] ||
        say "keepers $keepers may save our rules, which a boot loads, or reload its own, which ends a fault early"
}

# redis_alone_rejoin.sh - starts Redis on the host of a former primary that nobody watches over, as a replica.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2030,SC2031,SC2034,SC2154,SC2317
# Behind redis_host.sh, and without single quotes as it.
#   sh -c TEXT rejoin ADDRESS PORT CONFIG [tls] START STOP PEER...
# Never a second primary, and nobody is wiped: it is started as a replica of whoever leads, which is in its file before
# it runs; as the primary that it was only where its data is there and every peer says that it follows this host.
# START empty: changes nothing, and says whether all that it would need is there.
own=$1 own_port=$2 config=$3 tls=$4 start=$5 stop=$6
shift 6
unset FD_DIR FD_ID FD_PEER FD_PORT FD_LEASE
answer_within=3 # who does not answer keeps it stopped

# stay_down REASON WHAT_TO_DO: in one line, for its end is what is read far away.
stay_down() {
    if [ -n "$start" ]; then echo "Redis stays stopped: $1; by hand: $2"; else echo "$1: $2"; fi
    exit 1
}
again="once every peer answers, sh /run/faildrill/undo or faildrill undo"

# One line a peer: "primary ADDRESS OFFSET KEYS" (where it ceased to be a replica; -1: it never was one since its start,
# 1: it had nothing of anybody; KEYS: some or none), "replica ADDRESS WHOM PORT", "unsure ADDRESS" for one that gives no
# answer, or hands over just now.
look_at() {
    redis "$own_secret" "$1" "$own_port" info | tr -d "\r" | {
        role="" whom="" whom_port=0 since=-1 moves=no-failover keys=none
        while IFS=: read -r name value; do
            case $name in
            role) role=$value ;;
            master_host) whom=$value ;;
            master_port) whom_port=$value ;;
            second_repl_offset) since=$value ;;
            master_failover_state) moves=$value ;;
            db[0-9]*) keys=some ;;
            esac
        done
        case $role.$moves in
        master.no-failover) echo "primary $1 $since $keys" ;;
        slave.no-failover) echo "replica $1 $whom $whom_port" ;;
        *) echo "unsure $1" ;;
        esac
    }
}

# Sets leaders (a line each: ADDRESS OFFSET KEYS), unsure (addresses), and of the replicas: follow (of ours), astray.
ask_peers() {
    said=$(for peer; do look_at "$peer" & done; wait)
    leaders=$(echo "$said" | sed -n "s/^primary //p")
    unsure=$(echo "$said" | sed -n "s/^unsure //p" | tr "\n" " ")
    follow=$(of_replicas is_own)
    # shellcheck disable=SC2086
    astray=$(of_replicas is_astray $follow)
}

# of_replicas TEST WORD...: those for which TEST WHOM PORT WORD... is so, with blanks between.
of_replicas() {
    echo "$said" | while read -r rank peer whom whom_port; do
        [ "$rank" != replica ] || ! "$@" || printf "%s " "$peer"
    done
}

is_own() {
    # shellcheck disable=SC2046
    [ "$whom_port" = "$own_port" ] && is_one_of "$whom" "$own" $(hostname -I 2>/dev/null)
}

# Neither of ours, nor behind one that is.
is_astray() {
    ! is_own && ! { [ "$whom_port" = "$own_port" ] && is_one_of "$whom" "$@"; }
}

# Two looks where nobody leads: a promotion may be on its way. Whoever is silent may be a primary, and has time.
ask_twice() {
    ask_peers "$@"
    [ -z "$leaders" ] || [ -n "$unsure" ] || return 0
    [ $# -gt 0 ] || return 0
    until=$(($(uptime_s) + 4))
    sleep 2
    ask_peers "$@"
    while [ -n "$unsure" ] && [ "$(uptime_s)" -lt "$until" ]; do
        sleep 0.5
        ask_peers "$@"
    done
}

# The one that leads, in address and port; false: there is none.
know_leader() {
    [ -n "$leaders" ] || return 1
    [ "$(echo "$leaders" | wc -l)" -eq 1 ] ||
        stay_down "more than one is primary: $(echo "$leaders" | cut -d" " -f1 | tr "\n" " ")" "stop the wrong one; $again"
    read -r address since keys <<END
$leaders
END
    port=$own_port
}

# Whom its file says that it follows; nothing: nobody.
followed_by_file() {
    grep -iE "^[[:space:]]*(replicaof|slaveof)[[:space:]]" "$config" 2>/dev/null | tail -n 1 | {
        read -r _ whom whom_port
        [ "$whom $whom_port" = " " ] || [ "$whom $whom_port" = "no one" ] || echo "$whom $whom_port"
    }
}

follows_leader() {
    [ "$(followed_by_file | cut -d" " -f2)" = "$port" ] && is_one_of "$address" "$(followed_by_file | cut -d" " -f1)"
}

# has_data BYTES: whether what it would load is more than that; an empty primary would wipe its replicas.
has_data() {
    dir=$(value_of dir "$config")
    name=$(value_of dbfilename "$config")
    set -- "$1" "$dir/${name:-dump.rdb}"
    if [ "$(value_of appendonly "$config")" = yes ]; then
        folder=$(value_of appenddirname "$config")
        name=$(value_of appendfilename "$config")
        set -- "$1" "$dir/${folder:-appendonlydir}"/* "$dir/${name:-appendonly.aof}"
    fi
    more_than=$1
    shift
    for part; do
        case $part in *.manifest) continue ;; esac
        [ ! -f "$part" ] || [ "$(wc -c <"$part")" -le "$more_than" ] || return 0
    done
    return 1
}
nothing=300 # bytes of a file that has no key in it

begin() {
    sh -c "$start" 8<&-
}

# Only what no longer answers is stopped.
halt() {
    if [ -n "$stop" ]; then sh -c "$stop" 8<&-; else redis "$own_secret" "$own" "$own_port" shutdown; fi
    until=$(($(uptime_s) + 12)) # a clean stop waits 10 s for replicas that are behind
    while [ -n "$(redis "$own_secret" "$own" "$own_port" ping)" ]; do
        if [ "$(uptime_s)" -ge "$until" ]; then
            echo "Redis runs as a second primary and cannot be stopped: by hand: stop it on this host"
            exit 1
        fi
        sleep 0.1
    done
}

# Those that follow this host follow the new primary at once, and not through it; each writes it down.
send_on() {
    for peer in $follow; do
        printf "%s\n" multi "replicaof $address $port" "config rewrite" exec |
            redis "$own_secret" "$peer" "$own_port" >/dev/null &
    done
    wait
}

# field NAME: of what our own Redis said last.
field() {
    echo "$info" | sed -n "s/^$1://p"
}

# setting NAME: what it runs with.
setting() {
    redis "$own_secret" "$own" "$own_port" config get "$1" | tail -n 1 | tr -d "\r"
}

own_info() {
    info=$(redis "$own_secret" "$own" "$own_port" info | tr -d "\r")
}

# Its file says whom it follows before it is started; that it read this file is seen afterwards.
start_as_replica() {
    see_data="see that it has the data; then \`replicaof $address $port\` in $config, and start it"
    if ! follows_leader; then
        [ "${since:--1}" -gt 1 ] ||
            stay_down "$address is primary and was no replica since its start: it may be empty" "$see_data"
        [ "$keys" = some ] || ! has_data "$nothing" || stay_down "$address is primary and empty" "$see_data"
        write_down "replicaof $address $port" ||
            stay_down "$config cannot be written" "write \`replicaof $address $port\` into it, and start it"
    fi
    echo "Redis is started as a replica of $address $port, by $config"
    begin || exit
    until=$(($(uptime_s) + 15))
    while [ "$(uptime_s)" -lt "$until" ]; do
        own_info
        case $(field role) in
        slave)
            send_on
            exit 0
            ;;
        master)
            halt
            stay_down "it does not read $config" "\`config:\` names the file that it is started with"
            ;;
        esac
        sleep 0.05
    done
    echo "Redis was started as a replica of $address $port, and does not answer"
    exit 1
}

# Whoever was promoted all the same is the primary, and this one goes at once; so it does where it cannot tell.
watch_as_primary() {
    until=$(($(uptime_s) + 6)) # longer than a promotion of ours takes from its first look to its end
    while [ $# -gt 0 ]; do
        ask_peers "$@"
        [ -z "$leaders" ] || break
        [ "$(uptime_s)" -lt "$until" ] || [ -n "$unsure" ] || exit 0
        [ "$(uptime_s)" -lt "$((until + 3))" ] || break
        sleep 0.2
    done
    [ $# -gt 0 ] || exit 0
    halt
    know_leader || stay_down "these may be primary all the same: $unsure" "$again"
    start_as_replica
}

start_as_primary() {
    has_data 0 || stay_down "there is no data in $dir, and empty it would wipe its replicas" "promote one that has it"
    write_down "" || stay_down "$config cannot be written" "take \`replicaof\` out of it"
    echo "Redis is started as it is, a primary: every other host is a replica"
    begin || exit
    watch_as_primary "$@"
}

# ---- could it come back ----

is_ready() {
    file=$(readlink -f "$config")
    if [ ! -w "$file" ] || [ ! -w "${file%/*}" ] || ! is_its_file "$file"; then
        stay_down "$config is no file that can be written and has port $own_port" "\`config:\` names what it is started with"
    fi
    own_info
    [ -n "$(field role)" ] || stay_down "no answer on $own $own_port with the password in $config" "see what it wants"
    [ "$(readlink -f "$(field config_file)")" = "$file" ] ||
        stay_down "Redis was started with \"$(field config_file)\"" "\`config:\` names another file"
    [ -z "$own_secret" ] || [ -n "$(value_of masterauth "$config")" ] ||
        stay_down "there is no masterauth in $config" "it could follow nobody"
    case $(field role).$(followed_by_file) in
    master. | slave.?*) ;;
    *) stay_down "whom it follows, or that it leads, does not stand in $config" "CONFIG REWRITE" ;;
    esac
    [ "$(field role)" = master ] || return 0
    case $(field aof_enabled).$(value_of appendonly "$config") in
    1.yes | 0. | 0.no) ;;
    *) stay_down "appendonly in $config is not what it runs with" "CONFIG REWRITE" ;;
    esac
    case $(value_of dir "$config") in
    /*) ;;
    *) stay_down "\`dir\` in $config is no path from the root" "nobody could see whether its data is there" ;;
    esac
    says=$(value_of dbfilename "$config")
    [ "$(setting dbfilename)" = "${says:-dump.rdb}" ] ||
        stay_down "dbfilename in $config is not what it runs with" "CONFIG REWRITE"
    [ "$(cd "$(setting dir)" && pwd -P)" = "$(cd "$(value_of dir "$config")" && pwd -P)" ] ||
        stay_down "\`dir\` in $config is not what it runs with" "CONFIG REWRITE"
    if [ "$(field aof_enabled)" != 0 ]; then
        has_data 0 || stay_down "there is no AOF in $dir" "it would come back empty"
        case $(field aof_rewrite_in_progress).$(field aof_rewrite_scheduled).$(field aof_last_write_status) in
        0.0.ok) ;;
        *) stay_down "its AOF is being rewritten, or the last write to it failed" "wait, or see its log" ;;
        esac
    fi
    ask_twice "$@"
    [ -z "$unsure" ] || stay_down "no answer to the password in $config" "$unsure"
    ! know_leader || stay_down "$address is a primary too" "stop the wrong one"
    [ -z "$astray" ] || stay_down "not of this host" "$astray"
}

read_access
for tool in redis-cli flock getent; do
    command -v "$tool" >/dev/null || stay_down "there is no $tool here" "install it"
done
if [ -z "$start" ]; then
    is_ready "$@"
    exit 0
fi

# ---- it comes back ----

# One at a time, whoever called it and is gone.
exec 8<"${config%/*}"
flock -n 8 || stay_down "it is being started by another" "wait"

# One before us began it and was ended: what it had yet to see is seen now.
if [ -n "$(redis "$own_secret" "$own" "$own_port" ping)" ]; then
    begin || exit
    own_info
    case $(field role) in
    master) watch_as_primary "$@" ;;
    slave) ;;
    *) echo "Redis runs, and does not say whether it leads" && exit 1 ;;
    esac
    exit 0
fi
ask_twice "$@"
if [ -z "$unsure" ] && know_leader; then start_as_replica; fi
if [ -n "$(followed_by_file)" ]; then
    echo "Redis is started as it is, a replica of $(followed_by_file)"
    begin
    exit
fi
[ -z "$leaders" ] || [ -z "$unsure" ] ||
    stay_down "$(echo "$leaders" | cut -d" " -f1 | tr "\n" " ")leads, and these may be primary too: $unsure" "$again"
[ -z "$unsure" ] || stay_down "nobody is known to be primary, and these may be: $unsure" "$again"
[ -z "$astray" ] || stay_down "nobody is known to be primary, and these follow another host: $astray" "see whom; $again"
[ $# -eq 0 ] || [ -n "$follow" ] || stay_down "nobody follows this host" "$again"
start_as_primary "$@"

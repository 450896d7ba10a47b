# mariadb_rejoin.sh - starts MariaDB on the host of a former primary, as a replica where there is a new one.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2030,SC2031
# Without single quotes, for it is quoted several times over on its way to the host.
#   sh -c TEXT rejoin ADDRESS PORT CONFIG OPTION_FILE START STOP PEER...
# Never a second primary: it is started read-only, which its own configuration says, once every peer was asked who leads.
# It takes writes again only where every peer takes none, streams, and has nothing that it has not itself. Where another
# leads, nobody gets from it what it alone has: it recovers out of reach first, and stays stopped where there is such.
# START empty: changes nothing, and says whether all that it would need is there.
own=$1 port=$2 config=$3 file=$4 start=$5 stop=$6
shift 6
unset FD_DIR FD_ID FD_PEER FD_PORT FD_LEASE
q=$(printf "\047")

# stay_down REASON WHAT_TO_DO: in one line, for its end is what is read far away.
stay_down() {
    if [ -n "$start" ]; then echo "MariaDB stays stopped: $1; by hand: $2"; else echo "$1: $2"; fi
    exit 1
}
# not_back REASON WHAT_TO_DO: it runs.
not_back() {
    echo "MariaDB runs, and is not back: $1; by hand: $2"
    exit 1
}
again="once every peer answers, sh /run/faildrill/undo or faildrill undo"
remake="see what they are (mariadb-binlog), and make it anew from the primary"

uptime_s() {
    read -r up _ </proc/uptime
    echo "${up%.*}"
}

# sql HOST TEXT: as the option file says; nothing of either stands in a command line. No server gets files of root's.
sql() {
    printf "%s\n" "$2" | timeout 5 mariadb --defaults-file="$file" --local-infile=0 --protocol=tcp --connect-timeout=2 \
        -h "$1" -P "$port" -B --column-names 2>/dev/null
}

# value_of WORD: of the group [replication].
value_of() {
    sed -n "/^\[replication\]/,/^\[/s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*//p" "$file" |
        tail -n 1 | sed "s/[[:space:]]*\$//; s/^\"\(.*\)\"\$/\1/"
}

# As SQL has it where sql_mode is empty.
quoted() {
    printf "%s" "$q$(printf "%s" "$1" | sed "s/[\\\\$q]/\\\\&/g")$q"
}

# word NAME: of what is read.
word() {
    sed -n "s/^ *$1: //p" | head -n 1
}

# says HOST: of itself, a word a line.
says() {
    sql "$1" "select @@global.read_only ro, @@global.server_id id, @@global.gtid_binlog_state log\G show all slaves status\G"
}

# One line a host: RANK ADDRESS ID LOG RECEIVED SOURCE STREAMS. Rank: primary, replica; odd: neither, and may become one;
# silent. LOG and RECEIVED are GTIDs or -, ID and SOURCE are server_id: its own, and of whom it streams from, or did.
look_at() {
    said=$(says "$1")
    rank=odd
    case $(echo "$said" | word id).$(echo "$said" | word ro).$(echo "$said" | grep -c "^ *Master_Host: ") in
    .*) rank=silent ;;
    *.0.0 | *.OFF.0) rank=primary ;;
    *.1.1 | *.ON.1) [ "$(echo "$said" | word Using_Gtid)" = No ] || rank=replica ;;
    esac
    log=$(echo "$said" | word log)
    received=$(echo "$said" | word Gtid_IO_Pos)
    source=$(echo "$said" | word Master_Server_Id)
    id=$(echo "$said" | word id)
    echo "$rank $1 ${id:-0} ${log:--} ${received:--} ${source:-0} $(echo "$said" | word Slave_IO_Running)"
}

# Sets said (a line each), leaders and unsure (addresses, with blanks between), ids.
ask_peers() {
    said=$(for peer; do look_at "$peer" & done; wait)
    leaders=$(echo "$said" | sed -n "s/^primary \([^ ]*\) .*/\1/p" | tr "\n" " ")
    unsure=$(echo "$said" | sed -n "s/^\(odd\|silent\) \([^ ]*\) .*/\2/p" | tr "\n" " ")
    leader=${leaders%% *}
    leader_log=$(echo "$said" | sed -n "s/^primary [^ ]* [^ ]* \([^ ]*\) .*/\1/p" | head -n 1)
    ids=$(echo "$said" | cut -d" " -f3 | tr "\n" " ")
}

# Two looks where nobody leads: a promotion may be on its way.
ask_twice() {
    ask_peers "$@"
    [ -z "$leaders" ] && [ $# -gt 0 ] || return 0
    sleep 2
    ask_peers "$@"
}

# lacks LIST OTHER: what OTHER has and LIST has not. A server counts its own transactions of a domain on.
lacks() {
    echo "$2" | tr , "\n" | while IFS=- read -r domain server number; do
        [ -n "$number" ] || continue
        highest=$(echo "$1" | tr , "\n" | sed -n "s/^$domain-$server-//p" | sort -n | tail -n 1)
        [ "${highest:--1}" -ge "$number" ] || printf "%s " "$domain-$server-$number"
    done
}

# given PATTERN: what it would be started with, by whomever; the last counts.
given() {
    my_print_defaults --defaults-file="$config" --mysqld 2>/dev/null | sed "s/^--loose[-_]/--/" | sed -n "s/^$1//p" | tail -n 1
}
# Of options, a line each.
say_read_only() {
    case $(tr _ - | sed "s/^--loose-/--/" | grep -E "^--(skip-|disable-|enable-)?read-only(=|\$)" | tail -n 1) in
    --read-only | --enable-read-only | --read-only=1 | --read-only=[oO][nN] | --read-only=[tT][rR][uU][eE]) ;;
    *) return 1 ;;
    esac
}
starts_read_only() {
    my_print_defaults --defaults-file="$config" --mysqld 2>/dev/null | say_read_only
}

# Sets own_rank, own_id, own_log, own_streams.
look_at_own() {
    read -r own_rank _ own_id own_log _ _ own_streams <<END
$(look_at "$own")
END
}

# Only what may not run is stopped.
halt() {
    sh -c "${stop:-false}" 8<&- || timeout 20 mariadb-admin --defaults-file="$file" --protocol=tcp -h "$own" -P "$port" shutdown
    until=$(($(uptime_s) + 15))
    while [ "$(look_at "$own" | cut -d" " -f1)" != silent ]; do
        [ "$(uptime_s)" -lt "$until" ] || {
            echo "MariaDB runs and cannot be stopped: $1; by hand: stop it on this host"
            exit 1
        }
        sleep 0.2
    done
    stay_down "$1" "$2"
}

# Read-only, as its configuration says.
start_it() {
    sh -c "$start" 8<&- || exit
    until=$(($(uptime_s) + 30))
    until [ "$own_rank" != silent ]; do
        [ "$(uptime_s)" -lt "$until" ] || not_back "it was started, and does not answer in 30 s" "see its log; $again"
        sleep 0.2
        look_at_own
    done
    [ "$own_rank" != primary ] ||
        halt "it was started and took writes, though $config says read_only = 1" "see who took read_only away"
}

# ---- out of reach ----

says_aside() {
    timeout 5 mariadb --defaults-file="$file" --local-infile=0 --protocol=socket --socket="$aside.sock" -N -B \
        -e "select @@global.gtid_binlog_state, 1" 2>/dev/null </dev/null
}
# One that a script before us left is ended; it ends by itself after a minute.
end_aside() {
    pid=$(cat "$aside.pid" 2>/dev/null)
    case $pid in "" | *[!0-9]*) return ;; esac
    ! tr "\000" "\n" <"/proc/$pid/cmdline" 2>/dev/null | grep -qxF -e "--socket=$aside.sock" || $as kill "$pid"
}
# Started without a network, as one that is to follow: with semi-sync its recovery throws away what nobody acknowledged.
# Sets own_log, and it is stopped again.
recover() {
    aside=$data/faildrill
    owner=$(stat -c %U "$data") as=""
    [ "$(id -u)" -ne 0 ] || [ "$owner" = root ] || as="setpriv --reuid=$owner --regid=$(stat -c %G "$data") --init-groups"
    PATH=$PATH:/usr/sbin:/usr/libexec
    server=$(command -v mariadbd || command -v mysqld) || stay_down "there is no mariadbd here" "see where it is"
    end_aside
    cd /
    # shellcheck disable=SC2086
    $as timeout 60 "$server" --defaults-file="$config" --skip-networking --socket="$aside.sock" --pid-file="$aside.pid" \
        --init-rpl-role=SLAVE --skip-slave-start --event-scheduler=OFF --read-only \
        </dev/null >/dev/null 2>&1 8<&- &
    running=$!
    until=$(($(uptime_s) + 25))
    until own_log=$(says_aside); do
        kill -0 "$running" 2>/dev/null && [ "$(uptime_s)" -lt "$until" ] || break
        sleep 0.1
    done
    kill "$running" 2>/dev/null
    wait "$running"
    [ -n "$own_log" ] || stay_down "it did not recover in 25 s" "see its log; $again"
    own_log=${own_log%?1}
}

# ---- it follows ----

# Those that follow this host, or nobody whom they reach, follow the new primary, where they lose nothing by it. Says who
# does not.
send_on() {
    echo "$said" | while read -r rank peer _ log received source streams; do
        [ "$rank" = replica ] || continue
        if [ "$streams" = Yes ]; then
            case " $ids" in *" $source "*) continue ;; esac
        fi
        [ -z "$(lacks "$leader_log" "$log,$received")" ] &&
            sql "$peer" "begin not atomic if @@global.read_only then stop slave; change master to master_host = $q$leader$q,
                master_port = $port, master_use_gtid = slave_pos; start slave; end if; end" >/dev/null || printf "%s " "$peer"
    done
}

follow() {
    [ "$leaders" = "$leader " ] || not_back "more than one is primary: $leaders" "stop the wrong one; $again"
    missing=$(lacks "$leader_log" "$own_log")
    [ -z "$missing" ] ||
        halt "it has transactions that $leader has not: $missing" "$remake"
    sql "$own" "set session sql_mode = $q$q; set global gtid_slave_pos = @@global.gtid_current_pos; change master to
        master_host = $q$leader$q, master_port = $port, master_user = $(quoted "$(value_of user)"),
        master_password = $(quoted "$(value_of password)"), master_use_gtid = slave_pos; start slave" >/dev/null ||
        not_back "it could not be told to follow $leader" "CHANGE MASTER TO, START SLAVE"
    streams_soon
    echo "MariaDB follows $leader"
    exit 0
}

# Once it follows, it must replicate.
streams_soon() {
    until=$(($(uptime_s) + 15))
    until [ "$own_streams" = Yes ] && [ "$(says "$own" | word Slave_SQL_Running)" = Yes ]; do
        [ "$(uptime_s)" -lt "$until" ] ||
            not_back "it does not replicate: $(says "$own" | grep -E "^ *Last_(IO|SQL)_Error: ." | tr -s " \n" " ")" "SHOW SLAVE STATUS"
        sleep 0.3
        look_at_own
    done
}

# ---- it leads again ----

close_again() {
    sql "$own" "set session lock_wait_timeout = 3; set global read_only = 1" >/dev/null
    look_at_own
    [ "$own_rank" != primary ] || halt "$leaders leads as well" "$again"
    follow
}

# Whoever was promoted all the same is the primary, and this one takes no more writes.
watch_as_primary() {
    until=$(($(uptime_s) + 6)) # longer than a promotion of ours takes from its look to its end
    while [ "$(uptime_s)" -lt "$until" ] && [ $# -gt 0 ]; do
        ask_peers "$@"
        [ -z "$leaders" ] || close_again
        sleep 0.2
    done
}

# Each is connected, so that nobody promotes it without being forced to; and one at least to this host.
all_stream() {
    [ -z "$unsure" ] && [ -n "$said" ] && ! echo "$said" | grep -qv " Yes\$" && echo "$said" | grep -q " $own_id Yes\$"
}

take_writes() {
    if [ $# -gt 0 ]; then
        echo "$said" | while read -r rank peer _ _ _ _ streams; do
            [ "$rank.$streams" = replica.Yes ] || sql "$peer" "stop slave; start slave" >/dev/null
        done
        until=$(($(uptime_s) + 20))
        until all_stream; do
            [ "$(uptime_s)" -lt "$until" ] || not_back "not all others stream from it, and one may be the primary: $(
                echo "$said" | grep -v " $own_id Yes\$" | cut -d" " -f2 | tr "\n" " ")" "$again"
            sleep 0.3
            ask_peers "$@"
            [ -z "$leaders" ] || follow
        done
    fi
    look_at_own
    echo "$said" | {
        while read -r _ peer _ log received _; do
            missing=$(lacks "$own_log" "$log,$received")
            [ -z "$missing" ] || not_back "$peer has transactions that it has not: $missing" "promote the one that has most"
        done
    } || exit
    sql "$own" "set global read_only = 0" >/dev/null || not_back "read_only could not be taken away" "SET GLOBAL read_only = 0"
    echo "MariaDB takes writes again: every other host is a replica and streams"
    watch_as_primary "$@"
    exit 0
}

# ---- could it come back ----

# of_its_own NAME: what the environment of the server says.
of_its_own() {
    tr "\000" "\n" <"/proc/$pid/environ" 2>/dev/null | sed -n "s/^$1=//p" | tail -n 1
}
# Without a word in its command line it reads other files than ours, and those of its own user.
reads_read_only() {
    home=$(of_its_own MYSQL_HOME)
    env -i PATH="$PATH" HOME="$(of_its_own HOME)" ${home:+"MYSQL_HOME=$home"} timeout 5 my_print_defaults --mysqld 2>/dev/null |
        say_read_only
}

is_ready() {
    pid=$(head -c 20 "$(sql "$own" "select if(@@pid_file like $q/%$q, @@pid_file, concat(@@datadir, @@pid_file)) p\G" | word p)" 2>/dev/null)
    case $pid in "" | *[!0-9]*) pid=none ;; esac
    line=$(tr "\000" "\n" <"/proc/$pid/cmdline" 2>/dev/null)
    [ -n "$line" ] || stay_down "which process MariaDB is cannot be seen" "see pid_file"
    ! echo "$line" | tr _ - | grep -q "^--[a-z-]*read-only" || stay_down "read_only stands in its command line" "$config alone says it"
    more=$(echo "$line" | grep -E "^--(no-defaults|defaults-(extra-file|group-suffix))" | head -n 1)
    [ -z "$more" ] || stay_down "MariaDB was started with $more" "$config alone says what it is started with"
    [ -r "/proc/$pid/environ" ] || stay_down "the environment of MariaDB cannot be seen" "log in as root, or sudo"
    [ -z "$(of_its_own MYSQL_GROUP_SUFFIX)" ] || stay_down "MariaDB was started with MYSQL_GROUP_SUFFIX" "$config says other groups"
    given=$(echo "$line" | sed -n "s/^--defaults-file=//p" | tail -n 1)
    # shellcheck disable=SC3013
    [ -z "$given" ] || [ "$given" -ef "$config" ] || stay_down "MariaDB was started with $given" "\`config:\` names another file"
    [ -n "$given" ] || reads_read_only ||
        stay_down "MariaDB was started without --defaults-file, and what it reads then does not say read_only = 1" "say it there"
    first=$(sql "$own" "select @@init_file p\G" | word p)
    [ ! -f "$first" ] || ! grep -qi "read_only" "$first" || stay_down "its init_file $first sets read_only" "$config alone says it"
    [ -n "$(value_of user)" ] || stay_down "there is no user in [replication] of $file" "it could follow nobody"
    grants=$(sql "$own" "show grants")
    for right in "READ.ONLY ADMIN" "REPLICATION SLAVE ADMIN"; do
        echo "$grants" | grep -q "$right\|ALL PRIVILEGES ON [*]\.[*]" || stay_down "the user of $file has no $right" "grant it"
    done
    ask_twice "$@"
    [ -z "$unsure" ] || stay_down "no answer as a replica, to what $file says" "$unsure"
    [ -z "$leaders" ] || stay_down "$leaders is a primary too" "stop the wrong one"
}

for tool in mariadb my_print_defaults flock timeout; do
    command -v "$tool" >/dev/null || stay_down "there is no $tool here" "install it"
done
if [ ! -r "$file" ] || [ -n "$(find -L "$file" ! -uid 0 ! -uid "$(id -u)" -o -perm /022)" ]; then
    stay_down "$file is not there, or others can write it" "it says [client] and [replication], and is root its own"
fi
starts_read_only ||
    stay_down "$config does not say read_only = 1, so it would be started as a second primary" "say it on every host of the role"
if [ -z "$start" ]; then
    look_at_own
    [ "$own_rank" != silent ] || stay_down "no answer on $own $port to what $file says" "see what it wants"
    [ "$own_rank" != primary ] || is_ready "$@"
    exit 0
fi

# ---- it comes back ----

# One at a time, whoever called it and is gone.
exec 8<"$file"
flock -n 8 || stay_down "it is being started by another" "wait"

data=$(given "--datadir=")
data=${data:-/var/lib/mysql}
data=${data%/}
look_at_own
if [ "$own_rank" = silent ] && [ -s "$data/master.info" ]; then
    start_it # a replica, as it was
elif [ "$own_rank" = silent ]; then
    ask_twice "$@"
    [ -z "$leaders" ] || [ "$leaders" = "$leader " ] || stay_down "more than one is primary: $leaders" "stop the wrong one; $again"
    [ -z "$unsure" ] || stay_down "who leads is not known where one does not answer: $unsure" "$again"
    # Once it runs, whoever still followed it would get what it alone has.
    if [ -n "$leaders" ]; then
        still=$(send_on)
        [ -z "$still" ] || stay_down "still told to follow this host, and not $leader: $still" "CHANGE MASTER TO there; $again"
        recover
        missing=$(lacks "$leader_log" "$own_log")
        [ -z "$missing" ] || stay_down "it has transactions that $leader has not: $missing" "$remake"
    fi
    start_it
fi
case $own_rank in
replica)
    streams_soon
    echo "MariaDB replicates, as it was told before"
    exit 0
    ;;
primary)
    # Opened by one before us that was ended, or by a person.
    ask_peers "$@"
    watch_as_primary "$@"
    exit 0
    ;;
esac
[ -z "$(says "$own" | word Master_Host)" ] || not_back "it follows, and not by GTID or not alone" "SHOW ALL SLAVES STATUS"
ask_twice "$@"
[ -z "$leaders" ] || follow
[ -z "$unsure" ] || not_back "nobody is known to be primary, and these may be: $unsure" "$again"
take_writes "$@"

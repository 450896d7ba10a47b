# postgres_rejoin.sh - starts PostgreSQL on the host of a former primary, as a replica where there is a new one.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Without single quotes, for it is quoted several times over on its way to the host.
#   sh -c TEXT rejoin PORT CONFIG LOGIN WATCH START PEER...
# Never a second primary: it is started as one only where every peer says that it is none and becomes none.
# WATCH: for so many seconds it goes on looking, once it has started one as a primary.
# START empty: changes nothing, and says whether all that it would need is there.
port=$1 config=$2 login=$3 watch=$4 start=$5
shift 5
unset FD_DIR FD_ID FD_PEER FD_PORT FD_LEASE
path=$PATH
quote=$(printf "\047")

# stay_down REASON WHAT_TO_DO: in one line, for its end is what is read far away.
stay_down() {
    if [ -n "$start" ]; then echo "PostgreSQL stays stopped: $1; by hand: $2"; else echo "$1: $2"; fi
    exit 1
}
again="once every peer answers, sh /run/faildrill/undo or faildrill undo"

# value_of WORD: what the configuration says; nothing where it does not.
value_of() {
    sed -n "s/^[[:space:]]*$1[[:space:]]*=\{0,1\}[[:space:]]*//p" "$config" | tail -n 1 |
        sed "s/^$quote\([^$quote]*\)$quote.*/\1/; s/[[:space:]]*#.*//"
}

# As whom the data belongs to, at home there, for that is where its .pgpass is.
as() {
    if [ "$(id -u)" -ne 0 ] || [ "$owner" = root ]; then "$@"; else
        setpriv --reuid="$owner" --regid="$group" --init-groups \
            env HOME="$(getent passwd "$owner" | cut -d: -f6)" PATH="$PATH" "$@"
    fi
}

uptime_s() {
    read -r up _ </proc/uptime
    echo "${up%.*}"
}

sql() {
    as timeout 4 psql -XAtqw -F " " -d "host=$1 port=$port connect_timeout=2 $login" -c "$2" 2>/dev/null
}

# One line a peer: "primary TIMELINE IDENTITY ADDRESS" (hexadecimal, eight digits), "replica ADDRESS", "promoted
# ADDRESS" for one that is told to be, "silent ADDRESS" for one that gives no answer, as where it is about to be: to go
# on with a replay that nobody paused changes nothing, and is an error in the midst of a promotion.
look_at() {
    sql "$1" "select case when not pg_is_in_recovery() then \$\$primary \$\$ || left(pg_walfile_name(
        pg_current_wal_lsn()), 8) || \$\$ \$\$ || (select system_identifier from pg_control_system())
        when (pg_stat_file(\$\$promote\$\$, true)).size is not null then \$\$promoted\$\$
        when pg_is_wal_replay_paused() then \$\$replica\$\$
        else \$\$replica\$\$ || pg_wal_replay_resume()::text end" |
        {
            read -r line && [ -n "$line" ] || line=silent
            echo "$line $1"
        }
}

# Sets primary, timeline and identity of the primary (empty: none), and unsure: who may be one, or become it.
ask_peers() {
    said=$(for peer; do look_at "$peer" & done; wait)
    read -r _ timeline identity primary <<END
$(echo "$said" | grep "^primary")
END
    primaries=$(echo "$said" | sed -n "s/^primary.* //p" | tr "\n" " ")
    unsure=$(echo "$said" | sed -n "s/^\(silent\|promoted\) //p" | tr "\n" " ")
}

control() {
    as env LC_ALL=C pg_controldata -D "$data" | sed -n "s/^$1:[[:space:]]*//p"
}

# The control file of the new primary has its timeline only after a checkpoint, and pg_rewind looks there.
await_checkpoint() {
    end=$(($(uptime_s) + 40))
    until [ "$(sql "$primary" "select (select timeline_id from pg_control_checkpoint()) =
        (\$\$x\$\$ || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int")" = t ]; do
        [ "$(uptime_s)" -lt "$end" ] ||
            stay_down "$primary has made no checkpoint since it is the primary" "CHECKPOINT there; $again"
        sql "$primary" "checkpoint" || sleep 0.5
    done
}

rewound() {
    tail -n 1 "$mark" 2>/dev/null
}

# rewind WORD...: ended in its midst it ruins the data, so it outlives whoever began it, and our time. The mark has
# what it says and then how it ended; as long as it runs, it holds the lock.
rewind() {
    source="host=$primary port=$port connect_timeout=5 $login"
    case $(rewound) in
    rewound | failed) ;;
    *)
        as env LC_ALL=C setsid sh -c "\"\$@\"; [ \$? -ne 0 ] && echo failed || echo rewound" rewind \
            pg_rewind "$@" -D "$data" --source-server="$source" >"$mark" 2>&1 </dev/null &
        until [ "$(rewound)" = rewound ] || [ "$(rewound)" = failed ]; do
            [ "$(uptime_s)" -lt "$until_s" ] || stay_down "pg_rewind still runs" "$wait"
            sleep 0.2
        done
        ;;
    esac
    [ "$(rewound)" = failed ] || return 0
    why=$(sed "\$d" "$mark" | grep -v "^pg_rewind: [a-z]* *:\{0,1\} *$" | tail -n 1)
    : >"$mark" # the next one tries again
    stay_down "pg_rewind from $primary: $why" "$copy"
}

begin() {
    PATH=$path
    exec sh -c "$start" 8<&-
}

rejoin() {
    [ "$primaries" = "$primary " ] || stay_down "more than one is primary: $primaries" "stop the wrong one; $again"
    own=$(control "Latest checkpoint.s TimeLineID")
    [ "$identity" = "$(control "Database system identifier")" ] ||
        stay_down "$primary is a primary, and of another database system" "see who it is"
    [ -e "$mark" ] || [ "$((0x$timeline))" -gt "${own:-0}" ] ||
        stay_down "$primary is primary on timeline $((0x$timeline)), and this host was on $own" "see who is right; $copy"
    case "$(control "wal_log_hints setting") $(control "Data page checksum version")" in
    "off 0") stay_down "pg_rewind wants wal_log_hints or checksums" "$copy" ;;
    esac
    await_checkpoint
    upstream=$(as postgres -D "$data" -c config_file="$config" -C primary_conninfo 2>/dev/null)
    case " $upstream " in
    *[!0-9A-Za-z.:_-]"$primary"[!0-9A-Za-z.:_-]* | *[@/]"$primary":[0-9]*) ;; # whole, not as the head of another
    *) upstream="${upstream:-$login} host=$primary port=$port" ;;
    esac
    ! pg_rewind --help | grep -q config-file || set -- --config-file="$config"
    [ -e "$mark" ] || : >"$mark" || stay_down "$mark cannot be written" "make room"
    rewind "$@"
    upstream=$(echo "$upstream" | sed "s/$quote/$quote$quote/g")
    if ! as touch "$data/standby.signal" ||
        ! echo "primary_conninfo = $quote$upstream$quote" | as tee -a "$data/postgresql.auto.conf" >/dev/null; then
        stay_down "its data cannot be written" "make room"
    fi
    rm -f "$mark"
    echo "PostgreSQL is started as a replica of $primary, rewound"
}

data=$(value_of data_directory)
data=${data:-${config%/*}}
data=${data%/}
mark=$data.rewinding
until_s=$(($(uptime_s) + 70)) # of the 80 s that postgres_rejoin.c gives
wait="let it end, and start nothing; then sh /run/faildrill/undo or faildrill undo"
copy="make it anew: move $data away, pg_basebackup -R -h PRIMARY -D $data, start it"
version=$(cat "$data/PG_VERSION" 2>/dev/null) ||
    stay_down "there is no $data/PG_VERSION" "\`config:\` names the file that says where the data is"
case $version in # another user writes it, and it becomes part of root's PATH
'' | *[!0-9.]*) stay_down "$data/PG_VERSION is no version" "look at $data: PostgreSQL writes a number there" ;;
esac
PATH=/usr/lib/postgresql/$version/bin:/usr/pgsql-$version/bin:$PATH
owner=$(stat -c %U "$data") group=$(stat -c %G "$data")
cd /

# Two looks: one that was promoted says so only when it has replayed what it has. Whoever is silent may be a primary.
ask_twice() {
    for tool in psql pg_controldata pg_rewind flock setsid; do
        command -v "$tool" >/dev/null || stay_down "there is no $tool here" "install it"
    done
    ask_peers "$@"
    [ -z "$primary" ] && [ -n "$start" ] && [ $# -gt 0 ] || return 0
    sleep 2
    ask_peers "$@"
}

if [ -z "$start" ]; then
    [ ! -e "$mark" ] || stay_down "$mark says that it was rewound by half" "$copy; or remove the mark"
    [ ! -e "$data/standby.signal" ] || exit 0
    ask_twice "$@"
    [ -z "$unsure" ] ||
        stay_down "$unsure: no answer to $owner of this host with \`$login\`" "mend \`rewind:\`, or its rights"
    case "$(control "wal_log_hints setting") $(control "Data page checksum version")" in
    "off 0") stay_down "pg_rewind wants wal_log_hints or checksums" "turn it on, or undo: {leave: stopped}" ;;
    esac
    exit 0
fi

# One at a time, whoever called it and is gone.
exec 8<"$data"
if ! flock -n 8; then
    [ ! -e "$mark" ] || stay_down "pg_rewind still runs" "$wait"
    stay_down "it is being started or rewound by another" "wait"
fi

# Somebody has started it: it is left to itself, whatever it is.
pid=$(sed -n 1p "$data/postmaster.pid" 2>/dev/null)
case $pid in
"" | *[!0-9]*) ;;
*)
    # shellcheck disable=SC3013
    if [ "/proc/$pid/cwd" -ef "$data" ]; then begin; fi
    rm -f "$data/postmaster.pid"
    ;;
esac
if [ -e "$data/standby.signal" ] && [ ! -e "$mark" ]; then
    echo "PostgreSQL is started as it is, a replica"
    begin
fi

ask_twice "$@"
if [ -n "$primary" ]; then
    rejoin
    begin
fi
[ ! -e "$mark" ] || stay_down "it was rewound by half, and there is no primary to go on with" "$again"
[ -z "$unsure" ] || stay_down "nobody is known to be primary, and these may be: $unsure" "$again"
echo "PostgreSQL is started as it is, a primary: every other host is a replica"
(begin) || exit
# Whoever was being promoted all the same is the primary, and this one goes at once; so it does where it cannot tell.
until=$(($(uptime_s) + watch))
while [ $# -gt 0 ]; do
    ask_peers "$@"
    [ -z "$primary" ] || break
    [ "$(uptime_s)" -lt "$until" ] || [ -n "$unsure" ] || exit 0
    [ "$(uptime_s)" -lt "$((until + 3))" ] || break
    sleep 0.5
done
[ $# -gt 0 ] || exit 0
as pg_ctl -D "$data" -m immediate stop
[ -n "$primary" ] || stay_down "these may be primary all the same: $unsure" "$again"
rejoin
begin

# mariadb_rejoin.sh - starts MariaDB on the host of a former primary, as a replica where there is a new one.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Without single quotes, for it is quoted several times over on its way to the host.
#   sh -c TEXT rejoin ADDRESS PORT OPTION_FILE START PEER...
own=$1 port=$2 file=$3 start=$4
shift 4
unset FD_DIR FD_ID FD_PEER FD_PORT FD_LEASE

# sql HOST TEXT [OPTION]: as the option file says; nothing of it stands in a command line.
sql() {
    timeout 5 mariadb --defaults-extra-file="$file" --protocol=tcp --connect-timeout=2 -h "$1" -P "$port" \
        -B "${3---skip-column-names}" -e "$2" 2>/dev/null
}

# value_of WORD: of the group [replication].
value_of() {
    sed -n "/^\[replication\]/,/^\[/s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*//p" "$file" |
        tail -n 1 | sed "s/[[:space:]]*\$//; s/^\"\(.*\)\"\$/\1/"
}

# In double quotes, as SQL has them.
quoted() {
    printf "\"%s\"" "$(printf "%s" "$1" | sed "s/[\\\\\"]/\\\\&/g")"
}

uptime_s() {
    read -r up _ </proc/uptime
    echo "${up%.*}"
}

# Sets primary: who takes writes and follows nobody; orphans: who still follows us; silent.
ask_peers() {
    primary="" orphans=0 silent=0 count=$#
    for peer; do
        said=$(sql "$peer" "select concat(\"ro=\", @@global.read_only); show slave status\G" --column-names) || {
            silent=$((silent + 1))
            continue
        }
        source=$(echo "$said" | sed -n "s/^ *Master_Host: //p")
        case $said in *ro=0* | *ro=OFF*) [ -n "$source" ] || primary=$peer ;; esac
        [ "$source" != "$own" ] || orphans=$((orphans + 1))
    done
}

follow() {
    sql "$own" "set sql_mode = \"\"; set global read_only = 1; stop slave;
        set global gtid_slave_pos = @@global.gtid_current_pos;
        change master to master_host = \"$primary\", master_port = $port, master_use_gtid = slave_pos,
        master_connect_retry = 1, master_user = $(quoted "$(value_of user)"), master_password = $(quoted "$(value_of password)");
        start slave"
}

if [ ! -r "$file" ] || ! command -v mariadb >/dev/null; then
    echo "MariaDB is started as it is: there is no mariadb client here, or no $file for it"
    exec sh -c "$start"
fi
sh -c "$start" || exit
until=$(($(uptime_s) + 40))
until sql "$own" "select 1" >/dev/null; do
    [ "$(uptime_s)" -lt "$until" ] || {
        echo "MariaDB on $own does not answer in 40 s: nobody told it whom to follow"
        exit 0
    }
    sleep 0.1
done
ask_peers "$@"
if [ -n "$primary" ]; then
    if follow; then echo "MariaDB follows $primary"; else echo "MariaDB on $own could not be told to follow $primary"; fi
elif [ "$orphans" -eq "$count" ] && [ -z "$(sql "$own" "show slave status")" ]; then
    sql "$own" "set global read_only = 0" # they all still follow it: it is what it was
    echo "MariaDB takes writes again: all others follow it"
else
    echo "MariaDB stays as it was started: $silent of $count others are silent, and nobody takes writes"
fi
exit 0

# holder_sql.sh - the host's own PostgreSQL, asked by psql as the user that it runs as.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015,SC2034
# Stands behind holder.sh; functions only. `port` and `database` say which. Where the file `server`
# names one (pid, start time, cluster), no other is asked: a cluster is known by the first bytes of
# its pg_control, its system identifier, and so is the same one after a restart.

# sql_look PID: whether this is a server of ours with the port, run by the user to whom its data
# belongs. A program in somebody else's folder would choose as whom our psql runs; and root runs no
# PostgreSQL. Sets `server_born`, `cluster`, `socket` and `owner`.
sql_look() {
    cwd=/proc/$1/cwd
    [ -f "$cwd/postmaster.pid" ] && [ -f "$cwd/global/pg_control" ] &&
        [ "/proc/$1/ns/net" -ef /proc/self/ns/net ] || return 1
    {
        read -r its_pid && read -r _ && read -r _ && read -r its_port && read -r socket &&
            read -r listens
    } 2>/dev/null <"$cwd/postmaster.pid" || return 1
    [ "$its_pid" = "$1" ] && [ "$its_port" = "$port" ] && look_at "$1" || return 1
    server_born=$born
    runs_as=$(awk '$1 == "Uid:" && $2 == $3 && $2 == $4 && $2 == $5 { print $2 }' "/proc/$1/status")
    owner=$(stat -L -c %U "$cwd")
    if [ "${runs_as:-0}" -eq 0 ] || [ "$runs_as" != "$(stat -L -c %u "$cwd")" ]; then
        sql_why="process $1 has port $port, but runs as another user than $owner, whose data it has"
        return 1
    fi
    case $socket,$listens in
    ?*,*) ;;
    , | ,'*' | ,0.0.0.0 | ,::) socket=localhost ;;
    *) socket=$listens ;;
    esac
    cluster=$(od -A n -t x1 -N 8 "$cwd/global/pg_control" | tr -dc '0-9a-f')
    [ ${#cluster} -eq 16 ]
}

# Sets `server`, `psql` and `home` as well. 1: there is none. 2: that cannot be told. `sql_why` says
# more.
sql_server() {
    server='' noted='' sql_said=complaint.$verb
    sql_why="no PostgreSQL of this host has port $port"
    [ ! -e server ] || read -r noted noted_born noted_cluster <server
    if [ -n "$noted" ] && alive "$noted" "$noted_born"; then
        sql_why="the PostgreSQL on port $port, process $noted, is coming up or going down"
        sql_look "$noted" || return 2
        server=$noted
    else
        sql_find || return
    fi
    program=$(readlink "/proc/$server/exe")
    psql=${program%/*}/psql
    [ -x "$psql" ] || psql=$(command -v psql)
    home=$(getent passwd "$owner" | cut -d: -f6)
}

# Of all processes. Two that say that they have the port may be right, at an address each.
sql_find() {
    for entry in $(grep -lxE 'postgres|postmaster' /proc/[0-9]*/comm 2>/dev/null); do
        entry=${entry%/comm}
        sql_look "${entry#/proc/}" || continue
        if [ -n "$noted" ] && [ "$cluster" != "$noted_cluster" ]; then
            sql_why="the PostgreSQL that has port $port now is another than it was"
        elif [ -n "$server" ]; then
            sql_why="processes $server and ${entry#/proc/} both say that they have port $port"
            return 2
        else
            server=${entry#/proc/}
        fi
    done
    [ -n "$server" ] || return 1
    sql_look "$server" || return 2
}

sql_must_run() {
    sql_server || hold_fail "$sql_why"
    [ -n "$psql" ] || hold_fail "there is no psql here (apt-get install postgresql-client)"
}

# Whom we have asked is the one to be asked.
sql_note() {
    echo "$server $server_born $cluster" >server || exit 1
}

# sql_psql NAME LIMIT_MS SETTINGS WORD...: in place of the shell that calls it, with nothing of our
# environment that would lead it elsewhere. The server itself ends what lasts longer than the limit,
# also where nobody here is left. No answer fills /run.
sql_psql() {
    cd / && ulimit -f 2048 || exit 1
    called=$1
    limits="-c statement_timeout=$2 -c lock_timeout=$2 -c idle_in_transaction_session_timeout=$2"
    limits="$limits -c synchronous_commit=local $3"
    [ -z "${sql_bare:-}" ] || limits=''
    shift 3
    set -- "$psql" -XAtqw -F ' ' -v ON_ERROR_STOP=1 -h "$socket" -p "$port" -d "$database" "$@"
    set -- env -i PATH="$PATH" HOME="$home" LC_ALL=C ${FD_HELD:+FD_HELD="$FD_HELD"} \
        PGAPPNAME="$called" PGCONNECT_TIMEOUT=5 PGREQUIREPEER="$owner" PGOPTIONS="$limits" "$@"
    [ -z "${sql_within:-}" ] || set -- timeout "$sql_within" "$@"
    if [ "$(id -u)" -eq 0 ]; then
        set -- setpriv --reuid="$owner" --regid="$(id -g "$owner")" --init-groups "$@"
    fi
    exec "$@"
}

# sql_ask NAME TEXT: sets `answer`, what the server says in one line of plain words; false where it
# says nothing, or more. What it complains of goes to the file `sql_said`.
sql_ask() {
    answer=$(sql_within=15 sql_psql "$1" 5000 '-c search_path=pg_catalog' -c "$2" </dev/null 2>"$sql_said" \
        5<&- 8<&- | head -c 400)
    case $answer in '' | *[!0-9a-z" "]*) return 1 ;; esac
}

# Behind a question without an answer: nobody gets in as we would, now and before.
sql_is_shut() {
    [ -z "$psql" ] ||
        grep -qE 'FATAL:.*(does not exist|authentication failed|no pg_hba.conf entry)' "$sql_said"
}

# sql_complaint [FILE]: the last that psql, or the server by it, complained of there.
sql_complaint() {
    complaint=$(sed -n 's/.*\(ERROR\|FATAL\): *//p; t
        /[Ee]rror/p' "${1:-$sql_said}" | tail -n 1)
    [ -n "$complaint" ] || complaint=$(tail -n 1 "${1:-$sql_said}")
    echo "${complaint:-psql says nothing}"
}

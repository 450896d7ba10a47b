# holder_sql.sh - the host's own PostgreSQL, asked by psql as the user to whom its data belongs.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015,SC2034
# Stands behind holder.sh; functions only. `port` and `database` say which.

# Sets `socket`, `owner`, `owner_group` and `psql` of the server that has the port; false: there is none.
sql_server() {
    for entry in /proc/[0-9]*; do
        read -r comm 2>/dev/null <"$entry/comm" || continue
        case $comm in postgres | postmaster) ;; *) continue ;; esac
        {
            read -r pid && read -r _ && read -r _ && read -r its_port && read -r socket
        } 2>/dev/null <"$entry/cwd/postmaster.pid" || continue
        [ "$pid" = "${entry#/proc/}" ] && [ "$its_port" = "$port" ] || continue
        owner=$(stat -L -c %U "$entry/cwd") && owner_group=$(stat -L -c %G "$entry/cwd") || continue
        program=$(readlink "$entry/exe")
        psql=${program%/*}/psql
        [ -x "$psql" ] || psql=$(command -v psql)
        [ -n "$socket" ] || socket=localhost
        return 0
    done
    return 1
}

sql_must_run() {
    sql_server || hold_fail "no PostgreSQL of this host has port $port"
    [ -n "$psql" ] || hold_fail "there is no psql here (apt-get install postgresql-client)"
}

# sql_psql NAME LIMIT_MS WORD...: in place of the shell that calls it. The server itself ends what
# lasts longer than the limit, also where nobody here is left.
sql_psql() {
    cd / || exit 1
    called=$1
    limits="-c statement_timeout=$2 -c lock_timeout=$2 -c idle_in_transaction_session_timeout=$2"
    shift 2
    set -- "$psql" -XAtqw -F ' ' -v ON_ERROR_STOP=1 -h "$socket" -p "$port" -d "$database" "$@"
    set -- env HOME="$(getent passwd "$owner" | cut -d: -f6)" PGAPPNAME="$called" LC_ALL=C \
        PGCONNECT_TIMEOUT=5 PGOPTIONS="$limits -c synchronous_commit=local" "$@"
    if [ "$(id -u)" -eq 0 ] && [ "$owner" != root ]; then
        set -- setpriv --reuid="$owner" --regid="$owner_group" --init-groups "$@"
    fi
    exec "$@"
}

# sql_ask NAME TEXT: what the server answers; what it complains of goes to `complaint`.
sql_ask() {
    (sql_psql "$1" 5000 -c "$2") </dev/null 2>complaint 5<&- 8<&-
}

# Behind a question without an answer: nobody gets in as we would, now and before.
sql_is_shut() {
    [ -z "$psql" ] ||
        grep -qE 'FATAL:.*(does not exist|authentication failed|no pg_hba.conf entry)' complaint
}

# sql_complaint FILE: the last that psql, or the server by it, complained of there.
sql_complaint() {
    complaint=$(sed -n 's/.*\(ERROR\|FATAL\): *//p; t
        /[Ee]rror/p' "$1" | tail -n 1)
    [ -n "$complaint" ] || complaint=$(tail -n 1 "$1")
    echo "$complaint"
}

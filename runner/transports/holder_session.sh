# holder_session.sh - ends the sessions of the host's own PostgreSQL or Redis, once, and counts them.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015,SC2034
# Stands behind holder.sh, holder_sql.sh and holder_redis.sh, which calls session_VERB; functions
# only. `killed` names those that were ended, a line each that no other session ever has: pid and
# start, in Redis the id. Never our own, and those of replicas only where `replication` says so.

# All words of a scenario that stand here are checked: no quote and no backslash is in them.
session_where() {
    where="pid <> pg_backend_pid() and coalesce(application_name, '') !~ '^(faildrill|fd_)'"
    if [ -n "$replication" ]; then
        where="$where and backend_type in ('client backend', 'walsender')"
    else
        where="$where and backend_type = 'client backend'"
    fi
    [ -z "$user" ] || where="$where and usename = '$user'"
    [ -z "$application" ] || where="$where and application_name = '$application'"
    [ -z "$of" ] || where="$where and datname = '$of'"
    [ -z "$client" ] || where="$where and client_addr = '$client'"
}

# session_sql OUTER: a line for each session. Whoever is ended is chosen first, as a whole.
session_sql() {
    session_where
    (sql_psql faildrill 5000 '-c search_path=pg_catalog' -c "with those as materialized (
            select pid, (extract(epoch from backend_start) * 1000000)::bigint as born
            from pg_stat_activity where $where)
        select pid, born from those $1" </dev/null 2>"$sql_said" 5<&- 8<&-)
}

# The fields of a line stand in any order. Flags: S a replica, M a primary. A name has no blanks. We
# are the one whose id the first line is; a Redis before 5 knows it not, and cmd is all there is. The
# runner calls itself faildrill, once its first words are read; only where none of a user does, as one that may not, the
# address alone says who it is.
session_redis() {
    printf 'client id\nclient list\n' | redis_ask | awk -v user="$user" -v name="$application" -v from="$client" \
        -v peer="${FD_PEER:-}" -v replication="$replication" '
        function field(key) { return substr($0, match($0, "(^| )" key "=") ? RSTART + RLENGTH : 1e6) }
        function word(key, text) { text = field(key); sub(/ .*/, "", text); return text }
        NR == 1 && /^[0-9]+$/ { own = $0 }
        /^id=/ {
            who = word("user")
            if (word("name") ~ /^faildrill/) { known[who] = 1; next }
            at = word("addr"); sub(/:[0-9]+$/, "", at); gsub(/[][]/, "", at)
            if (user != "" && who != user) next
            if (name != "" && word("name") != name) next
            if (from != "" && at != from) next
            if (own != "" ? word("id") == own : word("cmd") ~ /^client/) next
            if (replication == "" && word("flags") ~ /[SM]/) next
            doubt = from == "" && at == peer && word("name") == ""
            if (doubt && word("age") == "0") next
            maybe[word("id")] = doubt
            whose[word("id")] = who
        }
        END { for (id in maybe) if (!maybe[id] || known[whose[id]]) print id }'
}

# Who is there now, into the file $1.
session_list() {
    if [ -n "$config" ]; then
        session_redis >"$1" && [ -s "$1" ] || [ "$(redis_ask ping </dev/null)" = PONG ]
    else
        session_sql >"$1"
    fi
}

session_must_run() {
    if [ -n "$config" ]; then redis_must_run; else sql_must_run; fi
}

session_check() {
    session_must_run
    session_list there ||
        hold_fail "they cannot be listed: $(session_complaint)"
    [ -s there ] || hold_fail "there is no such session"
}

session_complaint() {
    if [ -n "$config" ]; then echo "${redis_why:-}"; else sql_complaint; fi
}

session_end() {
    if [ -n "$config" ]; then
        session_redis >chosen
        sed 's/^/client kill id /' chosen | redis_ask >ended
        paste -d' ' ended chosen | sed -n 's/^1 //p' >killed.new
    else
        session_sql 'where pg_terminate_backend(pid)' >killed.new ||
            hold_fail "they cannot be ended: $(sql_complaint)"
    fi
}

# Exit status as of a look. Whoever came since is somebody else.
session_left() {
    session_list there || { session_complaint; exit 125; }
    left=$(grep -cxFf killed there)
    [ "$left" -eq 0 ] || echo "$left of $(wc -l <killed) sessions are still there"
    [ "$left" -eq 0 ]
}

session_take() {
    session_must_run
    session_end
    [ -s killed.new ] || hold_fail "there was no such session"
    mv killed.new killed
    tries=100
    until session_left >/dev/null; do
        [ "$tries" -gt 0 ] || session_left || exit 1
        tries=$((tries - 1))
        nap 0.05
    done
}

session_held() {
    [ -s killed ] || hold_fail "no session was ended"
    session_must_run
    session_left
}

session_freed() {
    [ ! -s killed ] || echo "note: $(wc -l <killed) sessions were ended"
}

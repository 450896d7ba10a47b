# holder_sessions.sh - holds sessions of the host's own PostgreSQL until others find no connection.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015,SC2034
# Stands behind holder_exhaust.sh, holder_row.sh and holder_sql.sh; functions only. Each session is a
# psql that waits for its next line, from a pipe that nobody but the holder could write to: it ends
# when that does. To the server they are "fd_ID hold". Connections that are reserved for
# administrators stay free, also for those who look.

sessions_batch=20 # sessions that come between two looks at how many are left
sessions_least=2  # reserved ones: two may look at the same time

# Sets `mine`, `free` (for who has no reserved one), `reserved`, `super` and `most`.
sessions_look() {
    sql_ask faildrill "select count(*) filter (where application_name = 'fd_$FD_ID hold'),
            greatest(0, current_setting('max_connections')::int - count(*) -
                current_setting('superuser_reserved_connections')::int -
                coalesce(current_setting('reserved_connections', true)::int, 0)),
            current_setting('superuser_reserved_connections'), current_setting('is_superuser'),
            current_setting('max_connections')
        from pg_stat_activity where pid <> pg_backend_pid() and (backend_type = 'client backend' or
            (backend_type = 'walsender' and current_setting('server_version_num')::int < 120000))" ||
        return 1
    read -r mine free reserved super most <<END
$answer
END
}

sessions_room() {
    sessions_look || hold_fail "PostgreSQL gives $owner of this host no answer: $(sql_complaint)"
}

sessions_check() {
    :
}

sessions_size() {
    sql_must_run
    sessions_room
    [ "$super" = on ] || hold_fail "$owner is no superuser, so nobody could look once they are used up"
    [ "$reserved" -ge "$sessions_least" ] ||
        hold_fail "superuser_reserved_connections is $reserved: $sessions_least are the least"
    [ "$free" -gt 0 ] || hold_fail "no connection of $most is left for others already"
    want=$count
    [ "$want" -le "$free" ] || want=$free
    memory_look
    [ $((available - want * 8192)) -ge "$memory_least" ] ||
        hold_fail "$want sessions would take too much of $((available / 1024)) MiB of memory"
}

# Fewer at a time the fewer are left, for others come as well meanwhile.
sessions_open() {
    while [ "$sessions_held" -lt "$due" ] && [ "$free" -gt 0 ]; do
        batch=$(((free + 1) / 2))
        [ "$batch" -le "$sessions_batch" ] || batch=$sessions_batch
        [ "$batch" -le $((due - sessions_held)) ] || batch=$((due - sessions_held))
        while [ "$batch" -gt 0 ]; do
            (sql_psql "fd_$FD_ID hold" "$sessions_limit" '') <&8 >/dev/null 2>>log.hold 5<&- 8<&- &
            hold_add $!
            sessions_held=$((sessions_held + 1)) batch=$((batch - 1))
            hold_may || exit 0
        done
        sessions_stand
    done
    echo "$sessions_held" >opened.new && mv opened.new opened
    look_at_clock
    sessions_looked=$now
}

# All that came are there, none of them is only on its way.
sessions_stand() {
    tries=300 mine=0
    until sessions_look && [ "$mine" -ge "$sessions_held" ]; do
        row_whole || row_lost
        hold_may || exit 0
        [ "$tries" -gt 0 ] || hold_fail "$mine of $sessions_held sessions are there"
        tries=$((tries - 1))
        hold_nap 0.1
    done
}

sessions_take() {
    sessions_limit=$(((FD_UNTIL - now) * 10 + 5000)) sessions_held=0
    sql_note
    exhaust_wait
    look_at_clock
    exhaust_since=$now
    exhaust_due
    sessions_open
    [ "$sessions_held" -gt 0 ] || hold_fail "no connection was left"
}

# Behind hold_may, which has set now. Whoever gives one back while they are used up gives it to us.
sessions_keep() {
    row_whole || row_lost
    exhaust_due
    [ "$sessions_held" -lt "$due" ] && [ $((now - sessions_looked)) -ge 100 ] || return 0
    sessions_room
    [ "$mine" -ge "$sessions_held" ] || row_lost # it is not made up for: others had its place
    sessions_open
}

sessions_seen() {
    row_whole || row_lost
    sql_server
    [ $? -lt 2 ] || { echo "$sql_why"; exit 125; }
    [ -n "$server" ] && [ "$server" = "$noted" ] ||
        hold_fail "PostgreSQL was ended, and the sessions with it"
    sessions_look || { sql_complaint; exit 125; }
    read -r opened <opened
    [ "$mine" -ge "$opened" ] || hold_fail "$mine of $opened sessions are there$(row_reason)"
    echo "note: $mine sessions are held, $free connections of $most are left for others"
}

# A server that is gone took them along.
sessions_clean() {
    sql_server
    case $? in
    0) row_end || { row_not_sent && return 0 || exit 125; } ;;
    1) return 0 ;;
    *) exit 125 ;;
    esac
}

sessions_gone() {
    sql_server
    case $? in
    0) ;;
    1) return 0 ;;
    *) row_not_sent && return 0 || { echo "$sql_why"; exit 125; } ;;
    esac
    sql_ask faildrill "select count(*) from pg_stat_activity where application_name ~ '^fd_$FD_ID '" ||
        { row_not_sent && return 0 || { sql_complaint; exit 125; }; }
    [ "$answer" -eq 0 ] || hold_fail "$answer sessions of ours are left"
}

# holder_row.sh - holds the lock of a row in the host's own PostgreSQL, and sessions that wait for it.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015,SC2034
# Stands behind holder.sh, holder_exhaust.sh and holder_sql.sh; functions only. Each session is a
# psql; to the server they are "fd_ID lock" and "fd_ID wait". The one that has the lock reads from a
# pipe that nobody but the holder could write to: it ends when that does, and the server rolls back.
# Who waits gets the lock then, rolls back as well, and ends. The helper table is fd_ID, so no other
# run's, and nobody else's.

row_spare=5 # connections that stay for others

# row_count: how many of our sessions hold the lock, and how many wait for it. A lock of a row gives
# its transaction a number, which one that only reads has not.
row_count() {
    sql_ask faildrill "select count(*) filter (where application_name = 'fd_$FD_ID lock'
            and state = 'idle in transaction' and backend_xid is not null),
        count(*) filter (where application_name = 'fd_$FD_ID wait' and wait_event_type = 'Lock')
        from pg_stat_activity"
}

lock_row_size() {
    sql_must_run
    replica='' free=''
    read -r replica free most <<END
$(sql_ask faildrill "select pg_is_in_recovery(), current_setting('max_connections')::int -
    current_setting('superuser_reserved_connections')::int - count(*),
    current_setting('max_connections') from pg_stat_activity where backend_type = 'client backend'")
END
    [ -n "$free" ] || hold_fail "PostgreSQL gives $owner of this host no answer: $(sql_complaint complaint)"
    [ "$replica" = f ] ||
        hold_fail "this PostgreSQL is a replica, and has no locks of rows: say is: primary"
    [ $((free - waiters - 1)) -ge "$row_spare" ] ||
        hold_fail "$waiters sessions more would leave fewer than $row_spare of $most connections"
    memory_look
    [ $((available - (waiters + 1) * 8192)) -ge "$memory_least" ] ||
        hold_fail "$waiters sessions would take too much of $((available / 1024)) MiB of memory"
    # Where it goes through systemd, a dollar in it would be read as a variable.
    if [ "$verb" = check ]; then printf '%s\n' "$query" >query; fi
}

# row_session NAME WORD...: until the end of our time.
row_session() {
    called=$1
    shift
    sql_psql "fd_$FD_ID $called" "$row_limit" "$@"
}

row_lost() {
    hold_fail "a session of ours has ended: $(sql_complaint log.hold)"
}

# In a transaction of its own: it is there as a whole, or not at all.
row_make() {
    echo >made || exit 1
    sql_ask "fd_$FD_ID make" "create table public.fd_$FD_ID (id int primary key);
        comment on table public.fd_$FD_ID is 'faildrill: of a drill, gone with its end';
        insert into public.fd_$FD_ID values (1)" ||
        hold_fail "the helper table cannot be made: $(sql_complaint complaint)"
    query="select id from public.fd_$FD_ID where id = 1 for update"
}

# Its first statement may wait, for others who have the row; not for ever.
row_lock() {
    (row_session lock) <&8 >/dev/null 2>>log.hold 5<&- 8<&- &
    hold_add $!
    printf 'set lock_timeout = 10000;\nbegin;\n%s\n;\n' "$query" >&5
    tries=400
    while :; do
        case $(sql_ask faildrill "select case when backend_xid is not null then 'held'
                when query ~ '^(begin|set )' then 'begun' else 'nothing' end from pg_stat_activity
                where application_name = 'fd_$FD_ID lock' and state = 'idle in transaction'") in
        held) return 0 ;;
        nothing) hold_fail "the query locks no row: it finds none, or does not say for update" ;;
        esac
        hold_whole || row_lost
        hold_may || exit 0
        [ "$tries" -gt 0 ] || hold_fail "the query comes to no end"
        tries=$((tries - 1))
        hold_nap 0.05
    done
}

# row_wait COUNT: so many wait, none of them only on its way.
row_wait() {
    while [ "$row_waiters" -lt "$1" ]; do
        (row_session wait -c begin -c "$query" -c rollback) </dev/null >/dev/null 2>>log.hold \
            5<&- 8<&- &
        hold_add $!
        row_waiters=$((row_waiters + 1))
        hold_may || exit 0
    done
    tries=300
    until read -r _ row_waiting <<END && [ "${row_waiting:-0}" -ge "$row_waiters" ]
$(row_count)
END
    do
        hold_whole || row_lost
        hold_may || exit 0
        [ "$tries" -gt 0 ] || hold_fail "$row_waiting of $row_waiters sessions wait for the lock"
        tries=$((tries - 1))
        hold_nap 0.1
    done
    echo "$row_waiters" >waits.new && mv waits.new waits
}

lock_row_take() {
    row_limit=$(((FD_UNTIL - now) * 10 + 5000)) row_waiters=0
    query=$(cat query) && exhaust_wait && echo 0 >waits || exit 1
    [ -n "$query" ] || row_make
    row_lock
    look_at_clock
    row_since=$now
    [ "$ramp" -gt 0 ] || row_wait "$waiters"
}

# Behind hold_may, which has set now.
lock_row_keep() {
    hold_whole || row_lost
    due=$waiters passed=$((now - row_since))
    [ "$passed" -ge "$ramp" ] || due=$((waiters * (passed * steps / ramp) / steps))
    [ "$row_waiters" -ge "$due" ] || row_wait "$due"
}

# A server that is gone took the lock along; one that does not answer may have it still.
lock_row_seen() {
    hold_whole || hold_fail "a session of ours has ended: $(sql_complaint log.hold)"
    sql_server || hold_fail "PostgreSQL does not run any more, so nobody has the lock"
    held_now='' waiting_now=''
    read -r held_now waiting_now <<END
$(row_count)
END
    [ -n "$waiting_now" ] || { sql_complaint complaint; exit 125; }
    [ "$held_now" -eq 1 ] || hold_fail "nobody has the lock any more"
    read -r waiting <waits
    [ "$waiting_now" -ge "$waiting" ] ||
        hold_fail "$waiting_now of $waiting sessions wait for the lock"
}

row_left="the helper table public.fd_"

# No server, no session; and no table, where none was made.
row_is_gone_with_server() {
    [ -e made ] || return 0
    echo "PostgreSQL does not run: $row_left$FD_ID in $database may be left"
    exit 125
}

# Nothing says that a session was begun, and who begins one is not let in.
row_was_never() {
    [ ! -e made ] && [ ! -e held ] && sql_is_shut
}

lock_row_clean() {
    sql_server || { row_is_gone_with_server; return 0; }
    tries=40
    while :; do
        sessions=$(sql_ask faildrill "select count(pg_terminate_backend(pid)) from pg_stat_activity
            where application_name ~ '^fd_$FD_ID '") || {
            row_was_never && return 0
            hold_fail "$(sql_complaint complaint)"
        }
        [ "$sessions" -gt 0 ] || break
        [ "$tries" -gt 0 ] || hold_fail "$sessions sessions of ours do not end"
        tries=$((tries - 1))
        nap 0.1
    done
    [ -e made ] || return 0
    sql_ask faildrill "set client_min_messages = error; drop table if exists public.fd_$FD_ID" ||
        hold_fail "$row_left$FD_ID in $database is left: $(sql_complaint complaint)"
}

lock_row_gone() {
    sql_server || { row_is_gone_with_server; return 0; }
    sessions='' table=''
    read -r sessions table <<END
$(sql_ask faildrill "select count(*), to_regclass('public.fd_$FD_ID') is not null
    from pg_stat_activity where application_name ~ '^fd_$FD_ID '")
END
    if [ -z "$table" ]; then
        row_was_never && return 0
        sql_complaint complaint
        exit 125
    fi
    [ "$sessions" -eq 0 ] || hold_fail "$sessions sessions of ours are left"
    [ "$table" = f ] || hold_fail "$row_left$FD_ID in $database is left"
}

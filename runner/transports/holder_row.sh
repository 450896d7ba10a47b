# holder_row.sh - holds the lock of a row in the host's own PostgreSQL, and sessions that wait for it.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015,SC2034
# Stands behind holder.sh, holder_exhaust.sh and holder_sql.sh; functions only. Each session is a
# psql; to the server they are "fd_ID lock" and "fd_ID wait". The one that has the lock reads from a
# pipe that nobody but the holder could write to: it ends when that does, and the server rolls back.
# Who waits gets the lock then, rolls back as well, and ends. The helper table is fd_ID, so no other
# run's, and nobody else's; it alone outlives a server. It is unlogged: no subscriber and no standby
# gets its rows.

row_spare=5  # connections that stay for others
row_batch=20 # sessions that come between two looks at how many stay

# row_count: how many of our sessions hold the lock, and how many wait for it. A lock of a row gives
# its transaction a number, which one that only reads has not.
row_count() {
    sql_ask faildrill "select count(*) filter (where application_name = 'fd_$FD_ID lock'
            and state = 'idle in transaction' and backend_xid is not null),
        count(*) filter (where application_name = 'fd_$FD_ID wait' and wait_event_type = 'Lock')
        from pg_stat_activity"
}

# row_room COUNT: so many connections more leave enough to others, and the reserved ones alone.
row_room() {
    replica='' free=''
    sql_ask faildrill "select pg_is_in_recovery(), greatest(0, current_setting('max_connections')::int -
            current_setting('superuser_reserved_connections')::int -
            coalesce(current_setting('reserved_connections', true)::int, 0) - count(*)),
            current_setting('max_connections')
        from pg_stat_activity where backend_type in ('client backend', 'walsender')" ||
        hold_fail "PostgreSQL gives $owner of this host no answer: $(sql_complaint)"
    read -r replica free most <<END
$answer
END
    [ "$replica" = f ] ||
        hold_fail "this PostgreSQL is a replica, and has no locks of rows: say is: primary"
    [ $((free - $1)) -ge "$row_spare" ] ||
        hold_fail "$1 sessions more would leave fewer than $row_spare of $most connections"
}

lock_row_size() {
    sql_must_run
    row_room $((waiters + 1))
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
    sql_psql "fd_$FD_ID $called" "$row_limit" '' "$@"
}

# hold_whole for hundreds: by one process, however many they are.
row_whole() {
    awk '{
        file = "/proc/" $1 "/stat"
        if ((getline stat <file) <= 0) { gone = 1; exit }
        close(file)
        sub(/^.*\) /, "", stat)
        split(stat, field, " ")
        if (field[20] != $2 || field[1] ~ /[ZX]/) { gone = 1; exit }
    } END { exit gone }' held
}

# What the holder said as it gave up, behind a look that came before it was gone.
row_reason() {
    said=$(tail -n 1 log.hold)
    echo "${said:+: $said}"
}

row_lost() {
    hold_fail "a session of ours has ended: $(sql_complaint log.hold)"
}

# In a transaction of its own: it is there as a whole, or not at all.
row_make() {
    row_made=1
    echo >made || exit 1
    sql_ask "fd_$FD_ID make" "create unlogged table public.fd_$FD_ID (id int primary key);
        comment on table public.fd_$FD_ID is 'faildrill: of a drill, gone with its end';
        insert into public.fd_$FD_ID values (1); select 'made'" ||
        hold_fail "the helper table cannot be made: $(sql_complaint)"
    query="select id from public.fd_$FD_ID where id = 1 for update"
}

# Its first statement may wait, for others who have the row; not for ever.
row_lock() {
    (row_session lock) <&8 >/dev/null 2>>log.hold 5<&- 8<&- &
    hold_add $!
    printf 'set lock_timeout = 10000;\nbegin;\n%s\n;\n' "$query" >&5
    tries=400
    while :; do
        sql_ask faildrill "select case when backend_xid is not null then 'held'
                when query ~ '^(begin|set )' then 'begun' else 'nothing' end from pg_stat_activity
                where application_name = 'fd_$FD_ID lock' and state = 'idle in transaction'"
        case $answer in
        held) return 0 ;;
        nothing) hold_fail "the query locks no row: it finds none, or does not say for update" ;;
        esac
        row_whole || row_lost
        hold_may || exit 0
        [ "$tries" -gt 0 ] || hold_fail "the query comes to no end"
        tries=$((tries - 1))
        hold_nap 0.05
    done
}

# All that came wait, none of them is only on its way.
row_all_wait() {
    tries=300 row_waiting=0
    until row_count && row_waiting=${answer#* } && [ "$row_waiting" -ge "$row_waiters" ]; do
        row_whole || row_lost
        hold_may || exit 0
        [ "$tries" -gt 0 ] || hold_fail "$row_waiting of $row_waiters sessions wait for the lock"
        tries=$((tries - 1))
        hold_nap 0.1
    done
    echo "$row_waiters" >waits.new && mv waits.new waits
}

# row_wait COUNT: so many wait. They come in batches, for others come as well meanwhile.
row_wait() {
    while [ "$row_waiters" -lt "$1" ]; do
        batch=$(($1 - row_waiters))
        [ "$batch" -le "$row_batch" ] || batch=$row_batch
        row_room "$batch"
        while [ "$batch" -gt 0 ]; do
            (row_session wait -c begin -c "$query" -c rollback) </dev/null >/dev/null 2>>log.hold \
                5<&- 8<&- &
            hold_add $!
            row_waiters=$((row_waiters + 1)) batch=$((batch - 1))
            hold_may || exit 0
        done
        row_all_wait
    done
}

lock_row_take() {
    row_limit=$(((FD_UNTIL - now) * 10 + 5000)) row_waiters=0 row_made=''
    sql_note
    query=$(cat query) && exhaust_wait && echo 0 >waits || exit 1
    hold_leave row_leave
    [ -n "$query" ] || row_make
    row_lock
    look_at_clock
    row_since=$now
    [ "$ramp" -gt 0 ] || row_wait "$waiters"
}

# Behind hold_may, which has set now.
lock_row_keep() {
    row_whole || row_lost
    due=$waiters passed=$((now - row_since))
    [ "$passed" -ge "$ramp" ] || due=$((waiters * (passed * steps / ramp) / steps))
    [ "$row_waiters" -ge "$due" ] || row_wait "$due"
}

# A server that is gone took the lock along; one that does not answer may have it still.
lock_row_seen() {
    row_whole || row_lost
    sql_server
    [ $? -lt 2 ] || { echo "$sql_why"; exit 125; }
    [ -n "$server" ] && [ "$server" = "$noted" ] ||
        hold_fail "PostgreSQL was ended, so nobody has the lock"
    row_count || { sql_complaint; exit 125; }
    [ "${answer% *}" -eq 1 ] || hold_fail "nobody has the lock any more$(row_reason)"
    read -r waiting <waits
    [ "${answer#* }" -ge "$waiting" ] ||
        hold_fail "${answer#* } of $waiting sessions wait for the lock$(row_reason)"
}

# ---- the way back ----

# Whether a helper table may be left: also where this folder is one made for the undo alone, the
# other having gone with a reboot.
row_may_be() {
    [ -e made ] || { [ -e scratch ] && [ -z "$query" ] && ! never_fired; }
}

row_by_hand() {
    echo "psql -p $port -d $database -c 'drop table if exists public.fd_$FD_ID'"
}

# No server, no session, but the table lasts. Nobody who cannot be asked says that it is gone.
row_unknown() {
    if row_may_be; then
        echo "$1: its helper table may be left; when it runs, as its owner: $(row_by_hand)"
    else
        echo "$1"
    fi
    exit 125
}

# The line that begins it never came.
row_not_sent() {
    if [ -e scratch ]; then never_fired; else [ ! -e fired ]; fi
}

# Or nothing says that a session was begun, and who begins one is not let in.
row_was_never() {
    row_not_sent || { [ ! -e held ] && ! row_may_be && sql_is_shut; }
}

# Sets `replica`; false where it cannot be asked.
row_end() {
    tries=40
    while :; do
        sql_ask faildrill "select count(pg_terminate_backend(pid)), pg_is_in_recovery()
            from pg_stat_activity where application_name ~ '^fd_$FD_ID '" || return 1
        replica=${answer#* }
        [ "${answer% *}" -gt 0 ] || return 0
        [ "$tries" -gt 0 ] || hold_fail "${answer% *} sessions of ours do not end"
        tries=$((tries - 1))
        nap 0.1
    done
}

# A replica has it of its primary. lock_row_gone says more.
row_drop() {
    [ "$replica" = f ] || return 0
    sql_ask faildrill "set client_min_messages = error;
        drop table if exists public.fd_$FD_ID; select 'dropped'" || sql_complaint
}

# The holder ends by itself where guard and runner are gone, or the folder is: then by what it knows.
# First our own, for what they say would hide why we end.
row_leave() {
    exec 5>&-
    hold_living
    for pid in $living; do [ "$pid" = $$ ] || kill -KILL "$pid" 2>/dev/null; done
    sql_said=/dev/null
    alive "$server" "$server_born" && row_end >/dev/null || return
    [ -z "$row_made" ] || row_drop >/dev/null
}

lock_row_clean() {
    sql_server
    case $? in
    0) ;;
    1) return 0 ;;
    *) exit 125 ;;
    esac
    row_end || {
        row_was_never && return 0
        exit 125
    }
    ! row_may_be || row_drop
}

lock_row_gone() {
    sql_server
    case $? in
    0) ;;
    1) row_may_be && row_unknown "$sql_why" || return 0 ;;
    *) row_not_sent && return 0 || row_unknown "$sql_why" ;;
    esac
    sql_ask faildrill "select count(*), to_regclass('public.fd_$FD_ID') is not null,
        pg_is_in_recovery() from pg_stat_activity where application_name ~ '^fd_$FD_ID '" || {
        row_was_never && return 0
        row_unknown "$(sql_complaint)"
    }
    read -r sessions table replica <<END
$answer
END
    [ "$sessions" -eq 0 ] || hold_fail "$sessions sessions of ours are left"
    if [ "$table" != f ]; then
        [ "$replica" = f ] || hold_fail "this host is a replica now; on its primary: $(row_by_hand)"
        hold_fail "the helper table is left; on this host: $(row_by_hand)"
    fi
    if row_may_be && grep -q FD_BOOT=another vars; then
        echo "note: booted anew since; the PostgreSQL that has port $port now has no helper table"
    fi
}

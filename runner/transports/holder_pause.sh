# holder_pause.sh - the host's own PostgreSQL, a replica, gets the log and does not replay it.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015,SC2034
# Stands behind holder.sh and holder_sql.sh; functions only. The pause is in the memory of the server
# alone, so it ends with it, and with a promotion. `pause_record` lies beside our folder, not in it:
# whoever removes that must not make a pause look like somebody else's. It names the server that we
# paused (pid, start time, cluster), is there before the pause, and until its end was seen. A holder
# watches how much of the log waits, and lets the replica go on when it ends, however it ends.

pause_record=/run/faildrill_pause_$FD_ID

# Sets `replica`, `paused` (yes, no, or asked: not yet) and `waits`, MiB of the log.
pause_look() {
    sql_ask faildrill "select current_setting('server_version_num')" || return 1
    state="case when pg_is_wal_replay_paused() then 'yes' else 'no' end"
    [ "$answer" -lt 140000 ] ||
        state="case pg_get_wal_replay_pause_state() when 'paused' then 'yes'
            when 'not paused' then 'no' else 'asked' end"
    sql_ask faildrill "select pg_is_in_recovery(),
        case when pg_is_in_recovery() then $state else 'no' end,
        coalesce(case when pg_is_in_recovery() then greatest(0,
            pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())) end, 0)::bigint
            / 1048576, current_setting('is_superuser')" || return 1
    read -r replica paused waits super <<END
$answer
END
}

# Sets `room`, MiB on the disk of the log, and `least` of them.
pause_room() {
    read -r _ size _ room _ <<END
$(df -Pk "/proc/$server/cwd/pg_wal/." 2>/dev/null | tail -n 1)
END
    case $size$room in '' | *[!0-9]*) hold_fail "how much room its log has is not known" ;; esac
    room=$((room / 1024)) least=$((size / 1024 / 20))
    [ "$least" -ge 64 ] || least=64
}

pause_replication_size() {
    sql_must_run
    pause_look || hold_fail "PostgreSQL gives $owner of this host no answer: $(sql_complaint)"
    [ "$replica" = t ] || hold_fail "this PostgreSQL is a primary: say is: replica"
    [ "$paused" = no ] || hold_fail "its replay is paused already"
    [ "$super" = on ] || hold_fail "$owner is no superuser, and may not pause its replay"
    pause_room
    [ $((room - leave)) -ge "$least" ] ||
        hold_fail "its log may grow by $leave MiB, and has $room, of which $least stay"
}

# pause_say FUNCTION
pause_say() {
    sql_ask faildrill "select 'said' || $1()::text where pg_is_in_recovery()"
}

pause_replication_take() {
    sql_note
    cp server "$pause_record.new" && mv "$pause_record.new" "$pause_record" || exit 1
    pause_watched=$now pause_folder=$FD_DIR
    hold_leave pause_leave
    pause_say pg_wal_replay_pause || hold_fail "its replay cannot be paused: $(sql_complaint)"
    tries=100
    until pause_look && [ "$paused" = yes ]; do
        hold_may || exit 0
        [ "$tries" -gt 0 ] || hold_fail "its replay does not pause: $(sql_complaint)"
        tries=$((tries - 1))
        hold_nap 0.05
    done
}

# Behind hold_may, which has set now. Who gives no answer may have it still; its disk is seen.
pause_replication_keep() {
    [ $((now - pause_watched)) -ge 100 ] || return 0
    pause_watched=$now
    alive "$server" "$server_born" || hold_fail "PostgreSQL was ended, and the pause with it"
    pause_room
    [ "$room" -ge "$least" ] || hold_fail "its log has but $room MiB of disk left: it goes on"
    pause_look || return 0
    [ "$replica" = t ] || hold_fail "it was promoted, which ends the pause"
    [ "$paused" != no ] || hold_fail "somebody let it go on"
    [ "$waits" -lt "$leave" ] || hold_fail "$waits MiB of the log wait: it goes on"
}

# The holder's own end: where guard and runner are gone, or the folder is.
pause_leave() {
    sql_said=/dev/null
    cd / && hold_until pause_left || return
    [ -e "$pause_folder/vars" ] || rm -f "$pause_record"
}

pause_left() {
    alive "$server" "$server_born" || return 0
    pause_look || return
    [ "$paused" != no ] || return 0
    pause_say pg_wal_replay_resume && pause_look && [ "$paused" = no ]
}

pause_replication_seen() {
    sql_server
    [ $? -lt 2 ] || { echo "$sql_why"; exit 125; }
    [ -n "$server" ] && [ "$server" = "$noted" ] ||
        hold_fail "PostgreSQL was ended, and the pause with it"
    pause_look || { sql_complaint; exit 125; }
    [ "$replica" = t ] || hold_fail "it was promoted, which ends the pause"
    [ "$paused" = yes ] || hold_fail "its replay is not paused: $(tail -n 1 log.hold)"
    mark=1
    while [ $((mark * 2)) -le "$waits" ]; do mark=$((mark * 2)); done
    [ "$waits" -eq 0 ] || echo "note: $mark MiB of the log wait, or more"
}

# ---- the way back ----

# Sets `ours`: yes, no, or unknown, where nothing here says who paused it. As sql_server, 2: no word.
pause_find() {
    [ -e server ] || [ ! -e "$pause_record" ] || cp "$pause_record" server || exit 125
    ours=no paused=no
    sql_server
    case $? in
    0) ;;
    1) return 1 ;;
    *) return 2 ;;
    esac
    if [ -n "$noted" ]; then
        [ "$server" = "$noted" ] || return 0
        ours=yes
    elif [ -e scratch ] && ! never_fired && ! grep -q FD_BOOT=another vars; then
        ours=unknown
    fi
    [ "$ours" = no ] || pause_look || return 2
}

pause_replication_clean() {
    pause_find
    case $? in
    0) ;;
    1) rm -f "$pause_record" && return 0 ;;
    *) row_not_sent && return 0 || exit 125 ;;
    esac
    if [ "$ours" = yes ] && [ "$paused" != no ]; then
        pause_say pg_wal_replay_resume || exit 125
        tries=100
        until pause_look && [ "$paused" = no ]; do
            [ "$tries" -gt 0 ] || hold_fail "its replay does not go on"
            tries=$((tries - 1))
            nap 0.05
        done
    fi
    [ "$ours" = unknown ] || rm -f "$pause_record"
}

pause_replication_gone() {
    pause_find
    case $? in
    0) ;;
    1) return 0 ;;
    *) row_not_sent && return 0 || { echo "$sql_why $(sql_complaint)"; exit 125; } ;;
    esac
    [ "$paused" != no ] || return 0
    by_hand="psql -p $port -d $database -c 'select pg_wal_replay_resume()'"
    [ "$ours" = unknown ] || hold_fail "its replay is still paused; on this host: $by_hand"
    hold_fail "its replay is paused, and nothing here says by whom; to end it, on this host: $by_hand"
}

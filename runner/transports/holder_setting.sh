# holder_setting.sh - a setting of the host's own PostgreSQL or Redis has another value for a while.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015,SC2034
# Stands behind holder.sh, holder_sql.sh, holder_redis.sh and files.sh; functions only. `setting` and
# `value` say which; both are plain words.
# PostgreSQL: over postgresql.auto.conf, which it reads last, lies a copy with one line more. Nothing
# of its own is written: an unmount and SIGHUP give it back, also where it lets nobody in; a server
# that is started afterwards, or a host that boots, reads the file as it always was. The mount is
# read-only, so ALTER SYSTEM says so meanwhile, and nobody's change is lost with our copy. Whoever
# copies its data folder would copy our line: so not while that can be seen (setting_copied).
# Redis: CONFIG SET. `setting_record` lies beside our folder: what it was, what Redis made of ours,
# and what its file says. A restart brings back the file's, unless somebody had Redis rewrite it.

setting_record=/run/faildrill_setting_$FD_ID

# ---- PostgreSQL ----

# setting_ask TEXT: by a session without settings of ours, which would hide the server's.
setting_ask() {
    answer=$(sql_bare=1 sql_within=15 sql_psql faildrill 5000 '' -c "$1" </dev/null 2>"$sql_said" 5<&- 8<&- |
        head -c 400)
    case $answer in '' | *[!0-9a-z" "]*) return 1 ;; esac
}

# What its files say is what the server does, by file and line: it has read them.
setting_is_read() {
    echo "coalesce((select sourcefile || ':' || sourceline from pg_catalog.pg_file_settings
            where name = '$setting' and applied order by seqno desc limit 1), 'none') =
        coalesce((select sourcefile || ':' || sourceline from pg_catalog.pg_settings
            where name = '$setting'), 'none')"
}

# False where the server gives no answer, too. Base backups, and what is seen of others that copy the
# folder: their name, or how they read. A standby's receiver, and barman's, get the log alone.
setting_copied() {
    sql_ask faildrill "select exists(select from pg_stat_replication where state = 'backup') or
        exists(select from pg_stat_activity where pid <> pg_backend_pid() and
            (application_name ~* 'basebackup|rewind|backrest|barman' and
                application_name !~* 'receive' or
            state = 'active' and
                query ~* 'pg_read_binary_file|pg_backup_start|pg_start_backup'))" &&
        [ "$answer" = t ]
}

setting_sql_size() {
    sql_must_run
    ! setting_copied || hold_fail "somebody copies its data folder, and would copy our line, too"
    setting_ask "select replace(context, '-', ''), pg_is_in_recovery(), $(setting_is_read),
            current_setting('$setting') = '$value', current_setting('is_superuser')
        from pg_catalog.pg_settings where name = '$setting'" ||
        hold_fail "PostgreSQL has no $setting, or gives $owner no answer: $(sql_complaint)"
    read -r context replica same already super <<END
$answer
END
    [ "$super" = on ] || hold_fail "$owner is no superuser, and may not see where settings are from"
    case $context in
    sighup | superuser | user) ;;
    *) hold_fail "$setting takes a restart, or is none that is set" ;;
    esac
    [ "$already" = f ] || hold_fail "$setting is $value already"
    [ "$same" = t ] ||
        hold_fail "$setting is not what its files say: a command line, a role or a database sets it"
    [ -z "$on_primary" ] || [ "$replica" = f ] ||
        hold_fail "this PostgreSQL is a replica, which is read-only: say is: primary"
}

setting_sql_check() {
    folder=$(readlink -f "/proc/$server/cwd")
    [ "$folder/postgresql.auto.conf" -ef "/proc/$server/cwd/postgresql.auto.conf" ] ||
        hold_fail "PostgreSQL has mounts of its own: by that path, $folder is another folder here"
    file_over_find "$folder/postgresql.auto.conf" ''
    [ "$(cat real)" = "$folder/postgresql.auto.conf" ] || { # what lies there may be swapped: so behind the copy
        rm -f copy was real
        hold_fail "$folder/postgresql.auto.conf is a link"
    }
    printf "\n# the next line is of a drill (faildrill %s): take it out\n%s = '%s'\n" \
        "$FD_ID" "$setting" "$value" >>copy && file_sum copy >sum &&
        wc -l <copy >line || hold_fail "cannot write the copy"
}

# The server sees the mount, reads the line, and takes the value; else it is as if it never was.
setting_sql_take() {
    read -r real <real
    read -r line <line
    sql_note
    file_over "$real"
    file_mounts self "$FD_ID" | grep -qxF "open $FD_ID $real" ||
        hold_fail "another file came to lie at $real meanwhile"
    [ "/proc/$server/cwd/postgresql.auto.conf" -ef copy ] ||
        hold_fail "PostgreSQL has mounts of its own, and would not see it"
    setting_ask "select coalesce((select applied and error is null from pg_catalog.pg_file_settings
            where name = '$setting' and sourceline = $line and
                sourcefile like '%/postgresql.auto.conf'), false)" && [ "$answer" = t ] ||
        hold_fail "PostgreSQL does not take $value for $setting: $(sql_complaint)"
    kill -HUP "$server"
    tries=100
    until setting_sql_is_ours; do
        hold_may || exit 0
        [ "$tries" -gt 0 ] || hold_fail "$setting is not $value: $(sql_complaint)"
        tries=$((tries - 1))
        hold_nap 0.1
    done
}

setting_sql_is_ours() {
    setting_ask "select coalesce((select sourceline = $line and
            sourcefile like '%/postgresql.auto.conf' from pg_catalog.pg_settings
            where name = '$setting'), false)" && [ "$answer" = t ]
}

# Also of one that was restarted meanwhile, which has read our line.
setting_sql_seen() {
    read -r real <real
    read -r line <line
    [ "$real" -ef copy ] ||
        hold_fail "$real is no longer the one that was put there: $(tail -n 1 log.hold)"
    sql_server || { echo "$sql_why"; exit 125; }
    setting_sql_is_ours && return
    case $answer in f) hold_fail "$setting is no longer what was set" ;; esac
    sql_complaint
    exit 125
}

# A server that is on its way up may have read our line: it has no port yet.
setting_on_its_way() {
    [ -e real ] || return 1
    read -r real <real
    for entry in $(grep -lxE 'postgres|postmaster' /proc/[0-9]*/comm 2>/dev/null); do
        [ ! "${entry%/comm}/cwd" -ef "${real%/*}" ] || return 0
    done
    return 1
}

setting_sql_clean() {
    file_unmount
    sql_server
    case $? in
    0) ;;
    1) ! setting_on_its_way && return 0 || exit 125 ;;
    *) row_not_sent && return 0 || exit 125 ;;
    esac
    tries=50
    until setting_ask "select $(setting_is_read)" && [ "$answer" = t ]; do
        [ "$tries" -gt 0 ] || return 0 # a look says more
        [ $((tries % 10)) -ne 0 ] || kill -HUP "$server"
        tries=$((tries - 1))
        nap 0.1
    done
}

setting_sql_gone() {
    file_unmounted
    sql_server
    case $? in
    0) ;;
    1) ! setting_on_its_way && return 0 || { echo "$sql_why yet"; exit 125; } ;;
    *) row_not_sent && return 0 || { echo "$sql_why"; exit 125; } ;;
    esac
    setting_ask "select $(setting_is_read)" ||
        { row_not_sent && return 0 || { sql_complaint; exit 125; }; }
    [ "$answer" = t ] || hold_fail "$setting is not what its files say: it has yet to read them"
}

# ---- Redis ----

# Sets `got`, what it runs with.
setting_get() {
    got=$(redis_ask config get "$setting" </dev/null)
    case $got in
    "$setting
"*) got=${got#*
} ;;
    *) return 1 ;;
    esac
}

setting_redis_size() {
    redis_must_run
    setting_get || hold_fail "this Redis has no $setting that can be read"
    [ "$(setting_bytes "$got")" != "$(setting_bytes "$value")" ] ||
        hold_fail "$setting is $value already"
    case $got in *'
'*) hold_fail "$setting is more than one line" ;; esac
    [ -z "$on_primary" ] || [ "$(redis_field role)" = master ] ||
        hold_fail "this Redis is a replica, which is read-only: say is: primary"
    case $setting in
    maxmemory)
        [ "$(redis_field maxmemory_policy)" = noeviction ] ||
            hold_fail "maxmemory-policy is $(redis_field maxmemory_policy): keys would be deleted," \
                "and nobody could put them back"
        ;;
    min-replicas-to-write)
        [ "$(redis_ask config get min-replicas-max-lag </dev/null | tail -n 1)" != 0 ] ||
            hold_fail "min-replicas-max-lag is 0, so $setting means nothing"
        ;;
    esac
}

setting_redis_check() {
    :
}

# setting_same A B: in whatever words Redis writes it.
setting_same() {
    [ "$(setting_bytes "$1" | tr A-Z a-z)" = "$(setting_bytes "$2" | tr A-Z a-z)" ]
}

# Sets `in_file`, what its file says, under either name: where it has two Redis writes one as the other.
setting_look_in_file() {
    other=$setting
    case $setting in
    *replica*) other=${setting%%replica*}slave${setting#*replica} ;;
    *slave*) other=${setting%%slave*}replica${setting#*slave} ;;
    lua-time-limit) other=busy-reply-threshold ;;
    busy-reply-threshold) other=lua-time-limit ;;
    esac
    in_file=$(value_of "\($setting\|$other\)" "$config")
}

# What Redis makes of ours is not known before it is asked: nothing, for whoever is killed meanwhile.
setting_redis_take() {
    setting_look_in_file
    was=$got filed=$in_file
    echo "$server $server_born" >server || exit 1
    printf '%s\n%s\n%s\n' "$was" '' "$filed" >"$setting_record.new" &&
        mv "$setting_record.new" "$setting_record" || exit 1
    said=$(redis_ask config set "$setting" "$value" </dev/null)
    [ "$said" = OK ] || hold_fail "Redis does not take $value for $setting: $said"
    setting_get || hold_fail "$redis_why"
    made=$got
    printf '%s\n%s\n%s\n' "$was" "$made" "$filed" >"$setting_record.new" &&
        mv "$setting_record.new" "$setting_record"
    [ "$made" != "$was" ] || hold_fail "Redis makes $was of $value: it was that before"
}

# Sets `was`, `made` and `filed` of the record; false where there is none.
setting_recorded() {
    [ -e "$setting_record" ] || return 1
    { IFS= read -r was && IFS= read -r made && IFS= read -r filed; } <"$setting_record"
}

setting_redis_seen() {
    setting_recorded || hold_fail "it was not set yet"
    redis_server
    case $? in 0) ;; *) echo "$redis_why"; exit 125 ;; esac
    setting_get || exit 125
    [ "$got" = "$made" ] || hold_fail "$setting is $got"
}

# Whoever is killed right behind CONFIG SET has not yet written what Redis made of it: then all but
# what it was is ours.
setting_is_ours() {
    [ "$got" = "$made" ] || setting_same "$got" "$value" || { [ -z "$made" ] && [ "$got" != "$was" ]; }
}

# Its file no longer says what it said before, and what it says may be ours: somebody had Redis write
# what it runs with. What is surely another value is theirs.
setting_is_filed() {
    setting_look_in_file
    [ "$in_file" != "$filed" ] || return 1
    [ -z "$in_file" ] || [ -z "$made" ] || setting_same "$in_file" "$made" ||
        setting_same "$in_file" "$value"
}

setting_redis_clean() {
    setting_recorded || return 0
    if ! redis_server || ! setting_get; then # a look says more
        setting_is_filed || [ "$(setting_down)" != yes ] || rm -f "$setting_record"
        return 0
    fi
    if setting_is_ours && [ "$got" != "$was" ]; then
        [ "$(redis_ask config set "$setting" "$was" </dev/null)" = OK ] || return 0
        setting_get && [ "$got" = "$was" ] || return 0
    elif [ "$got" != "$was" ]; then
        [ ! -e vars ] || echo "$setting is $got, by somebody else, and stays so; it was $was" >left
    fi
    if [ "$got" = "$was" ] && setting_is_filed; then
        [ "$(redis_ask config rewrite </dev/null)" = OK ] || [ -z "$in_file" ] || return 0
    fi
    rm -f "$setting_record"
}

setting_redis_gone() {
    by_hand="redis-cli -h $address -p $port config set $setting"
    ! never_fired || return 0
    if ! setting_recorded; then
        [ ! -s left ] || echo "note: $(cat left)"
        [ -e scratch ] || return 0
        if ! redis_server || ! setting_get; then
            setting_look_in_file
            ! setting_same "$in_file" "$value" && ! setting_may_run && return 0
            echo "$redis_why: $setting may be set yet"
            exit 125
        fi
        ! setting_same "$got" "$value" ||
            hold_fail "$setting is $got, and nothing here says what it was before: $by_hand OLD"
        return 0
    fi
    if ! redis_server || ! setting_get; then
        # One that is down comes back with what its file says; where that may be ours it is not known.
        ! setting_is_filed && [ "$(setting_down)" = yes ] && return 0
        echo "$redis_why: $setting may be set yet; it was $was: $by_hand $was"
        exit 125
    fi
    ! setting_is_ours || [ "$got" = "$was" ] ||
        hold_fail "$setting is still $got; it was $was: $by_hand $was"
    [ "$got" != "$was" ] || ! setting_is_filed || [ -z "$in_file" ] ||
        hold_fail "$config says $in_file for $setting yet: redis-cli -h $address -p $port config rewrite"
}

setting_down() {
    read -r was_server was_born 2>/dev/null <server || return
    alive "$was_server" "$was_born" || setting_may_run || echo yes
}

setting_may_run() {
    grep -qsxE '(redis|valkey|keydb)-server' /proc/[0-9]*/comm
}

# As Redis counts: 100mb is 104857600. What is no size stays as it is.
setting_bytes() {
    echo "$1" | awk '
        tolower($0) ~ /^[0-9]+([kmg]b?)?$/ {
            unit = tolower($0)
            sub(/^[0-9]+/, "", unit)
            base = unit ~ /b$/ ? 1024 : 1000
            power = unit == "" ? 0 : index("kmg", substr(unit, 1, 1)) # mawk finds "" everywhere
            printf "%.0f\n", $0 * base ^ power
            next
        }
        { print }'
}

# ---- both ----

setting_of() {
    if [ -n "$config" ]; then "setting_redis_$1"; else "setting_sql_$1"; fi
}

set_config_size() {
    setting_of size
    [ "$verb" != check ] || setting_of check
}

set_config_take() {
    setting_watched=$now
    hold_leave setting_leave
    setting_of take
}

# The holder's own end, also where guard and runner are gone, or the folder is: then by what it
# knows, and no file is written where it stands.
setting_leave() {
    hold_until setting_left
}

setting_left() {
    if [ -n "$config" ]; then
        held_server=$server held_born=$server_born
        setting_redis_clean
        [ ! -e "$setting_record" ] || ! alive "$held_server" "$held_born"
    elif [ -e vars ]; then
        setting_sql_clean && file_unmounted
    else
        cd / && file_unmount
        alive "$server" "$server_born" || { noted='' server='' && sql_find; } && kill -HUP "$server"
        file_unmounted
    fi
}

# Behind hold_may, which has set now.
set_config_keep() {
    [ -z "$config" ] && [ $((now - setting_watched)) -ge 100 ] || return 0
    setting_watched=$now
    ! setting_copied ||
        hold_fail "somebody copies its data folder; its copy of postgresql.auto.conf may have our line"
}

set_config_seen() {
    setting_of seen
}

set_config_clean() {
    setting_of clean
}

set_config_gone() {
    setting_of gone
}

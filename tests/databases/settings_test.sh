#!/usr/bin/env bash
# settings_test.sh - settings of a PostgreSQL and a Redis have another value; what they were comes back on every way out.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/settings_test.sh      ONLY: takes_no_writes other_value runner_killed both_killed all_killed
#     folder_lost all_lost restarted down rebooted altered copied refusals redis_full redis_no_writes redis_taken
#     redis_rewritten redis_edited redis_in_words redis_killed redis_lost redis_restarted redis_refusals
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || skip_all "there is no PostgreSQL here"
export ONLY=${ONLY-$*}
in_lab postgres redis

# shellcheck source=tests/databases/postgres.sh
. "$root/tests/databases/postgres.sh"
# shellcheck source=tests/databases/held.sh
. "$root/tests/databases/held.sh"

# value N NAME: what a new session has.
value() {
    sql "$1" "show $2"
}
is_read_only() {
    [ "$(value "$before" default_transaction_read_only)" = on ]
}
is_writable() {
    [ "$(value "$before" default_transaction_read_only)" = off ]
}
# What the server keeps on disk is as it was, and nothing of ours lies anywhere.
is_clean() {
    is_writable || return 1
    [ -z "$(on "$before" sh -c 'ls -d /run/faildrill* 2>/dev/null; grep -l FD_HELD= /proc/[0-9]*/environ
        grep /faildrill/ /proc/1/mountinfo' 2>/dev/null)" ] || return 1
    [ "$(on "$before" sha256sum /var/lib/postgresql/data/postgresql.auto.conf)" = "$sum" ]
}
kill_on_host() {
    on "$before" sh -c 'set -- $(cat /run/faildrill/*_1/'"$1"') && kill -9 "$1"'
}
undone() {
    "$FAILDRILL" -C "$work" undo >"$work/undone" 2>&1
    status=$?
    cat "$work/undone"
    return "$status"
}
kill_all() {
    kill_runner && kill_on_host armed && kill_on_host held && is_read_only
}
takes_no_writes() {
    scenario no_writes 'read_only: primary, for: 6s'
    sed -i 's/^  postgres: {primary.*/&\n  writes: {ledger: postgres, every: 100ms}/; s/^  postgres: {max_split.*/&\n  writes: {must_notice: true, max_lost: 0, after: {max_outage: 2s}}/' "$work/own/no_writes.yaml"
    check "no writes: PASS, nothing is lost" passes no_writes
    check "no writes: nothing is left" is_clean
}
other_value() {
    scenario other 'set_config: primary, setting: statement_timeout, value: 1234ms, for: 60s'
    check "another value: new sessions have it" begin other eval '[ "$(value "$before" statement_timeout)" = 1234ms ]'
    check "another value: undone by hand" on "$before" sh /run/faildrill/undo
    check "another value: INCONCLUSIVE, exit 7" over 7 'ended early'
    check "another value: the old one is back" [ "$(value "$before" statement_timeout)" = 0 ]
    check "another value: nothing is left" is_clean
}
runner_killed() {
    check "the runner is killed: it is set" begin set is_read_only
    check "the runner is killed: by SIGKILL" kill_runner
    check "the runner is killed: nothing is left after its lease" wait_for $((lease + 8)) is_clean
    check "the runner is killed: undo finds nothing" undone
}
both_killed() {
    check "guard and runner are killed: it is set" begin set is_read_only
    check "guard and runner are killed: by SIGKILL" eval 'kill_runner && kill_on_host armed'
    check "guard and runner are killed: it takes writes after the lease" wait_for $((lease + 8)) is_writable
    check "guard and runner are killed: undo proves it" undone
    check "guard and runner are killed: nothing is left" is_clean
}
all_killed() {
    check "all of ours are killed: it is set" begin set is_read_only
    check "all of ours are killed: it stays" kill_all
    check "all of ours are killed: undo gives it back" undone
    check "all of ours are killed: nothing is left" is_clean
}
folder_lost() {
    check "the folder is lost: it is set" begin set is_read_only
    check "the folder is lost: by rm" eval 'kill_runner && on "$before" rm -rf /run/faildrill'
    check "the folder is lost: it takes writes" wait_for 10 is_writable
    check "the folder is lost: undo proves it" undone
    check "the folder is lost: nothing is left" is_clean
}
all_lost() {
    check "all is lost: it is set" begin set is_read_only
    check "all is lost: by kill and rm" eval 'kill_all && on "$before" sh -c "rm -rf /run/faildrill*"'
    check "all is lost: undo gives it back" undone
    check "all is lost: nothing is left" is_clean
}
# It reads our line again as it starts, and is given it back all the same.
restarted() {
    check "the server is restarted: it is set" begin set is_read_only
    check "the server is restarted: by hand" on "$before" sh -c '/etc/init.d/postgres stop && /etc/init.d/postgres start'
    check "the server is restarted: it has it again" wait_for 20 is_read_only
    check "the server is restarted: the runner is killed" kill_runner
    check "the server is restarted: nothing is left after its lease" wait_for $((lease + 8)) is_clean
    wait_for 60 is_whole
    check "the server is restarted: undo finds nothing" undone
}
down() {
    check "the server is down: it is set" begin set is_read_only
    check "the server is down: runner and guard are killed" kill_all
    on "$before" /etc/init.d/postgres stop >/dev/null
    check "the server is down: undo needs none" undone
    on "$before" /etc/init.d/postgres start >/dev/null
    wait_for 60 is_whole
    check "the server is down: it never knew" is_clean
}
rebooted() {
    check "the host is booted anew: it is set" begin set is_read_only
    check "the host is booted anew: the server is not up" eval 'kill_runner && "$lab" --state "$LAB_STATE" power off "postgres-$before" &&
        "$lab" --state "$LAB_STATE" power on "postgres-$before" && on "$before" /etc/init.d/postgres stop'
    check "the host is booted anew: undo proves it" undone
    on "$before" /etc/init.d/postgres start >/dev/null
    wait_for 60 is_whole
    check "the host is booted anew: nothing is left" is_clean
}
# Whoever changes a setting meanwhile is told so; nothing of it is lost with our copy.
altered() {
    check "somebody alters it: it is set" begin set is_read_only
    check "somebody alters it: ALTER SYSTEM is refused" eval '! sql "$before" "alter system set work_mem = 12345" postgres'
    check "somebody alters it: undone by hand" on "$before" sh /run/faildrill/undo
    check "somebody alters it: INCONCLUSIVE, exit 7" over 7 'ended early'
    check "somebody alters it: nothing is left" is_clean
    sql "$before" "alter system set work_mem = 12345" postgres
    sum=$(on "$before" sha256sum /var/lib/postgresql/data/postgresql.auto.conf)
    check "somebody alters it before: it is set" begin set is_read_only
    check "somebody alters it before: undone by hand" on "$before" sh /run/faildrill/undo
    check "somebody alters it before: INCONCLUSIVE, exit 7" over 7 'ended early'
    check "somebody alters it before: it stays as it was" is_clean
    sql "$before" "alter system reset work_mem" postgres
}
# A base backup that lasts: what it has copied has our line, with who it is from, or not at all.
copied() {
    check "a base backup begins: it is set" begin set is_read_only
    on "$before" setpriv --reuid=postgres --regid=postgres --clear-groups sh -c \
        'rm -rf /tmp/copied && exec pg_basebackup -h 127.0.0.1 -U postgres -D /tmp/copied -c fast -r 1M' >/dev/null 2>&1 &
    local copier=$!
    check "a base backup begins: it ends at once" wait_for 5 is_writable
    check "a base backup begins: INCONCLUSIVE, and says why" over 7 'copies its data folder'
    check "a base backup begins: nothing is left" is_clean
    scenario refused 'read_only: primary, for: 5s'
    check "a base backup goes on: refused" refused 3 refused 'copies its data folder'
    sql "$before" "select count(pg_terminate_backend(pid)) from pg_stat_replication where state = 'backup'" postgres >/dev/null
    wait "$copier"
    on "$before" rm -rf /tmp/copied
}
# refused_with STATUS WORDS STEP
refused_with() {
    scenario refused "$3"
    check "refused: $2" refused "$1" refused "$2"
    check "refused: $2: nothing is left" is_clean
}
refusals() {
    local conf=/var/lib/postgresql/data/postgresql.auto.conf
    on "$before" sh -c "cp -p $conf /root/linked && mv $conf $conf.real && ln -s /root/linked $conf"
    refused_with 3 'is a link' 'read_only: primary, for: 5s'
    on "$before" sh -c "mv -f $conf.real $conf && rm /root/linked"
    refused_with 3 'is a replica' 'read_only: {role: postgres, is: replica, pick: 1}, for: 5s'
    refused_with 3 'has port 5499' 'read_only: primary, port: 5499, for: 5s'
    refused_with 3 'off already' 'set_config: primary, setting: default_transaction_read_only, value: "off", for: 5s'
    refused_with 2 'no fault may set' 'set_config: primary, setting: fsync, value: "off", for: 5s'
    refused_with 2 'no fault may set' 'set_config: primary, setting: maxmemory, value: 1mb, for: 5s'
    refused_with 7 'does not take' 'set_config: primary, setting: work_mem, value: plenty, for: 5s'
    scenario moved 'read_only: primary'
    sed -i 's/^halt:/  - failover: postgres\n&/' "$work/own/moved.yaml"
    check "refused: the primary is moved under it" refused 4 moved 'may move the primary of role'
}

# ---- Redis ----

cached() {
    "$lab" --state "$LAB_STATE" exec redis-1 redis-cli -h "$cache" "$@"
}
# of NAME: what it runs with.
of() {
    cached config get "$1" | tail -n 1
}
cache_on() {
    "$lab" --state "$LAB_STATE" exec "redis-$cache_n" "$@"
}
cache_scenario() {
    scenario "$@"
    sed -i "s/role: postgres, is: primary/role: redis, is: primary/; s/primary: postgres/primary: redis/; s/postgres: {/cache: {/" "$work/own/$1.yaml"
}
cache_clean() {
    [ "$(of maxmemory)" = 0 ] && [ "$(of min-replicas-to-write)" = 0 ] || return 1
    [ -z "$(cache_on sh -c 'ls -d /run/faildrill* 2>/dev/null; grep -l FD_HELD= /proc/[0-9]*/environ' 2>/dev/null)" ] || return 1
    [ "$(cache_on sha256sum /etc/redis/redis.conf)" = "$sum" ]
}
cache_begin() {
    wait_for 30 cache_leader
    sum=$(cache_on sha256sum /etc/redis/redis.conf)
    environment=redis_alone
}
cache_leader() {
    for cache_n in 1 2 3; do
        cache=${net%.*}.$((${net##*.} + 5)).1$cache_n
        [ "$(cached role | head -n 1)" != master ] || return 0
    done
    return 1
}
cache_kill() {
    cache_on sh -c 'set -- $(cat /run/faildrill/*_1/'"$1"') && kill -9 "$1"'
}
is_ten() {
    [ "$(of maxmemory)" = 10485760 ]
}
cache_runs() {
    "$FAILDRILL" -C "$work" run -e redis_alone ten --no-input >"$work/said" 2>&1 &
    runner=$!
    wait_for 90 is_in_effect is_ten
}
redis_full() {
    cache_scenario full 'set_config: primary, setting: maxmemory, value: 1mb, for: 5s'
    sed -i 's/^  cache: {primary.*/&\n  writes: {ledger: redis, every: 100ms}/; s/^  cache: {max_split.*/&\n  writes: {must_notice: true, max_lost: 0, after: {max_outage: 2s}}/' "$work/own/full.yaml"
    check "Redis: full: PASS, nothing is lost" passes full
    check "Redis: full: nothing is left" cache_clean
}
redis_no_writes() {
    cache_scenario no_writes 'read_only: primary, for: 5s'
    sed -i 's/^  cache: {primary.*/&\n  writes: {ledger: redis, every: 100ms}/; s/^  cache: {max_split.*/&\n  writes: {must_notice: true, max_lost: 0, after: {max_outage: 2s}}/' "$work/own/no_writes.yaml"
    check "Redis: no writes: PASS, nothing is lost" passes no_writes
    check "Redis: no writes: nothing is left" cache_clean
}
redis_taken() {
    check "Redis: somebody sets it: it is set" cache_runs
    cached config set maxmemory 77mb >/dev/null
    check "Redis: somebody sets it: INCONCLUSIVE, and says whose stays" over 7 'by somebody else, and stays so; it was 0'
    check "Redis: somebody sets it: theirs stays" [ "$(of maxmemory)" = 80740352 ]
    cached config set maxmemory 0 >/dev/null
    check "Redis: somebody sets it: nothing is left" cache_clean
}
redis_rewritten() {
    check "Redis: somebody has its file rewritten: it is set" cache_runs
    cached config rewrite >/dev/null
    check "Redis: somebody has its file rewritten: it has ours" cache_on grep -q '^maxmemory ' /etc/redis/redis.conf
    check "Redis: somebody has its file rewritten: by hand" cache_on sh /run/faildrill/undo
    check "Redis: somebody has its file rewritten: INCONCLUSIVE" over 7 'ended early'
    check "Redis: somebody has its file rewritten: it has it no more" eval '! cache_on grep "^maxmemory [1-9]" /etc/redis/redis.conf'
    sum=$(cache_on sha256sum /etc/redis/redis.conf)
    check "Redis: somebody has its file rewritten: nothing is left" cache_clean
}
# What a person, or configuration management, wrote for the next start is not ours to have written over.
redis_edited() {
    cache_on cp -p /etc/redis/redis.conf /root/redis.conf.before
    check "Redis: somebody edits its file: it is set" cache_runs
    cache_on sh -c 'printf "maxmemory 55mb\n# theirs\n" >>/etc/redis/redis.conf'
    theirs=$(cache_on sha256sum /etc/redis/redis.conf)
    check "Redis: somebody edits its file: by hand" cache_on sh /run/faildrill/undo
    check "Redis: somebody edits its file: INCONCLUSIVE" over 7 'ended early'
    check "Redis: somebody edits its file: the old one is back" [ "$(of maxmemory)" = 0 ]
    check "Redis: somebody edits its file: theirs stays" [ "$(cache_on sha256sum /etc/redis/redis.conf)" = "$theirs" ]
    cache_on sh -c 'cat /root/redis.conf.before >/etc/redis/redis.conf; rm /root/redis.conf.before'
    check "Redis: somebody edits its file: nothing is left" cache_clean
}
# in_words SETTING WAS VALUE FILED: its file has WAS under that name; ours is VALUE, which Redis writes down as FILED.
in_words() {
    cache_on sh -c "printf '%s\\n' '$1 $2' >>/etc/redis/redis.conf"
    cached config set "$1" "$2" >/dev/null
    cache_scenario words "set_config: primary, setting: $1, value: \"$3\", for: 60s"
    check "Redis: $1 $3: it is set" words_begin "$1" "$2"
    cached config rewrite >/dev/null
    check "Redis: $1 $3: its file has ours" cache_on grep -qx "$4" /etc/redis/redis.conf
}
words_begin() {
    "$FAILDRILL" -C "$work" run -e redis_alone words --no-input >"$work/said" 2>&1 &
    runner=$!
    wait_for 90 is_in_effect eval "[ \"\$(of $1)\" != $2 ]"
}
# is_back SETTING WAS FILED: running, and in its file.
is_back() {
    [ "$(of "$1")" = "$2" ] && ! cache_on grep -x "$3" /etc/redis/redis.conf
}
# Redis has two names for some, small letters for all, and limits of its own.
redis_in_words() {
    local row
    cache_on cp -p /etc/redis/redis.conf /root/redis.conf.before
    for row in 'min-slaves-to-write 1 2 min-replicas-to-write' 'hz 10 1000 hz' 'stop-writes-on-bgsave-error yes No stop-writes-on-bgsave-error'; do
        read -r setting was ours written <<<"$row"
        case $ours in 1000) in_file=500 ;; No) in_file=no ;; *) in_file=$ours ;; esac
        in_words "$setting" "$was" "$ours" "$written $in_file"
        check "Redis: $setting $ours: by hand" cache_on sh /run/faildrill/undo
        check "Redis: $setting $ours: INCONCLUSIVE" over 7 'ended early'
        check "Redis: $setting $ours: what it was is back, also in its file" is_back "$setting" "$was" "$written $in_file"
        cache_on sh -c 'cat /root/redis.conf.before >/etc/redis/redis.conf'
        cached config set min-replicas-to-write 0 >/dev/null
    done
    in_words min-slaves-to-write 1 2 'min-replicas-to-write 2'
    check "Redis: ours in its file, and it is down: all of ours are killed" eval 'kill_runner && cache_kill armed && cache_kill held'
    cache_on /etc/init.d/redis-server stop >/dev/null
    check "Redis: ours in its file, and it is down: not undone, for its next start has it" eval '! undone && grep -q "may be set yet; it was 1" "$work/undone"'
    cache_on /etc/init.d/redis-server start >/dev/null
    wait_for 30 cache_leader
    check "Redis: ours in its file, and it runs again: undo gives it back" undone
    check "Redis: ours in its file, and it runs again: also in its file" is_back min-slaves-to-write 1 'min-replicas-to-write 2'
    cache_on sh -c 'cat /root/redis.conf.before >/etc/redis/redis.conf; rm /root/redis.conf.before'
    cached config set min-replicas-to-write 0 >/dev/null
    check "Redis: in its own words: nothing is left" cache_clean
}
redis_killed() {
    check "Redis: all of ours are killed: it is set" cache_runs
    check "Redis: all of ours are killed: it stays" eval 'kill_runner && cache_kill armed && cache_kill held && is_ten'
    check "Redis: all of ours are killed: undo gives it back" undone
    check "Redis: all of ours are killed: nothing is left" cache_clean
    check "Redis: runner and guard are killed: it is set" cache_runs
    check "Redis: runner and guard are killed: by SIGKILL" eval 'kill_runner && cache_kill armed'
    check "Redis: runner and guard are killed: it is given back after the lease" wait_for $((lease + 8)) eval '[ "$(of maxmemory)" = 0 ]'
    check "Redis: runner and guard are killed: undo proves it" undone
    check "Redis: runner and guard are killed: nothing is left" cache_clean
}
redis_lost() {
    check "Redis: the folder is lost: it is set" cache_runs
    check "Redis: the folder is lost: by rm" eval 'kill_runner && cache_on rm -rf /run/faildrill'
    check "Redis: the folder is lost: it is given back" wait_for 10 eval '[ "$(of maxmemory)" = 0 ]'
    check "Redis: the folder is lost: undo proves it" undone
    check "Redis: the folder is lost: nothing is left" cache_clean
    check "Redis: all is lost: it is set" cache_runs
    check "Redis: all is lost: by kill and rm" eval 'kill_runner && cache_kill armed && cache_kill held && cache_on sh -c "rm -rf /run/faildrill*" && is_ten'
    check "Redis: all is lost: undo says so, and how" eval '! undone && grep -q "nothing here says what it was before" "$work/undone"'
    cached config set maxmemory 0 >/dev/null
    check "Redis: all is lost: undo proves it" undone
    check "Redis: all is lost: nothing is left" cache_clean
}
redis_restarted() {
    check "Redis: it is restarted: it is set" cache_runs
    check "Redis: it is restarted: the runner and guard are killed" eval 'kill_runner && cache_kill armed && cache_kill held'
    cache_on /etc/init.d/redis-server stop >/dev/null
    check "Redis: it is restarted: while it is down undo proves it" undone
    cache_on /etc/init.d/redis-server start >/dev/null
    wait_for 30 cache_leader
    check "Redis: it is restarted: nothing is left" wait_for 20 cache_clean
}
redis_refusals() {
    cache_scenario refused 'set_config: primary, setting: dir, value: /tmp, for: 5s'
    check "Redis: refused: where its data is" refused 2 refused 'no fault may set'
    cached config set maxmemory-policy allkeys-lru >/dev/null
    cache_scenario refused 'set_config: primary, setting: maxmemory, value: 1mb, for: 5s'
    check "Redis: refused: what would delete keys" refused 3 refused 'keys would be deleted'
    cached config set maxmemory-policy noeviction >/dev/null
    cache_scenario refused 'read_only: {role: redis, is: replica, pick: 1}, for: 5s'
    check "Redis: refused: a replica" refused 3 refused 'is a replica'
    check "Redis: refused: nothing is left" cache_clean
}

scenario set 'read_only: primary, for: 60s'
for part in takes_no_writes other_value runner_killed both_killed all_killed folder_lost all_lost restarted down rebooted altered copied refusals; do
    wanted "$part" || continue
    wait_for 60 is_whole
    before=$(leaders) begun=$SECONDS
    sum=$(on "$before" sha256sum /var/lib/postgresql/data/postgresql.auto.conf)
    "$part"
    echo "    $part: $((SECONDS - begun)) s"
done
cache_scenario ten 'set_config: primary, setting: maxmemory, value: 10mb, for: 60s'
for part in redis_full redis_no_writes redis_taken redis_rewritten redis_edited redis_in_words redis_killed redis_lost redis_restarted redis_refusals; do
    wanted "$part" || continue
    begun=$SECONDS
    cache_begin
    "$part"
    echo "    $part: $((SECONDS - begun)) s"
done

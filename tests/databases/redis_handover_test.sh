#!/usr/bin/env bash
# redis_handover_test.sh - the script by which a Redis hands over, alone, where its link to the other one loses an answer.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/databases/redis_handover_test.sh      ONLY: plain answer_lost promoted_by_another held started_anew unsaid
#     systemd silent_peer
# Three real servers, the second of which is reached by a relay of ours; in namespaces of its own.
if [ -z "${IN_SPACE-}" ]; then
    user=()
    unshare --net true 2>/dev/null || user=(--user --map-root-user)
    unshare "${user[@]}" --net true 2>/dev/null || {
        echo "skip all: this machine gives no namespaces"
        exit 77
    }
    IN_SPACE=1 ONLY=${ONLY-$*} exec unshare "${user[@]}" --net --mount --pid --fork --mount-proc --kill-child "$0"
fi
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
command -v redis-server >/dev/null || skip_all "there is no Redis here"
ip link set lo up
mount -t tmpfs none /run
text=$(cat "$root/runner/systems/redis_host.sh" "$root/runner/systems/redis_alone_switch.sh")
own=127.0.0.2 second=127.0.0.3 third=127.0.0.4 to=127.0.0.5

cat >"$work/relay.py" <<'END'
"""Passes on to the second server. What the file `mode` says is done once, to whoever asks to take over:
lost: its answer is not, and the way is closed; hold: nothing is, as long as the file is there."""
import os, socket, sys, threading, time
mode, there = sys.argv[1], (sys.argv[3], 6379)

def wanted(word):
    try:
        return open(mode).read().strip() == word
    except OSError:
        return False

def passes(source, target, client, asks):
    while True:
        try:
            data = source.recv(65536)
        except OSError:
            data = b""
        if asks and b"FAILOVER" in data:
            while wanted("hold"):
                time.sleep(0.02)
        if not asks and data.startswith(b"+CONTINUE") and wanted("lost"):
            os.unlink(mode)
            data = b""
        try:
            if data:
                target.sendall(data)
                continue
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        return

listener = socket.create_server((sys.argv[2], 6379))
while True:
    client = listener.accept()[0]
    try:
        server = socket.create_connection(there)
    except OSError:
        client.close()
        continue
    threading.Thread(target=passes, args=(client, server, client, True), daemon=True).start()
    threading.Thread(target=passes, args=(server, client, client, False), daemon=True).start()
END

ask() {
    timeout 3 redis-cli -h "$1" -p 6379 "${@:2}" 2>/dev/null | tr -d '\r'
}
says() {
    ask "$1" info replication | sed -n "s/^$2://p"
}
pid_of() {
    cat "$work/$1/pid"
}
start() {
    redis-server "$work/$1/redis.conf" >/dev/null
    wait_for 20 eval "[ -n \"\$(says $1 role)\" ]"
}
stop() {
    local pid
    pid=$(pid_of "$1") || return
    kill -CONT "$pid"
    kill -9 "$pid"
    wait_for 10 eval "! kill -0 $pid"
}
# Anew for each part: the first one leads, and both are in step with it.
servers() {
    local n
    rm -f "$work/mode" /run/said
    for n in $own $second $third; do
        [ ! -e "$work/$n" ] || stop "$n"
        rm -rf "${work:?}/$n"
        mkdir "$work/$n"
        {
            printf '%s\n' "bind $n" 'port 6379' 'daemonize yes' "pidfile $work/$n/pid" "dir $work/$n" 'save ""' \
                'repl-diskless-sync-delay 0' "logfile $work/$n/log"
            [ "$n" = $own ] || echo "replicaof $own 6379"
            [ "$n" != $second ] || echo "replica-announce-ip $to"
        } >"$work/$n/redis.conf"
        start "$n"
    done
    wait_for 30 eval '[ "$(ask $own info replication | grep -c state=online)" = 2 ]'
    ask $own set kept 1 >/dev/null
    ask $own wait 2 5000 >/dev/null
}
# hand_over VERB SECONDS TIMEOUT_MS: what it says, into the file `said`.
hand_over() {
    sh -c "$text" redis "$text" "$1" $own 6379 "$work/$own/redis.conf" "" "$2" "$3" $to $to $third >"$work/said" 2>&1
}
said() {
    cat "$work/said"
    head -n 1 "$work/said" | grep -q "^$1"
}
leaders() {
    local n
    for n in $own $second $third; do
        [ "$(says "$n" role)" != master ] || echo "$n"
    done
}
# The second leads alone, whoever is up has it so in its file too, and nothing is gone.
moved() {
    local n
    leaders
    [ "$(leaders)" = $second ] && ! grep '^replicaof' "$work/$second/redis.conf" || return 1
    for n in $own $third; do
        [ "$(says "$n" master_host)" = $to ] && [ "$(says "$n" master_link_status)" = up ] &&
            [ "$(ask "$n" get kept)" = 1 ] && grep -qx "replicaof $to 6379" "$work/$n/redis.conf" || return 1
    done
}
stayed() {
    [ "$(leaders)" = $own ] && ! grep '^replicaof' "$work/$own/redis.conf" &&
        [ "$(says $second master_link_status)" = up ] && grep -qx "replicaof $own 6379" "$work/$second/redis.conf"
}

plain() {
    hand_over switch 20 5000
    check "it hands over" said switched
    check "it hands over: the second leads, by each file too" wait_for 20 moved
    check "it hands over: nothing of it is left in /tmp" eval '! ls /tmp/faildrill-switchover.* 2>/dev/null'
}
answer_lost() {
    echo lost >"$work/mode"
    hand_over switch 20 5000
    check "the answer is lost: it was" [ ! -e "$work/mode" ]
    check "the answer is lost: Redis gave it up by itself" grep -q 'Failover target rejected psync' "$work/$own/log"
    check "the answer is lost: it says what that means" said "incomplete: $own gave it up when $to had taken over"
    check "the answer is lost: one leads, by each file too" wait_for 20 moved
}
# It has what the first one has not given it up for: that is not thrown away.
promoted_by_another() {
    kill -STOP "$(pid_of $second)"
    ask $own set more 1 >/dev/null
    (timeout 60 redis-cli -h $second replicaof no one >/dev/null &)
    hand_over switch 20 1000 &
    wait_for 20 eval '[ "$(says $own master_failover_state)" = waiting-for-sync ]'
    check "somebody else promotes it: Redis gives it up" wait_for 20 eval '[ "$(says $own master_failover_state)" = no-failover ]'
    kill -CONT "$(pid_of $second)"
    wait $!
    check "somebody else promotes it: by hand" said "failed: $own gave it up and leads, and $to leads, and not by what"
    check "somebody else promotes it: nothing is thrown away" eval '[ "$(says $own role)" = master ] && [ "$(ask $own get more)" = 1 ]'
}
is_held() {
    [ "$(says $own master_failover_state)" = failover-in-progress ] && [ -e "$work/mode" ]
}
held() {
    echo hold >"$work/mode"
    hand_over switch 3 1000
    check "the other one hears nothing: it hands over yet, beyond its limit" is_held
    check "the other one hears nothing: it says so" said "failed: $own hands over yet, and takes no writes"
    check "the other one hears nothing: its next start follows it" grep -qx "replicaof $to 6379" "$work/$own/redis.conf"
    rm "$work/mode"
    check "the other one hears it: one leads, by each file too" wait_for 20 moved
}
started_anew() {
    echo hold >"$work/mode"
    hand_over switch 30 1000 &
    wait_for 20 eval 'is_held && grep -qx "replicaof $to 6379" "$work/$own/redis.conf"'
    stop $own
    start $own
    check "it is started anew meanwhile: nobody leads beside another" [ "$(leaders | wc -l)" -eq 0 ]
    wait $!
    check "it is started anew meanwhile: it says what to do" said "failed: $own follows $to, which does not lead: by hand"
    ask $second replicaof no one >/dev/null
    check "it is started anew meanwhile: one is promoted by hand, and leads" wait_for 20 moved
}
unsaid() {
    mkdir -p "$work/bin"
    printf '#!/bin/sh\n' >"$work/bin/setsid"
    chmod +x "$work/bin/setsid"
    PATH=$work/bin:$PATH hand_over switch 2 1000
    check "whoever does it is ended: what it is, and no more" said "failed: nobody says how it ended; $own is master, and does not hand over now"
    printf '#!/bin/sh\nkill -STOP %s\n' "$(pid_of $own)" >"$work/bin/setsid"
    PATH=$work/bin:$PATH hand_over switch 2 1000
    check "whoever does it is ended: what is not known is not said" said "failed: $own does not say whether it hands over"
    kill -CONT "$(pid_of $own)"
    rm -r "${work:?}/bin"
    check "whoever does it is ended: nothing has changed" wait_for 20 stayed
}
# A stand-in: as systemd it reads a dollar in what it is told, and gives its own environment, streams and session.
systemd() {
    mkdir -p "$work/bin" /run/systemd/system
    cat >"$work/bin/systemd-run" <<'END'
#!/bin/bash
set=()
while [ "$1" != /bin/sh ]; do
    case $1 in --setenv=*) set+=("${1#--setenv=}") ;; esac
    shift
done
case $* in *'$'*) exit 1 ;; esac
echo "$#" >/run/said
exec 3<&- 4<&- 5<&-
setsid env -i "${set[@]}" "$@" >/dev/null 2>&1 </dev/null &
END
    chmod +x "$work/bin/systemd-run"
    echo hold >"$work/mode"
    PATH=$work/bin:$PATH setsid sh -c "$text" redis "$text" switch $own 6379 "$work/$own/redis.conf" "" 30 1000 $to $to $third >"$work/said" &
    local session=$!
    check "beside systemd: it begins it" wait_for 20 is_held
    check "beside systemd: as a service" [ -s /run/said ]
    check "beside systemd: the session is ended" kill -9 -- "-$session"
    check "beside systemd: nothing of it is left in /tmp" eval '! ls /tmp/faildrill-switchover.* 2>/dev/null'
    rm "$work/mode"
    check "beside systemd: one leads, by each file too" wait_for 20 moved
    servers
    PATH=$work/bin:$PATH hand_over switch 20 5000
    check "beside systemd: what it says is heard" said switched
    printf '#!/bin/sh\nexit 1\n' >"$work/bin/systemd-run"
    servers
    PATH=$work/bin:$PATH hand_over switch 20 5000
    check "beside a systemd that refuses: not known, and said so" said "failed: systemd does not say that it began"
    rm -r "${work:?}/bin" /run/systemd
}
silent_peer() {
    kill -STOP "$(pid_of $third)"
    hand_over switch 20 5000
    check "another replica is silent meanwhile: it hands over" said switched
    wait_for 20 eval '[ "$(says $own master_link_status)" = up ]'
    sleep 3 # it is asked once, at least, while it is silent
    kill -CONT "$(pid_of $third)"
    check "another replica is silent meanwhile: it follows, once it is back" wait_for 20 moved
}

python3 "$work/relay.py" "$work/mode" $to $second 2>/dev/null &
at_end kill $!
for part in plain answer_lost promoted_by_another held started_anew unsaid systemd silent_peer; do
    [ -z "$ONLY" ] || [[ " $ONLY " == *" $part "* ]] || continue
    servers
    "$part"
done
for n in $own $second $third; do stop "$n"; done

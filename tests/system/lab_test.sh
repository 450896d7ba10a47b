#!/usr/bin/env bash
# lab_test.sh - the lab keeps its promises: ready when it says so, apart from this machine, and gone when it is down.
# SPDX-License-Identifier: Apache-2.0
# Needs root, or what scenarios/lab/lab needs without it. One line a check; exits 1 if one fails.
# Every function is called by `check`; what stands in single quotes is for a host's shell.
# shellcheck disable=SC2015,SC2016,SC2317
set -uo pipefail

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
lab=$top/scenarios/lab/lab
work=$(mktemp -d)
chmod 755 "$work"
export LAB_STATE=$work/lab
unset LAB_NAME LAB_NET
failed=0

pass() { printf 'PASS %s\n' "$*"; }
fail() { printf 'FAIL %s\n' "$*" && failed=1; }
skip() { printf 'SKIP %s\n' "$*"; }

# check NAME COMMAND...
check() {
    local name=$1 out
    shift
    if out=$("$@" 2>&1); then
        pass "$name"
    else
        fail "$name"
        printf '%s\n' "$out" | tail -n 20 | sed 's/^/     /'
    fi
}

# within SECONDS COMMAND...: polls.
within() {
    local now end
    read -r now _ </proc/uptime
    end=$((${now/./} + $1 * 100))
    shift
    until "$@"; do
        read -r now _ </proc/uptime
        [ "${now/./}" -lt "$end" ] || return 1
        sleep 0.05
    done
}

ssh_to() { ssh -F "$LAB_STATE/ssh_config" "$@" </dev/null; }
hosts() { (cd "$LAB_STATE/hosts" && printf '%s\n' *); }
address() { cat "$LAB_STATE/hosts/$1/address"; }
pids() { cat "$LAB_STATE"/hosts/*/init; }
primaries() {
    "$lab" status staging | sed -n 's/^\([^ ]*\) .*(primary).*/\1/p'
}
http() { curl -s -m 5 "http://$(address staging-api-1):8080$1"; }
shop_sells() { [ "$(http /checkout/ping)" = '{"ok":true}' ]; }

all_answer_ssh() {
    local host
    for host in $(hosts); do
        [ "$(ssh_to "$host" hostname)" = "$host" ] || { echo "$host" && return 1; }
    done
}

all_differ_in() {
    local host
    [ "$(for host in $(hosts); do "$lab" exec "$host" sha256sum "$1"; done | sort | uniq -d | wc -l)" -eq 0 ]
}

up_again_changes_nothing() {
    local before
    before=$(pids)
    "$lab" up staging && [ "$before" = "$(pids)" ]
}

# CAP_SYS_MODULE 16, CAP_SYS_BOOT 22, CAP_SYS_TIME 25. (Never try: there is but one clock.)
cannot_touch_the_clock() {
    local caps
    caps=$(for how in "$lab exec" ssh_to; do $how staging-redis-1 cat /proc/self/status; done |
        sed -n 's/^Cap\(Prm\|Eff\|Bnd\):\t*//p')
    [ "$(wc -l <<<"$caps")" -eq 6 ] || return 1
    for cap in $caps; do
        [ $((16#$cap & (1 << 16 | 1 << 22 | 1 << 25))) -eq 0 ] || return 1
    done
}

cannot_change_the_machine() {
    ! ssh_to staging-redis-1 touch /usr/lab_test /var/lib/lab_test 2>/dev/null || return 1
    ssh_to staging-redis-1 'for d in etc run tmp var/log root dev/shm; do touch /$d/lab_test || exit 1; done' || return 1
    ! ls /{etc,run,tmp,var/log,root,dev/shm}/lab_test 2>/dev/null
}

killed_vanishes() {
    ssh_to staging-api-1 'p=$(cat /run/shop.pid); kill -9 $p; i=0
        while [ -e /proc/$p ]; do i=$((i + 1)); [ $i -lt 3000 ] || exit 1; sleep 0.01; done' &&
        ! ssh_to staging-api-1 /etc/init.d/shop status &&
        ssh_to staging-api-1 /etc/init.d/shop start &&
        within 60 shop_sells
}

# Looks from before it happens: where the machine is slow, it may be over when the command has returned.
until_it_stops() {
    within 60 not shop_sells
}

fails_over() {
    local old noticing
    old=$(primaries)
    until_it_stops &
    noticing=$!
    ssh_to "$old" 'kill -9 $(cat /run/redis/redis-server.pid)'
    wait "$noticing" || { echo "the shop did not notice" && return 1; }
    within 60 shop_sells || { echo "the shop did not recover" && return 1; }
    [ -n "$(primaries)" ] && [ "$(primaries)" != "$old" ] || { primaries && return 1; }
    ssh_to "$old" /etc/init.d/redis-server start --replicaof "$(address "$(primaries)")" 6379 || return 1
    within 60 "$lab" up staging && [ "$(primaries)" != "$old" ] && [ "$(primaries | wc -l)" -eq 1 ]
}

not() { ! "$@"; }

# A stopped process keeps its sockets: only time-outs tell.
survives_a_frozen_primary() {
    local old longest noticing
    old=$(primaries)
    until_it_stops &
    noticing=$!
    ssh_to "$old" 'kill -STOP $(cat /run/redis/redis-server.pid)'
    wait "$noticing" || { echo "the shop did not notice" && return 1; }
    longest=$(for _ in 1 2 3 4 5; do
        curl -s -m 30 -o /dev/null -w '%{time_total}\n' "http://$(address staging-api-1):8080/checkout/ping"
    done | sort -n | tail -n 1)
    within 60 shop_sells || { echo "the shop did not recover" && return 1; }
    ssh_to "$old" 'kill -CONT $(cat /run/redis/redis-server.pid)'
    awk -v s="$longest" 'BEGIN { print "longest request", s; exit !(s < 15) }' || return 1
    "$lab" up staging && [ "$(primaries)" != "$old" ]
}

repairs_a_lost_host() {
    local key pid
    key=$(ssh_to staging-redis-1 cat /etc/machine-id) || return 1
    "$lab" exec staging-redis-1 redis-cli set lab_test kept >/dev/null # refused on a replica: then it is there by replication
    read -r pid _ <"$LAB_STATE/hosts/staging-redis-1/init"
    kill -9 "$pid"
    within 60 not "$lab" status staging || return 1
    "$lab" up staging && all_answer_ssh && [ "$key" = "$(ssh_to staging-redis-1 cat /etc/machine-id)" ] &&
        "$lab" status staging
}

environments_name_these_hosts() {
    local set host
    for set in staging production; do
        for host in "$set"-redis-{1..3} "$set-api-1"; do
            [ -e "$LAB_STATE/hosts/$host" ] || continue
            grep -qF "$host: {address: $(address "$host")}" "$LAB_STATE/environments/$set.yaml" || return 1
        done
        grep -qF "ssh: {config: $LAB_STATE/ssh_config}" "$LAB_STATE/environments/$set.yaml" || return 1
    done
    grep -qF "http://$(address staging-api-1):8080" "$LAB_STATE/environments/staging.yaml"
}

two_labs_at_once() {
    local one=$work/one two=$work/two rc=0
    "$lab" --state "$one" up bare:3 &
    "$lab" --state "$two" up bare:3 || rc=1
    wait $! || rc=1
    [ "$(cat "$one/net")" != "$(cat "$two/net")" ] || rc=1
    ssh -F "$one/ssh_config" bare-3 true && ssh -F "$two/ssh_config" bare-3 true || rc=1
    "$lab" --state "$one" down || rc=1
    ssh -F "$two/ssh_config" bare-2 true || rc=1
    "$lab" --state "$two" down || rc=1
    return "$rc"
}

taken_addresses_are_refused() {
    local message
    message=$(LAB_NET=$(cat "$LAB_STATE/net") "$lab" --state "$work/one" up bare:1 2>&1) && return 1
    grep -q 'are in use here.*set LAB_NET' <<<"$message" || { echo "$message" && return 1; }
    "$lab" --state "$work/one" down
}

# Whether somebody of that session lives who began before there was a mark: a `mkdir`, for a moment. A `down` before
# that has ended would find nothing yet.
has_unmarked() {
    local pid words
    for pid in $(pgrep -s "$1"); do
        { words=$(tr '\0' '\n' <"/proc/$pid/environ"); } 2>/dev/null
        [ -z "$words" ] || grep -q '^LAB_\(OF\|HOST\)=' <<<"$words" || return 0
    done
    return 1
}

# Killed at moments all over its run, then repaired or ended.
killed_at() {
    local pid
    setsid "$lab" up staging bare:4 >/dev/null 2>&1 &
    pid=$!
    sleep "$1" # the moment itself, no waiting for anything
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    for _ in {1..500}; do
        has_unmarked "$pid" || break
        sleep 0.01
    done
    if [ "$2" = up ]; then
        "$lab" up staging bare:4 >/dev/null && "$lab" status >/dev/null || return 1
    fi
    leaves_nothing
}

# Ends the lab, then looks for what it had. A namespace without a process, mount or link is gone.
leaves_nothing() {
    local had still
    had=$(processes_in_hosts)
    "$lab" down || return 1
    "$lab" down || { echo "not twice" && return 1; }
    ! "$lab" status || return 1
    [ ! -e "$LAB_STATE" ] || { find "$LAB_STATE" && return 1; }
    ! ip -o link | grep -F "alias $LAB_STATE" || return 1
    ! grep -lzx -e "LAB_\(OF\|HOST\)=$LAB_STATE" /proc/[0-9]*/environ 2>/dev/null || return 1
    ! grep -l "$LAB_STATE" /proc/[0-9]*/mountinfo 2>/dev/null || return 1
    still=$(ps -eo stat=,pid=,lstart= | awk '$1 !~ /Z/ { $1 = ""; print }') # zombies are the machine's init's
    [ -z "$had" ] || ! grep -xF "$had" <<<"$still"
}

processes_in_hosts() {
    local pid space
    while read -r pid _; do
        space=$(readlink "/proc/$pid/ns/pid") && ps -eo pidns=,pid=,lstart= |
            awk -v space="${space//[^0-9]/}" '$1 == space { $1 = ""; print }'
    done < <(cat "$LAB_STATE"/hosts/*/init 2>/dev/null)
}

down_killed_at() {
    local pid
    "$lab" up staging bare:4 >/dev/null || return 1
    "$lab" down &
    pid=$!
    sleep "$1" # as above
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    leaves_nothing
}

two_ups_at_once() {
    local one two rc=0
    "$lab" up bare:3 &
    one=$!
    "$lab" up bare:3 staging &
    two=$!
    wait "$one" || rc=1
    wait "$two" || rc=1
    "$lab" status && leaves_nothing && return "$rc"
}

# A pipe whose writing end a host kept would never end.
hosts_keep_nothing_of_ours_open() {
    (exec 5>&1 && exec "$lab" up bare:1 >&2) | timeout 120 cat && leaves_nothing
}

forgotten_folder() {
    "$lab" up bare:2 >/dev/null && rm -rf "$LAB_STATE" && leaves_nothing
}

bare_hosts_come_and_go() {
    "$lab" up bare:6 && all_answer_ssh && [ "$(hosts | wc -l)" -eq 6 ] || return 1
    "$lab" exec bare-6 sh -c 'kill -9 $(cat /run/idle.pid)'
    within 60 not "$lab" exec bare-6 /etc/init.d/idle status || return 1
    "$lab" up bare:6 && "$lab" exec bare-6 /etc/init.d/idle status
}

run_passes_on_status_and_input() {
    local out
    out=$(echo in | "$lab" run "$@" bare:1 -- sh -c 'read -r word; ssh -F "$LAB_STATE/ssh_config" bare-1 hostname </dev/null
        echo "$word"; exit 7')
    [ $? -eq 7 ] && [[ $out == *bare-1*in ]] && [ ! -e "$LAB_STATE" ] || { echo "$out" && return 1; }
}

run_ends_on_term() {
    local pid rc
    "$lab" run bare:1 -- sh -c ': >"$LAB_STATE/running"; exec sleep 1000' &
    pid=$!
    within 60 test -e "$LAB_STATE/running" || return 1
    ! "$lab" up bare:1 || { echo "somebody else's up was not refused" && return 1; }
    kill -TERM "$pid"
    wait "$pid"
    rc=$?
    rm -f "$LAB_STATE/running"
    [ "$rc" -eq 143 ] && leaves_nothing
}

# As somebody who has no name here, in namespaces of his own: login, capabilities, failover, status.
without_root() {
    local home=$work/user rc
    mkdir -p "$home" && chown 54321:54321 "$home"
    setpriv --reuid=54321 --regid=54321 --clear-groups env -i PATH="$PATH" HOME="$home" LAB_STATE="$home/lab" \
        "$lab" run staging -- bash -c '
            ssh_to() { ssh -F "$LAB_STATE/ssh_config" "$@"; }
            for host in staging-redis-1 staging-redis-2 staging-redis-3 staging-api-1; do
                [ "$(ssh_to $host hostname)" = $host ] || exit 11
            done
            ssh_to staging-redis-1 "nft add table inet drill && nft delete table inet drill && sudo true" || exit 12
            shop=$(sed -n "s/^  api: \"\(.*\)\"/\1/p" "$LAB_STATE/environments/staging.yaml")/checkout/ping
            sells() { curl -s -m 5 "$shop" | grep -qF "{\"ok\":true}"; }
            sells || exit 13
            ssh_to staging-redis-1 "kill -9 \$(cat /run/redis/redis-server.pid)"
            for i in $(seq 1200); do sells || break; sleep 0.05; done
            for i in $(seq 1200); do sells && exit 17; sleep 0.05; done
            exit 14'
    rc=$?
    [ "$rc" -eq 17 ] || { echo "exit status $rc, not 17" && return 1; }
    [ -z "$(ls -A "$home")" ] || { find "$home" && return 1; }
    ! grep -lzxF -e "LAB_HOST=$home/lab" /proc/[0-9]*/environ 2>/dev/null
}

user_is_told_to_use_run() {
    local message
    message=$(setpriv --reuid=54321 --regid=54321 --clear-groups "$lab" up staging 2>&1) && return 1
    [ "$message" = "lab: making hosts needs root here; without it: lab run staging -- bash" ] ||
        { echo "$message" && return 1; }
}

finish() {
    "$lab" down >/dev/null 2>&1
    rm -rf "$work"
}
trap finish EXIT

check "up ends when staging is ready" "$lab" up staging
check "status says so" "$lab" status staging
check "up again changes nothing" up_again_changes_nothing
check "ssh reaches each host by its name" all_answer_ssh
check "each host has its own machine-id" all_differ_in /etc/machine-id
check "each host has its own host key" all_differ_in /etc/ssh/ssh_host_ed25519_key
check "a host cannot set the clock, boot or load modules" cannot_touch_the_clock
check "a host cannot change this machine's files" cannot_change_the_machine
check "a killed service vanishes and can be started" killed_vanishes
check "the environment files name the hosts' addresses" environments_name_these_hosts
check "the primary's Redis is killed: another leads, the shop recovers" fails_over
check "the primary's Redis is frozen: the shop never hangs, and recovers" survives_a_frozen_primary
check "a lost host is booted again from its disk" repairs_a_lost_host
check "addresses in use are refused" taken_addresses_are_refused
check "down leaves no process, link, namespace, mount or file" leaves_nothing
check "production and fresh hosts come up" "$lab" up production fresh
check "and answer" all_answer_ssh
check "one set goes, the other stays" eval '"$lab" down production && [ "$(hosts | wc -l)" -eq 3 ] && all_answer_ssh'
check "down leaves nothing of them" leaves_nothing
check "bare hosts come up, their service can be killed and repaired" bare_hosts_come_and_go
check "down leaves nothing of those" leaves_nothing
check "two labs come up side by side" two_labs_at_once
for moment in 0.02 0.06 0.1 0.15 0.2 0.25 0.3 0.4 0.5 0.7; do
    check "up killed after $moment s: up repairs, down leaves nothing" killed_at "$moment" up
    check "up killed after $moment s: down leaves nothing" killed_at "$moment" down
done
for moment in 0.02 0.05 0.1 0.2; do
    check "down killed after $moment s: down leaves nothing" down_killed_at "$moment"
done
check "two ups of one lab wait for each other" two_ups_at_once
check "hosts keep nothing open that we have" hosts_keep_nothing_of_ours_open
check "down finds a lab whose folder is gone" forgotten_folder
check "run passes on status and input" run_passes_on_status_and_input
check "run --private too" run_passes_on_status_and_input --private
check "run ends at TERM, and is nobody else's meanwhile" run_ends_on_term
if ! setpriv --reuid=54321 --regid=54321 --clear-groups test -x "$lab" 2>/dev/null; then
    skip "without root: another user cannot read $top"
elif ! setpriv --reuid=54321 --regid=54321 --clear-groups unshare --user --net true 2>/dev/null; then
    skip "without root: this machine gives users no namespaces"
else
    check "up without root says what to do" user_is_told_to_use_run
    check "run without root: login, nft, failover, status" without_root
fi
exit "$failed"

# holder_exhaust.sh - uses up what a host has a number of: processes, descriptors, connections.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015,SC2034
# Stands behind holder.sh, as holder_fill.sh does; functions only. Helpers wait for the end of what
# they read from 8, a pipe that nobody but the holder (5) could write to: they end when it does.

exhaust_most=60000      # processes that are made at the most
descriptors_most=900000 # descriptors that one process may have

exhaust_wait() {
    mkfifo stay && exec 5<>stay 8<stay && rm -f stay || exit 1
}

# exhaust_room LIMIT USED NAME: the tightest of them is what is used up. (The files of /proc/sys are
# read by cat: by single bytes, as a shell reads, they have but one.)
exhaust_room() {
    case $1$2 in '' | *[!0-9]*) return 0 ;; esac
    [ -z "$limit" ] || [ $(($1 - $2)) -lt $((limit - used)) ] || return 0
    limit=$1 used=$2 limited=$3
}

# exhaust_want LEAST MOST WHAT: how many are taken; so many stay, and more are not tried.
exhaust_want() {
    rest=$leave
    spare=$((1000 - ${share:-0}))
    [ -z "$share" ] || rest=$((limit / 1000 * spare + limit % 1000 * spare / 1000))
    if [ "$rest" -lt "$1" ]; then
        [ "${share:-0}" -eq 1000 ] ||
            hold_fail "this leaves $rest $3 of $limit ($limited); $1 are the least"
        rest=$1
    fi
    want=$((limit - used - rest))
    [ "$want" -gt 0 ] ||
        hold_fail "fewer $3 than that are left already: $((limit - used)) of $limit ($limited)"
    [ "$want" -le "$2" ] ||
        hold_fail "that would be $want $3 of $limit ($limited); $2 are the most that are taken"
}

# exhaust_memory KIB: so much of the kernel's memory they take.
exhaust_memory() {
    memory_look
    [ $((available - $1)) -ge "$memory_least" ] ||
        hold_fail "$want $what would take too much of $((available / 1024)) MiB of memory"
}

# ---- pids: processes that have ended and that nobody reaps. Each costs a number, little more. ----

pids_limit() {
    [ ! -r "$1/pids.max" ] ||
        exhaust_room "$(cat "$1/pids.max")" "$(cat "$1/pids.current")" "pids.max of $1"
}

# Numbers below 300 are given out once, and never again.
pids_size() {
    limit=''
    set -- /proc/[0-9]*/task/[0-9] /proc/[0-9]*/task/[0-9][0-9] /proc/[0-9]*/task/[12][0-9][0-9]
    early=$#
    set -- /proc/[0-9]*/task/[0-9]*
    exhaust_room $(($(cat /proc/sys/kernel/pid_max) - 300)) $(($# - early)) kernel.pid_max
    read -r _ _ _ tasks _ </proc/loadavg
    exhaust_room "$(cat /proc/sys/kernel/threads-max)" "${tasks#*/}" kernel.threads-max
    while IFS=: read -r _ controllers group; do
        while :; do
            case ,$controllers, in
            ,,) pids_limit "/sys/fs/cgroup$group" ;;
            *,pids,*) pids_limit "/sys/fs/cgroup/pids$group" ;;
            esac
            [ -n "$group" ] && [ "$group" != / ] || break
            group=${group%/*}
        done
    done </proc/self/cgroup
    exhaust_want 64 "$exhaust_most" processes
    exhaust_memory $((want * 16))
}

# What nobody reaps would stay for ever: process 1 must.
pids_check() {
    orphan=$(sh -c 'sleep 0.05 >/dev/null 2>&1 & echo $!')
    tries=100
    while [ -e "/proc/$orphan" ]; do
        [ "$tries" -gt 0 ] ||
            hold_fail "process 1 does not reap orphans: dead processes would stay for ever"
        tries=$((tries - 1))
        nap 0.05
    done
}

# Children wait (7) until their parent has become a cat, which reaps nobody; then they end.
pids_batch() {
    left=$1
    while [ "$left" -gt 1 ]; do
        (
            exec 5<&- 6<&- 8<&-
            read -r _ <&7
        ) &
        left=$((left - 1))
    done
    exec cat <&8 >/dev/null 5<&- 6<&- 7<&-
}

pids_take() {
    exhaust_wait
    echo "$want" >want || exit 1
    while [ "$want" -gt 0 ]; do
        batch=$want
        [ "$batch" -le 200 ] || batch=200
        mkfifo go && exec 6<>go 7<go && rm -f go || exit 1
        pids_batch "$batch" &
        helper=$!
        hold_add "$helper"
        helper_born=$born
        while read -r name 2>/dev/null <"/proc/$helper/comm" && [ "$name" != cat ]; do
            hold_nap 0.01
        done
        alive "$helper" "$helper_born" || hold_fail "$(tail -n 1 log.hold)"
        exec 6<&- 7<&-
        want=$((want - batch))
        hold_may || exit 0
    done
}

pids_seen() {
    read -r want <want
    hold_whole || hold_fail "a helper is gone"
    pids=$holder
    family
    # shellcheck disable=SC2086
    set -- $pids
    [ $# -ge $((want / 100 * 95)) ] || hold_fail "$# of $want processes are there"
}

# ---- descriptors and connections: only bash can have more than ten. ----

# Each line that comes says how many there shall be; with the last one they close.
exhaust_bash='
most=$1 how=$2 opened=0
ulimit -n $((most + 64)) || exit 1
while read -r many <&8; do
    while [ "$opened" -lt "$many" ]; do
        case $how in
        null) exec {fd}</dev/null ;;
        tcp) exec {fd}<>"/dev/tcp/$3/$4" ;;
        esac 2>/dev/null || break
        opened=$((opened + 1))
    done
    echo "$opened $many" >opened.new && mv opened.new opened
done
'

exhaust_has_bash() {
    [ "$(bash -c 'exec {fd}</dev/null && echo yes' 2>/dev/null)" = yes ] ||
        hold_fail "there is no bash, which alone can hold many $what (apt-get install bash)"
}

# exhaust_open FIRST LEAST HOW...: as many as the first step wants, or as can be had.
exhaust_open() {
    asked=$1 least=$2
    shift 2
    exhaust_wait
    bash -c "$exhaust_bash" hold "$want" "$@" 2>>log.hold 5<&- &
    helper=$!
    hold_add "$helper"
    helper_born=$born
    echo "$asked" >&5
    until [ -e opened ]; do
        alive "$helper" "$helper_born" || hold_fail "$what cannot be had: $(tail -n 1 log.hold)"
        hold_may || exit 0
        hold_nap 0.02
    done
    read -r opened _ <opened
    [ "$opened" -ge "$least" ] || hold_fail "only $opened of $asked $what could be had"
}

# Sets `due`, how many there shall be by now: the first step comes at once, the last one at the end
# of the ramp.
exhaust_due() {
    due=$count
    [ "$ramp" -eq 0 ] || [ $((now - exhaust_since)) -ge "$ramp" ] ||
        due=$((count * (1 + (now - exhaust_since) * (steps - 1) / ramp) / steps))
}

descriptors_check() {
    :
}

descriptors_size() {
    exhaust_has_bash
    limit=''
    read -r open free most <<END
$(cat /proc/sys/fs/file-nr)
END
    exhaust_room "$most" $((open - free)) fs.file-max
    exhaust_want 256 "$descriptors_most" descriptors
    exhaust_memory "$want"
}

descriptors_take() {
    exhaust_open "$want" $((want * 95 / 100)) null
}

descriptors_seen() {
    hold_whole || hold_fail "the helper is gone"
    read -r opened _ <opened
    { read -r _ && read -r helper _; } <held
    set -- "/proc/$helper/fd/"*
    [ $# -ge "$opened" ] || hold_fail "$# of $opened descriptors are open"
}

connections_check() {
    bash -c 'exec 3<>"/dev/tcp/$1/$2"' hold "$address" "$port" 2>/dev/null ||
        hold_fail "nobody listens at $address:$port"
}

connections_size() {
    exhaust_has_bash
    [ "$port" != "${FD_PORT:-}" ] || hold_fail "port $port is that of our own way in"
    want=$count
}

# Where the service takes no more it is used up, which is what was asked for.
connections_take() {
    look_at_clock
    exhaust_since=$now
    exhaust_due
    exhaust_open "$due" 1 tcp "$address" "$port"
}

# Behind hold_may, which has set now.
connections_keep() {
    exhaust_due
    [ "$due" -gt "$asked" ] || return 0
    asked=$due
    echo "$asked" >&5
}

# Those that the other end has closed do not count.
connections_seen() {
    hold_whole || hold_fail "the helper is gone"
    read -r opened due <opened
    standing=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
        awk -v port=":$(printf %04X "$port")" '
            $4 == "01" && substr($3, length($3) - 4) == port' | wc -l)
    [ "$standing" -ge $(((opened * 9 + 9) / 10)) ] ||
        hold_fail "$standing of $opened connections stand"
    if [ "$opened" -lt "$due" ]; then
        echo "note: $opened connections are held, and no more could be had"
    else
        echo "note: $opened connections are held"
    fi
}

exhaust_size() {
    "${what}_size"
    [ "$verb" != check ] || "${what}_check"
}

exhaust_take() {
    "${what}_take"
}

exhaust_keep() {
    case $what in
    sessions) sessions_keep ;;
    connections) hold_whole && connections_keep ;;
    *) hold_whole ;;
    esac
}

exhaust_seen() {
    "${what}_seen"
}

exhaust_clean() {
    [ "$what" != sessions ] || sessions_clean
}

exhaust_gone() {
    [ "$what" != sessions ] || sessions_gone
}

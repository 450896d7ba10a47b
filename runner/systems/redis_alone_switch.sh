# redis_alone_switch.sh - a Redis that leads hands over to a replica of it, and each writes down what it is then.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2046,SC2094,SC2154
# Behind redis_host.sh, and without single quotes as it.
#   sh -c TEXT redis TEXT VERB ADDRESS PORT CONFIG TLS SECONDS TIMEOUT_MS TO PEER...
# on the host that leads; TO is one of the PEERs.
#   look     whether it can: ready, refused: WHY
#   switch   It goes on to its end by itself, whatever becomes of whoever asked for it; until TO is told, the server
#       itself gives it up after TIMEOUT_MS, and no more from then on. Prints one of: switched, incomplete: WHY (it leads,
#       and that is not written down, or something is lost), refused: WHY (nothing was changed), failed: WHY (also where
#       there is no end within SECONDS)
#   work     what `switch` begins
text=$1 verb=$2 own=$3 own_port=$4 config=$5 tls=$6 seconds=$7 timeout_ms=$8 to=$9
shift 9
unset FD_DIR FD_ID FD_PEER FD_PORT FD_LEASE
answer_within=2

refuse() {
    echo "refused: $1"
    exit 0
}

# ask PLACE WORD...
ask() {
    place=$1
    shift
    redis "$own_secret" "$place" "$own_port" "$@" | tr -d "\r"
}

# Sets `info`, of which `field` reads; false where there is no answer.
info_of() {
    info=$(ask "$1" info replication)
    [ -n "$(field role)" ]
}
field() {
    echo "$info" | sed -n "s/^$1://p"
}

# The address by which it knows TO as its replica, its state, and what TO has: "IP STATE OFFSET"; nothing: it has none.
target_of_info() {
    echo "$info" |
        sed -n "s/^slave[0-9]*:ip=\([^,]*\),port=\([0-9]*\),state=\([^,]*\),offset=\([0-9]*\).*/\1 \2 \3 \4/p" |
        while read -r ip port state offset; do
            [ "$port" != "$own_port" ] || ! is_one_of "$ip" "$to" || echo "$ip $state $offset"
        done
}

# What it had as it was asked first must be there soon; what is written since is not waited for, for that never ends.
catches_up() {
    wanted=$(field master_repl_offset)
    end=$(($(uptime_s) + 4))
    while :; do
        read -r ip state offset <<TARGET
$(target_of_info)
TARGET
        [ -n "$ip" ] || refuse "$to is no linked replica of $own"
        [ "$state" != online ] || [ "$offset" -lt "$wanted" ] || return 0
        [ "$(uptime_s)" -lt "$end" ] || return 1
        sleep 0.1
        info_of "$own" || refuse "Redis on $own answers no more"
    done
}

# Sets `info` of a primary that could be asked.
may_hand_over() {
    info_of "$own" || refuse "Redis on $own does not answer"
    [ "$(field role)" = master ] || refuse "$own does not lead"
    case $(field master_failover_state) in
    no-failover) ;;
    "") refuse "Redis on $own is older than 6.2, and has no FAILOVER" ;;
    *) refuse "$own is failing over already" ;;
    esac
}

look() {
    for tool in redis-cli setsid mktemp getent; do
        command -v "$tool" >/dev/null || refuse "there is no $tool on $own"
    done
    for place in "$own" "$@"; do
        info_of "$place" || refuse "from $own, with the password in $config, $place does not answer"
    done
    may_hand_over
    catches_up || refuse "$to is $((wanted - offset)) bytes behind $own ($state), and does not catch up"
    # What each is to be must stand in its file, or its next start takes it back.
    for place in "$to" "$own"; do
        said=$(ask "$place" config rewrite)
        [ "$said" = OK ] || refuse "$place could not write down what it is: ${said:-no answer}"
    done
}

# Both at once: whom it follows, and that its file says so.
follow() {
    printf "%s\n" multi "replicaof $to $own_port" "config rewrite" exec | ask "$1" | tail -n 1 | grep -qx OK
}

# It answers, and is not chained to us: a silent one may be.
is_free() {
    [ "$1" = "$to" ] || { info_of "$1" && ! {
        [ "$(field role)" = slave ] && is_one_of "$(field master_host)" "$own" $(hostname -I 2>/dev/null)
    }; }
}

# again_until END COMMAND...
again_until() {
    last=$1
    shift
    until "$@"; do
        [ "$(uptime_s)" -lt "$last" ] || return 1
        sleep 0.2
    done
}

leads() {
    info_of "$1" && [ "$(field role)" = master ]
}

# Both files say what they are, and the old primary names the new one as the role does.
settled() {
    leads "$to" && follow "$own" && [ "$(ask "$to" config rewrite)" = OK ]
}

# Both began a history of their own where the old one ended: what TO had when it took over is all that we had.
took_over() {
    ended="$(field master_replid2) $(field second_repl_offset)"
    leads "$to" && [ "${ended#* }" != -1 ] && [ "$(field master_replid2) $(field second_repl_offset)" = "$ended" ]
}

# It is the primary again, or still; its file may name TO already. Where the answer to it was lost TO leads as well, and
# nobody else would end that: true once we follow it. What was sent and not read yet may come to TO between two looks.
# False: it is not given up any more.
given_up() {
    looks=0 told="" back="" late=$(($(uptime_s) + 3))
    while [ "$(uptime_s)" -lt "$end" ]; do
        info_of "$own" || info=""
        case $(field role).$(field master_failover_state) in
        master.no-failover) ;;
        .*) info="" ;;
        *) return 1 ;;
        esac
        if [ -n "$info" ] && took_over; then
            follow "$own" && return 0
            why="$to leads all the same: by hand: stop the wrong one"
        elif leads "$to"; then
            why="$to leads, and not by what $own gave it: by hand: stop the wrong one"
        elif [ "$(field role)" = slave ]; then
            why="did not write that down: by hand: CONFIG REWRITE on it"
            [ -n "$back" ] || [ "$(ask "$own" config rewrite)" != OK ] || back=yes
            looks=$((looks + 1))
            [ "$looks" -lt 2 ] || [ -z "$back" ] ||
                refuse "Redis gave it up: $to had not everything, or did not take over, in $timeout_ms ms"
            sleep 1
        else
            why="$to does not say what it is"
        fi
        [ -n "$told" ] || [ "$(uptime_s)" -lt "$late" ] || {
            echo "failed: $own gave it up and leads, and $why"
            told=yes
        }
        sleep 0.1
    done
    exit 0
}

no_end() {
    info_of "$own" || info=""
    case $(field role).$(field master_failover_state) in
    .*) echo "failed: $own does not say whether it hands over yet" ;;
    *.no-failover) echo "failed: nobody says how it ended; $own is $(field role), and does not hand over now" ;;
    *) echo "failed: $own hands over yet, and takes no writes: see that $to runs and can be reached from it" ;;
    esac
    exit 0
}

# Rounds, for one that is silent holds up no other. Who leads may be another by now.
free_all() {
    left=$*
    until [ -z "$left" ] || [ "$(uptime_s)" -ge "$end" ]; do
        set -- $left
        left=""
        for peer; do
            is_free "$peer" || {
                left="$left $peer"
                ! leads "$to" || follow "$peer" || sleep 0.2
            }
        done
    done
}

# An answer that got lost is no refusal. FAILOVER ABORT is never sent: once the other one is asked, there could be two.
work() {
    if [ -n "${FD_SAID:-}" ] && { true >>"$FD_SAID"; } 2>/dev/null; then exec >>"$FD_SAID"; fi
    may_hand_over
    read -r ip state offset <<TARGET
$(target_of_info)
TARGET
    [ "$state" = online ] || refuse "$to is no linked replica of $own"
    said=$(ask "$own" failover to "$ip" "$own_port" timeout "$timeout_ms")
    case $said in OK | "") ;; *) refuse "$said" ;; esac
    end=$(($(uptime_s) + 900)) lost="" noted=""
    while :; do
        info_of "$own" || info=""
        case $(field role).$(field master_failover_state) in
        master.no-failover) ! given_up || { lost=yes && break; } ;;
        slave.no-failover) break ;;
        slave.*) # its next start follows TO from here on, whatever becomes of us
            [ -n "$noted" ] || [ "$(ask "$own" config rewrite)" != OK ] || noted=yes
            ;;
        esac
        [ "$(uptime_s)" -lt "$end" ] || no_end
        sleep 0.02
    done
    # Our own file first: with it as it was, our next start made a second primary.
    ask "$own" config rewrite >/dev/null
    end=$(($(uptime_s) + 60))
    if again_until $(($(uptime_s) + 5)) settled; then
        [ -n "$lost" ] || echo switched
    elif leads "$to"; then
        echo "incomplete: $own and $to have not both written down what they are: by hand: CONFIG REWRITE on both"
        again_until "$end" settled
    else
        echo "failed: $own follows $to, which does not lead: by hand: see who has most, and promote it"
        again_until "$end" settled
    fi
    [ -z "$lost" ] || echo "incomplete: $own gave it up when $to had taken over, and what $own took since is lost"
    free_all "$@"
}

# Not with the session of whoever asked, which logind may end with all that is in it. systemd would read a "$" in its
# words, so it gets the text as a file; neither file has a name, so nothing of them is left, whoever is killed.
begin() {
    set -- work "$own" "$own_port" "$config" "$tls" "$seconds" "$timeout_ms" "$to" "$@"
    if [ -d /run/systemd/system ] && [ -w /run ] && command -v systemd-run >/dev/null; then
        systemd-run --quiet --collect --unit="fd-switch-$$" -p OOMScoreAdjust=-1000 --setenv=PATH="$PATH" \
            --setenv=FD_SAID="/proc/$$/fd/4" /bin/sh "/proc/$$/fd/5" "" "$@" >/dev/null 2>&1 </dev/null
    else
        setsid sh -c "$text" redis "$text" "$@" >&4 2>/dev/null </dev/null 3<&- 5<&- &
    fi
}

switch() {
    log=$(mktemp /tmp/faildrill-switchover.XXXXXX) || refuse "no room in /tmp"
    exec 5<"$log" 4>"$log"
    rm -f "$log"
    log=$(mktemp /tmp/faildrill-switchover.XXXXXX) || refuse "no room in /tmp"
    printf "%s\n" "$text" >&4 || {
        rm -f "$log"
        refuse "no room in /tmp"
    }
    exec 4>"$log" 3<"$log"
    rm -f "$log"
    begin "$@" || { # it may have begun it all the same
        echo "failed: systemd does not say that it began: see whether $own leads"
        exit 0
    }
    last=$(($(uptime_s) + seconds))
    until read -r line <&3; do
        [ "$(uptime_s)" -lt "$last" ] || no_end
        sleep 0.05
    done
    echo "$line"
}

read_access
case $verb in
look)
    look "$@"
    echo ready
    ;;
switch) switch "$@" ;;
work) work "$@" ;;
esac

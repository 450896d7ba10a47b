# holder_restart.sh - restarts a service again and again, in a rhythm.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015,SC2034
# Stands behind holder.sh; functions only. In the fault's folder `turn` is one restart (service.sh).
# It runs in a session of its own, which `turning` names before it may begin: by that an undo ends all
# of it, also the service's own stop or start line in the midst. `rounds` says when the rhythm began,
# which restart was the last to begin (from 0), and when, in 1/100 s since boot.

restart_size() { :; }

restart_turn() {
    (
        read -r pid _ </proc/self/stat
        look_at "$pid" && echo "$pid $born" >turning && [ -e permit ] && exec setsid sh ./turn
    )
    turned=$?
    # Killed, or timed out: some of it may still go on.
    if [ "$turned" -ge 124 ]; then end_session turning || return 1; fi
    rm -f turning
    return "$turned"
}

# Behind hold_may, which has set now. One that takes longer than the rhythm leaves out the next ones;
# one that fails is the last.
restart_keep() {
    number=$(((now - first) / every))
    pause=0.5
    [ "$number" -gt "$begun" ] || return 0
    begun=$number
    echo "$first $begun $now" >rounds.new && mv rounds.new rounds && restart_turn
}

restart_take() {
    first=$now begun=-1
    restart_keep
}

# Whoever restarts it lives (hold_held), and is at it.
restart_seen() {
    read -r first begun last 2>/dev/null <rounds || hold_fail "it was not restarted yet"
    look_at_clock
    [ $((now - last)) -le $((every + 12000)) ] || hold_fail "it was not restarted any more"
}

restart_clean() {
    end_session turning || hold_fail "a restart does not end"
    rm -f turning
}

restart_gone() {
    pids=$(session_of turning) || exit 125
    [ -z "$pids" ] || hold_fail "a restart is under way"
}

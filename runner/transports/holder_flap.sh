# holder_flap.sh - a line that goes bad and good in a rhythm: begins each bad phase; the kernel ends it.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015,SC2034
# Stands behind holder.sh; functions only. In the fault's folder: `beat` puts its peers into the sets
# of its rules for FD_PHASE milliseconds, `wind` puts them in anew while they are in, `peers` says how
# many are in. `phase` says
# when the rhythm began, which bad phase was the last to begin (from 0), and until when the kernel
# keeps it, in 1/100 s since boot: until its end, or the lease's. Whoever dies here, nothing is bad
# for longer than that; by the timers of ipset, which know whole seconds only, up to a second longer.

flap_size() { :; }

# flap_phase SCRIPT: from now to the end of this bad phase; late as we may be, its end stays.
flap_phase() {
    until=$((flap_at + bad))
    [ "$until" -le "$lease" ] || until=$lease
    [ $((until - now)) -ge 2 ] || return 0
    FD_PHASE=$(((until - now) * 10)) sh "./$1" || return 1
    begun=$number wound=$until
    echo "$first $begun $wound" >phase.new && mv phase.new phase
}

# Behind hold_may, which has set lease and now.
flap_keep() {
    number=$(((now - first) / (bad + good)))
    flap_at=$((first + number * (bad + good)))
    if [ "$now" -lt $((flap_at + bad)) ]; then
        if [ "$number" -ne "$begun" ]; then
            flap_phase beat || return 1
        elif [ "$wound" -lt $((flap_at + bad)) ] && [ "$wound" -lt "$lease" ]; then
            flap_phase wind || flap_phase beat || return 1
        fi
    fi
    look_at_clock
    rest=$((flap_at + bad + good - now))
    pause=0.5
    [ "$rest" -ge 50 ] || pause=0.$((rest > 0 ? rest / 10 : 0))$((rest > 0 ? rest % 10 : 1))
}

flap_take() {
    first=$now begun=-1 wound=0
    flap_keep && [ "$begun" -eq 0 ]
}

# None was left out; and while the last one lasts, its peers are in.
flap_seen() {
    read -r first begun wound 2>/dev/null <phase || hold_fail "no bad phase has begun"
    in=$(sh ./peers)
    case $? in
    0) ;;
    1) hold_fail "its rules are gone, or others stand before them" ;;
    *) exit 125 ;;
    esac
    look_at_clock
    over=$((now - first - bad))
    [ "$over" -lt 0 ] || [ "$begun" -ge $((over / (bad + good))) ] ||
        hold_fail "a bad phase was left out: the last one was number $((begun + 1))"
    [ "$now" -ge "$wound" ] || [ "$in" -eq "$count" ] ||
        hold_fail "$in of $count peers are in its sets, in the midst of a bad phase"
}

flap_clean() { :; }

flap_gone() { :; }

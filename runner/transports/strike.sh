# strike.sh - what takes the whole host: waits for one line, says so, and does it.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154
# Sent on stdin behind quoted assignments and node.sh; functions only.

# FD_BOOT is the boot that is meant, FD_STRIKE what is done. Nothing of ours lies here that could
# undo it, or fence it off: so a line that comes late finds nobody.
strike() {
    look_at_boot
    [ "$boot" = "$FD_BOOT" ] || { refuse "the host was rebooted"; return; }
    allowed_here || return
    look_at_clock
    until=$((now + FD_WAITS))
    say ready
    read -r line <&3 || return 0
    [ "$line" = go ] || return 0
    look_at_clock
    [ "$now" -lt "$until" ] || { refuse "the line came too late"; return; }
    say struck
    said=$(sh -c "$FD_STRIKE" </dev/null 2>&1 3<&-)
    say "applied $?"
    say "said $(printf %s "$said" | tr -c ' -~' ' ' | tail -c 300)"
}

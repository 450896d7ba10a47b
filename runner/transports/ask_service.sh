# ask_service.sh - whether a service runs, and whom a name means; asked often, so by a text of its own.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015,SC2034
# Sent on stdin behind quoted assignments, node.sh and service.sh; functions only.

# Whether the role's service runs here, and is not stopped; where it has none, that we answer.
serves() {
    main=''
    if [ "$form" = none ]; then
        say serves
    elif service_list >/dev/null && [ -n "$main" ] && service_up >/dev/null &&
        look_at "$main" && [ "$state" != T ] && ! freezer_stops "$main"; then
        say serves
    elif [ $? -ne 125 ]; then
        say idle
    fi
}

# Whom a name means now, as service.sh has it, and whether they can be frozen as a group.
names() {
    with='' only='' pids='' main='' named=''
    if [ "$form" = unit ]; then service_list >/dev/null; else service_list_by_exe; fi
    ! freezer_find || say "freezer $freezer"
    say "named $named"
}

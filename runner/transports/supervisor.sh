# supervisor.sh - who runs a service: container engines, systemd.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154,SC2015
# Stands behind service.sh; functions only.

# main = its first process as this host numbers it; engine = who runs it. An engine that hangs is none.
service_main_of_container() {
    main='' engine=''
    for engine in docker podman nerdctl; do
        command -v "$engine" >/dev/null || continue
        main=$(timeout 5 "$engine" container inspect -f '{{.State.Pid}}' "$name" 2>/dev/null) ||
            main=''
        case $main in
        0) return 1 ;; # known, and down
        *[!0-9]*) main='' ;;
        ?*) return 0 ;;
        esac
    done
    for engine in runc crun; do
        command -v "$engine" >/dev/null || continue
        said=$(timeout 5 "$engine" state "$name" 2>/dev/null) || continue
        main=$(printf '%s\n' "$said" | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')
        [ "${main:-0}" = 0 ] || return 0
        main=''
        return 1
    done
    engine=''
    return 1
}

# A runtime alone forgets how; with an engine its own start is known.
engine_starts() {
    [ -n "$engine" ] || service_main_of_container || :
    case $engine in docker | podman | nerdctl) return 0 ;; esac
    return 1
}

# Sets unit_main, unit_group, unit_active and unit_job. While it loads itself anew systemd does not answer: it
# is asked again, and then that is no answer.
unit_look() {
    asks=20
    until said=$(systemctl show -p MainPID,ControlGroup,ActiveState,Job -- "$name" 2>/dev/null); do
        [ "$asks" -gt 0 ] && [ -d /run/systemd/system ] || { echo 'systemd does not answer'; return 125; }
        asks=$((asks - 1))
        nap 0.1
    done
    unit_main='' unit_group='' unit_active='' unit_job=''
    while IFS='=' read -r key value; do
        case $key in
        MainPID) [ "$value" = 0 ] || unit_main=$value ;;
        ControlGroup) unit_group=$value ;;
        ActiveState) unit_active=$value ;;
        Job) [ "$value" = 0 ] || unit_job=$value ;;
        esac
    done <<EOF
$said
EOF
}

# A service of systemd's takes all that it began along when it ends, and ours end soon.
begin_outside() {
    if grep -q '/fd-[^/]*\.service' /proc/self/cgroup; then
        exec systemd-run --quiet --scope --collect sh -c "$1"
    fi
    exec sh -c "$1"
}

service_keep() {
    echo "$pid $recorded $exe" >>ids.new
}

# What a name finds are those recorded, or begotten by them.
service_known() {
    for pid in $pids; do
        ! look_at "$pid" || grep -q "^$pid $born " ids && continue
        case " $pids " in *" $parent "*) continue ;; esac
        service_fail "process $pid of $name is none of those that were recorded, or started by us"
    done
}

# That it was restarted often is no reason to leave it down. Being loaded anew, systemd loses what
# it is asked.
unit_restart() {
    tries=3
    until systemctl reset-failed -- "$name" 2>/dev/null; systemctl restart --no-block -- "$name"; do
        [ "$tries" -gt 0 ] || service_fail "$name cannot be restarted"
        tries=$((tries - 1))
        nap 0.5
    done
}

# One round of a restart loop: whoever is the service now goes, and it is started.
service_turn() {
    : >ids.new && each_id service_keep && mv ids.new ids || service_fail "cannot write the ids"
    service_list || { [ $? -ne 125 ] || exit 125; }
    [ "$form" != exe ] || service_known
    service_record || service_fail "cannot write the ids"
    if [ "$form" = unit ]; then
        unit_restart
    else
        [ -z "$pids" ] || service_end
    fi
    until (service_gone >/dev/null); do nap 0.05; done # ends by the command's timeout
    rm -f ending
    [ "$form" = unit ] || (service_start) >/dev/null 2>&1 || service_fail "$name cannot be started"
    [ "$form" = exe ] || return 0
    service_list && service_record || service_fail "cannot record who was started"
}

# It runs, and systemd has yet to do nothing about it.
service_settled() {
    service_says_up
    [ "$form" != unit ] || [ -z "$unit_job" ] || service_fail "systemd is about to restart $name"
}

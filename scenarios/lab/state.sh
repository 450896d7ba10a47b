# state.sh - a lab's folder: keys, what is up, locks, and what a killed lab left over.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# DIR/net           10.77.B: the sets have 10.77.(B+1) and so on
# DIR/hosts/NAME/   address, set, services; init (pid and start time of its PID 1); disk/; console.log
# DIR/ssh_config, known_hosts, key, key.pub, environments/*.yaml

die() {
    printf 'lab: %s\n' "$*" >&2
    exit 2
}

# wait_until SECONDS COMMAND...: polls; 1 if it was never true.
wait_until() {
    local now end tries=0
    read -r now _ </proc/uptime
    end=$((${now/./} + $1 * 100))
    shift
    until "$@"; do
        read -r now _ </proc/uptime
        [ "${now/./}" -lt "$end" ] || return 1
        if [ $((++tries)) -lt 50 ]; then sleep 0.02; else sleep 0.2; fi
    done
}

# all_at_once COMMAND WORD...: COMMAND WORD for each, side by side; 1 if one fails.
all_at_once() {
    local command=$1 word pids=() pid rc=0
    shift
    for word in "$@"; do
        (
            exec 9<&-
            "$command" "$word"
        ) &
        pids+=($!)
    done
    for pid in ${pids[@]+"${pids[@]}"}; do
        wait "$pid" || rc=1
    done
    return "$rc"
}

state_choose() {
    local top
    top=$(cd -- "$here/../.." && pwd -P)
    [ -w "$top" ] && [ -e "$top/Makefile" ] || top=$PWD # installed, or not ours: the folder we stand in
    default_state=$top/build/lab
    state=$(realpath -m -- "${LAB_STATE:-$default_state${LAB_NAME:+-$LAB_NAME}}")
    case $state in *[!A-Za-z0-9/._+-]*) die "'$state' has a character that ssh_config cannot hold" ;; esac
}

# CAP_NET_ADMIN (12) and CAP_SYS_ADMIN (21) where we stand: root, or a user namespace that is ours.
may_make_hosts() {
    local status caps
    # At once: `read` goes back to each line's end, and the lines before it may be longer by then.
    status=$(</proc/self/status)
    caps=${status#*CapEff:}
    caps=$((16#${caps:1:16}))
    [ $((caps >> 12 & caps >> 21 & 1)) -eq 1 ]
}

need_tools() {
    local tool missing='' tools=(ip nsenter unshare setpriv sshd ssh-keygen redis-server redis-sentinel redis-cli tar flock)
    local packages="iproute2 openssh-server redis-server redis-sentinel python3-redis"
    [[ " ${sets[*]} " != *" patroni "* ]] || {
        tools+=(etcd patroni haproxy psql "$(postgres_programs)/postgres")
        packages+=" postgresql-15 patroni python3-etcd etcd-server haproxy"
    }
    [[ " ${sets[*]} " != *" postgres "* ]] || {
        tools+=(psql "$(postgres_programs)/postgres")
        packages+=" postgresql-15"
    }
    [[ " ${sets[*]} " != *" repmgr "* ]] || {
        tools+=(psql "$(postgres_programs)/postgres" "$(postgres_programs)/repmgr")
        packages+=" postgresql-15 postgresql-15-repmgr"
    }
    [[ " ${sets[*]} " != *" autofailover "* ]] || {
        tools+=(psql pg_autoctl "$(postgres_programs)/postgres")
        packages+=" postgresql-15 pg-auto-failover-cli postgresql-15-auto-failover"
    }
    [[ " ${sets[*]} " != *" web "* ]] || {
        tools+=(haproxy nginx keepalived)
        packages+=" haproxy nginx-light keepalived"
    }
    [[ " ${sets[*]} " != *" etcd "* ]] || {
        tools+=(etcd)
        packages+=" etcd-server"
    }
    [[ " ${sets[*]} " != *" rabbitmq "* ]] || {
        tools+=(rabbitmq-server erl_call)
        packages+=" rabbitmq-server"
    }
    for tool in "${tools[@]}"; do
        PATH=$host_path command -v "$tool" >/dev/null || missing+=" $tool"
    done
    /usr/bin/python3 -c 'import redis' 2>/dev/null || missing+=" python3-redis"
    [ -z "$missing" ] || die "not on this machine:$missing (apt install $packages)"
}

# One up or down at a time: the lock is on the folder itself and ends with us, for no child that stays keeps
# descriptor 9. Then everything that we start gets a mark, by which it is found should we be killed.
state_lock_and_mark() {
    [ "${LAB_OF-}" != "$state" ] || return 0
    mkdir -p "$state/hosts"
    exec 9<"$state"
    flock 9
    while ! [ "/proc/$$/fd/9" -ef "$state" ]; do # a down was before us and removed it
        mkdir -p "$state/hosts"
        exec 9<"$state"
        flock 9
    done
    if [ -e "$state/run_lock" ] && [ "${LAB_RUN-}" != "$state" ]; then
        flock -n "$state/run_lock" true || die "a \`lab run\` is using $state"
    fi
    LAB_OF=$state exec "$here/lab" --state "$state" "$@"
}

# While `lab run` lives, its lab is nobody else's.
state_claim_for_run() {
    mkdir -p "$state"
    exec 8>>"$state/run_lock"
    flock -n 8 || die "a \`lab run\` is using $state"
    export LAB_RUN=$state
}

# What up and down start carries LAB_OF, a host's first process LAB_HOST (see host_boot). We hold the lock, so whoever
# else carries our mark belongs to an up or down that was killed.
state_end_leftovers() {
    wait_until 60 no_leftovers || die "cannot end what an earlier lab left: $(leftovers)"
}

no_leftovers() {
    local pids
    pids=$(leftovers)
    [ -n "$pids" ] || return 0
    # shellcheck disable=SC2086
    kill -9 $pids 2>/dev/null
    return 1
}

leftovers() {
    local pid
    for pid in $(marked "LAB_OF=$state"); do
        is_ancestor "$pid" || ! started "$pid" >/dev/null || printf '%s\n' "$pid"
    done
    for pid in $(marked "LAB_HOST=$state"); do
        host_is_recorded "$pid" || ! started "$pid" >/dev/null || printf '%s\n' "$pid"
    done
}

marked() {
    grep -lzxF -e "$1" /proc/[0-9]*/environ 2>/dev/null | sed 's|^/proc/\(.*\)/environ$|\1|'
}

is_ancestor() {
    local pid=$BASHPID
    while [ "$pid" -gt 1 ]; do
        [ "$pid" != "$1" ] || return 0
        pid=$(parent_of "$pid") || return 1
    done
    return 1
}

parent_of() {
    local stat
    read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
    stat=${stat##*) }
    read -r _ stat _ <<<"$stat"
    printf '%s\n' "${stat:-0}"
}

# The start time of a live process; nothing for one that is gone or a zombie.
started() {
    local stat
    read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
    local -a field
    read -r -a field <<<"${stat##*) }"
    case ${field[0]} in Z | X) return 1 ;; esac
    printf '%s\n' "${field[19]}"
}

# Once a lab: the client's key, and what all hosts have in common.
state_prepare() {
    [ -e "$state/key.pub" ] || {
        rm -f "$state/key"
        ssh-keygen -q -t ed25519 -N '' -C lab -f "$state/key" || die "cannot make a key in $state"
    }
    [ -e "$state/etc.tar" ] || hosts_make_etc
}

state_write_files() {
    local name address names='' file
    : >"$state/known_hosts.new"
    {
        echo "# The lab in $state. Use: ssh -F $state/ssh_config HOST"
        while read -r name; do
            address=$(<"$state/hosts/$name/address")
            printf 'Host %s\n    HostName %s\n' "$name" "$address"
            printf '%s,%s %s\n' "$name" "$address" "$(<"$state/hosts/$name/host_key")" >>"$state/known_hosts.new"
            names+=" $name"
        done < <(hosts_of '')
        cat <<END
Host$names
    User $login_user
    Port 22
    IdentityFile $state/key
    IdentitiesOnly yes
    IdentityAgent none
    BatchMode yes
    StrictHostKeyChecking yes
    UserKnownHostsFile $state/known_hosts
    GlobalKnownHostsFile /dev/null
    KexAlgorithms curve25519-sha256
END
    } >"$state/ssh_config.new"
    mv "$state/known_hosts.new" "$state/known_hosts"
    mv "$state/ssh_config.new" "$state/ssh_config"
    mkdir -p "$state/environments"
    for file in "$here"/../environments/{staging,production,patroni,postgres,web,etcd,pair,redis_cluster,redis_alone,rabbitmq,repmgr,autofailover,mariadb,galera}.yaml; do
        sed -e "s|10\.77\.1\.|$(net_of staging).|g; s|10\.77\.2\.|$(net_of production).|g" \
            -e "s|10\.77\.5\.|$(net_of patroni).|g; s|10\.77\.7\.|$(net_of web).|g; s|10\.77\.6\.|$(net_of postgres).|g" \
            -e "s|10\.77\.8\.|$(net_of etcd).|g; s|10\.77\.9\.|$(net_of pair).|g" \
            -e "s|10\.77\.10\.|$(net_of redis-cluster).|g; s|10\.77\.11\.|$(net_of redis).|g; s|10\.77\.0\.|$(net_of rabbitmq).|g; s|10\.77\.15\.|$(net_of repmgr).|g; s|10\.77\.14\.|$(net_of autofailover).|g" \
            -e "s|10\.77\.12\.|$(net_of mariadb).|g; s|10\.77\.13\.|$(net_of galera).|g" \
            -e "s|build/lab/ssh_config|$state/ssh_config|" "$file" >"$state/environments/${file##*/}"
    done
    [ -z "$(hosts_of bare)" ] || bare_environment >"$state/environments/bare.yaml"
}

state_remove() {
    rm -rf "${state:?}/hosts" "$state/environments" "${state:?}"/etc{,.tar,.tar.new} "${state:?}"/{net,key,key.pub,ssh_config,known_hosts,passwd}
    [ -n "${LAB_RUN-}" ] || rm -f "$state/run_lock"
    rmdir "$state" 2>/dev/null || :
}

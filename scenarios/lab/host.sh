# host.sh - one host: its disk, its first process, its end.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

host_path=/usr/sbin:/usr/bin:/sbin:/bin
login_user=$(id -un 2>/dev/null) || login_user=lab # see furnish_private

# The hosts of a set that were made, or of all sets; in order.
hosts_of() {
    local file
    for file in "$state"/hosts/*/set; do
        [ -e "$file" ] || continue
        [ -z "$1" ] || [ "$(<"$file")" = "$1" ] || continue
        file=${file%/set}
        printf '%s\n' "${file##*/}"
    done | sort -V
}

host_alive() {
    local pid start
    read -r pid start 2>/dev/null <"$state/hosts/$1/init" && [ "$(started "$pid")" = "$start" ]
}

host_is_recorded() {
    grep -qs "^$1 $(started "$1")\$" "$state"/hosts/*/init
}

host_exec() {
    (host_enter "$@")
}

# Becomes a process of the host, with no more rights and open files than one that came by ssh.
host_enter() {
    local pid
    read -r pid _ <"$state/hosts/$1/init"
    shift
    close_files
    exec nsenter --target "$pid" --mount --uts --ipc --net --pid -- \
        env -i PATH="$host_path" HOME=/root TERM="${TERM-dumb}" setpriv "${host_drops[@]}" "$@"
}

host_drops=('-sys_time,-sys_boot,-sys_module')
host_drops=(--ambient-caps="${host_drops[0]}" --inh-caps="${host_drops[0]}" --bounding-set="${host_drops[0]}")

# What our caller has open, hosts must not hold open.
close_files() {
    local file
    for file in "/proc/$BASHPID/fd/"*; do
        file=${file##*/}
        [ "$file" -le 2 ] || eval "exec $file>&-"
    done
}

# host_up "SET NAME OCTET SERVICES"
host_up() {
    local set name octet services pid
    read -r set name octet services <<<"$1"
    if host_alive "$name" && cmp -s "$state/hosts/$name/init" "$state/hosts/$name/booted"; then
        read -r pid _ <"$state/hosts/$name/init"
        wire_is_up "$name" || wire_up "$name" "$pid"
        return
    fi
    host_halt "$name" || return 1 # an up was killed while it booted
    [ -d "$state/hosts/$name" ] || host_make "$set" "$name" "$octet" "$services" || return 1
    host_boot "$name"
}

# What is a host's own and outlives its processes, as a machine's disk does: its name, keys, logs and data. The rest of
# /etc comes from etc.tar. Made aside, so that half a one is never booted.
host_make() {
    local set=$1 name=$2 services=$4 dir=$state/hosts/.$2 address prefix etc
    prefix=$(net_of "$set")
    address=$prefix.$3
    etc=$dir/disk/etc
    rm -rf "$dir"
    mkdir -p "$dir/disk/log" "$dir/disk/redis" "$etc/lab" "$etc/ssh" "$etc/redis"
    printf '%s\n' "$set" >"$dir/set"
    printf '%s\n' "$address" >"$dir/address"
    printf '%s\n' "$services" >"$dir/services"
    printf '%s\n' "$name" >"$etc/hostname"
    tr -d - </proc/sys/kernel/random/uuid >"$etc/machine-id"
    set_hosts_file "$set" >"$etc/hosts"
    ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$etc/ssh/ssh_host_ed25519_key" || return 1
    mv "$etc/ssh/ssh_host_ed25519_key.pub" "$dir/host_key"
    ! declare -F "${set}_make" >/dev/null || "${set}_make" "$dir" "$prefix" "$address" "$name" "$services"
    case $services in
    *redis*)
        case $set in
        redis-cluster) redis_cluster_config "$address" ;;
        redis) redis_alone_config "$prefix" "$address" ;;
        *) redis_config "$prefix" "$address" ;;
        esac >"$etc/redis/redis.conf"
        [[ $services != *sentinel* ]] || sentinel_config "$prefix" "$address" >"$etc/redis/sentinel.conf"
        ;;
    shop)
        printf '{"sentinels": ["%s.11", "%s.12", "%s.13"]}\n' "$prefix" "$prefix" "$prefix" >"$etc/lab/shop.json"
        ;;
    esac
    [ "$EUID" -ne 0 ] || chown -R redis:redis "$dir/disk/redis" "$etc/redis"
    mv "$dir" "$state/hosts/$name"
}

# What all hosts have in /etc: this machine's without its secrets, and what makes it a host's.
hosts_make_etc() {
    local etc=$state/etc service
    rm -rf "$etc"
    mkdir -p "$etc/init.d" "$etc/lab" "$etc/ssh"
    # What we may not read is left out: tar then says 2 and goes on.
    tar -C /etc -cf "$state/etc.tar.new" --exclude=./ssh --exclude=./redis --exclude='./*shadow*' \
        --exclude=./ssl/private --exclude=./passwd --exclude=./motd --exclude=./resolv.conf . 2>/dev/null
    chmod 600 "$state/etc.tar.new"
    printf 'passwd: files\ngroup: files\nshadow: files\nhosts: files\n' >"$etc/nsswitch.conf"
    : >"$etc/resolv.conf"
    ln -s /run/motd.d/faildrill "$etc/motd" # so that who logs in sees what is in effect
    cp "$here/init" "$here/service" "$here/shop.py" "$here/keeper.py" \
        "$here/counter" "$here/counter.py" "$here/mariadb_remake" "$here/sudo" "$etc/lab/"
    for service in "${all_services[@]}"; do
        ln -s /etc/lab/service "$etc/init.d/$service"
    done
    hosts_users "$etc"
    cp "$state/key.pub" "$etc/ssh/authorized_keys"
    sshd_config >"$etc/ssh/sshd_config"
    tar -C "$etc" -rf "$state/etc.tar.new" . || die "cannot write $state/etc.tar"
    rm -rf "$etc"
    mv "$state/etc.tar.new" "$state/etc.tar"
}

# This machine's users, the one who logs in at home in /root, nobody with a password.
hosts_users() {
    local file=$1/passwd
    awk -F: -v OFS=: -v me="$login_user" '$1 == me { $6 = "/root"; $7 = "/bin/bash" } { print }' \
        /etc/passwd >"$file"
    awk -F: '{ print $1 ":*:19000:0:99999:7:::" }' "$file" >"$1/shadow"
    chmod 640 "$1/shadow"
}

sshd_config() {
    cat <<END
AddressFamily inet
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile /etc/ssh/authorized_keys
# Without root, / belongs to nobody whom sshd knows.
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PrintMotd yes
PrintLastLog no
# The default key exchange costs 150 ms more a login.
KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org
# Tests log in to many hosts, many times at once.
MaxStartups 200
MaxSessions 100
# A user's own PATH lacks the folders of nft and tc.
SetEnv PATH=$host_path
Subsystem sftp internal-sftp
END
}

host_boot() {
    local dir=$state/hosts/$1 pid
    rm -f "$dir/init"
    # unshare --fork would stay as a parent; this shell forks the first process of the pid namespace and goes.
    # shellcheck disable=SC2016
    (
        close_files
        exec env -i PATH="$host_path" LAB_HOST="$state" setsid unshare --net --mount --uts --ipc --pid \
            sh -c '"$@" &' sh "$here/boot" "$dir" "$1" </dev/null >"$dir/console.log" 2>&1
    )
    wait_until 60 test -e "$dir/init" && read -r pid _ <"$dir/init" && wire_up "$1" "$pid" &&
        wait_until 60 test -e "/proc/$pid/root/run/lab-ready" && cp "$dir/init" "$dir/booted" && return
    printf 'lab: %s did not boot: %s\n' "$1" "$(tail -n 3 "$dir/console.log")" >&2
    return 1
}

# With its PID 1 the kernel ends all of a host's processes, and with those its namespaces and mounts.
host_halt() {
    local pid
    host_alive "$1" || return 0
    read -r pid _ <"$state/hosts/$1/init"
    kill -9 "$pid"
    wait_until 60 host_is_dead "$1"
}

host_is_dead() {
    ! host_alive "$1"
}

host_down() {
    host_halt "$1" || return 1
    wire_down "$1"
    rm -rf "${state:?}/hosts/$1"
}

# One line for `status`; 1 unless the host and all its services are up.
host_status() {
    local name=$1 address service text='' rc=0
    address=$(<"$state/hosts/$name/address")
    if ! host_alive "$name"; then
        printf '%-20s %-14s down' "$name" "$address"
        return 1
    fi
    (exec 5<>"/dev/tcp/$address/22") 2>/dev/null || {
        text+=" no-sshd"
        rc=1
    }
    for service in $(<"$state/hosts/$name/services"); do
        text+=" $service"
        if ! host_exec "$name" "/etc/init.d/$service" status >/dev/null; then
            text+="(down)"
            rc=1
        elif [ "$service" = redis-server ]; then
            text+="($(redis_rank "$address"))"
        elif [ "$service" = patroni ]; then
            text+="($(patroni_rank "$address"))"
        elif [ "$service" = postgres ]; then
            text+="($(postgres_rank "$address"))"
        elif [ "$service" = etcd ]; then
            text+="($(etcd_rank "$address"))"
        elif [ "$service" = rabbitmq ]; then
            text+="($(rabbitmq_rank "$name"))"
        elif [ "$service" = keepalived ]; then
            text+=$(web_rank "$name")
        elif [ "$service" = counter ]; then
            text+="($(host_exec "$name" /etc/lab/counter rank))"
        elif [ "$service" = mariadb ]; then
            text+="($(mariadb_rank "$name"))"
        fi
    done
    printf '%-20s %-14s up  %s' "$name" "$address" "$text"
    return "$rc"
}

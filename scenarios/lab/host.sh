# host.sh - one host: its disk, its first process, its end.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

host_path=/usr/sbin:/usr/bin:/sbin:/bin
login_user=$(id -un 2>/dev/null) || login_user=lab

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

# As a process of the host, with no more rights than those have.
host_exec() {
    local pid
    read -r pid _ <"$state/hosts/$1/init"
    shift
    nsenter --target "$pid" --mount --uts --ipc --net --pid -- \
        env -i PATH="$host_path" HOME=/root TERM="${TERM-dumb}" setpriv "${host_drops[@]}" "$@"
}

host_drops=(-sys_time,-sys_boot,-sys_module)
host_drops=(--ambient-caps="${host_drops[0]}" --inh-caps="${host_drops[0]}" --bounding-set="${host_drops[0]}")

# host_up SET NAME OCTET SERVICES
host_up() {
    host_alive "$2" && return
    [ -d "$state/hosts/$2" ] || host_make "$@" || return 1
    host_boot "$2"
}

# The disk outlives the host's processes, as a machine's does. It is made aside, so that half a one is never booted.
host_make() {
    local dir=$state/hosts/.$2 etc address
    address=$(net_of "$1").$3
    etc=$dir/disk/etc
    rm -rf "$dir"
    mkdir -p "$dir/disk/log" "$dir/disk/redis" "$etc/lab" "$etc/ssh" "$etc/redis"
    tar -C "$etc" -xpf "$state/etc.tar"
    printf '%s\n' "$1" >"$dir/set"
    printf '%s\n' "$address" >"$dir/address"
    printf '%s\n' "$4" >"$dir/services"

    printf '%s\n' "$2" >"$etc/hostname"
    tr -d - </proc/sys/kernel/random/uuid >"$etc/machine-id"
    set_hosts_file "$1" >"$etc/hosts"
    printf 'passwd: files\ngroup: files\nshadow: files\nhosts: files\n' >"$etc/nsswitch.conf"
    : >"$etc/resolv.conf"
    ln -s /run/motd.d/faildrill "$etc/motd" # so that who logs in sees what is in effect
    host_write_users "$etc"
    host_write_sshd "$etc" "$2" || return 1
    cp "$etc/ssh/ssh_host_ed25519_key.pub" "$dir/host_key"
    cp "$here/init" "$here/shop.py" "$here/sudo" "$etc/lab/"
    host_write_services "$etc" "$1" "$address" "$4"
    [ "$EUID" -ne 0 ] || chown -R redis:redis "$dir/disk/redis" "$etc/redis"
    mv "$dir" "$state/hosts/$2"
}

# This machine's users, the one who logs in at home in /root, nobody with a password.
host_write_users() {
    local file=$1/passwd
    awk -F: -v OFS=: -v me="$login_user" '$1 == me { $6 = "/root"; $7 = "/bin/bash" } { print }' \
        /etc/passwd >"$file"
    grep -q "^$login_user:" "$file" ||
        printf '%s:x:%s:%s::/root:/bin/bash\n' "$login_user" "$(id -u)" "$(id -g)" >>"$file"
    awk -F: '{ print $1 ":*:19000:0:99999:7:::" }' "$file" >"$1/shadow"
    chmod 640 "$1/shadow"
}

host_write_sshd() {
    ssh-keygen -q -t ed25519 -N '' -C "$2" -f "$1/ssh/ssh_host_ed25519_key" || return 1
    cp "$state/key.pub" "$1/ssh/authorized_keys"
    cat >"$1/ssh/sshd_config" <<END
AddressFamily inet
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile /etc/ssh/authorized_keys
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

host_write_services() {
    local etc=$1 set=$2 address=$3 service
    for service in $4; do
        cp "$here/service" "$etc/init.d/$service"
    done
    case $4 in
    *redis*)
        redis_config "$set" "$address" >"$etc/redis/redis.conf"
        sentinel_config "$set" "$address" >"$etc/redis/sentinel.conf"
        chmod 640 "$etc"/redis/*.conf
        ;;
    shop)
        printf '{"sentinels": ["%s.11", "%s.12", "%s.13"]}\n' "${address%.*}" "${address%.*}" "${address%.*}" \
            >"$etc/lab/shop.json"
        ;;
    esac
}

host_boot() {
    local dir=$state/hosts/$1 pid
    rm -f "$dir/init"
    # unshare --fork would stay as a parent; this shell forks the first process of the pid namespace and goes.
    # shellcheck disable=SC2016
    env -i PATH="$host_path" LAB_HOST="$state" setsid unshare --net --mount --uts --ipc --pid \
        sh -c '"$@" &' sh "$here/boot" "$dir" "$1" </dev/null >"$dir/console.log" 2>&1
    wait_until 10 test -e "$dir/init" && read -r pid _ <"$dir/init" && wire_up "$1" "$pid" &&
        wait_until 10 test -e "/proc/$pid/root/run/lab-ready" && return
    printf 'lab: %s did not boot: %s\n' "$1" "$(tail -n 3 "$dir/console.log")" >&2
    return 1
}

# With its PID 1 the kernel ends all of a host's processes, and with those its namespaces and mounts.
host_down() {
    local pid start
    if read -r pid start 2>/dev/null <"$state/hosts/$1/init" && [ "$(started "$pid")" = "$start" ]; then
        kill -9 "$pid"
        wait_until 10 host_gone "$pid" "$start" || return 1
    fi
    wire_down "$1"
    rm -rf "${state:?}/hosts/$1"
}

host_gone() {
    [ "$(started "$1")" != "$2" ]
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
        fi
    done
    printf '%-20s %-14s up  %s' "$name" "$address" "$text"
    return "$rc"
}

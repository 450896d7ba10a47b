# node.sh - hosts with a real systemd as process 1: systemd-nspawn over this machine's own files, reached by ssh.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For what namespaces without it cannot show: units, their Restart=, daemon-reload, `systemctl reboot`.
# A script sources it behind tests/lib.sh, calls on_wire at its top, then node_make and node_boot.
#   $work/ssh_config   the way to them        node_sh NAME LINE   by ssh        $work/NAME.console
#   $work/NAME.boots   while it is there, a node that reboots or is off boots again
wire=10.79.8 # ours is .1

# on_wire WORD...: becomes a script in namespaces of its own, with a bridge for its nodes; skips where there can be none.
on_wire() {
    if [ -z "${ON_WIRE-}" ]; then
        for tool in systemd-nspawn /lib/systemd/systemd /lib/systemd/systemd-logind dbus-daemon; do
            command -v "$tool" >/dev/null || skip_all "no $tool here (make systemd-deps)"
        done
        [ "$(id -u)" -eq 0 ] || skip_all "only root may boot a systemd here"
        unshare --net --mount --pid --fork true 2>/dev/null || skip_all "this machine gives no namespaces"
        trap - EXIT
        rm -rf "$work"
        ON_WIRE=1 exec unshare --net --mount --pid --fork --mount-proc --kill-child "$0" "$@"
    fi
    ip link set lo up
    ip link add wire type bridge && ip address add "$wire.1/24" dev wire && ip link set wire up || skip_all "no bridge"
    mount -t tmpfs -o mode=755 run /run # it wants folders there, and cleans up in none of this machine's
    mkdir -p /run/systemd "$work/nodes"
    mount -t tmpfs -o mode=755 nodes "$work/nodes" # the upper layer of an overlay cannot lie on another
    at_end umount -l "$work/nodes"
    for group in $(node_groups ''); do groups_end "${group%"${work##*/}."}faildrill-test".*; done # of who was killed
    ssh-keygen -q -t ed25519 -N '' -f "$work/key"
    cat >"$work/ssh_config" <<END
Host *
  User root
  IdentityFile $work/key
  IdentitiesOnly yes
  UserKnownHostsFile $work/known_hosts
  KexAlgorithms curve25519-sha256
END
}

# node_unit NAME UNIT: a unit of its own from stdin, started at each boot.
node_unit() {
    mkdir -p "$work/nodes/$1/root/etc/systemd/system/multi-user.target.wants"
    cat >"$work/nodes/$1/root/etc/systemd/system/$2"
    ln -sf "/etc/systemd/system/$2" "$work/nodes/$1/root/etc/systemd/system/multi-user.target.wants/$2"
}

# node_make NAME LAST_OCTET: nothing of this machine's own services, keys or network; the rest of its files as they are.
node_make() {
    local own=$work/nodes/$1 root=$work/nodes/$1/root name
    mkdir -p "$own"/{upper,work,root}
    mount -t overlay -o "lowerdir=/,upperdir=$own/upper,workdir=$own/work" "$1" "$root" || return 1
    at_end umount -l "$root"
    # Its shells begin with no more than a host's: sshd's bash reads these for each command.
    rm -f "$root"/root/.bashrc "$root"/root/.*profile "$root"/root/.bash_login
    rm -rf "$root"/etc/systemd/system/* "$root"/etc/rc?.d "$root"/etc/init.d "$root"/etc/ssh/ssh_host_* "$root"/etc/fstab \
        "$root"/etc/cron* "$root"/var/log/journal
    mkdir -p "$root"/etc/{init.d,systemd/system}
    tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
    echo "$1" >"$root/etc/hostname"
    for name in systemd-logind getty.target console-getty.service systemd-networkd.service systemd-resolved.service \
        systemd-timesyncd.service systemd-udevd.service systemd-udev-trigger.service systemd-journal-flush.service; do
        ln -sf /dev/null "$root/etc/systemd/system/${name%.service}${name##"${name%.*}"}"
    done
    rm -f "$root/etc/systemd/system/systemd-logind"
    ln -sf /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
    ssh-keygen -q -t ed25519 -N '' -f "$root/etc/ssh/node_key"
    cp "$work/key.pub" "$root/etc/ssh/node_authorized"
    cat >"$root/etc/ssh/node_config" <<END
Port 22
HostKey /etc/ssh/node_key
AuthorizedKeysFile /etc/ssh/node_authorized
PidFile /run/node-sshd.pid
StrictModes no
UsePAM no
UseDNS no
KexAlgorithms curve25519-sha256
MaxStartups 100
SetEnv PATH=/usr/sbin:/usr/bin:/sbin:/bin
END
    printf '%s,%s %s\n' "$1" "$wire.$2" "$(cut -d' ' -f1,2 "$root/etc/ssh/node_key.pub")" >>"$work/known_hosts"
    printf 'Host %s\n  HostName %s\n' "$1" "$wire.$2" >>"$work/ssh_config"
    node_unit "$1" node-net.service <<END
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'ip link set lo up; ip link set host0 up && ip address add $wire.$2/24 dev host0'
END
    node_unit "$1" node-ssh.service <<END
[Unit]
After=node-net.service
[Service]
RuntimeDirectory=sshd
ExecStart=/usr/sbin/sshd -D -e -f /etc/ssh/node_config
KillMode=process
END
}

# node_groups NAME: its control groups. Without its own, all systemds here would keep their units in the same ones.
node_groups() {
    local kinds path top
    while IFS=: read -r _ kinds path; do
        case $kinds in
        name=systemd) top=/sys/fs/cgroup/systemd ;;
        '') if [ -d /sys/fs/cgroup/unified ]; then top=/sys/fs/cgroup/unified; else top=/sys/fs/cgroup; fi ;;
        *) continue ;;
        esac
        echo "$top${path%/}/${work##*/}.$1"
    done </proc/self/cgroup
}

# groups_end FOLDER...: those in which nobody is.
groups_end() {
    find "$@" -depth -type d -exec rmdir {} + 2>/dev/null
    ! ls -d "$@" >/dev/null 2>&1
}

# node_run NAME: boots it, again and again as long as it may; a reboot ends nspawn with 133.
node_run() {
    local status
    while :; do
        until [ -e "$work/$1.boots" ]; do sleep 0.1; done
        echo on >"$work/$1.power"
        (
            for group in $(node_groups "$1"); do mkdir -p "$group" && echo "$BASHPID" >"$group/cgroup.procs"; done
            exec systemd-nspawn --quiet --boot --directory="$work/nodes/$1/root" --machine="$1" --network-bridge=wire \
                --register=no --keep-unit --console=pipe --link-journal=no --resolv-conf=off --timezone=off
        ) </dev/null >>"$work/$1.console" 2>&1
        status=$?
        echo off >"$work/$1.power"
        [ "$status" -eq 133 ] || rm -f "$work/$1.boots"
    done
}

# node_boot NAME: until it is there ask node_sh.
node_boot() {
    : >"$work/$1.boots"
    node_run "$1" &
    at_end node_end "$1" "$!"
}

# node_end NAME PID: its power, and the loop that would boot it again.
node_end() {
    local groups
    groups=$(node_groups "$1")
    kill "$2"
    for group in $groups; do echo 1 >"$group/cgroup.kill"; done 2>/dev/null
    # shellcheck disable=SC2086 # words on purpose
    wait_for 10 groups_end $groups
}

node_sh() {
    ssh -F "$work/ssh_config" -o ConnectTimeout=5 -o BatchMode=yes "$@" </dev/null
}

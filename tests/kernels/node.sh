# node.sh - hosts with a kernel of their own: Debian's cloud kernel in qemu, programs of this machine, reached by ssh.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For what namespaces cannot show: netem, the clock, sysrq. A script sources it behind tests/lib.sh, calls on_wire at its
# top, then `node_up NAME LAST_OCTET [systemd]`; without help of the hardware a node boots in half a minute.
#   $work/ssh_config   the way to them        node_sh NAME LINE   by ssh        $work/NAME.console
#   $work/power down, up or status NAME       as a provider would
#   ACCEL              what helps qemu: kvm, where there is one (default: nothing)
kernels=$BUILD/kernels # the unpacked kernel and the image are kept there
wire=10.79.0           # ours is .1

# on_wire: becomes a script in namespaces of its own, with a bridge for its nodes; skips where there can be none.
on_wire() {
    if [ -z "${ON_WIRE-}" ]; then
        for tool in qemu-system-x86_64 cpio depmod; do
            command -v "$tool" >/dev/null || skip_all "no $tool here (make kernel-deps)"
        done
        [ "$(uname -m)" = x86_64 ] || skip_all "nodes are x86_64"
        unshare --net --mount --pid --fork true 2>/dev/null || skip_all "this machine gives no namespaces"
        mkdir -p "$kernels"
        exec 8>"$kernels/lock" # another test may be at it
        flock 8
        kernel_get || skip_all "Debian's cloud kernel is not to be had"
        timesyncd_get || skip_all "Debian's systemd-timesyncd is not to be had"
        image_make >"$kernels/image.log" 2>&1 || skip_all "no image: $(tail -n 1 "$kernels/image.log")"
        exec 8>&-
        trap - EXIT
        rm -rf "$work"
        ON_WIRE=1 exec unshare --net --mount --pid --fork --mount-proc --kill-child "$0"
    fi
    ip link set lo up
    ip link add wire type bridge && ip address add "$wire.1/24" dev wire && ip link set wire up || skip_all "no bridge"
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

# The newest that apt knows, unpacked and not installed: nothing of this machine's own boot is touched.
kernel_get() {
    local package
    [ ! -e "$kernels/vmlinuz" ] || return 0
    rm -rf "${kernels:?}/new" "${kernels:?}/lib"
    mkdir -p "$kernels/new"
    package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
    [ -n "$package" ] && (cd "$kernels/new" && apt-get -qq download "$package" && dpkg-deb -x ./*.deb .) \
        >"$kernels/kernel.log" 2>&1 || return 1
    mv "$kernels/new/lib" "$kernels/lib" && mv "$kernels"/new/boot/vmlinuz-* "$kernels/vmlinuz" && rm -rf "$kernels/new"
}

# What keeps the time of a node with systemd: unpacked as well, since a machine can have only one of its kind.
timesyncd_get() {
    [ ! -e "$kernels/timesyncd" ] || return 0
    rm -rf "${kernels:?}/new" && mkdir -p "$kernels/new"
    (cd "$kernels/new" && apt-get -qq download "systemd-timesyncd=$(dpkg-query -W -f '${Version}' systemd)" &&
        dpkg-deb -x ./*.deb . && rm ./*.deb) >"$kernels/timesyncd.log" 2>&1 && mv "$kernels/new" "$kernels/timesyncd"
}

# What the scripts on a host call: busybox has most of it, and is begun quickly, which counts on an emulated processor.
programs='busybox flock ip modprobe nft sshd tc unshare'
applets='sh ash awk cat chmod chown cp cut date dd df env find grep head hostname id kill ln logger ls mkdir mount mv nproc od
    paste pgrep printf ps readlink rm rmdir sed seq setsid sha256sum sleep sort stat sync sysctl tail tar tee test timeout touch tr
    true umount uname uniq wc xargs'
modules='net drivers/virtio drivers/net/net_failover.ko drivers/net/virtio_net.ko drivers/net/tun.ko drivers/net/veth.ko
    drivers/net/dummy.ko lib crypto arch/x86/crypto'

# take FILE: into $tree, with all that it is linked with.
take() {
    local file real
    for file in "$1" $(ldd "$1" 2>/dev/null | sed -nE 's/.*=> (\/[^ ]+) .*/\1/p; s/^[ \t]*(\/[^ ]+) .*/\1/p'); do
        real=$(readlink -f "$file")
        [ -e "$tree$real" ] || cp --parents "$real" "$tree" || return 1
        [ -e "$tree$file" ] || ln -s "$real" "$tree$file" || return 1
    done
}

# Where systemd is process 1, date is GNU's, too: it knows parts of a second.
systemd_take() {
    local name units=$tree/usr/lib/systemd/system
    for name in /lib/systemd/systemd /lib/systemd/systemd-shutdown /usr/bin/systemctl /usr/bin/systemd-run; do
        take "$name" || { echo "no $name" && return 1; }
    done
    cp /bin/date "$tree/usr/sbin/date"
    for name in lib usr/lib; do # where the package has it
        [ ! -d "$kernels/timesyncd/$name/systemd" ] || cp -r "$kernels/timesyncd/$name/systemd" "$tree/usr/lib/"
    done
    mkdir -p "$units" "$tree"/etc/systemd/system/sysinit.target.wants "$tree"/var/{lib,tmp}
    for name in sysinit basic shutdown multi-user time-set; do
        cp "/lib/systemd/system/$name.target" "$units/" || return 1
    done
    ln -s /lib/systemd/system/multi-user.target "$tree/etc/systemd/system/default.target"
    ln -s /lib/systemd/system/systemd-timesyncd.service "$tree/etc/systemd/system/sysinit.target.wants/"
    printf '[Time]\nNTP=%s\nFallbackNTP=\n' "$wire.1" >"$tree/etc/systemd/timesyncd.conf"
    printf '[Manager]\nDefaultStandardOutput=null\nShowStatus=no\n' >"$tree/etc/systemd/system.conf"
    mkdir -p "$tree/etc/systemd/system/multi-user.target.wants"
    printf '[Service]\nExecStart=/usr/sbin/sshd -D -f /etc/ssh/sshd_config\nKillMode=process\n' \
        >"$tree/etc/systemd/system/node-ssh.service"
    ln -s ../node-ssh.service "$tree/etc/systemd/system/multi-user.target.wants/"
}

# An initial file system that is all there is.
image_make() {
    local tree=$kernels/tree name version
    [ ! "$kernels/image" -nt "${BASH_SOURCE[0]}" ] || [ ! "$kernels/image" -nt "$kernels/vmlinuz" ] || return 0
    version=$(basename "$kernels"/lib/modules/*)
    rm -rf "$tree"
    mkdir -p "$tree"/{dev,proc,sys,run,tmp,root,etc/ssh,var/log,var/empty,usr/{bin,sbin,lib,lib/x86_64-linux-gnu,lib64}}
    for name in bin sbin lib lib64; do ln -s "usr/$name" "$tree/$name"; done
    for name in $programs; do
        take "$(PATH=/usr/sbin:/usr/bin type -P "$name")" || { echo "no $name" && return 1; }
    done
    systemd_take || return 1
    for name in $applets; do ln -s /bin/busybox "$tree/usr/bin/$name"; done
    take /usr/lib/x86_64-linux-gnu/libnss_files.so.2
    take /usr/lib/x86_64-linux-gnu/libgcc_s.so.1
    for name in $modules; do
        (cd "$kernels" && cp -r --parents "lib/modules/$version/kernel/$name" "$tree/usr/../") || echo "no module $name"
    done
    cp "$kernels/lib/modules/$version"/modules.* "$tree/lib/modules/$version/" && depmod -b "$tree" "$version" || return 1
    printf 'root:x:0:0::/root:/bin/sh\nsshd:x:100:65534::/run/sshd:/bin/false
systemd-timesync:x:101:101::/:/bin/false\n' >"$tree/etc/passwd"
    printf 'root:x:0:\nnogroup:x:65534:\nsystemd-timesync:x:101:\n' >"$tree/etc/group"
    printf 'root:*:19000:0:99999:7:::\n' >"$tree/etc/shadow"
    printf 'passwd: files\ngroup: files\nshadow: files\nhosts: files\n' >"$tree/etc/nsswitch.conf"
    node_init >"$tree/init" && chmod 755 "$tree/init"
    (cd "$tree" && find . | cpio -o -H newc --quiet) >"$kernels/image.new" && mv "$kernels/image.new" "$kernels/image"
    rm -rf "$tree"
}

# Process 1 of a node. What it is called, its address and its key stand behind `--` of the kernel's command line or come
# in the second part of its initial file system.
node_init() {
    cat <<'END'
#!/bin/sh
PATH=/usr/sbin:/usr/bin
export PATH
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs -o mode=1777 tmp /tmp
mkdir -p /run/sshd /run/lock
modprobe virtio_pci
modprobe virtio_net
read -r name address first </etc/node
hostname "$name"
ip link set lo up
until ip link set eth0 up 2>/dev/null; do sleep 0.1; done
ip address add "$address/24" dev eth0
if [ "$first" = systemd ]; then exec /lib/systemd/systemd; fi
rm /usr/sbin/date
/usr/sbin/sshd -f /etc/ssh/sshd_config
echo "node $name is up"
while :; do wait; sleep 1; done
END
}

# node_up NAME LAST_OCTET [systemd]: boots it and waits for its ssh; false where that takes more than three minutes.
node_up() {
    local own=$work/$1.d tap=tap$2
    mkdir -p "$own/etc/ssh" "$own/root/.ssh"
    printf '%s %s %s\n' "$1" "$wire.$2" "${3-}" >"$own/etc/node"
    tr -d - </proc/sys/kernel/random/uuid >"$own/etc/machine-id"
    printf '%s\n' "$1" >"$own/etc/hostname"
    ssh-keygen -q -t ed25519 -N '' -f "$own/etc/ssh/key"
    cp "$work/key.pub" "$own/etc/ssh/authorized_keys"
    cat >"$own/etc/ssh/sshd_config" <<END
Port 22
Port 2222
HostKey /etc/ssh/key
AuthorizedKeysFile /etc/ssh/authorized_keys
StrictModes no
UsePAM no
UseDNS no
PrintMotd no
KexAlgorithms curve25519-sha256
SetEnv PATH=/usr/sbin:/usr/bin:/sbin:/bin
END
    (cd "$own" && find . | cpio -o -H newc -R 0:0 --quiet) >"$work/$1.own"
    cat "$kernels/image" "$work/$1.own" >"$work/$1.image"
    printf '%s,%s %s\n' "$1" "$wire.$2" "$(cut -d' ' -f1,2 "$own/etc/ssh/key.pub")" >>"$work/known_hosts"
    printf 'Host %s\n  HostName %s\n' "$1" "$wire.$2" >>"$work/ssh_config"
    ip tuntap add dev "$tap" mode tap && ip link set "$tap" master wire up || return 1
    cat >"$work/$1.start" <<END
exec qemu-system-x86_64 -accel ${ACCEL-tcg,tb-size=256} -m 512 -display none -serial "file:$work/$1.console" -monitor none \
    -nodefaults -pidfile "$work/$1.pid" -kernel "$kernels/vmlinuz" -initrd "$work/$1.image" \
    -append "console=ttyS0 quiet panic=1 sysrq_always_enabled=1 mitigations=off" \
    -netdev "tap,id=net,ifname=$tap,script=no,downscript=no" \
    -device "virtio-net-pci,netdev=net,romfile=,mac=02:fd:10:79:00:$(printf %02x "$2")" </dev/null >"$work/$1.qemu" 2>&1
END
    power_make
    at_end "$work/power" down "$1"
    "$work/power" up "$1"
    wait_for 180 node_sh "$1" true
}

# Who gives a node its power: qemu's process is the machine.
power_make() {
    cat >"$work/power" <<END
#!/bin/sh
pid=\$(cat "$work/\$2.pid" 2>/dev/null)
case \$1 in
down) kill -9 "\$pid" && rm "$work/\$2.pid" ;;
up)
    setsid sh "$work/\$2.start" &
    while [ ! -s "$work/\$2.pid" ]; do sleep 0.1; done
    ;;
status) if [ -n "\$pid" ] && kill -0 "\$pid"; then echo on; else echo off; fi ;;
esac
END
    chmod 755 "$work/power"
}

# The connection that is kept died with the node.
node_forget() {
    ssh -F "$work/ssh_config" -o ControlPath="$work/%n.control" -O exit "$1" 2>/dev/null
    rm -f "$work/$1.control"
}

node_sh() {
    node_pipe "$@" </dev/null
}

# One connection for all: a login is dear on an emulated processor.
node_pipe() {
    ssh -F "$work/ssh_config" -o ConnectTimeout=20 -o BatchMode=yes -o ControlMaster=auto -o ControlPath="$work/%n.control" \
        -o ControlPersist=600 "$@"
}

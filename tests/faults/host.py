# host.py - a lab host seen from outside: what it is like, cheaply, and what we run on it.
# SPDX-License-Identifier: Apache-2.0
"""
For the harnesses that break things thousands of times (faults/matrix.py, crash/run_crash.py). `Host.print()` forks
nothing: processes, files and mounts are read under /proc/PID/root, rules and addresses by netlink sockets that were
opened in the host's network. `Host.whole()` asks nft, tc and ip as well: for the last word on a point.
"""
import collections
import ctypes
import os
import re
import socket
import struct
import subprocess
import threading
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
NETLINK_NETFILTER = 12
RTM_GETADDR, RTM_GETROUTE, RTM_GETRULE, RTM_GETQDISC, RTM_GETTCLASS = 22, 26, 34, 38, 42
NFT_GETTABLE, NFT_GETCHAIN, NFT_GETSET = 10 << 8 | 1, 10 << 8 | 4, 10 << 8 | 10
# Type of dump -> size of its header, and the attributes that change by themselves: life times, packets, members in use.
RESTLESS = {
    RTM_GETADDR: (8, {6}),
    RTM_GETROUTE: (12, {12}),
    RTM_GETRULE: (12, set()),
    RTM_GETQDISC: (20, {2, 3, 4, 7}),  # 2: its settings, which count packets too; tc tells them in whole()
    NFT_GETTABLE: (4, {3}),
    NFT_GETCHAIN: (4, {6, 8}),
    NFT_GETSET: (4, set()),
}
FAMILIES = {RTM_GETRULE: (socket.AF_INET, socket.AF_INET6)}
REBOOT = r"""
here=$1/scenarios/lab state=$2 default_state='' LAB_HOST=$2
. "$here/state.sh" && . "$here/net.sh" && . "$here/host.sh" && lab_net=$(<"$state/net") || exit 1
for try in 1 2 3; do
    host_halt "$3" && host_boot "$3" && exit 0
done
exit 1
"""
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
# What netlink above cannot tell in words, and what lies in files. Counters and handles are left out.
WHOLE = r"""
nft -s list ruleset
tc qdisc show | sed 's/direct_packets_stat [0-9]*//'; for dev in $(ip -o link show | sed 's/^[0-9]*: //; s/[@:].*//'); do tc class show dev "$dev"; tc filter show dev "$dev"; done 2>/dev/null
ip -o link show | sed 's/ qlen [0-9]*//; s/@if[0-9]*//'
ip rule show; ip -6 rule show; ip route show table all
sysctl -a 2>/dev/null | grep -vE '^(fs\.(dentry|inode|file-nr|aio|quota\.)|kernel\.(random|ns_last_pid|pty|perf|threads)|dev\.)|nf_conntrack_count|_hash|netrom'
find /etc -xdev -type f -exec md5sum {} + 2>/dev/null | sort
"""


def uptime():
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


class Host:
    """A host of the lab in LAB_STATE, by its name."""

    DEVICE = "eth0"
    # The service that is drilled: how a scenario names it, what starts it at boot, whether it runs, its first process.
    ROLE = 'service: {pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}'
    START = "/etc/init.d/idle status || /etc/init.d/idle start"
    WAYS = "runs() { /etc/init.d/idle status >/dev/null; }\nmain() { cat /run/idle.pid; }\n"
    MORE = ""  # of whole()
    WAY = r"/run/(faildrill|motd\.d(/faildrill|$))"  # files that are only our way of doing it
    # As scenarios/lab/boot: a service that we start may no more than one that an undo starts by ssh.
    DROPS = ("setpriv", *(f"--{of}=-sys_time,-sys_boot,-sys_module" for of in ("ambient-caps", "inh-caps", "bounding-set")))
    REVIVES = False  # whether somebody there starts a guard again that was killed

    def __init__(self, name):
        self.name = name
        self.folder = os.path.join(os.environ["LAB_STATE"], "hosts", name)
        self.address = read(self.folder + "/address").strip()
        self.sockets = []
        self.find()

    def find(self):
        """After each boot: its first process, its network."""
        self.pid = self.first()
        self.root = f"/proc/{self.pid}/root"
        self.enter = ["nsenter", "--target", self.pid, "--mount", "--uts", "--ipc", "--net", "--pid", "--",
                      *self.DROPS, "env", "-i", f"PATH={PATH}", "HOME=/root"]
        self.close_sockets()
        thread = threading.Thread(target=self._open_sockets)  # its namespace dies with it
        thread.start()
        thread.join()

    def first(self):
        return read(self.folder + "/init").split()[0]

    def close_sockets(self):
        for one in self.sockets:
            one.close()
        self.sockets = []

    def reboot(self):
        done = subprocess.run(["bash", "-c", REBOOT, "reboot", ROOT, os.environ["LAB_STATE"], self.name],
                              capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"{self.name} does not boot: {done.stderr}")
        self.find()

    def _open_sockets(self):
        with open(f"/proc/{self.pid}/ns/net") as net:
            if LIBC.setns(net.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        self.sockets = [socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
                        for protocol in (socket.NETLINK_ROUTE, NETLINK_NETFILTER)]
        for one in self.sockets:
            one.settimeout(5)

    def sh(self, script, timeout=30, **variables):
        """(status, what it said)."""
        words = [f"{key}={value}" for key, value in variables.items()]
        done = subprocess.run([*self.enter, *words, "sh", "-s"], input=script, text=True, errors="replace",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout)
        return done.returncode, done.stdout

    # ---- what it is like

    def dump(self, kind):
        """The answers to one netlink dump, without what changes by itself."""
        one = self.sockets[1 if kind > 255 else 0]
        size, restless = RESTLESS[kind]
        out = []
        for family in FAMILIES.get(kind, (socket.AF_UNSPEC,)):
            request = bytes([family]) + bytes(size - 1)
            one.send(struct.pack("=IHHII", 16 + size, kind, 0x301, 1, 0) + request)
            going = True
            while going:
                data = one.recv(1 << 18)
                while len(data) >= 16:
                    length, answer, _, _, _ = struct.unpack("=IHHII", data[:16])
                    if answer in (2, 3):  # an error, or the end
                        going = False
                        break
                    out.append(self.settled(data[16:length], size, restless))
                    data = data[(length + 3) & ~3:]
        return out

    @staticmethod
    def settled(data, size, restless):
        words = [data[:2 if size == 4 else size].hex()]  # what follows in nftables' is a counter of changes
        at = size
        while at + 4 <= len(data):
            length, kind = struct.unpack("=HH", data[at:at + 4])
            if length < 4:
                break
            if kind & 0x3FFF not in restless:
                words.append(f"{kind & 0x3FFF}={data[at + 4:at + length].hex()}")
            at += (length + 3) & ~3
        return " ".join(words)

    def processes(self):
        """pid -> (parent, name, state, words), of all that live."""
        out = {}
        proc = self.root + "/proc/"
        for pid in os.listdir(proc):
            if not pid.isdigit():
                continue
            stat = read(proc + pid + "/stat")
            if ")" not in stat:
                continue
            rest = stat[stat.rindex(")") + 2:].split()
            name = stat[stat.index("(") + 1:stat.rindex(")")]
            words = read(proc + pid + "/cmdline").replace("\0", " ") if name in ("sh", "dash", "busybox", "sshd") else ""
            # A visitor who has not logged in waits out LoginGraceTime where the reset of a probe's connection is lost.
            if name == "sshd" and rest[1] != "1" and "@" not in words and "[priv]" not in words:
                continue
            words = words if name != "sshd" else ""
            out[int(pid)] = (int(rest[1]), name, rest[0] if rest[0] in "TtZ" else "-", words)
        return out

    @staticmethod
    def ours(processes):
        """The pids that belong to a session of somebody, or to what lies in /run/faildrill."""
        out = set()
        for pid, (parent, name, _, words) in processes.items():
            if name == "sshd" and parent != 1 or parent == 0 and pid != 1 or "/run/faildrill/" in words:
                out.add(pid)
        grown = True
        while grown:
            grown = False
            for pid, (parent, _, _, _) in processes.items():
                if pid not in out and parent in out:
                    out.add(pid)
                    grown = True
        return out

    def files(self):
        out = []
        for top in ("/run", "/tmp", "/dev/shm"):
            for folder, below, names in os.walk(self.root + top):
                out += [os.path.join(folder, name)[len(self.root):] for name in below + names]
        return out

    def print(self, effect=False):
        """What it is like, as lines. effect: without what is only our way of doing it (folder, guard, sessions)."""
        processes = self.processes()
        hidden = self.ours(processes) if effect else ()
        lines = [f"process {name} {state} {words[:80]}".rstrip()
                 for pid, (_, name, state, words) in processes.items() if pid not in hidden]
        files = self.files()
        if effect:
            files = [x for x in files if not re.match(self.WAY, x)]
        lines += files
        lines += [" ".join(x.split()[1:4]) for x in read(f"/proc/{self.pid}/mounts").splitlines()]
        for kind in RESTLESS:
            lines += [f"netlink {kind} {x}" for x in self.dump(kind)]
        return sorted(lines)

    def whole(self, more=""):
        """Everything: print(), and what tools and files say."""
        return self.print() + self.sh(WHOLE + self.MORE + more)[1].splitlines()

    def settle(self, seconds=10):
        """Waits until it changes no more (addresses come up in their own time) and notes what it is then."""
        end = uptime() + seconds
        while uptime() < end:
            first = self.whole()
            time.sleep(2.2)  # duplicate address detection
            if self.whole() == first:
                break
        self.before = self.print()
        self.before_effect = self.print(effect=True)
        return self

    def is_back(self):
        return self.print(effect=True) == self.before_effect

    def within(self, seconds, is_so):
        """How long until is_so(); None when it never was."""
        began = uptime()
        pause = 0.02
        while not is_so():
            if uptime() - began > seconds:
                return None
            time.sleep(pause)
            pause = min(pause * 1.3, 0.2)
        return uptime() - began


def difference(was, now):
    was, now = collections.Counter(was), collections.Counter(now)
    return "\n".join([f"      gone: {x}" for x in (was - now).elements()] +
                     [f"      new:  {x}" for x in (now - was).elements()])

# cell.py - one run of the matrix: a lane, a kind of fault, a misfortune, and what must be true of it.
# SPDX-License-Identifier: Apache-2.0
import collections
import os
import re
import shutil
import signal
import subprocess
import threading
import time

from host import ROOT, Host, difference, read, uptime
from link import Link

LAB = os.path.join(ROOT, "scenarios/lab/lab")
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
PROGRAM = os.environ.get("FAILDRILL", os.path.join(BUILD, "faildrill"))
LEASE, SLACK = 3, 2
LONG = "40s"  # nothing but its misfortune ends such a cell
HAND = "sudo sh /run/faildrill/undo"

SCENARIO = """scenario: cell
targets:
  victim: {{role: idle}}
probes:
  door: {{tcp: "{address}:8080", every: 100ms, timeout: 500ms}}
steady: {{for: 300ms, within: 20s}}
steps:
  - {{{step}}}
observe: {observe}
hold: 300ms
gap: 100ms
settle: 20s
undo: {{lease: {lease}s, grace: 15s, within: {within}s}}
expect:
  door: {{max_outage: 5m}}
{more}
"""
ENVIRONMENT = """environment: matrix
ssh: {{config: {config}}}
roles:
  idle:
    hosts:
      {name}: {{address: {address}}}
    {service}
{role}"""
# On the far side of a cut; its way from us is never cut.
FAR = """  far:
    hosts:
      {name}: {{address: {address}}}
"""
# An API whose state outlives a boot; whoever only connects stays connected. It is the door that is probed, too: sshd
# forks and begins anew for each that knocks.
API = r"""
import http.server, os
SLOW = "/var/log/fd-slow"
class Api(http.server.BaseHTTPRequestHandler):
    def answer(self):
        if self.command == "POST":
            open(SLOW, "w").close()
        elif self.command == "DELETE" and os.path.exists(SLOW):
            os.remove(SLOW)
        self.send_response(200 if os.path.exists(SLOW) or self.command != "GET" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()
    do_GET = do_POST = do_DELETE = answer
    def log_message(self, *words):
        pass
http.server.ThreadingHTTPServer.request_queue_size = 64
http.server.ThreadingHTTPServer(("", 8080), Api).serve_forever()
"""
# What a boot gives: an API, by its own word 300 MiB of memory and 2,000 descriptors free, a small disk,
# few processes; and, on every other host, things that are not ours.
FURNISH = r"""
mkdir -p /etc/lab
printf 'MemTotal: 1048576 kB\nMemAvailable: 307200 kB\n' >/etc/lab/meminfo
mount --bind /etc/lab/meminfo /proc/meminfo
echo '2000 0 4000' >/etc/lab/file-nr
mount --bind /etc/lab/file-nr /proc/sys/fs/file-nr
cat >/root/fd-api.py <<'END'""" + API + r"""END
setsid python3 /root/fd-api.py </dev/null >/dev/null 2>&1 &
until curl -sS -o /dev/null http://127.0.0.1:8080/ 2>/dev/null; do sleep 0.1; done
mount -t tmpfs -o size=64m media /media
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=fd \
    -keyout /root/fd-tls.key -out /root/fd-tls.pem 2>/dev/null
"""
# The kernel goes by who asks, so the harness's own /proc will do: a systemd's may be read only.
FEW_PIDS = r"""
[ "$(printf '6.14\n%s\n' "$(uname -r)" | sort -V | head -n 1)" != 6.14 ] || echo 1000 >/proc/sys/kernel/pid_max
"""
RICH = r"""
nft -f - <<END
table inet site {
    set doors { type inet_service; elements = { 22, 8080 } }
    chain in {
        type filter hook input priority 0; policy drop;
        ct state established,related accept
        iif "lo" accept
        tcp dport @doors counter accept
        meta l4proto { icmp, ipv6-icmp } accept
    }
}
table ip site_nat {
    chain post {
        type nat hook postrouting priority 100; policy accept;
        ip saddr 198.51.100.0/24 masquerade
    }
}
END
tc qdisc add dev $DEVICE root handle 1: htb default 10
tc class add dev $DEVICE parent 1: classid 1:10 htb rate 10gbit
tc qdisc add dev $DEVICE parent 1:10 handle 10: tbf rate 10gbit burst 10mb latency 50ms
ip route add 192.0.2.0/24 via ${ADDRESS%.*}.1
ip route add default via ${ADDRESS%.*}.1 table 77
ip rule add fwmark 7 table 77
ip address add 198.51.100.1/24 dev $DEVICE
mount -t tmpfs -o size=1m site /mnt
grep -qx "127.0.0.2 site" /etc/hosts || echo "127.0.0.2 site" >>/etc/hosts # a disk outlives a reboot
cp /etc/hosts /mnt/hosts
mount --bind /mnt/hosts /etc/hosts
"""
# Tables of iptables that were once looked into stay, so they are there from the beginning. No nft is left.
WITHOUT_NFT = r"""
for tool in iptables ip6tables; do
    for place in "raw PREROUTING" "filter INPUT" "filter FORWARD" "filter OUTPUT"; do
        $tool -t ${place% *} -A ${place#* } -p udp --dport 9 -j DROP
    done
done
nft=$(readlink -f "$(command -v nft)")
mount --bind /dev/null "$nft"
if "$nft" list tables 2>/dev/null; then exit 1; fi
"""
# `undo` of each folder fails as often as /root/fails says, all in all; then it is the true one.
FAILING = r"""
set -e
echo COUNT >/root/fails
for folder in /run/faildrill/*_[0-9]*; do
    cd "$folder"
    cp undo undo.true
    cat >undo.new <<'END'
left=$(cat /root/fails)
if [ "$left" -gt 0 ]; then
    echo $((left - 1)) >/root/fails
    echo "made to fail"
    exit 1
fi
END
    cat undo.true >>undo.new
    mv undo.new undo
done
"""


# Until its input ends; with a breath between, or nobody else gets a word in.
STORM = r"""
n=0
while read -rt 0.1; [ $? -gt 128 ]; do
    systemctl daemon-reload
    n=$((n + 1))
    [ $((n % 10)) -ne 0 ] || systemctl daemon-reexec
done
echo $n
"""
# A guard that lives, and is another than GUARD; of several folders that of the first.
GUARDED = r"""
set -- /run/faildrill/*_[0-9]*/armed
read -r pid _ <"$1" && [ "$pid" != "$GUARD" ] && kill -0 "$pid"
"""


class Complaint(Exception):
    pass


class NotTried(Complaint):
    """No fault came into effect: a machine that others keep busy may take longer to arm than a lease allows."""


class Pulse:
    """How long one shell takes here, which is 5 ms on a quiet machine, and an undo is dozens of them."""

    STARVED = 0.1

    def __init__(self):
        self.beats = collections.deque(maxlen=200)
        threading.Thread(target=self._beat, daemon=True).start()

    def _beat(self):
        while True:
            began = uptime()
            subprocess.run(["sh", "-c", "/bin/true"])
            self.beats.append((began, uptime() - began))
            time.sleep(0.3)

    def starved(self, since):
        took = [length for began, length in list(self.beats) if began + length > since]
        return sum(took) > self.STARVED * len(took)


PULSE = Pulse()


class Lane:
    def __init__(self, name, peer, home, rich, kind=Host):
        self.host, self.peer, self.rich = kind(name), kind(peer), rich
        self.link = Link(self.host)
        self.dir = os.path.join(home, name)
        for folder in ("scenarios", "environments"):
            os.makedirs(os.path.join(self.dir, folder))
        self.write("faildrill.yaml", "project: matrix\nstate: state\n")
        config = read(os.environ["LAB_STATE"] + "/ssh_config").replace(
            f"HostName {self.host.address}\n", f"HostName 127.0.0.1\n    Port {self.link.port}\n"
            f"    HostKeyAlias {name}\n")
        # The first value counts: its own port stands before the one for all.
        self.write("ssh_config", config)
        self.process = None
        self.without_nft = False

    def furnish(self):
        self.give(self.host, (RICH if self.rich else "") + (WITHOUT_NFT if self.without_nft else ""))

    def refurnish(self, without_nft):
        self.without_nft = without_nft
        self.reboot(self.peer)
        self.settle()

    @staticmethod
    def give(host, more):
        status, said = host.sh(f"set -e\n{host.START}\n{FURNISH}{more}", ADDRESS=host.address, DEVICE=host.DEVICE)
        if status != 0:
            raise RuntimeError(f"{host.name} cannot be furnished:\n{said}")
        subprocess.run(["nsenter", "--target", host.pid, "--pid", "--", "sh", "-c", FEW_PIDS], check=True)

    def settle(self):
        for host in (self.host, self.peer):
            host.settle()

    def write(self, path, text):
        with open(os.path.join(self.dir, path), "w") as file:
            file.write(text)

    def command(self, *args):
        return [PROGRAM, "-C", self.dir, *args, "--no-input"]

    def faildrill(self, *args, timeout=90):
        done = subprocess.run(self.command(*args), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=timeout)
        return done.returncode, done.stdout

    def begin(self):
        with open(self.dir + "/log", "w") as log:
            self.process = subprocess.Popen(self.command("run", "-e", "matrix", "cell"), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)

    def log(self):
        return read(self.dir + "/log")

    def says(self, text, seconds):
        """Waits until the runner has said it; False when it ended without, or the time is over."""
        end = uptime() + seconds
        while text not in self.log():
            if self.process.poll() is not None:
                return text in self.log()
            if uptime() > end:
                return False
            time.sleep(0.01)
        return True

    def reboot(self, *others):
        for host in (self.host, *others):
            host.reboot()
        self.furnish()


class Cell:
    """One kind and one misfortune on one lane."""

    def __init__(self, lane, kind, column):
        self.lane, self.host, self.link = lane, lane.host, lane.link
        self.kind, self.column = kind, column
        self.hosts = (lane.host, lane.peer) if kind.far else (lane.host,)
        self.back = None  # s after the misfortune

    # ---- pieces

    def prepare(self):
        if self.lane.without_nft != self.kind.without_nft:
            self.lane.refurnish(self.kind.without_nft)
        # As planned only where nothing else ends it.
        short = self.column.short
        hold = f"for: {self.kind.shortest if short else LONG}"
        self.lane.write("scenarios/cell.yaml", SCENARIO.format(
            address=self.host.address, step=self.kind.step.replace("HOLD", hold), lease=LEASE,
            observe="0s" if self.kind.holds else "2s" if short else LONG, within=self.column.within,
            more=self.kind.more))
        self.lane.write("environments/matrix.yaml", ENVIRONMENT.format(
            config=self.lane.dir + "/ssh_config", name=self.host.name, address=self.host.address, service=self.host.ROLE,
            role=self.kind.role) +
            (FAR.format(name=self.lane.peer.name, address=self.lane.peer.address) if self.kind.far else ""))
        shutil.rmtree(self.lane.dir + "/state", ignore_errors=True)
        self.main = self.host.sh(self.host.WAYS + "main")[1].strip()
        self.whole = self.all_of_it()
        self.link.mend()
        self.link.faults = max(1, self.kind.step.count("HOLD"))

    def all_of_it(self):
        return [host.whole(self.kind.whole) for host in self.hosts]

    def seen(self):
        host = self.lane.peer if self.kind.beside else self.host
        return host.sh(host.WAYS + self.kind.seen, ADDRESS=self.host.address, NAME=self.host.name, MAIN=self.main)[0] == 0

    def in_effect(self):
        if not self.lane.says("proven (", 40):
            raise NotTried("    the fault was never proven")
        proven = uptime()
        if self.host.within(2 if self.kind.over else 0, self.seen) is None:
            over = re.search("UNDOING|undone, proven", self.lane.log()) or self.column.short and uptime() - proven > 1
            raise (NotTried if over else Complaint)("    proven, and not seen from outside")

    def comes_back(self, seconds=LEASE + SLACK, since=None):
        """The misfortune was just now, or at `since`: the host is as before within lease + 2 s of it."""
        since = since or uptime()
        end = since + seconds
        # Asked from outside as well: a setting, or a process of ours that holds something, is not in print().
        came = self.host.within(end - uptime(), lambda: all(host.is_back() for host in self.hosts) and
                                (self.kind.over or not self.seen()))
        self.back = uptime() - since
        if came is None or self.back > seconds:
            if PULSE.starved(since):
                raise NotTried(f"    the machine was too busy for an undo within {seconds} s")
            raise Complaint(f"    {seconds} s later it is not as before, or the fault is still seen from outside:\n" +
                            self.differences(lambda host: (host.before_effect, host.print(effect=True))))

    def ends(self, *allowed, seconds=60):
        try:
            status = self.lane.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Complaint(f"    the runner did not end within {seconds} s") from None
        self.status = status
        # Where other people's work takes the machine, the prober may be late; the verdict is about numbers then.
        if status == 7 and 0 in allowed and re.search(r"late|skipped|kept up|keep up", self.lane.log()):
            status = 0
        if status == 7 and 0 in allowed and "its lease had run out" in self.lane.log():
            raise NotTried("    the machine was too busy for a lease of 3 s")
        if status not in allowed:
            raise Complaint(f"    exit {status}, not one of {allowed}")
        if status == 6:
            said, _, hands = self.lane.log().strip().rpartition("NOT UNDONE: ")[2].partition("\n")
            if not ("faildrill undo " in said and hands and
                    all(self.host.name in x and x.endswith(HAND) for x in hands.splitlines())):
                raise Complaint("    exit 6 without host and commands by hand in its last lines")

    def closed(self):
        """`undo` has the last word on the run, twice, and the host is as before in all."""
        for args in (["undo"], ["undo", "--scan", "-e", "matrix"], ["undo"]):
            status, said = self.lane.faildrill(*args)
            if status != 0:
                busy = status == 6 and re.fullmatch(r"unknown +\S+: no session", said.strip())
                raise (NotTried if busy else Complaint)(f"    `{' '.join(args)}` exits {status}:\n{said}")
        if "nothing is left" not in said:
            raise Complaint(f"    the second `undo` found something to do:\n{said}")
        if self.host.within(10, lambda: all(host.print() == host.before for host in self.hosts)) is None:
            raise Complaint("    in the end it is not as before:\n" +
                            self.differences(lambda host: (host.before, host.print())))
        # A systemd hears of a mount that is gone in its own time.
        if self.host.within(5, lambda: self.all_of_it() == self.whole) is None:
            raise Complaint("    in the end not all of it is as before:\n" +
                            "\n".join(map(difference, self.whole, self.all_of_it())))

    def differences(self, of):
        return "\n".join(f"      {host.name}\n{difference(*of(host))}" for host in self.hosts)

    # ---- the columns

    def normal_end(self):
        self.in_effect()
        self.ends(0)
        self.comes_back(SLACK)

    def sigkill(self):
        self.in_effect()
        self.lane.process.kill()
        self.comes_back()
        self.ends(-9)

    def sigint(self):
        self.in_effect()
        self.lane.process.send_signal(signal.SIGINT)
        self.comes_back()
        self.ends(5)

    def sigint_twice(self):
        self.in_effect()
        for _ in range(2):
            self.lane.process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        self.comes_back()
        self.ends(5)

    def link_at(self, phase):
        self.link.aim(phase)
        if not self.link.cut_now.wait(40):
            raise NotTried(f"    the link was never in the phase '{phase}'")
        if phase == "unanswered":
            if self.host.within(10, self.seen) is None:
                raise NotTried("    sent, and never seen in effect")
            self.link.cut()
        self.comes_back()
        time.sleep(0.5)
        self.link.mend()
        # Nothing was armed yet, or nothing was sent: not ready. Else nobody can say how long it was in effect.
        self.ends(*{"arming": (3, 7), "before": (3, 7), "within": (3, 7)}.get(phase, (7,)))

    def link_stalls_unanswered(self):
        """What applies it may take minutes: its undo waits no longer for that than the lease."""
        self.link.aim("unanswered")
        if not self.link.cut_now.wait(40) or self.host.within(10, self.seen) is None:
            raise NotTried("    never sent, or never seen in effect")
        self.link.stall()
        self.comes_back()
        self.ends(6)
        self.link.mend()
        self.link.close()

    def link_after(self, cut):
        self.in_effect()
        cut()
        self.comes_back()

    def link_answered(self):
        self.link_after(self.link.cut)
        time.sleep(0.5)
        self.link.mend()
        self.ends(*((0, 7) if self.kind.over else (7,)))

    def link_stalls(self):
        self.link_after(self.link.stall)
        self.ends(6)
        self.link.mend()
        self.link.close()

    def link_reset(self):
        """A wire that comes back at once costs a renewal of the lease at most."""
        self.in_effect()
        self.link.close(reset=True)
        self.ends(0)
        self.comes_back(SLACK)

    def undo_fails(self, times, *allowed):
        if not self.lane.says("proven (", 40):
            raise NotTried("    the fault was never proven")
        status, said = self.host.sh(FAILING.replace("COUNT", str(times)))
        if status != 0:
            raise Complaint(f"    the undo could not be broken:\n{said}")
        try:
            if 6 not in allowed and not self.kind.over and not self.kind.alone:
                if not self.lane.says("made to fail", 30):
                    raise Complaint("    the undo did not fail")
                self.comes_back()
            self.ends(*allowed)
            if self.status == 6:
                self.host.sh("echo 0 >/root/fails")
                if self.host.sh("test ! -e /run/faildrill/undo || sh /run/faildrill/undo")[0] != 0:
                    raise Complaint("    the way out by hand does not work")
        finally:
            self.host.sh("rm -f /root/fails")
        if self.status == 6:
            self.comes_back(SLACK)
            self.back = None  # by hand
        elif self.back is None:
            self.comes_back(SLACK)

    def undo_fails_once(self):
        self.undo_fails(1, 0)

    def undo_fails_thrice(self):
        self.undo_fails(3, 0)

    def undo_never_works(self):
        # What is over by itself is clear without any undo.
        self.undo_fails(100000, *((0,) if self.kind.over else (0, 6) if self.kind.alone else (6,)))

    def rebooted(self):
        self.in_effect()
        self.lane.reboot()
        self.comes_back()
        self.ends(7)

    def guard_killed(self):
        self.in_effect()
        status, guard = self.host.sh("set -- $(cat /run/faildrill/*_[0-9]*/armed) && kill -9 $1 && echo $1")
        if status != 0:
            raise Complaint("    there was no guard")
        began = uptime()
        if self.host.REVIVES and self.guarded_anew(guard.strip()):
            self.sigkill()
            return
        self.comes_back(since=began)
        self.ends(7)

    def guarded_anew(self, guard):
        """systemd starts it again a second later. Where the runner has not seen it dead meanwhile, it goes on."""
        gone = "a guard is gone"
        self.host.within(LEASE, lambda: gone in self.lane.log() or self.host.sh(GUARDED, GUARD=guard)[0] == 0)
        return not self.lane.says(gone, 1.2) and self.host.sh(GUARDED, GUARD=guard)[0] == 0

    def in_a_storm(self, column):
        """systemd is loaded anew all the while: as it is armed, in effect, and undone."""
        storm = subprocess.Popen([*self.host.enter, "bash", "-c", STORM], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            column(self)
        finally:
            times = storm.communicate(timeout=60)[0]
        if int(times or 0) < 5:
            raise NotTried(f"    systemd was loaded anew {times or 0} times only")

    def by_hand(self):
        self.in_effect()
        began = uptime()
        status, said = self.host.sh("sh /run/faildrill/undo")
        if status != 0:
            raise Complaint(f"    sh /run/faildrill/undo exits {status}:\n{said}")
        self.comes_back(since=began)
        self.ends(7)

    def said(self):
        return {-9: "killed", 6: "NOT UNDONE, 6"}.get(self.status, str(self.status))

    def run(self):
        self.prepare()
        self.lane.begin()
        try:
            self.column.do(self)
            self.closed()
        finally:
            self.link.mend()
            if self.lane.process.poll() is None:
                self.lane.process.kill()
                self.lane.process.wait()

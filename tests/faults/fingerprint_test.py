#!/usr/bin/python3
# fingerprint_test.py - a host with rules, tc, routes and mounts of its own is the same before and after every fault.
# SPDX-License-Identifier: Apache-2.0
"""
usage: fingerprint_test.py [KIND...]

Each kind of fault (kinds.py) runs its drill on a dressed lab host (dress.sh), is seen in effect from outside, and ends
as planned. The fingerprint is all that an administrator could find out (ask.sh): rules with their handles, tc, links,
addresses, rules and routes of IPv4 and IPv6, mounts with their numbers, settings, files with owner, mode, time and
hash; and processes with all that they inherit. Left out: counters, and what time or a login changes on any host.
"""
import dataclasses
import difflib
import json
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from cell import LAB, LEASE, PROGRAM, Cell, Complaint, Lane, NotTried  # noqa: E402
from host import read, uptime  # noqa: E402
from kinds import KINDS, SHUT, Kind, verbs_without_a_row  # noqa: E402

LANES = 4
HERE = os.path.dirname(os.path.realpath(__file__))
DRESS, ASK = read(HERE + "/dress.sh"), read(HERE + "/ask.sh")
# What changes by itself on any host.
RESTLESS = re.compile(
    r"setting: (fs\.(dentry|inode|file-nr|aio|quota\.)|kernel\.(random|ns_last_pid|pty|perf|threads)|dev\.|"
    r"net\.netfilter\.nf_conntrack_count|\S*(_hash|netrom|sched_domain))|\S+tables-\S+: #|file: /run/(utmp|sshd\.pid|lock/idle) ")
CHANGES = ((re.compile(r"\[\d+:\d+\]"), "[]"), (re.compile(r" direct_packets_stat \d+"), ""),
           (re.compile(r'"expires": \d+'), '"expires": 0'), (re.compile(r" expires \d+sec"), ""))
# The service's own command starts it, within a text of the user's.
BY_HAND = Kind("run, a service", 'run: "/etc/init.d/idle stop", target: victim, fault: true, '
               'undo: "/etc/init.d/idle start", proof: "! /etc/init.d/idle status", HOLD',
               "! /etc/init.d/idle status >/dev/null")
# On a host without nft. Its timers know whole seconds, and a good phase needs two.
CHAINS = [dataclasses.replace(kind, name=kind.name + ", by iptables", needs="command -v iptables ipset",
                              step=kind.step.replace("good: 1s", "good: 2s"), shortest="5s",
                              lacks="iptables and ipset",
                              seen=kind.seen.replace('nft list tables | grep -q "inet fd_"', "iptables-save | grep -q fd_"))
          for kind in KINDS
          if kind.verb in ("isolate", "cut", "loss", "rate_limit", "dns_cut") and not kind.without_nft]
# What has a way of its own through a host beside the matrix's row.
MORE = [
    Kind("isolate, our own link too", "isolate: victim, link: cut, HOLD", SHUT, beside=True, shortest="12s"),
    Kind("cut, refused", "cut: {between: [victim, far]}, with: reject, HOLD", SHUT, beside=True, far=True),
    Kind("dns_cut, dropped", "dns_cut: victim, HOLD", 'nft list tables | grep -q "inet fd_"'),
    Kind("override, of a resolver", 'override: victim, file: /etc/resolv.conf, content: "nameserver 192.0.2.8", HOLD',
         "grep -q 192.0.2.8 /etc/resolv.conf"),
    Kind("replace_file, and a reload", 'replace_file: victim, path: /etc/resolv.conf, content: "nameserver 192.0.2.8", '
         'reload: "cat /etc/resolv.conf >/dev/null", HOLD', "grep -q 192.0.2.8 /etc/resolv.conf"),
]
HIDE = "mount --bind /etc/lab/meminfo /usr/sbin/nft"
SHOW = "umount /usr/sbin/nft"
# These end processes of the service: it comes back as another one, and says so in files of its own. Whoever starts it
# hands something down, so these are ended by the guard as well.
RESTARTS = ("kill", "kill once", "stop", "restart", "restart loop", BY_HAND.name)
ITS_OWN = re.compile(r"(file|hash): .*/run/idle\.pid\b|service: ")
INHERITED = ("Uid", "Gid", "Groups", "Umask", "SigIgn", "SigBlk", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp")


class Column:
    """What a Cell wants to know of its column."""
    short, within = True, 20


def process(pid, folder, restarts):
    """One process, with all that it has from whoever started it."""
    stat = read(folder + "/stat")
    rest = stat[stat.rindex(")") + 2:].split()
    words = read(folder + "/cmdline").replace("\0", " ").strip()
    status = dict(x.split(":\t", 1) for x in read(folder + "/status").splitlines() if ":\t" in x)
    opened = sorted({re.sub(r"\[\d+\]", "", os.readlink(f"{folder}/fd/{x}")) for x in os.listdir(folder + "/fd")})
    ours = [x.split("=")[0] for x in read(folder + "/environ").split("\0") if x.startswith("FD_")]
    number = "its own" if restarts and words == "sleep infinity" and pid != 1 else f"{pid}, began {rest[19]}"
    limits = [x.split("  ") for x in read(folder + "/limits").splitlines()]
    return (f"process: {words}: number {number} parent {rest[1]} stopped {rest[0] in 'Tt'} nice {rest[16]} "
            f"oom {read(folder + '/oom_score_adj').strip()} in {os.readlink(folder + '/cwd')} "
            f"variables {ours} open {opened} cgroup {read(folder + '/cgroup').split()} "
            f"{[(x, status.get(x, '').strip()) for x in INHERITED]} limits {hash(str(limits))}")


class Print:
    """What a host is like, as lines."""

    def __init__(self, host, restarts):
        self.host, self.restarts = host, restarts

    def processes(self):
        """All but who is logged in, and we."""
        every = self.host.processes()
        out = []
        for pid in every.keys() - self.host.ours(every):
            try:
                out.append(process(pid, f"{self.host.root}/proc/{pid}", self.restarts))
            except (OSError, ValueError):
                pass  # it has just ended
        return out

    def take(self):
        lines = self.processes()
        for line in self.host.sh(ASK, timeout=120)[1].splitlines():
            for what, instead in CHANGES:
                line = what.sub(instead, line)
            if line.startswith("nft: {"):
                lines += ["nft: " + json.dumps(x, sort_keys=True) for x in json.loads(line[5:])["nftables"]]
            elif not RESTLESS.match(line) and not (self.restarts and ITS_OWN.match(line)):
                lines.append(line)
        return sorted(lines)

    def settled(self):
        """Once it is the same twice: sessions end in their own time."""
        end, last = uptime() + 60, None
        while uptime() < end:
            now = self.take()
            if now == last:
                return now
            last = now
        raise Complaint("    the host does not come to rest:\n" + difference(last, self.take()))

    def wait_until(self, before, seconds=60):
        end = uptime() + seconds
        while (now := self.take()) != before:
            if uptime() > end:
                raise Complaint("    it is not as before:\n" + difference(before, now))
            time.sleep(0.2)


def difference(was, now):
    return "\n".join("      " + x[:600] for x in difflib.unified_diff(was, now, "before", "after", "", "", 0, "")
                     if not x.startswith("@@"))


def drill(lane, kind, guard):
    """How many lines were compared. guard: the runner is killed, and the host ends it alone."""
    cell = Cell(lane, kind, Column)
    looks = [Print(host, kind.name in RESTARTS) for host in cell.hosts]
    cell.prepare()
    file = "scenarios/cell.yaml"  # nothing here waits for the end of a lease, which a busy machine may not keep
    lane.write(file, read(f"{lane.dir}/{file}").replace(f"lease: {LEASE}s", "lease: 12s"))
    before = [look.settled() for look in looks]
    if kind in CHAINS:
        cell.hosts[0].sh(HIDE)
    lane.begin()
    try:
        cell.in_effect()
        if guard:
            lane.process.kill()
        else:
            cell.ends(0)
    finally:
        if lane.process.poll() is None:
            lane.process.kill()
            lane.process.wait()
        if kind in CHAINS:
            cell.hosts[0].sh(SHOW)
    for look, was in zip(looks, before):
        look.wait_until(was)
    if guard and lane.faildrill("undo")[0] != 0:
        raise Complaint("    `undo` cannot close the run")
    return sum(map(len, before))


class Dressed(Lane):
    """A host and its peer, both dressed."""

    def furnish(self):
        for host in (self.host, self.peer):
            self.give(host, "cp $(command -v nft) /root/fd-nft\n" + DRESS)


class Test:
    def __init__(self, names):
        self.names, self.failed = names, 0
        self.lock, self.jobs = threading.Lock(), queue.Queue()

    def say(self, text, bad=False):
        with self.lock:
            self.failed += bad
            print(text, flush=True)

    def one(self, lane, kind, guard):
        name = kind.name + (", ended by its guard" if guard else "")
        for attempt in range(4):
            try:
                self.say(f"ok chaosd 146: {name}: {drill(lane, kind, guard)} lines are as before")
                return
            except NotTried as what:  # others keep the machine busy
                why = str(what)
                lane.reboot(lane.peer)
            except Complaint as what:
                why = str(what)
                break
        self.say(f"not ok chaosd 146: {name}: its host is as before\n{why}\n    the runner said:\n" +
                 "".join(f"      {x}\n" for x in lane.log().splitlines()[-14:]), bad=True)
        lane.reboot(lane.peer)

    def lane_loop(self, lane):
        while True:
            try:
                kind, guard = self.jobs.get_nowait()
            except queue.Empty:
                return
            try:
                self.one(lane, kind, guard)
            except Exception as what:  # a test that dies silently would count as good
                self.say(f"not ok {kind.name}: {type(what).__name__}: {what}", bad=True)

    def list_jobs(self, host):
        for kind in [*KINDS, *MORE, BY_HAND, *CHAINS]:
            if self.names and kind.name not in self.names:
                continue
            if host.sh(kind.needs)[0] != 0:
                self.say(f"skip {kind.name}: {kind.lacks}")
                continue
            self.jobs.put((kind, False))
            if kind is CHAINS[0] or kind.name in RESTARTS and not kind.over:
                self.jobs.put((kind, True))

    def go(self):
        state = os.environ["LAB_STATE"]
        names = sorted(os.listdir(state + "/hosts"), key=lambda x: int(x.split("-")[1]))
        home = os.path.join(os.path.dirname(state), "lanes")
        lanes = [Dressed(name, peer, home, False) for name, peer in zip(names[:LANES], names[LANES:])]
        for lane in lanes:
            lane.furnish()
        for verb in verbs_without_a_row(PROGRAM):
            self.say(f"not ok {verb}: it has no row in tests/faults/kinds.py", bad=True)
        self.list_jobs(lanes[0].host)
        threads = [threading.Thread(target=self.lane_loop, args=(lane,)) for lane in lanes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return 1 if self.failed else 0


def main():
    if os.environ.get("IN_LAB") == "1":
        return Test(sys.argv[1:]).go()
    if subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "true"], stderr=subprocess.DEVNULL).returncode:
        print("skip all: this machine gives no namespaces")
        return 77
    with tempfile.TemporaryDirectory(prefix="faildrill-fingerprint.") as home:
        return subprocess.call([LAB, "--state", home + "/lab", "run", "--private", f"bare:{2 * LANES}", "--",
                                sys.executable, os.path.realpath(__file__), *sys.argv[1:]],
                               env=dict(os.environ, IN_LAB="1"))


if __name__ == "__main__":
    sys.exit(main())

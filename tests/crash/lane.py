# lane.py - one lab host and one project for run_crash.py: a drill of each kind, and what must be true after a point.
# SPDX-License-Identifier: Apache-2.0
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../faults"))
from host import CLONE_NEWNET, LIBC, PATH, Host, difference, uptime  # noqa: E402

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
LAB = os.path.join(ROOT, "scenarios/lab/lab")
# Copies, so that a build meanwhile changes nothing: `faildrill`, and those of this folder.
PROGRAMS = os.environ.get("CRASH_PROGRAMS", "")
PROGRAM, KILLER = PROGRAMS + "/faildrill", PROGRAMS + "/run_crash_at"
LEASE, SLACK = 2, 2
DOOR = 7
PATIENCE = 30
HAND = "sudo sh /run/faildrill/undo"
KINDS = ["kill", "stop", "freeze", "isolate", "chains", "run", "captured", "restart", "disk_fill", "sysctl",
         "override", "parallel", "repeat"]
RARE = {"chains": 0.5, "captured": 0.5, "parallel": 0.25, "repeat": 0.25}  # of a kind's share: a point of these is twice the work
STEPS = {
    "kill": "- kill: victim\n    for: 1s",
    "stop": "- stop: victim\n    for: 1s",
    "freeze": "- freeze: victim\n    for: 1s",
    "restart": "- restart: victim",
    "isolate": "- isolate: victim\n    for: 1s",
    "chains": "- isolate: victim\n    for: 1s",  # on a host without nft: by iptables and ipset
    "run": '- run: "touch /run/broken"\n    target: victim\n    fault: true\n    undo: "rm -f /run/broken"\n'
           '    proof: "test -e /run/broken"\n    for: 1s',
    # Armed with what a step before it has read: neither guard nor log may know less of it than the fault.
    "captured": '- run: "echo /run/broken"\n    target: victim\n    capture: {where: {stdout: text}}\n'
                '  - run: "touch ${capture.where}"\n    target: victim\n    fault: true\n    undo: "rm -f ${capture.where}"\n'
                '    proof: "test -e ${capture.where}"\n    for: 1s',
    "disk_fill": "- disk_fill: victim\n    path: /media\n    leave: 20MiB\n    for: 1s",
    "sysctl": '- sysctl: victim\n    key: net.ipv4.tcp_retries2\n    value: "3"\n    for: 1s',
    "override": '- override: victim\n    file: /etc/hosts\n    content: "192.0.2.9 fd-shop"\n    keep: true\n    for: 1s',
    # Two of one host: armed one and all, fired together.
    "parallel": '- parallel:\n      - {run: "touch /run/broken", target: victim, fault: true, undo: "rm -f /run/broken",'
                ' proof: "test -e /run/broken", for: 1s}\n      - {isolate: victim, for: 1s}',
    "repeat": "- kill: victim\n    for: 1s\nrepeat: {times: 2, pause: 0s}",
}
SCENARIO = """scenario: crash_{kind}
targets:
  victim: {{role: idle}}
probes:
  door: {{tcp: "{address}:{door}", every: 100ms, timeout: 500ms}}
steady: {{for: 200ms, within: 10s}}
steps:
  {step}
observe: 0s
hold: 150ms
gap: 100ms
settle: 10s
undo: {{lease: {lease}s, grace: 2s, within: 10s}}
expect:
  door: {{max_outage: 60s}}
"""
# What `undo` says, with exit 6, of a host that a starved machine keeps from answering: unknown, and to be asked again.
NOT_REACHED = re.compile("no session|did not answer|not reached|lost the connection|cannot reach")
KEPT_UNTIL_UNDO = ("/run/faildrill/lock", "process sh - sh /run/faildrill/")


# What says on the host that a fault is in effect; else the service is down.
IN_EFFECT = {"isolate": "nft list tables | grep -q 'inet fd_'", "chains": "ipset list -n | grep -q ^fd_",
             "run": "test -e /run/broken", "captured": "test -e /run/broken",
             "parallel": "test -e /run/broken && nft list tables | grep -q 'inet fd_'",
             "freeze": "grep -q '^State:.T' /proc/$(cat /run/idle.pid)/status",
             "disk_fill": "grep -qs FD_HELD= /proc/[0-9]*/environ",
             "sysctl": "grep -qx 3 /proc/sys/net/ipv4/tcp_retries2", "override": "getent hosts fd-shop"}


NFT = "/usr/sbin/nft"
# A table of iptables that was once looked into stays: they are there from the beginning.
TABLES = """for tool in iptables ip6tables; do
    for place in "raw PREROUTING" "filter INPUT" "filter FORWARD" "filter OUTPUT"; do
        $tool -t ${place% *} -A ${place#* } -p udp --dport 9 -j DROP
    done
done
"""
# Of chains, whatever a failed point has left.
NO_CHAINS = """for tool in iptables ip6tables; do
    for table in raw filter; do $tool -t $table -F; $tool -t $table -X; done
done
ipset destroy
"""


def copy_programs(folder):
    build = os.path.join(ROOT, os.environ.get("BUILD", "build"))
    os.makedirs(folder)
    shutil.copy(os.environ.get("FAILDRILL", os.path.join(build, "faildrill")), folder + "/faildrill")
    for name in ("run_crash_at", "node_crash_at"):
        shutil.copy(os.path.join(build, "tests/crash", name), folder)


def call_names():
    for path in ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm-generic/unistd.h"):
        if os.path.exists(path):
            return {int(n): name for name, n in re.findall(r"#define __NR_(\w+) (\d+)", open(path).read())}
    return {}


CALL_NAMES = call_names()


class Lane:
    """One host and one project; never used by two threads at once."""

    def __init__(self, name, way, home):
        self.name, self.way = name, way
        lab = os.environ["LAB_STATE"]
        self.seen = Host(name)
        self.address = self.seen.address
        self.dir = os.path.join(home, name)
        os.makedirs(self.dir + "/scenarios")
        os.makedirs(self.dir + "/environments")
        # The runner has this environment and no other, so that nobody has to empty it on the way.
        self.environment = {"PATH": PATH, "HOME": "/root", "TMPDIR": self.dir}
        self.enter = ["/usr/bin/nsenter", *self.seen.enter[1:self.seen.enter.index("--") + 1]]
        if way == "node":
            self.make_dying()
        self.host("mount -t tmpfs -o size=24m media /media\n" + TABLES)
        opening = threading.Thread(target=self.open_there)  # its namespace dies with it
        opening.start()
        opening.join()
        self.write("faildrill.yaml", "project: crash\nstate: state\n")
        reach = f"ssh: {{config: {lab}/ssh_config}}\n" if way == "ssh" else ""
        prefix = "" if way == "ssh" else f"    reach: {{prefix: {json.dumps(self.enter)}}}\n"
        self.write("environments/crash.yaml", f"""environment: crash
{reach}roles:
  idle:
    hosts:
      {name}: {{address: {self.address}}}
    service: {{pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}}
{prefix}""")
        for kind in KINDS:
            self.write(f"scenarios/crash_{kind}.yaml", SCENARIO.format(
                kind=kind, address=self.address, step=STEPS[kind], lease=LEASE, door=DOOR))
            self.write(f"scenarios/hand_{kind}.yaml", SCENARIO.format(
                kind=kind, address=self.address, step=STEPS[kind].replace("for: 1s", "for: 60s"), lease=60, door=DOOR)
                .replace("scenario: crash_", "scenario: hand_").replace("max_outage: 60s", "max_outage: 5m"))
        self.before = self.before_effect = None  # what it is like, once it has come up
        self.hidden = False  # nft
        self.locks = 0  # points after which the lock was there until `undo`
        self.late_locks = 0  # points after which one came later than `undo`
        self.unreached = 0  # times that `undo` said that it had not reached the host
        self.age = 0
        self.late = []  # by how much the host was as before later than it should

    def make_dying(self):
        """On this host `sh` and `nft` are node_crash_at.c."""
        folder = self.seen.root + "/root/bin"
        os.makedirs(folder)
        for name, program in (("run_crash_at", "run_crash_at"), ("sh", "node_crash_at"), ("nft", "node_crash_at")):
            shutil.copy(os.path.join(PROGRAMS, program), os.path.join(folder, name))
        self.environment["PATH"] = "/root/bin:" + PATH

    def open_there(self):
        """What /proc/sys/net is depends on who opens it. A door for the probe, which costs sshd 10 ms a knock."""
        with open(f"/proc/{self.seen.pid}/ns/net") as net:
            LIBC.setns(net.fileno(), CLONE_NEWNET)
        self.setting = os.open("/proc/sys/net/ipv4/tcp_retries2", os.O_RDONLY)
        door = socket.create_server((self.address, DOOR), backlog=64)
        threading.Thread(target=self.answer, args=(door,), daemon=True).start()

    @staticmethod
    def answer(door):
        while True:
            door.accept()[0].close()

    def write(self, path, text):
        with open(os.path.join(self.dir, path), "w") as file:
            file.write(text)

    def host(self, script, timeout=120):
        done = subprocess.run(self.enter + ["sh", "-s"], input=script, text=True, capture_output=True, timeout=timeout,
                              env=self.environment)
        return done.returncode, done.stdout + done.stderr

    def fingerprint(self, effect=False):
        """As lines; an empty folder of ours is none. effect: only what a fault does, not our way of doing it. Who kills
        is no part of the host: while it runs, whom it follows is seen as well."""
        passing = ["/run/faildrill", "process run_crash_at -"]
        if effect:  # a guard that was killed may have begun half a second of sleep; the service is asked below
            passing += ["process sleep -", "process sleep Z"]
        lines = [x for x in self.seen.print(effect) if x not in passing and not x.startswith(NFT + " ")]
        try:
            with open(self.seen.root + "/run/idle.pid") as file:
                runs = os.path.exists(f"{self.seen.root}/proc/{int(file.read())}/fd")
        except (OSError, ValueError):
            runs = False
        return lines + [f"idle runs: {runs}", f"tcp_retries2: {os.pread(self.setting, 20, 0).decode().strip()}",
                        f"free on /media: {os.statvfs(self.seen.root + '/media').f_bavail}"]

    def command(self, *args):
        return [PROGRAM, "-C", self.dir, *args]

    def run(self, *args, timeout=180):
        done = subprocess.run(self.command(*args), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=timeout, env=self.environment)
        return done.returncode, done.stdout

    def hide_nft(self, hidden):
        """By a mount that belongs to the lane, not to what is looked at."""
        if hidden != self.hidden:
            self.hidden = hidden
            self.host(f"mount --bind /dev/null {NFT}" if hidden else f"umount {NFT}")

    def begin(self, scenario, before=()):
        self.hide_nft(scenario.endswith("_chains"))
        log = open(self.dir + "/log", "w")
        return subprocess.Popen([*before, *self.command("run", "-e", "crash", scenario, "--no-input")],
                                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                env=self.environment)

    def begin_at(self, scenario, result, thread, call, k, action):
        if os.path.exists(result):
            os.unlink(result)
        return self.begin(scenario, [KILLER, result, *(str(x) for x in (thread, call, k)), action])

    def log(self):
        return open(self.dir + "/log").read()

    def clean_within(self, seconds, lock=False):
        """None when the host is as before, else how it differs. Where it is so later, that is counted: on a starved
        machine a script that was sent to arm may begin when its sender is long dead. lock: our lock may still be there.
        It is no fault, and before a guard is armed nobody is there to take it away; `undo` does. And a guard that has
        undone and removed its folder may be on its way out."""
        began = uptime()
        pause = 0.08
        while True:
            now = self.fingerprint()
            took = uptime() - began
            locked = lock and [x for x in now if not x.startswith(KEPT_UNTIL_UNDO)] == self.before
            if now == self.before or locked:
                self.locks += now != self.before and "/run/faildrill/lock" in now
                if took > seconds:
                    self.late.append(took - seconds)
                return None
            if took > seconds + PATIENCE:
                return difference(self.before, now)
            time.sleep(pause)
            pause = min(pause * 1.6, 0.4)

    def in_effect_within(self, seconds):
        """None when nothing of a fault is to be seen in that time, else what is. A look that took longer is not the last."""
        end = uptime() + seconds
        while True:
            asked = uptime()
            now = self.fingerprint(effect=True)
            if now == self.before_effect:
                return None
            if asked > end:
                return difference(self.before_effect, now)
            time.sleep(0.02)

    def closed(self, hangs=False):
        """What `undo` says of the run, as a complaint or None. hangs: there is a guard that neither works nor dies; who
        says so, with the way by hand, is right, and that way has to work."""
        # The second and third only say what is seen below as well: at every thirty-second point.
        steps = [["undo"], ["undo", "--scan", "-e", "crash"], ["undo"]]
        for args in steps if random.random() < 1 / 32 else steps[:1]:
            for _ in range(4):
                status, text = self.run(*args, "--no-input")
                if status != 6 or not NOT_REACHED.search(text):
                    break
                self.unreached += 1
            if status == 6 and self.only_a_lock(x for x in text.splitlines() if x.startswith("FOUND")):
                continue
            if status == 6 and hangs and text.rstrip().endswith(HAND):
                hangs, done = False, self.host("sh /run/faildrill/undo")
                status, text = self.run("undo", "--no-input") if done[0] == 0 else done
            if status != 0:
                return f"    `{' '.join(args)}` exits {status}:\n{text}"
        if args is steps[2] and "nothing is left" not in text:
            return f"    the second `undo` found something to do:\n{text}"
        left = self.clean_within(5)  # what `undo` has asked may still be ending there
        if left and self.only_a_lock(left.splitlines()):
            left = self.clean_within(5)
        if left:
            return "    after `undo` the host is not as before:\n" + left
        self.age += 1
        if self.age % 25 == 0:  # a project of thousands of runs is another test
            shutil.rmtree(self.dir + "/state", ignore_errors=True)
        return None

    def only_a_lock(self, found):
        """Sent before its runner died and begun after the `undo`: a lock without a fault, which would go stale by itself.
        True where there was nothing else; then it is gone."""
        found = list(found)
        if not found or not all(" lock " in x or "/run/faildrill/lock" in x for x in found):
            return False
        self.late_locks += 1
        self.host("rm -r /run/faildrill/lock; rmdir /run/faildrill")
        return True

    def look(self, seconds):
        difference = self.clean_within(seconds, lock=True)
        if difference is not None:
            return f"    {seconds} s later the host is not as before:\n{difference}"
        return self.closed()

    def mend(self):
        """Back to how it was, whatever a failed point has left, so that the next one starts clean."""
        self.hide_nft(False)
        self.host(NO_CHAINS + TABLES)
        self.host("for t in $(nft list tables | sed -n 's/^table inet \\(fd_.*\\)/\\1/p'); do"
                  " nft delete table inet $t; done\n"
                  "for p in $(grep -ls FD_HELD= /proc/[0-9]*/environ | tr -dc '0-9\\n'); do kill -9 $p; done\n"
                  "echo 15 >/proc/sys/net/ipv4/tcp_retries2; umount /etc/hosts\n"
                  "pkill -9 -x run_crash_at; pkill -CONT -x sleep; /etc/init.d/idle start; rm -rf /run/faildrill /run/broken\n")
        shutil.rmtree(self.dir + "/state", ignore_errors=True)
        if self.clean_within(5):  # tables that were furnished anew have other numbers
            self.before, self.before_effect = self.fingerprint(), self.fingerprint(effect=True)

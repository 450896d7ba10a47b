#!/usr/bin/python3
# run_crash.py - kills the runner at every kind of moment of a drill and looks at what is left on the host.
# SPDX-License-Identifier: Apache-2.0
"""
usage: run_crash.py [--points N] [--lanes N] [--kinds kill,isolate,...] [--only MODE] [--seed N] [--keep]

A lane is a lab host of its own with a project of its own; lanes work side by side. Four modes:
  prefix  kill -9 at a system call of a thread, the host reached by nsenter        (80 % of the points)
  ssh     the same, the host reached by sshd                                        (20 %)
  link    the runner lives, its session on the host is killed                       (20 more, half each way)
  hand    runner killed with the fault in effect, then `sh /run/faildrill/undo`     (one more a kind and way)
First each kind is run once to count the system calls of every thread; the points are spread over all
(thread, call) pairs and evenly within each. After a point the host must be as before within lease + 2 s, `undo`
must close the run, `undo --scan` must find nothing, and the host must still be as before.
"""
import argparse
import collections
import json
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
LAB = os.path.join(ROOT, "scenarios/lab/lab")
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
PROGRAM = os.environ.get("FAILDRILL", os.path.join(BUILD, "faildrill"))
KILLER = os.path.join(BUILD, "tests/crash/run_crash_at")
LEASE, SLACK = 2, 2
KINDS = ["kill", "stop", "freeze", "isolate", "run", "restart"]
STEPS = {
    "kill": "- kill: victim\n    for: 1s",
    "stop": "- stop: victim\n    for: 1s",
    "freeze": "- freeze: victim\n    for: 1s",
    "restart": "- restart: victim",
    "isolate": "- isolate: victim\n    for: 1s",
    "run": '- run: "touch /run/broken"\n    target: victim\n    fault: true\n    undo: "rm -f /run/broken"\n'
           '    proof: "test -e /run/broken"\n    for: 1s',
}
SCENARIO = """scenario: crash_{kind}
targets:
  victim: {{role: idle}}
probes:
  door: {{tcp: "{address}:22", every: 50ms, timeout: 500ms}}
steady: {{for: 150ms, within: 10s}}
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
# What a host is like: what filters, what runs and in which state, what lies about. The lab's own entry is left out,
# and an sshd whose visitor has not said who he is: where `isolate` swallows the reset of a probe's connection to
# port 22, it waits out its LoginGraceTime.
FINGERPRINT = r"""
nft list ruleset
tc qdisc show 2>/dev/null
ip -o address show | sed 's| tentative||'; ip route show
for p in /proc/[0-9]*; do
    read -r stat 2>/dev/null <"$p/stat" || continue
    rest=${stat##*) }
    set -- $rest
    comm=${stat#*(}; comm=${comm%%)*}
    case $1 in T|t|Z) state=$1 ;; *) state=- ;; esac
    case ${p#/proc/} in $$|$PPID) continue ;; esac
    case $comm in sort) continue ;;
    sshd) case $(tr '\0' ' ' <"$p/cmdline") in *'[accepted]'* | *'[net]'*) continue ;; esac ;;
    sh) comm="sh $(tr '\0' ' ' <"$p/cmdline" | cut -c1-80)" ;; esac
    echo "process $comm $state"
done | sort
/etc/init.d/idle status | sed 's/pid .*//'
find /run /tmp /dev/shm ! -path '/run/faildrill' | sort
cut -d' ' -f2-4 /proc/mounts
"""
KEPT_UNTIL_UNDO = ("/run/faildrill/lock", "process sh sh /run/faildrill/")


def uptime():
    return time.clock_gettime(time.CLOCK_MONOTONIC)


class Lane:
    """One host and one project; never used by two threads at once."""

    def __init__(self, name, way, home):
        self.name, self.way = name, way
        lab = os.environ["LAB_STATE"]
        self.pid = open(f"{lab}/hosts/{name}/init").read().split()[0]
        self.address = open(f"{lab}/hosts/{name}/address").read().strip()
        self.dir = os.path.join(home, name)
        os.makedirs(self.dir + "/scenarios")
        os.makedirs(self.dir + "/environments")
        self.enter = ["nsenter", "--target", self.pid, "--mount", "--uts", "--ipc", "--net", "--pid", "--",
                      "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"]
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
                kind=kind, address=self.address, step=STEPS[kind], lease=LEASE))
            self.write(f"scenarios/hand_{kind}.yaml", SCENARIO.format(
                kind=kind, address=self.address, step=STEPS[kind].replace("for: 1s", "for: 60s"), lease=60)
                .replace("scenario: crash_", "scenario: hand_").replace("max_outage: 60s", "max_outage: 5m"))
        self.before = self.fingerprint()
        self.locks = 0  # points after which the lock was there until `undo`

    def write(self, path, text):
        with open(os.path.join(self.dir, path), "w") as file:
            file.write(text)

    def host(self, script, timeout=20):
        done = subprocess.run(self.enter + ["sh", "-s"], input=script, text=True, capture_output=True, timeout=timeout)
        return done.returncode, done.stdout + done.stderr

    def fingerprint(self):
        return self.host(FINGERPRINT)[1]

    def command(self, *args):
        return [PROGRAM, "-C", self.dir, *args]

    def run(self, *args, timeout=60):
        done = subprocess.run(self.command(*args), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=timeout)
        return done.returncode, done.stdout

    def begin(self, scenario, before=()):
        log = open(self.dir + "/log", "w")
        return subprocess.Popen([*before, *self.command("run", "-e", "crash", scenario, "--no-input")],
                                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def log(self):
        return open(self.dir + "/log").read()

    def difference(self, now):
        was, is_now = collections.Counter(self.before.splitlines()), collections.Counter(now.splitlines())
        return "\n".join([f"      gone: {x}" for x in (was - is_now).elements()] +
                         [f"      new:  {x}" for x in (is_now - was).elements()])

    def clean_within(self, seconds, lock=False):
        """None when the host is as before in that time, else how it differs. lock: our lock may still be there. It is
        no fault, and before a guard is armed nobody is there to take it away; `undo` does. And a guard that has undone
        and removed its folder may be on its way out."""
        end = uptime() + seconds
        pause = 0.1
        while True:
            now = self.fingerprint()
            if now == self.before:
                return None
            without = "".join(x for x in now.splitlines(True) if not x.startswith(KEPT_UNTIL_UNDO))
            if lock and without == self.before:
                self.locks += "/run/faildrill/lock" in now
                return None
            if uptime() > end:
                return self.difference(now)
            time.sleep(min(pause, max(0.0, end - uptime())))
            pause = min(pause * 1.5, 0.5)

    def closed(self):
        """What `undo` says of the run, as a complaint or None."""
        for args in (["undo"], ["undo", "--scan", "-e", "crash"], ["undo"]):
            status, text = self.run(*args, "--no-input")
            if status != 0:
                return f"    `{' '.join(args)}` exits {status}:\n{text}"
        if "nothing is left" not in text:
            return f"    the second `undo` found something to do:\n{text}"
        difference = self.clean_within(5)  # what `undo` has asked may still be ending there
        return "    after `undo` the host is not as before:\n" + difference if difference else None

    def look(self, seconds):
        difference = self.clean_within(seconds, lock=True)
        if difference is not None:
            return f"    {seconds} s later the host is not as before:\n{difference}"
        return self.closed()

    def mend(self):
        """Back to how it was, whatever a failed point has left, so that the next one starts clean."""
        self.host("for t in $(nft list tables | sed -n 's/^table inet \\(fd_.*\\)/\\1/p'); do"
                  " nft delete table inet $t; done\n"
                  "pkill -CONT -x sleep; /etc/init.d/idle start; rm -rf /run/faildrill /run/broken\n")
        shutil.rmtree(self.dir + "/state", ignore_errors=True)
        self.clean_within(5)


class Harness:
    def __init__(self, options, home):
        self.options, self.home = options, home
        self.lock = threading.Lock()
        self.points = self.missed = self.unreached = 0
        self.by_mode = {}
        self.stop = False

    def tally(self, lane, what, complaint):
        with self.lock:
            self.points += 1
            mode = next(word for word in ("killed", "link cut", "by hand", "") if word in what) + f", {lane.way}"
            self.by_mode[mode] = self.by_mode.get(mode, 0) + 1
            if complaint is not None:
                self.missed += 1
                print(f"not ok {what} on {lane.name} ({lane.way})\n{complaint.rstrip()}", flush=True)
                print("    the runner said:\n" + "".join(f"      {x}\n" for x in lane.log().splitlines()[-12:]),
                      flush=True)
            elif self.points % 50 == 0:
                print(f"    {self.points} points, {self.missed} left, {int(uptime() - self.began)} s", flush=True)
        if complaint is not None:
            lane.mend()

    # ---- one point of each mode

    def count(self, lane, kind):
        """(thread, call) -> how often, of one whole run."""
        result = lane.dir + "/count"
        for _ in range(5):  # a busy machine may take longer to arm than a lease of 2 s
            lane.begin(f"crash_{kind}", [KILLER, result, "count"]).wait(60)
            lines = open(result).read().split("\n")[1:]
            if "ended 0" in lines or "ended 7" in lines:  # 7: the prober was late on a busy machine
                break
        else:
            raise RuntimeError(f"crash_{kind} by {lane.way} does not pass:\n{lane.log()}")
        complaint = lane.look(LEASE + SLACK)
        if complaint:
            raise RuntimeError(f"crash_{kind} by {lane.way} leaves something without any kill:\n{complaint}")
        return {(int(a), int(b)): int(c) for a, b, c in (x.split() for x in lines if x.count(" ") == 2)}

    def kill_point(self, lane, point):
        kind, thread, call, k = point
        result = lane.dir + "/killed"
        lane.begin(f"crash_{kind}", [KILLER, result, str(thread), str(call), str(k)]).wait(60)
        outcome = open(result).read().split("\n")[1]
        complaint = lane.look(LEASE + SLACK)
        if outcome != "killed" and complaint is None:
            with self.lock:
                self.unreached += 1
            return False
        self.tally(lane, f"{kind} killed at thread {thread} {CALL_NAMES.get(call, call)} {k}", complaint)
        return True

    def link_point(self, lane, point):
        kind, share = point
        process = lane.begin(f"crash_{kind}")
        wait = share * self.length[kind, lane.way]
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            self.cut(lane, process.pid)
        try:
            process.wait(40)
            complaint = lane.look(LEASE + SLACK)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            complaint = "    the runner does not end after its link was cut"
        self.tally(lane, f"{kind} link cut after {wait:.2f} s", complaint)
        return True

    def cut(self, lane, runner):
        if lane.way == "ssh":
            # The listener is a child of the host's first process; who serves a login is a child of it.
            lane.host("for p in $(pgrep -P 1 -x sshd); do pkill -9 -P $p; done\n")
            return
        for pid in children(runner):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def hand_point(self, lane, kind):
        process = lane.begin(f"hand_{kind}")
        undo, end = "test -e /run/faildrill/undo", uptime() + 15
        in_effect = {"isolate": "nft list tables | grep -q 'inet fd_'", "run": "test -e /run/broken",
                     "freeze": "grep -q '^State:.T' /proc/$(cat /run/idle.pid)/status"}.get(
                         kind, "! /etc/init.d/idle status")
        while lane.host(f"{undo} && {in_effect} >/dev/null")[0] != 0 and uptime() < end:
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        began = uptime()
        status, text = lane.host("sh /run/faildrill/undo")
        complaint = None
        if status != 0:
            complaint = f"    sh /run/faildrill/undo exits {status}:\n{text}"
        elif uptime() >= end:
            complaint = "    the fault was never seen in effect"
        complaint = complaint or lane.look(max(0.0, 5 - (uptime() - began)))
        self.tally(lane, f"{kind} undone by hand", complaint)
        return True

    # ---- all of it

    def lane_loop(self, lane, work):
        while not self.stop:
            try:
                do, point = work.get_nowait()
            except queue.Empty:
                return
            try:
                if not do(lane, point):  # not as many calls this time: an earlier one, or another
                    kind, thread, call, k = point
                    if k == 1:
                        (thread, call), k = random.choice(list(self.counts[kind, lane.way].items()))
                    work.put((do, (kind, thread, call, (k + 1) // 2)))
            except Exception as what:  # a harness that dies silently would count as clean
                self.tally(lane, f"{do.__name__} {point}", f"    {type(what).__name__}: {what}")

    def side_by_side(self, jobs):
        """jobs: of (way, do, point); each lane takes what is next for its way."""
        queues = {way: queue.Queue() for way in ("prefix", "ssh")}
        for way, do, point in jobs:
            queues[way].put((do, point))
        threads = [threading.Thread(target=self.lane_loop, args=(lane, queues[lane.way])) for lane in self.lanes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def counted(self):
        self.counts, self.length = {}, {}
        errors = []

        def one(lane, kinds):
            for kind in kinds:
                try:
                    began = uptime()
                    self.counts[kind, lane.way] = self.count(lane, kind)
                    self.length[kind, lane.way] = uptime() - began
                except Exception as what:
                    errors.append(str(what))
        threads = []
        for way in ("prefix", "ssh"):
            lanes = [lane for lane in self.lanes if lane.way == way]
            for at, lane in enumerate(lanes):
                threads.append(threading.Thread(target=one, args=(lane, self.options.kinds[at::len(lanes)])))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for what in errors:
            print(f"not ok {what}", flush=True)
        return not errors

    def points_of(self, way, total):
        """`total` points, spread over kinds, then over (thread, call), then evenly over the times."""
        share, out = total // len(self.options.kinds), []
        for at, kind in enumerate(self.options.kinds):
            left = share + (1 if at < total % len(self.options.kinds) else 0)
            pairs = sorted(self.counts[kind, way].items(), key=lambda item: item[1])
            chosen = {pair: 0 for pair, _ in pairs}
            while left > 0 and any(chosen[pair] < times for pair, times in pairs):
                order = [pair for pair, times in pairs if chosen[pair] < times]
                random.shuffle(order)
                for pair in order[:left]:
                    chosen[pair] += 1
                left -= min(left, len(order))
            for (thread, call), n in chosen.items():
                times = self.counts[kind, way][thread, call]
                out += [(kind, thread, call, 1 + int((i + random.random()) * times / n)) for i in range(n)]
        random.shuffle(out)
        return out

    def go(self):
        hosts = sorted(os.listdir(os.environ["LAB_STATE"] + "/hosts"), key=lambda x: int(x.split("-")[1]))
        ssh_lanes = max(1, len(hosts) // 4)
        self.lanes = [Lane(host, "ssh" if at < ssh_lanes else "prefix", self.home) for at, host in enumerate(hosts)]
        self.began = uptime()
        if not self.counted():
            return 1
        total, only, kinds = self.options.points, self.options.only, self.options.kinds
        jobs = []
        for way, share in (("prefix", total - total // 5), ("ssh", total // 5)):
            if only in (None, way):
                jobs += [(way, self.kill_point, point) for point in self.points_of(way, share)]
        link = max(2 * len(kinds), total // 5)
        if only in (None, "link"):
            for i in range(link):
                jobs.append((("prefix", "ssh")[i % 2], self.link_point,
                             (kinds[i // 2 % len(kinds)], (i + random.random()) / link)))
        if only in (None, "hand"):
            jobs += [(way, self.hand_point, kind) for kind in kinds if kind != "restart" for way in ("prefix", "ssh")]
        random.shuffle(jobs)
        self.side_by_side(jobs)
        threads = {(kind, way): len({thread for thread, _ in count}) for (kind, way), count in self.counts.items()}
        print(f"    seed {self.options.seed}, up to {max(threads.values())} threads, "
              f"{len({pair for count in self.counts.values() for pair in count})} (thread, call) pairs, "
              f"{self.unreached} not reached, {sum(lane.locks for lane in self.lanes)} left a lock until `undo`, "
              f"{int(uptime() - self.began)} s")
        for what, n in sorted(self.by_mode.items()):
            print(f"    {what}: {n}")
        print(f"{'ok' if self.missed == 0 else 'not ok'} {self.points} points, {self.missed} left")
        return 1 if self.missed else 0


def children(pid):
    out = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as file:
            out += [int(x) for x in file.read().split()]
    return out


def call_names():
    for path in ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm-generic/unistd.h"):
        if os.path.exists(path):
            return {int(n): name for name, n in re.findall(r"#define __NR_(\w+) (\d+)", open(path).read())}
    return {}


CALL_NAMES = call_names()


def in_lab(options):
    """The same program once more, in namespaces that end with it."""
    state = tempfile.mkdtemp(prefix="faildrill-crash.")
    lab = subprocess.Popen([LAB, "--state", state + "/lab", "run", "--private", f"bare:{options.lanes}", "--",
                            sys.executable, os.path.realpath(__file__), *sys.argv[1:], "--seed", str(options.seed)],
                           env=dict(os.environ, IN_LAB="1"))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: lab.terminate())
    status = lab.wait()
    if not options.keep:
        shutil.rmtree(state, ignore_errors=True)
    return status


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=int(os.environ.get("POINTS", "500")))
    parser.add_argument("--lanes", type=int, default=12)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--only", choices=["prefix", "ssh", "link", "hand"])
    parser.add_argument("--seed", type=int, default=random.randrange(10000))
    parser.add_argument("--keep", action="store_true", help="leave the projects in their folder and say where")
    options = parser.parse_args()
    if os.environ.get("IN_LAB") != "1":
        can = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "true"], stderr=subprocess.DEVNULL)
        if can.returncode != 0:
            print("skip crash: this machine gives no namespaces")
            return 77
        return in_lab(options)
    options.kinds = options.kinds.split(",")
    random.seed(options.seed)
    home = os.path.join(os.path.dirname(os.environ["LAB_STATE"]), "lanes")
    harness = Harness(options, home)
    try:
        return harness.go()
    finally:
        if options.keep:
            print(f"    kept: {home}")


if __name__ == "__main__":
    sys.exit(main())

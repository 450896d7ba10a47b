#!/usr/bin/python3
# run_crash.py - kills the runner at every kind of moment of a drill and looks at what is left on the host.
# SPDX-License-Identifier: Apache-2.0
"""
usage: run_crash.py [--points N] [--lanes N] [--kinds kill,isolate,...] [--only MODE] [--seed N] [--keep]

A lane is a lab host of its own with a project of its own; lanes work side by side. Six modes:
  prefix  kill -9 at a system call of a thread, the host reached by nsenter        (half of the points)
  ssh     the same, the host reached by sshd              (an eighth with those below, 1,000 at most)
  error   a system call of the runner fails, once or from then on                   (a fifth)
  node    guard, undo, apply, looks and nft on the host die, or fail, at theirs     (the rest)
  link    the runner lives, its session on the host is killed                       (a 25th, half each way)
  hand    runner killed with the fault in effect, then `sh /run/faildrill/undo`     (one more a kind and way)
First each kind is run once to count the system calls of every thread, and of everyone who dies on the host; the points
are spread over all (thread, call) pairs and evenly within each. After a point the host must be as before within lease +
2 s, `undo` must close the run, and the host must still be as before; at every thirty-second, `undo --scan` and a second
`undo` find nothing. A runner that ends by itself and says that nothing is left must be right.
"""
import argparse
import os
import queue
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from lane import CALL_NAMES, KILLER, KINDS, LAB, LEASE, RARE, SLACK, Lane, copy_programs  # noqa: E402
from modes import PARTS, Modes, error_points, failure_of  # noqa: E402
from host import uptime  # noqa: E402


WAYS = ("prefix", "ssh", "node")


class Harness(Modes):
    def __init__(self, options, home):
        self.options, self.home = options, home
        self.lock = threading.Lock()
        self.points = self.missed = self.unreached = 0
        self.hung = {}  # what was done to whom did not end -> how often
        self.by_mode = {}
        self.stop = False

    def tally(self, lane, what, complaint):
        with self.lock:
            self.points += 1
            mode = next(word for word in ("killed", "failing", "on the host", "link cut", "by hand", "") if word in what) + f", {lane.way}"
            self.by_mode[mode] = self.by_mode.get(mode, 0) + 1
            if complaint is not None:
                self.missed += 1
                said = "\n".join(f"      {x}" for x in lane.log().splitlines()[-6:])
                print(f"    the runner said:\n{said}\n{complaint.rstrip()}\n"
                      f"not ok {what} on {lane.name} ({lane.way})", flush=True)
            elif self.points % 50 == 0:
                print(f"    {self.points} points, {self.missed} left, {int(uptime() - self.began)} s", flush=True)
        if complaint is not None:
            lane.mend()

    # ---- one point of each mode

    def count(self, lane, kind):
        """(thread, call) -> how often, of one whole run."""
        result = lane.dir + "/count"
        for _ in range(5):  # a busy machine may take longer to arm than a lease of 2 s
            lane.begin(f"crash_{kind}", [KILLER, result, "count"]).wait(300)
            lines = open(result).read().split("\n")[1:]
            if {"ended 0 0", "ended 7 0"} & set(lines):  # 7: the prober was late on a busy machine
                break
            time.sleep(LEASE + SLACK)
            lane.run("undo", "--no-input")  # which frees the environment
        else:
            raise RuntimeError(f"crash_{kind} by {lane.way} does not pass:\n{lane.log()}")
        complaint = lane.look(LEASE + SLACK)
        if complaint:
            raise RuntimeError(f"crash_{kind} by {lane.way} leaves something without any kill:\n{complaint}")
        return {(int(a), int(b)): int(c) for a, b, c in (x.split() for x in lines if x[:1].isdigit())}

    def kill_point(self, lane, point):
        kind, thread, call, k = point
        result = lane.dir + "/killed"
        self.ended(lane.begin_at(f"crash_{kind}", result, thread, call, k, "kill"), "kill")
        outcome = open(result).read().split("\n")[1] if os.path.exists(result) else "killed"
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
        wait = share * self.length[kind, "ssh" if lane.way == "ssh" else "prefix"]
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            self.cut(lane, process.pid)
        try:
            process.wait(120)
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

    # ---- all of it

    def lane_loop(self, lane, work):
        while not self.stop:
            try:
                do, point = work[lane.way].get_nowait()
            except queue.Empty:
                if lane.way != "node" or work["prefix"].empty():
                    return
                try:
                    do, point = work["prefix"].get_nowait()
                except queue.Empty:
                    return
            try:
                if not do(lane, point):  # not as many calls this time: another, which is made often
                    kind, thread, call, k = point
                    way = "ssh" if lane.way == "ssh" else "prefix"
                    often = [(pair, times) for pair, times in self.counts[kind, way].items() if times >= 8]
                    (thread, call), times = random.choice(often)
                    work[way].put((do, (kind, thread, call, random.randint(1, times // 2))))
            except Exception as what:  # a harness that dies silently would count as clean
                self.tally(lane, f"{do.__name__} {point}", f"    {type(what).__name__}: {what}")

    def side_by_side(self, jobs):
        """jobs: of (way, do, point); each lane takes what is next for its way."""
        queues = {way: queue.Queue() for way in WAYS}
        for way, do, point in jobs:
            queues[way].put((do, point))
        threads = [threading.Thread(target=self.lane_loop, args=(lane, queues)) for lane in self.lanes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def counted(self):
        """Counts every kind each way, and everyone who is to die on a host; False where that fails."""
        self.counts, self.length, self.dying = {}, {}, {}
        errors = []

        def run(kind, lane):
            began = uptime()
            self.counts[kind, lane.way] = self.count(lane, kind)
            self.length[kind, lane.way] = uptime() - began

        def die(who, lane):
            counted = self.node_count(lane, *who)
            if counted:
                self.dying[who] = counted
            else:
                print(f"    {who[1]} of {who[0]} was not to be had", flush=True)

        def all_of(lane, work):
            while not work.empty() and not errors:
                try:
                    do, what = work.get_nowait()
                    do(what, lane)
                except queue.Empty:
                    return
                except Exception as what:
                    errors.append(str(what))
        queues = {way: queue.Queue() for way in WAYS}
        for kind in self.options.kinds:
            for way in ("prefix", "ssh"):
                queues[way].put((run, kind))
        for who in self.who_dies():
            queues["node"].put((die, who))
        threads = [threading.Thread(target=all_of, args=(lane, queues[lane.way])) for lane in self.lanes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for what in errors:
            print(f"not ok {what}", flush=True)
        return not errors

    def who_dies(self):
        """(kind, part, whether its runner is dead): all of them, or some where there are few points."""
        if self.options.only not in (None, "node"):
            return []
        out = [(kind, part, False) for part, kinds in PARTS.items() for kind in kinds if kind in self.options.kinds]
        out += [(kind, "guard", True) for kind in PARTS["guard"] if kind in self.options.kinds]
        random.shuffle(out)
        return out if self.options.points >= 2000 else out[:8]

    @staticmethod
    def spread(times_of, left):
        """`left` of (key, which time), over the keys of key -> times, then evenly over the times."""
        keys = sorted(times_of.items(), key=lambda item: item[1])
        chosen = {key: 0 for key, _ in keys}
        while left > 0 and any(chosen[key] < times for key, times in keys):
            order = [key for key, times in keys if chosen[key] < times]
            random.shuffle(order)
            for key in order[:left]:
                chosen[key] += 1
            left -= min(left, len(order))
        return [(key, 1 + int((i + random.random()) * 0.95 * times_of[key] / n)) for key, n in chosen.items() for i in range(n)]

    def kills(self, way, total):
        """`total` points, spread over kinds, then over (thread, call), then over the times."""
        out, left = [], total
        weights = {kind: RARE.get(kind, 1) for kind in self.options.kinds}
        for kind in sorted(weights, key=weights.get):  # the last ones have what rounding left
            share = round(left * weights[kind] / sum(weights.values()))
            left -= share
            del weights[kind]
            out += [(kind, thread, call, k) for (thread, call), k in self.spread(self.counts[kind, way], share)]
        return out

    def deaths(self, total):
        out, who = [], list(self.dying)
        for at, one in enumerate(who):
            share = total // len(who) + (at < total % len(who))
            for i, (call, k) in enumerate(self.spread(self.dying[one], share)):
                fails = failure_of(call) if i % 3 == 0 and one[1] != "fire" else None
                out.append((*one, call, k, "orphan" if one[1] == "fire" else fails or "kill"))
        return out

    def jobs(self):
        total, only, kinds = self.options.points, self.options.only, self.options.kinds
        errors, deaths, links = total // 5, total // 6, max(2 * len(kinds), total // 25)
        ssh = max(0, min(1000, total // 8) - links // 2 - len(kinds))
        prefix = max(0, total - ssh - errors - deaths - links)
        out = []
        if only in (None, "prefix"):
            out += [("prefix", self.kill_point, x) for x in self.kills("prefix", prefix)]
        if only in (None, "ssh"):
            out += [("ssh", self.kill_point, x) for x in self.kills("ssh", ssh)]
        if only in (None, "error"):
            counts = {kind: self.counts[kind, "prefix"] for kind in kinds}
            out += [("prefix", self.error_point, x) for x in error_points(counts, kinds, errors)]
        if only in (None, "node"):
            out += [("node", self.node_point, x) for x in self.deaths(deaths)]
        if only in (None, "link"):
            for i in range(links):
                out.append((("prefix", "ssh")[i % 2], self.link_point,
                            (kinds[i // 2 % len(kinds)], (i + random.random()) / links)))
        if only in (None, "hand"):
            out += [(way, self.hand_point, kind) for kind in kinds if kind != "restart" for way in ("prefix", "ssh")]
        random.shuffle(out)
        return out

    def go(self):
        hosts = sorted(os.listdir(os.environ["LAB_STATE"] + "/hosts"), key=lambda x: int(x.split("-")[1]))
        ways = ["ssh"] * max(2, len(hosts) // 6) + ["node"] * max(2, len(hosts) // 4) + ["prefix"] * len(hosts)
        self.lanes = [Lane(host, way, self.home) for host, way in zip(hosts, ways)]
        time.sleep(2.2)  # duplicate address detection
        for lane in self.lanes:
            lane.before, lane.before_effect = lane.fingerprint(), lane.fingerprint(effect=True)
        self.began = uptime()
        if not self.counted():
            return 1
        began = uptime()
        self.side_by_side(self.jobs())
        minutes = (uptime() - began) / 60
        threads = {(kind, way): len({thread for thread, _ in count}) for (kind, way), count in self.counts.items()}
        print(f"    seed {self.options.seed}, up to {max(threads.values())} threads, "
              f"{len({pair for count in self.counts.values() for pair in count})} (thread, call) pairs, "
              f"{self.unreached} not reached, {sum(self.hung.values())} ended by us, "
              f"{sum(lane.locks for lane in self.lanes)} left a lock until `undo`, "
              f"{sum(lane.late_locks for lane in self.lanes)} came later, `undo` did not reach a host "
              f"{sum(lane.unreached for lane in self.lanes)} times, {int(uptime() - self.began)} s, "
              f"{self.points / minutes:.0f} points a minute at load {os.getloadavg()[1]:.0f}")
        late = sorted(x for lane in self.lanes for x in lane.late)
        if late:
            print(f"    {len(late)} looks found it back later than they should, the last one by {late[-1]:.1f} s")
        for what, n in sorted(self.hung.items()):
            print(f"    ended by us: {what}: {n}")
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


def in_lab(options):
    """The same program once more, in namespaces that end with it."""
    state = tempfile.mkdtemp(prefix="faildrill-crash.")
    copy_programs(state + "/bin")
    lab = subprocess.Popen([LAB, "--state", state + "/lab", "run", "--private", f"bare:{options.lanes}", "--",
                            sys.executable, os.path.realpath(__file__), *sys.argv[1:], "--seed", str(options.seed)],
                           env=dict(os.environ, IN_LAB="1", CRASH_PROGRAMS=state + "/bin"))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: lab.terminate())
    status = lab.wait()
    if not options.keep:
        shutil.rmtree(state, ignore_errors=True)
    return status


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=int(os.environ.get("POINTS", "500")))
    parser.add_argument("--lanes", type=int)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--only", choices=["prefix", "ssh", "error", "node", "link", "hand"])
    parser.add_argument("--seed", type=int, default=random.randrange(10000))
    parser.add_argument("--keep", action="store_true", help="leave the projects in their folder and say where")
    options = parser.parse_args()
    options.lanes = options.lanes or (12 if options.points <= 1000 else 20)  # more would only look more often
    if os.environ.get("IN_LAB") != "1":
        can = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "true"], stderr=subprocess.DEVNULL)
        if can.returncode != 0:
            print("skip crash: this machine gives no namespaces")
            return 77
        return in_lab(options)
    options.kinds = options.kinds.split(",")
    random.seed(options.seed)
    home = os.path.join(os.path.dirname(os.environ["LAB_STATE"]), "lanes")
    os.makedirs(home)
    if not options.keep:  # no disk: who is killed leaves the page cache as it is
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1g", "lanes", home], stderr=subprocess.DEVNULL)
    harness = Harness(options, home)
    try:
        return harness.go()
    finally:
        if options.keep:
            print(f"    kept: {home}")


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
# matrix.py - every kind of fault x everything that may go wrong: it is back, or it is said; never silently left.
# SPDX-License-Identifier: Apache-2.0
"""
usage: matrix.py [--systemd] [--kinds NAME,...] [--columns NAME,...] [--lanes N] [--results FILE] [--write FILE]
                 [--readme FILE] [--keep]

A lane is a lab host of its own, reached by sshd through a relay of ours (link.py), and one beside it, the far side of a
cut; half of the lanes have a firewall, a tc tree, routes and mounts of their own. A cell is one run: the fault is seen in
effect from outside, then the column's misfortune comes, and the host must be as before within lease + 2 s; the runner
must end with a status that the column allows, NOT UNDONE only with the commands to use by hand; then `undo` closes the
run, `undo --scan` and a second `undo` find nothing, and all of the host is as before. Where the machine is too busy for
that (cell.py's Pulse) a cell is begun anew; where it stays so, it is not tried, and the target fails.
With --systemd the hosts have a real systemd as process 1 (node.py), which starts the service again whoever ends it, and
is loaded anew all the while in two columns more.
"""
import argparse
import dataclasses
import hashlib
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
import textwrap
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from cell import LAB, LEASE, PROGRAM, SLACK, Cell, Complaint, Lane, NotTried  # noqa: E402
from host import Host, uptime  # noqa: E402
from kinds import KINDS, verbs_without_a_row  # noqa: E402
from node import Node  # noqa: E402


ATTEMPTS = 6
LEFT = "LEFT"


class Column:
    def __init__(self, name, do, short=False, within=10):
        self.name, self.do, self.short, self.within = name, do, short, within


COLUMNS = [
    Column("normal end", Cell.normal_end, short=True),
    Column("SIGKILL", Cell.sigkill),
    Column("SIGINT", Cell.sigint),
    Column("SIGINT twice", Cell.sigint_twice),
    Column("link cut while arming", lambda cell: cell.link_at("arming")),
    Column("link cut before send", lambda cell: cell.link_at("before")),
    Column("link cut mid-send", lambda cell: cell.link_at("within")),
    Column("link cut before reply", lambda cell: cell.link_at("unanswered")),
    Column("link stalls before reply", Cell.link_stalls_unanswered, within=5),
    Column("link cut after reply", Cell.link_answered),
    Column("link stalls", Cell.link_stalls, within=5),
    Column("link reset", Cell.link_reset, short=True),
    Column("undo fails once", Cell.undo_fails_once, short=True),
    Column("undo fails 3 times", Cell.undo_fails_thrice, short=True, within=30),
    Column("undo never works", Cell.undo_never_works, short=True, within=3),
    Column("host rebooted", Cell.rebooted),
    Column("guard killed", Cell.guard_killed),
    Column("ended by hand", Cell.by_hand),
]
STORMS = [
    Column("daemon-reload storm", lambda cell: cell.in_a_storm(Cell.normal_end), short=True),
    Column("storm and SIGKILL", lambda cell: cell.in_a_storm(Cell.sigkill)),
]
# Of either kind of host: what stands over its table, its mark in README, and what its line there begins with.
LAB_HOSTS = "Hosts of the lab", "by make faults-matrix", ""
NODES = ("Hosts with a real systemd as process 1", "by make faults-matrix, systemd", "And on hosts with a real systemd, whose "
         "unit has Restart=always, where two misfortunes more are storms of daemon-reload: ")


class Harness:
    def __init__(self, options, home):
        self.options, self.home = options, home
        self.title, self.mark, self.lead = NODES if options.systemd else LAB_HOSTS
        self.lock = threading.Lock()
        self.done, self.failed, self.untried, self.skipped = {}, [], [], {}
        self.recalled, self.failed_before = 0, 0
        self.again = 0

    def cell(self, lane, kind, column):
        for attempt in range(ATTEMPTS):
            cell = Cell(lane, kind, column)
            try:
                cell.run()
                with self.lock:
                    self.note(kind.name, column.name, cell.back, cell.said())
                return
            except (NotTried, subprocess.TimeoutExpired) as what:
                complaint, anew = str(what), True
            except Complaint as what:
                complaint, anew = str(what), False
            except Exception as what:  # a harness that dies silently would count as clean
                complaint, anew = f"    {type(what).__name__}: {what}", False
            log = lane.log()
            self.mend(lane)
            if not anew:
                break
            self.again += 1
            print(f"    {kind.name}: {column.name} on {lane.host.name}, anew: {complaint.strip()}", flush=True)
        with self.lock:
            if anew:
                self.untried.append((kind.name, column.name))
            else:
                self.note(kind.name, column.name, None, LEFT)
            print(f"not ok {kind.name}: {column.name} on {lane.host.name}\n{complaint.rstrip()}", flush=True)
            print("    the runner said:\n" + "".join(f"      {x}\n" for x in log.splitlines()[-14:]), flush=True)

    def note(self, *result):
        if result[-1] == LEFT:
            self.failed.append(result[:2])
        else:
            self.done.setdefault(result[:2], []).append(result[2:])
        if self.options.results:
            with open(self.options.results, "a") as file:
                print(json.dumps([self.program, *result]), file=file)

    def recall(self):
        """What earlier runs measured of this very program. A cell that failed is done again, which the summary says."""
        with open(PROGRAM, "rb") as file:
            self.program = hashlib.sha256(file.read()).hexdigest()
        for line in open(self.options.results) if os.path.exists(self.options.results or "") else ():
            program, kind, column, *result = json.loads(line)
            if program != self.program:
                continue
            if result[-1] == LEFT:
                self.failed_before += 1
                continue
            self.recalled += 1
            self.done.setdefault((kind, column), []).append(tuple(result))

    def mend(self, lane):
        """A host that failed is booted anew, so that the next cell starts clean."""
        lane.link.mend()
        lane.link.close()
        lane.reboot(lane.peer)
        lane.settle()

    def lane_loop(self, lane, queues):
        while True:
            try:
                kind, column = queues[lane.rich].get_nowait()
            except queue.Empty:
                return
            try:
                self.cell(lane, kind, column)
            except Exception as what:
                with self.lock:
                    self.failed.append((kind.name, column.name))
                    print(f"not ok {kind.name}: {column.name} on {lane.host.name}: {type(what).__name__}: {what}",
                          flush=True)
                return

    def jobs(self):
        """rich or not -> its cells, dealt out in turn; a normal end on both."""
        out = {True: [], False: []}
        lane = next(lane for lane in self.lanes if not lane.rich)
        turn = 0
        for kind in self.kinds:
            if lane.host.sh(kind.needs)[0] != 0:
                self.skipped[kind.name] = kind.lacks
                continue
            for column in self.columns:
                turn += 1
                places = (True, False) if column.short and column.do is Cell.normal_end else (turn % 2 == 0,)
                for rich in places[len(self.done.get((kind.name, column.name), ())):]:
                    out[rich and kind.refused is None].append((kind, column))
        for cells in out.values():
            random.shuffle(cells)
        return out

    def table(self):
        names = [column.name for column in self.columns]
        rows = [["fault", *names], ["---"] * (len(names) + 1)]
        for kind in self.kinds:
            if kind.name in self.skipped:
                rows.append([kind.name, f"not here: {self.skipped[kind.name]}"] + [""] * (len(names) - 1))
                continue
            row = [kind.name]
            for name in names:
                seen = self.done.get((kind.name, name), [])
                bad = self.failed.count((kind.name, name))
                row.append(LEFT if bad else "not tried" if not seen else
                           f"{self.longest(seen)}, {seen[-1][1]}")
            rows.append(row)
        return "".join("| " + " | ".join(row) + " |\n" for row in rows)

    @staticmethod
    def longest(seen):
        backs = [back for back, _ in seen if back is not None]
        return f"{max(backs):.1f} s" if backs else "by hand"

    def summary(self):
        cells = [one for seen in self.done.values() for one in seen]
        kinds = len(self.kinds) - len(self.skipped)
        backs = sorted(back for back, _ in cells if back is not None) or [0]
        loud = sum(1 for _, status in cells if status == "NOT UNDONE, 6")
        return (f"{len(cells) + len(self.failed)} cells of {kinds} kinds x {len(self.columns)} misfortunes: "
                f"{len(cells) - loud} back by themselves, {loud} said NOT UNDONE with the commands by hand, "
                f"{len(self.failed)} silent. Back after {backs[len(backs) // 2]:.1f} s (median), {backs[-1]:.1f} s "
                f"(longest); allowed: lease {LEASE} s + {SLACK} s." +
                (f" {self.recalled} of them by earlier runs of the same program." if self.recalled else "") +
                (f" {self.failed_before} were run again after they had failed." if self.failed_before else ""))

    def go(self):
        began = uptime()
        names = sorted(os.listdir(os.environ["LAB_STATE"] + "/hosts"), key=lambda x: int(x.split("-")[1]))
        half = len(names) // 2
        self.lanes = [Lane(name, peer, self.home, at % 2 == 1, Node if self.options.systemd else Host)
                      for at, (name, peer) in enumerate(zip(names[:half], names[half:]))]
        furnishing = [threading.Thread(target=lambda lane=lane: (lane.furnish(), lane.settle()))
                      for lane in self.lanes]
        for thread in furnishing:
            thread.start()
        for thread in furnishing:
            thread.join()
        self.kinds = [dataclasses.replace(x, **x.of_unit) if self.options.systemd else x
                      for x in KINDS if not self.options.kinds or x.name in self.options.kinds.split(",")]
        self.columns = [x for x in COLUMNS + (STORMS if self.options.systemd else []) if not self.options.columns or x.name in self.options.columns.split(",")]
        missing = verbs_without_a_row(PROGRAM)
        for verb in missing:
            print(f"not ok {verb}: no row in tests/faults/kinds.py")
        self.recall()
        queues = {rich: queue.Queue() for rich in (True, False)}
        for rich, jobs in self.jobs().items():
            for job in jobs:
                queues[rich].put(job)
        threads = [threading.Thread(target=self.lane_loop, args=(lane, queues)) for lane in self.lanes]
        for thread in threads:
            thread.start()
            time.sleep(0.5)  # a machine of two cores does not arm all of them at once
        for thread in threads:
            thread.join()
        for name, why in self.skipped.items():
            print(f"skip {name}: {why}")
        print(self.table())
        print(self.summary())
        print(f"    {int(uptime() - began)} s on {len(self.lanes)} hosts, {self.again} cells begun anew")
        good = not self.failed and not self.untried and not missing
        if good and self.options.write:
            self.write(self.options.write)
        if good and self.options.readme:
            self.write_readme(self.options.readme)
        print(f"{'ok' if good else 'not ok'} {sum(len(x) for x in self.done.values())} cells, "
              f"{len(self.failed)} silent, {len(self.untried)} not tried: the machine was too busy")
        return 0 if good else 1

    def write(self, path):
        """Its own part of the file; the other is as it was."""
        part = f"## {self.title}\n\n{self.summary()}\n\n{self.table()}"
        with open(path) as file:
            head, *parts = re.split(r"^(?=## )", file.read(), 0, re.M)
        parts = [x.strip() + "\n" for x in parts if not x.startswith(f"## {self.title}\n")] + [part]
        with open(path, "w") as file:
            file.write("\n".join([head.strip() + "\n", *sorted(parts, key=lambda x: x.startswith(f"## {NODES[0]}"))]))

    def write_readme(self, path):
        """Between two marks: each kind with the longest of its row."""
        begin = f"<!-- {self.mark} -->\n"
        worst = []
        for kind in self.kinds:
            backs = [back for (name, _), seen in self.done.items() if name == kind.name
                     for back, _ in seen if back is not None]
            worst += [f"{kind.name} {max(backs):.1f} s"] if backs else []
        text = textwrap.fill(self.lead + ", ".join(worst) + ".", 118, break_on_hyphens=False)
        with open(path) as file:
            before, after = re.split(f"(?<={begin}).*?(?=<!-- to here -->)", file.read(), 1, re.S)
        with open(path, "w") as file:
            file.write(f"{before}{text}\n{after}")


def in_lab(options):
    """The same program once more, in namespaces that end with it."""
    state = tempfile.mkdtemp(prefix="faildrill-matrix.")
    way = [LAB, "--state", state + "/lab", "run", "--private", f"bare:{options.lanes * 2}", "--"]
    if options.systemd:
        way = [os.path.join(os.path.dirname(os.path.realpath(__file__)), "nodes.sh"), str(options.lanes * 2)]
    lab = subprocess.Popen([*way, sys.executable, os.path.realpath(__file__), *sys.argv[1:]],
                           env=dict(os.environ, IN_LAB="1", TMPDIR=state, MATRIX_HOME=state + "/lanes"))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: lab.kill())  # unshare heeds nothing less, and takes all along
    status = lab.wait()
    if not options.keep:
        shutil.rmtree(state, ignore_errors=True)
    return status


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--systemd", action="store_true", help="hosts with a real systemd")
    parser.add_argument("--kinds", help="only these rows")
    parser.add_argument("--columns", help="only these columns")
    parser.add_argument("--lanes", type=int, default=10)
    parser.add_argument("--write", help="keep the table in this file when all of it is good")
    parser.add_argument("--results", help="keep each cell in this file, and do not repeat those of the same program")
    parser.add_argument("--readme", help="and the longest of each row in this one, between its marks")
    parser.add_argument("--keep", action="store_true", help="leave the projects in their folder and say where")
    options = parser.parse_args()
    if options.results and options.systemd:
        options.results += ".systemd"
    if os.environ.get("IN_LAB") != "1":
        can = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "true"], stderr=subprocess.DEVNULL)
        if can.returncode != 0:
            print("skip faults-matrix: this machine gives no namespaces")
            return 77
        return in_lab(options)
    home = os.environ["MATRIX_HOME"]
    harness = Harness(options, home)
    try:
        return harness.go()
    finally:
        if options.keep:
            print(f"    kept: {home}")


if __name__ == "__main__":
    sys.exit(main())

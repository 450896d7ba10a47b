#!/usr/bin/python3
# table.py - every drill of a failover in scenarios/, several times on its lab: what was measured beside what was predicted.
# SPDX-License-Identifier: Apache-2.0
"""
usage: table.py [--runs N] [--sets NAME,...] [--drills NAME,...] [--lanes N] [--minutes N] [--results FILE] [--write FILE]
                [--standard] [--judge] [--show]

A drill of a failover is a scenario that watches who leads (a probe `{primary: ...}`). It is run on the set of the lab that
its folder is named for, whose environment says `lab up SET`, each set in private namespaces; two labs at a time. Each run's figures are a line of
FILE (--results) as soon as they are known, its whole report lies beside it: a table that was cut off goes on where it
stopped, as long as program and scenario are the same ones. Every run that came to its end counts, however it ended: none
is done again. --show writes the table of what is there and runs nothing. --standard takes of each set what every system
must stand: the primary killed, its machine lost, a planned switchover. --judge runs each drill once and is a test: a run
is as it should be, or the test fails; what ended INCONCLUSIVE, on a machine that was too busy, is run once more.

Exit: 1 where a run ended NOT UNDONE, gave no report, was clean and yet got advice, or a lab did not come up; with --judge
where one is not as it should be.
"""
import argparse
import glob
import hashlib
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.realpath(f"{HERE}/../..")
sys.path[:0] = [HERE, f"{ROOT}/tests"]
from figures import figures, line  # noqa: E402
from table_text import is_clean, reasons, text  # noqa: E402

LAB = f"{ROOT}/scenarios/lab/lab"
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
PROGRAM = os.environ.get("FAILDRILL", f"{BUILD}/faildrill")
# A set's drills are in the folder of its name, but for these; production has those of staging.
FOLDERS = {"staging": ".", "pair": "taught", "production": None}
# The end of a scenario's name says which of the three it is; to be cut off from all is the machine lost, as others see it.
KILLED, PLANNED = r"_dies$", r"_(switchover|moves|hand_over|stops|(planned|cluster)_failover)$"
LOST = (r"_lost$", r"_(isolated|cut_off)$")
READY = 120  # s that a set has to be whole again before its next drill
LONGEST = 900  # s of a run
REFUSED = 4  # exit status


def set_of(options, environment):
    with open(f"{options.scenarios}/environments/{environment}.yaml") as file:
        return re.search(r"`scenarios/lab/lab up ([a-z-]+)`", file.read()).group(1)


def folder_of(options, environment):
    name = set_of(options, environment)
    return FOLDERS.get(name, name.replace("-", "_"))


class Drill:
    def __init__(self, environment, path):
        self.environment, self.path = environment, path
        self.name = os.path.basename(path)[:-len(".yaml")]
        with open(path, "rb") as file:
            self.text = file.read()
        self.watches = b"{primary: " in self.text


def standard_of(drills):
    def those(pattern):
        return [x for x in drills if re.search(pattern, x.name)]
    return those(KILLED) + those(PLANNED) + (those(LOST[0]) or those(LOST[1]))


def drills_of(options):
    """environment -> its drills; and the scenarios beside them that watch nobody who leads."""
    out, others = {}, []
    for path in sorted(glob.glob(f"{options.scenarios}/environments/*.yaml")):
        environment = os.path.basename(path)[:-len(".yaml")]
        folder = folder_of(options, environment)
        files = sorted(glob.glob(f"{options.scenarios}/{folder}/*.yaml")) if folder else []
        all_of = [Drill(environment, file) for file in files]
        others += [x.name for x in all_of if not x.watches]
        watching = [x for x in all_of if x.watches]
        chosen = [x for x in (standard_of(watching) if options.standard else watching)
                  if not options.drills or x.name in options.drills.split(",")]
        if chosen and (not options.sets or environment in options.sets.split(",")):
            out[environment] = chosen
    return out, others


class Results:
    """A line a run; those of another program or of another text of the scenario are left alone."""

    def __init__(self, options, drills):
        self.path, self.any, self.keys = options.results, options.show, {}
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        program = b""
        if not self.any:
            with open(PROGRAM, "rb") as file:
                program = file.read()
        for drill in (x for of in drills.values() for x in of):
            self.keys[drill.name] = hashlib.sha256(program + drill.text).hexdigest()

    def runs(self):
        """drill -> number -> run"""
        out = {}
        for row in open(self.path) if os.path.exists(self.path) else ():
            run = json.loads(row)
            if self.any or run["key"] == self.keys.get(run["drill"]):
                out.setdefault(run["drill"], {})[run["number"]] = run
        return out

    def keep(self, run):
        run["key"] = self.keys[run["drill"]]
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.write(file, (json.dumps(run) + "\n").encode())
        os.close(file)


def todo(options, drills, results):
    """Every drill once before any is run twice."""
    runs = results.runs()
    return [(drill, number) for number in range(1, options.runs + 1) for drill in drills
            if number not in runs.get(drill.name, {}) and (number == 1 or not options.judge or is_starved(runs.get(drill.name)))]


def is_starved(runs):
    return bool(runs) and all(run["figures"] and run["figures"]["verdict"] == "INCONCLUSIVE" for run in runs.values())


def version():
    """Of what decides a run: the commit, and whether program or scenarios differ from it."""
    def git(*words):
        return subprocess.run(["git", "-C", ROOT, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True).stdout.strip()
    changed = git("status", "--porcelain", "--", "runner", "probes", "reports", "scenarios", "Makefile")
    return (git("describe", "--always", "--abbrev=10") or "unknown") + ("-dirty" if changed else "")


# ---- Inside a lab: one environment's drills, until one ends in a way that may have left something ----

class Inside:
    def __init__(self, options, environment, home):
        self.options, self.environment, self.home = options, environment, home
        self.version, self.seen = version(), set()
        os.makedirs(home)
        folder = os.path.join(options.scenarios, folder_of(options, environment))
        with open(f"{home}/faildrill.yaml", "w") as file:
            file.write(f"project: {environment}\nstate: state\nscenarios: [{folder}]\n"
                       f"environments: [{os.environ['LAB_STATE']}/environments]\n")

    def faildrill(self, *words, within=60):
        """Exit status, output; None: it was not done in time, and was told to end as by Ctrl-C."""
        run = subprocess.Popen([PROGRAM, "-C", self.home, *words, "--no-input"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for limit, number in ((within, signal.SIGINT), (120, signal.SIGKILL)):
            try:
                said = run.communicate(timeout=limit)[0]
                return (run.returncode if number == signal.SIGINT else None), said
            except subprocess.TimeoutExpired:
                run.send_signal(number)
        return None, run.communicate()[0]

    def is_ready(self):
        end = time.monotonic() + READY
        while self.faildrill("doctor", self.environment)[0] != 0:
            if time.monotonic() > end:
                return False
            time.sleep(0.5)
        return True

    def report(self, drill, number):
        """That of the run just ended; an older run's is none."""
        path = f"{os.path.dirname(self.options.results)}/{drill.name}-{number}.json"
        if os.path.exists(path):
            os.remove(path)
        self.faildrill("report", "last", "--format", "json", "-o", path)
        try:
            with open(path) as file:
                report = json.load(file)
        except (OSError, ValueError):
            return None
        if report["run"]["id"] in self.seen or report["run"]["scenario"] != drill.name:
            return None
        self.seen.add(report["run"]["id"])
        return report

    def drill(self, drill):
        """One that names who is to lead is given the first host that is not refused: a refusal does nothing."""
        for host in [None] + self.hosts(drill):
            named = ["-p", f"host={host}"] if host else []
            status, said = self.faildrill("run", "-e", drill.environment, drill.name, *named, within=LONGEST)
            if status != REFUSED or "cannot be made primary" not in said:
                break
        return status, said

    def hosts(self, drill):
        if b'to: "${param.host}"' not in drill.text:
            return []
        with open(f"{os.environ['LAB_STATE']}/environments/{drill.environment}.yaml") as file:
            return re.findall(r"^ {6}(\S+): {address: ", file.read(), re.M)

    def run(self, drill, number):
        out = {"environment": drill.environment, "drill": drill.name, "number": number, "version": self.version,
               "cores": os.cpu_count(), "begun": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
               "ready": self.is_ready()}
        load = os.getloadavg()[0]
        status, said = self.drill(drill)
        out |= {"load": round(max(load, os.getloadavg()[0]), 1), "exit": status, "figures": None}
        report = self.report(drill, number)
        if status is None:
            out["missing"] = f"it was not done within {LONGEST} s"
        elif report is None:
            out["missing"] = f"exit {status}: {' '.join(said.split())[-300:]}"
        else:
            out["figures"] = figures(report)
        return out

    def go(self, drills, results):
        for drill, number in todo(self.options, drills, results):
            if self.options.end and time.time() > self.options.end:
                return
            run = self.run(drill, number)
            results.keep(run)
            of = run["figures"]
            print(line(f"{drill.name} {number}", of) if of else f"not ok {drill.name} {number}: {run['missing']}",
                  flush=True)
            if not of or of["verdict"] not in ("PASS", "FAIL"):
                return  # the next one has a lab that is new


# ---- Outside: the labs, in lanes ----

class Lanes:
    def __init__(self, options, drills, results):
        self.options, self.drills, self.results = options, drills, results
        self.environments = queue.Queue()
        self.labs, self.ended, self.down = set(), False, {}
        for environment in sorted(drills, key=lambda x: -len(drills[x])):
            self.environments.put(environment)

    def over(self):
        return self.ended or (self.options.end and time.time() > self.options.end)

    def lane(self):
        while not self.over():
            try:
                environment = self.environments.get_nowait()
            except queue.Empty:
                return
            left = todo(self.options, self.drills[environment], self.results)
            while left and not self.over():
                said = self.in_lab(environment)
                before, left = left, todo(self.options, self.drills[environment], self.results)
                if len(left) == len(before) and not self.over():
                    self.down[environment] = said
                    print(f"not ok {environment}: {said}", flush=True)
                    break

    def in_lab(self, environment):
        """The same program once more, in namespaces that end with it; the last line that it or the lab said."""
        state = tempfile.mkdtemp(prefix="faildrill-table.")
        os.chmod(state, 0o711)  # servers of the lab run as users of their own, and have their data below it
        lab = subprocess.Popen([LAB, "--state", f"{state}/lab", "run", "--private", set_of(self.options, environment), "--",
                                sys.executable, os.path.realpath(__file__), *sys.argv[1:]],
                               env=dict(os.environ, TMPDIR=state, TABLE_OF=environment, TABLE_HOME=f"{state}/project",
                                        TABLE_END=str(self.options.end)),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.labs.add(lab)
        said = "it said nothing"
        for row in lab.stdout:
            said = row.strip() or said
            print(row, end="", flush=True)
        lab.wait()
        self.labs.discard(lab)
        shutil.rmtree(state, ignore_errors=True)
        return said

    def end(self, *_):
        self.ended = True
        for lab in list(self.labs):
            lab.kill()  # unshare heeds nothing less, and takes all along

    def go(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.end)
        lanes = [threading.Thread(target=self.lane) for _ in range(self.options.lanes)]
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()


def is_advised(of):
    return is_clean(of) and of.get("advice", 0) > 0


def write(path, written):
    """What people wrote below it about runs outside their range is theirs."""
    kept = "## Explained\n\nNothing yet.\n"
    if os.path.exists(path):
        with open(path) as file:
            old = re.search(r"^## Explained\n.*", file.read(), re.M | re.S)
        kept = old.group(0) if old else kept
    with open(path, "w") as file:
        file.write(f"{written}\n{kept}")


def judge(drills, runs, down):
    """Whether each drill's last run is as it should be; a line each."""
    good = True
    for environment, of in drills.items():
        for drill in of:
            mine = runs.get(drill.name)
            last = mine[max(mine)] if mine else None
            why = reasons(drill.name, last) if last else [f"it was not run: {down.get(environment, 'no time was left')}"]
            print(f"not ok {drill.name}: {'; '.join(why)}" if why else f"ok {drill.name}")
            good = good and not why
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5, help="of each drill")
    parser.add_argument("--sets", help="only these environments")
    parser.add_argument("--drills", help="only these")
    parser.add_argument("--lanes", type=int, default=2, help="labs at a time")
    parser.add_argument("--minutes", type=int, help="begin no run after so long")
    parser.add_argument("--results", default=f"{BUILD}/system-table/results", help="keep each run's figures in this file")
    parser.add_argument("--write", help="and the table in this one")
    parser.add_argument("--standard", action="store_true", help="of each set the three that every system must stand")
    parser.add_argument("--judge", action="store_true", help="each drill once, as a test")
    parser.add_argument("--show", action="store_true", help="run nothing")
    parser.add_argument("--scenarios", default=f"{ROOT}/scenarios", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.results = os.path.abspath(options.results)
    options.runs = 2 if options.judge else options.runs
    options.end = time.time() + 60 * options.minutes if options.minutes else 0
    drills, _ = drills_of(options)
    results = Results(options, drills)
    if os.environ.get("TABLE_OF"):
        environment = os.environ["TABLE_OF"]
        options.end = float(os.environ["TABLE_END"])
        Inside(options, environment, os.environ["TABLE_HOME"]).go(drills[environment], results)
        return 0
    lanes = Lanes(options, drills, results)
    if not options.show:
        can = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "true"], stderr=subprocess.DEVNULL)
        if can.returncode != 0:
            print("skip system-table: this machine gives no namespaces")
            return 77
        lanes.go()
    if options.judge:
        return 0 if judge(drills, results.runs(), lanes.down) and not lanes.ended else 1
    everything, others = drills_of(argparse.Namespace(scenarios=options.scenarios, drills=None, sets=None, standard=False))
    runs = Results(options, everything).runs()
    written = text(options.runs, everything, others, runs, lanes.down)
    print(written)
    if options.write:
        write(options.write, written)
    bad = [run for of in runs.values() for run in of.values()
           if not run["figures"] or run["figures"]["verdict"] == "NOT UNDONE" or is_advised(run["figures"])]
    for run in bad:
        print(f"not ok {run['drill']} {run['number']}: {run.get('missing') or run['figures']['why'] or 'advice, and nothing was wrong'}")
    return 130 if lanes.ended else 1 if bad or lanes.down else 0


if __name__ == "__main__":
    sys.exit(main())

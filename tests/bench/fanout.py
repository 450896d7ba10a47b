#!/usr/bin/python3
# fanout.py - 50 hosts broken at once: how far apart, how long from the start, and at what cost (goals 10 and 11).
# SPDX-License-Identifier: Apache-2.0
"""
usage: fanout.py [ROUNDS [HOSTS [TOOL...]]]     FANOUT_BARE: the built fanout_bare

Hosts of the lab, each with its own sshd. Everyone writes the same word into a file on a tmpfs of each host and reads it
back; when it was done the file system says (the file's time of change, to the nanosecond, since it was looked at
before), not the tool. A round asks each tool once, one after the other; ratios are medians of the rounds' ratios. A
tool that is not installed is left out, and named. Of faildrill it is a whole drill: plan, identity, locks, steady
state, guards armed and read back, then the fault, its proof and its undo; its total is told from the start to the last
proof, and beside it from the moment at which the step began.
"""
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LAB = os.path.join(ROOT, "scenarios/lab/lab")
PROGRAM = os.environ.get("FAILDRILL", os.path.join(ROOT, os.environ.get("BUILD", "build"), "faildrill"))
OURS, BARE, WARM, COLD = "faildrill", "libssh2 alone", "ssh & (ControlMaster)", "ssh &"
BREAK = "echo broken >/run/fan; read -r x </run/fan; [ $x = broken ]"
GOALS = {("apart", WARM): 0.1, ("apart", BARE): 1.3, ("total", "parallel-ssh"): 0.35, ("cpu", COLD): 0.25}
ENVIRONMENT = """environment: here
ssh: {{config: {config}}}
roles:
  idle:
    hosts:
{hosts}
    service: {{pidfile: /run/idle.pid, start: "/etc/init.d/idle start", stop: "/etc/init.d/idle stop"}}
"""
SCENARIO = """scenario: fan
targets: {{victim: {{role: idle, pick: all}}}}
probes: {{door: {{tcp: "{address}:22", every: 100ms, timeout: 2s}}}}
steady: {{for: 300ms}}
hold: 300ms
observe: 0s
settle: 60s
undo: {{lease: 30s, grace: 60s}}
steps:
  - run: "{step}"
    target: victim
    fault: true
    undo: "touch /run/fan.whole"
    proof: "test -s /run/fan && test ! -e /run/fan.whole"
    for: 1s
expect: {{door: {{max_outage: 30s}}}}
"""


class Bench:
    def __init__(self, home):
        self.home, self.state = home, os.environ["LAB_STATE"]
        folder = self.state + "/hosts/"
        self.names = sorted(os.listdir(folder), key=lambda x: int(x.split("-")[1]))
        self.addresses = [self.read(folder + x + "/address") for x in self.names]
        self.roots = [f"/proc/{self.read(folder + x + '/init').split()[0]}/root" for x in self.names]
        self.config = self.state + "/ssh_config"
        self.said = ""
        self.write("hosts", "".join(x + "\n" for x in self.names))
        self.write("project/faildrill.yaml", "project: fan\nstate: state\n")
        self.write("project/environments/here.yaml", ENVIRONMENT.format(
            config=self.config,
            hosts="\n".join(f"      {x}: {{address: {y}}}" for x, y in zip(self.names, self.addresses))))
        self.write("project/scenarios/fan.yaml", SCENARIO.format(address=self.addresses[0], step=BREAK))

    @staticmethod
    def read(path):
        with open(path) as file:
            return file.read().strip()

    def write(self, path, text):
        path = os.path.join(self.home, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)

    # ---- what was done, by the hosts' own file systems

    def reset(self):
        for root in self.roots:
            with open(root + "/run/fan", "w"):
                pass
            if os.path.exists(root + "/run/fan.whole"):
                os.unlink(root + "/run/fan.whole")
            os.stat(root + "/run/fan")

    def stamps(self):
        stats = [os.stat(root + "/run/fan") for root in self.roots]
        return [x.st_mtime_ns for x in stats if x.st_size == len("broken\n")]

    # ---- who does it: exit status and processor seconds

    def run(self, command, **more):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, **more)
        self.said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return process.returncode, used.ru_utime + used.ru_stime

    def faildrill(self):
        status, used = self.run([PROGRAM, "-C", self.home + "/project", "--no-input", "run", "-e", "here", "fan"])
        return 0 if status == 7 else status, used  # late probes of a busy machine are no matter here

    def bare(self):
        return self.run([os.environ["FANOUT_BARE"], os.environ.get("USER") or "root", self.state + "/key.pub",
                         self.state + "/key", f"sh -c 'echo; read -r go; {BREAK}'", *self.addresses])

    def cold(self, *options):
        """A process a host, all begun at once."""
        return self.run(["sh", "-c", "".join(f"ssh -F {self.config} {' '.join(options)} {x} '{BREAK}' &\n"
                                             for x in self.names) + "wait"])

    def warm(self):
        return self.cold("-S", self.home + "/%n")

    def masters(self, *words):
        going = [subprocess.Popen(["ssh", "-F", self.config, "-S", self.home + "/%n", *words, x],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                 for x in self.names]
        for one in going:
            one.wait()

    def parallel_ssh(self):
        return self.run(["parallel-ssh", "-h", self.home + "/hosts", "-p", "500", "-t", "120",
                         "-x", f"-F {self.config}", BREAK])

    def clush(self):
        return self.run(["clush", "-f", "500", "-w", ",".join(self.names), "-o", f"-F {self.config}", BREAK])

    def ansible(self):
        return self.run(["ansible", "all", "-i", self.home + "/hosts", "-f", "500", "-m", "raw", "-a", BREAK],
                        env=dict(os.environ, ANSIBLE_SSH_ARGS=f"-F {self.config}", ANSIBLE_HOME=self.home))

    def tools(self, wanted):
        out = {OURS: self.faildrill, BARE: self.bare, WARM: self.warm, COLD: self.cold}
        for name, ask in (("parallel-ssh", self.parallel_ssh), ("clush", self.clush), ("ansible", self.ansible)):
            if shutil.which(name):
                out[name] = ask
            else:
                print(f"skip {name}: it is not installed (make bench-deps)")
        return {x: y for x, y in out.items() if not wanted or x in wanted or x == OURS}

    def once(self, name, ask):
        """Milliseconds: from the first to the last host, from the start to the last; of processor, a host."""
        self.reset()
        if name == WARM:
            self.masters("-fNM")
        began = time.time_ns()
        status, used = ask()
        if name == WARM:
            self.masters("-O", "exit")
        done = self.stamps()
        if status != 0 or len(done) < len(self.names):
            print(f"    {name}: exit {status}, {len(done)} of {len(self.names)} hosts\n{self.said[-1500:]}")
            return None
        return {"apart": (max(done) - min(done)) / 1e6, "total": (max(done) - began) / 1e6,
                "cpu": used * 1e3 / len(self.names), "step": (max(done) - self.step_began(began)) / 1e6}

    def step_began(self, began):
        """Of a drill: the wall clock's time of its first step, from the lines that it printed."""
        found = re.search(r"^(\d+):(\d+):(\d+)\.(\d+) step +1 ", self.said, re.M)
        if not found:
            return began
        day = time.localtime(began / 1e9)
        hour, minute, second, milli = map(int, found.groups())
        at = time.mktime((day.tm_year, day.tm_mon, day.tm_mday, hour, minute, second, 0, 0, -1))
        return int(at * 1e9) + milli * 10**6

    # ---- what came of it

    def go(self, rounds, wanted):
        tools = self.tools(wanted)
        rows = {name: [] for name in tools}
        for _ in range(rounds):
            for name, ask in tools.items():
                rows[name].append(self.once(name, ask))
        print(f"{len(self.names)} hosts, {rounds} rounds; medians, and of the ratios of a round ours / theirs\n"
              f"{'':22}{'first to last':>28}{'start to last':>28}{'client CPU a host':>28}")
        for name in tools:
            print(f"{name:22}" + "".join(self.cell(rows, name, what) for what in ("apart", "total", "cpu")))
        steps = [x["step"] for x in rows[OURS] if x]
        if steps:
            print(f"faildrill, from the start of its step to the last: {statistics.median(steps):.0f} ms")

    @staticmethod
    def cell(rows, name, what):
        mine = [x[what] for x in rows[name] if x]
        if not mine:
            return f"{'-':>28}"
        pairs = [x[what] / y[what] for x, y in zip(rows[OURS], rows[name]) if x and y and y[what] > 0]
        text = f"{statistics.median(mine):.1f} ms"
        if name != OURS and pairs:
            goal = GOALS.get((what, name))
            text += f" {statistics.median(pairs):.3f}" + (f" (<= {goal})" if goal else "")
        return f"{text:>28}"


def main():
    rounds, hosts = (int(x) for x in (sys.argv[1:3] + ["5", "50"][len(sys.argv[1:3]):]))
    if os.environ.get("IN_LAB") == "1":
        return Bench(os.path.dirname(os.environ["LAB_STATE"])).go(rounds, sys.argv[3:])
    if subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "true"], stderr=subprocess.DEVNULL).returncode:
        return print("skip fanout: this machine gives no namespaces")
    with tempfile.TemporaryDirectory(prefix="faildrill-fanout.") as home:
        subprocess.call(["timeout", "900", LAB, "--state", home + "/lab", "run", "--private", f"bare:{hosts}", "--",
                         sys.executable, os.path.realpath(__file__), str(rounds), str(hosts), *sys.argv[3:]],
                        env=dict(os.environ, IN_LAB="1"))


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# run.py - seeds one safety bug after another and shows which named test catches each.
# SPDX-License-Identifier: Apache-2.0
"""
usage: run.py [--jobs N] [NAME...]

A mutant is a file NAME.sed beside this one: what it breaks (`# says`), in which files (`# file`), and which test must
turn red (`# test PROGRAM [WORDS] : NAME OF THE TEST`, one or more; the first that does is enough). Each is applied to a
copy of the tree with objects of its own, so only what it changes is compiled. A mutant that changes nothing, does not
compile, or that no named test catches fails the target by its name; so does one whose test is red without it as well.
"""
import argparse
import glob
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.realpath(os.path.join(HERE, "..", ".."))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
TEST_SECONDS = 300


class Mutant:
    def __init__(self, path):
        self.name, self.path = os.path.basename(path)[:-4], path
        text = open(path).read()
        self.says = " ".join(re.findall(r"^# says (.*)", text, re.M))
        self.files = re.findall(r"^# file (\S+)", text, re.M)
        self.tests = [(words.split(), name.strip())
                      for words, name in re.findall(r"^# test (.*?) : (.*)", text, re.M)]
        if not (self.says and self.files and self.tests):
            raise SystemExit(f"not ok {self.name}: it needs `# says`, `# file` and `# test`")


class Tree:
    """A copy of the sources with objects of its own."""

    def __init__(self, number):
        self.top = os.path.join(BUILD, "mutants", str(number))
        shutil.rmtree(self.top, ignore_errors=True)
        os.makedirs(self.top)
        files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True,
                               check=True).stdout.decode().split("\0")
        for file in filter(None, files):
            if os.path.exists(os.path.join(ROOT, file)):
                target = os.path.join(self.top, file)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copy2(os.path.join(ROOT, file), target, follow_symlinks=False)
        for part in ("embed", "runner", "probes", "reports", "tests", "libfaildrill.a"):
            source = os.path.join(BUILD, part)
            if os.path.isdir(source):
                shutil.copytree(source, os.path.join(self.top, "build", part), symlinks=True)
            elif os.path.exists(source):
                shutil.copy2(source, os.path.join(self.top, "build", part))

    def make(self, *targets):
        done = subprocess.run(["make", "--no-print-directory", "-s", "BUILD=build", *targets], cwd=self.top,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env={k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k != "MFLAGS"})
        return done.returncode == 0, done.stdout

    def apply(self, mutant):
        """False where one of its files stays as it was."""
        for file in mutant.files:
            path = os.path.join(self.top, file)
            before = open(path).read()
            after = subprocess.run(["sed", "-E", "-f", mutant.path, path], capture_output=True, text=True)
            if after.returncode != 0 or after.stdout == before:
                return f"does not apply to {file}{': ' + after.stderr if after.stderr else ''}"
            with open(path, "w") as out:
                out.write(after.stdout)
        return None

    def restore(self, mutant):
        for file in mutant.files:
            shutil.copy(os.path.join(ROOT, file), os.path.join(self.top, file))


def failed_tests(program, text, status):
    """Names of the tests that this run of a program says have failed."""
    names = re.findall(r"^\[  FAILED  \] (.+?)$", text, re.M)
    names += re.findall(r"^not ok (.*)", text, re.M)
    if status < 0 or status in (134, 139):  # it died in the last one that it began
        names += re.findall(r"^\[ RUN      \] (.*)", text, re.M)[-1:]
    if status == 124:
        names += re.findall(r"^\[ RUN      \] (.*)", text, re.M)[-1:]
    return names


def is_script(words):
    return words[0].endswith((".sh", ".py"))


def run_test(top, build, words, name):
    """True where the named test is red, as things are built there."""
    if is_script(words):
        command = [os.path.join(top, words[0]), *words[1:]]
    else:
        # Those that know a filter take the name for one.
        command = [os.path.join(build, words[0]), *(words[1:] or [f"*{name}*"])]
    done = subprocess.run(["timeout", "-k", "5", str(TEST_SECONDS), *command], cwd=top, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=dict(os.environ, BUILD=build, POINTS="500", FAILDRILL=os.path.join(build, "faildrill")))
    return any(name in one for one in failed_tests(words[0], done.stdout, done.returncode)), done.stdout


def try_test(tree, words, name):
    """True where the named test turns red; None where nothing could be built."""
    good, said = tree.make("all" if is_script(words) else f"build/{words[0]}")
    return run_test(tree.top, os.path.join(tree.top, "build"), words, name) if good else (None, said)


class Harness:
    def __init__(self, mutants):
        self.work = queue.Queue()
        for mutant in mutants:
            self.work.put(mutant)
        self.lock = threading.Lock()
        self.caught, self.bad = {}, {}

    def one(self, tree, mutant):
        why = tree.apply(mutant)
        if why:
            return why
        last = ""
        for words, name in mutant.tests:
            red, last = try_test(tree, words, name)
            if red is None:
                return f"does not compile:\n{last[-1500:]}"
            if red and run_test(ROOT, BUILD, words, name)[0]:
                return f"{name} is red without it as well"
            if red:
                self.caught[mutant.name] = f"{words[0].split('/', 1)[-1]}: {name}"
                return None
        return "survives: " + ", ".join(name for _, name in mutant.tests) + " stay green\n" + last[-1500:]

    def loop(self, number):
        tree = Tree(number)
        while True:
            try:
                mutant = self.work.get_nowait()
            except queue.Empty:
                return
            began = time.monotonic()
            try:
                why = self.one(tree, mutant)
            except Exception as what:
                why = f"{type(what).__name__}: {what}"
            tree.restore(mutant)
            with self.lock:
                if why is None:
                    print(f"ok {mutant.name}: {mutant.says} ({self.caught[mutant.name]};"
                          f" {time.monotonic() - began:.0f} s)", flush=True)
                else:
                    self.bad[mutant.name] = why
                    print(f"not ok {mutant.name}: {mutant.says}: {why}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    mutants = [Mutant(path) for path in sorted(glob.glob(HERE + "/*.sed"))]
    unknown = set(options.names) - {mutant.name for mutant in mutants}
    if unknown:
        raise SystemExit(f"no such mutant: {', '.join(sorted(unknown))}")
    mutants = [x for x in mutants if not options.names or x.name in options.names]
    harness = Harness(mutants)
    threads = [threading.Thread(target=harness.loop, args=(n,)) for n in range(min(options.jobs, len(mutants)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shutil.rmtree(os.path.join(BUILD, "mutants"), ignore_errors=True)
    print(f"{len(harness.caught)} mutants caught, {len(harness.bad)} not")
    return 1 if harness.bad or not mutants else 0


if __name__ == "__main__":
    sys.exit(main())

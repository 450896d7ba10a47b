# modes.py - the points of run_crash.py beyond the death of the runner: calls that fail, and deaths on the host.
# SPDX-License-Identifier: Apache-2.0
import errno
import os
import random
import re
import signal
import subprocess
import time

from host import uptime
from lane import CALL_NAMES, HAND, IN_EFFECT, LEASE, RARE, SLACK

RUN_SECONDS = 20  # who then still runs is killed, which is one more way to die
# Which failures a call may have: what its manual page, a full disk, a signal or a lack of memory would give.
READS = ("EIO", "EINTR", "ENOMEM", "short")
WRITES = ("EIO", "ENOSPC", "EINTR", "short")
FAILURES = {
    **dict.fromkeys(("read", "pread64", "recvfrom", "getdents64"), READS),
    **dict.fromkeys(("write", "pwrite64", "sendto"), WRITES),
    **dict.fromkeys(("writev", "sendmsg", "fsync", "fdatasync", "ftruncate", "fallocate"), WRITES[:3]),
    **dict.fromkeys(("recvmsg", "readv", "newfstatat", "fstat", "lseek", "readlink", "access", "fcntl", "close",
                     "unlink", "statx", "chmod", "fchmod", "ioctl"), ("EIO", "EINTR", "ENOMEM")),
    **dict.fromkeys(("openat", "mkdir", "rename", "link"), ("EIO", "ENOSPC", "EINTR", "ENOMEM")),
    **dict.fromkeys(("mmap", "brk", "mremap", "clone3", "clone", "vfork", "fork", "pipe2", "socket", "eventfd2",
                     "epoll_create1", "timerfd_create", "socketpair", "execve"), ("ENOMEM",)),
    **dict.fromkeys(("poll", "ppoll", "epoll_wait", "epoll_pwait", "nanosleep", "clock_nanosleep", "wait4", "waitid",
                     "connect", "accept4", "select", "pselect6"), ("EINTR", "ENOMEM")),
}
# These end a thread or a program, or have no failure that a program must expect of them.
NEVER = {"exit", "exit_group", "rt_sigreturn", "futex", "rt_sigprocmask", "rt_sigaction", "munmap", "mprotect",
         "set_robust_list", "rseq", "gettid", "getpid", "sched_yield", "arch_prctl", "set_tid_address", "madvise"}
# Who dies on the host, and with which kinds of fault there is one. fire: the shell that holds the fence, alone.
PARTS = {
    "guard": ("isolate", "chains", "run", "kill", "freeze", "stop", "disk_fill", "sysctl", "override", "parallel"),
    "undo": ("isolate", "chains", "run", "kill", "freeze", "stop", "disk_fill", "sysctl", "override", "parallel"),
    "clear": ("isolate", "chains", "run", "kill", "freeze", "disk_fill", "sysctl", "override", "parallel"),
    "apply": ("isolate", "chains", "run", "kill", "freeze", "disk_fill", "sysctl", "override", "parallel"),
    "fire": ("isolate", "chains", "run", "kill", "freeze", "disk_fill", "sysctl", "override", "parallel"),
    "nft-apply": ("isolate",),
    "nft-undo": ("isolate",),
    "nft-renew": ("isolate",),
    "nft-clear": ("isolate",),
}


def failure_of(call):
    """One way in which this call may fail, once or from then on; None where it has none."""
    name = CALL_NAMES.get(call, str(call))
    if name in NEVER:
        return None
    failure = random.choice(FAILURES.get(name, ("EIO", "ENOMEM")))
    # No kernel interrupts a call for ever, and a shell tries as long. One whose wait never works again goes on without
    # waiting: ten thousand children, and none left for anybody.
    on = "" if failure == "EINTR" or name in ("wait4", "waitid") else random.choice(("", "+"))
    return ("short" if failure == "short" else str(getattr(errno, failure))) + on


def error_points(counts, kinds, total):
    """(kind, thread, call, k, action): each (thread, call) that may fail, in each way, once and from then on."""
    pairs = {}
    for kind in kinds:
        for pair, times in counts[kind].items():
            pairs.setdefault(pair, []).append((kind, times))
    out = []
    for (thread, call), where in sorted(pairs.items()):
        name = CALL_NAMES.get(call, str(call))
        if name in NEVER:
            continue
        for failure in FAILURES.get(name, ("EIO", "ENOMEM")):
            for on in ("", "+"):
                kind, times = random.choices(where, [RARE.get(kind, 1) for kind, _ in where])[0]
                action = ("short" if failure == "short" else str(getattr(errno, failure))) + on
                out.append((kind, thread, call, random.randint(1, times), action))
    whole = len(out)
    while 0 < len(out) < total:  # more moments of the same
        kind, thread, call, _, action = random.choice(out[:whole])
        out.append((kind, thread, call, random.randint(1, counts[kind].get((thread, call), 1)), action))
    random.shuffle(out)
    return out[:total]


class Modes:
    """For Harness: what one point of these does."""

    def ended(self, process, what):
        """Its status; ended by us where it does not end, which is counted."""
        try:
            return process.wait(RUN_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            with self.lock:
                self.hung[what] = self.hung.get(what, 0) + 1
            return None

    def claims(self, lane, status):
        """A complaint where the runner's end says that nothing is left, and something is."""
        if status is None or status < 0 or status > 8:
            return None  # it said nothing
        if status == 6:
            last = lane.log().strip().splitlines()[-1:]
            return None if last and last[0].endswith(HAND) else "    exit 6, and its last line is not the way by hand"
        # Not the guard's time: what was said to be undone is gone now.
        left = lane.clean_within(LEASE + SLACK, lock=True) if status == 8 else lane.in_effect_within(1)
        return f"    exit {status}, which says that nothing is left, and:\n{left}" if left else None

    def error_point(self, lane, point):
        kind, thread, call, k, action = point
        result = lane.dir + "/failed"
        process = lane.begin_at(f"crash_{kind}", result, thread, call, k, action)
        name = CALL_NAMES.get(call, call)
        status = self.ended(process, f"{name} {action}")
        if status is not None and os.path.exists(result):
            words = open(result).read().split("\n")[1].split()
            status = int(words[1])
            if words[2] == "0":
                with self.lock:
                    self.unreached += 1
        complaint = self.claims(lane, status) or lane.look(LEASE + SLACK)
        self.tally(lane, f"{kind} failing with {action} at thread {thread} {name} {k}", complaint)
        return True

    # ---- on the host

    def node_run(self, lane, kind, part, late, aim):
        """One run with `part` of it aimed at; its status."""
        with open(lane.seen.root + "/root/bin/aim.new", "w") as file:
            file.write(f"{'apply' if part == 'fire' else part} {aim}\n")
        os.rename(lane.seen.root + "/root/bin/aim.new", lane.seen.root + "/root/bin/aim")
        process = lane.begin(f"crash_{kind}")
        if late:
            end = uptime() + 15
            while "proven (" not in lane.log() and process.poll() is None and uptime() < end:
                time.sleep(0.02)
            process.kill()
        return self.ended(process, f"{part} {aim}")

    def node_result(self, lane):
        try:
            with open(lane.seen.root + "/root/bin/result") as file:
                return file.read().split("\n")[1:]
        except OSError:
            return []

    def node_forget(self, lane):
        for name in ("aim", "result"):
            try:
                os.unlink(lane.seen.root + "/root/bin/" + name)
            except OSError:
                pass

    def node_count(self, lane, kind, part, late):
        """call -> how often, of one who is not killed; None where a busy machine never got as far as that."""
        for _ in range(5):
            self.node_forget(lane)
            self.node_run(lane, kind, part, late, "count")
            complaint = lane.look(LEASE + SLACK)
            if complaint:
                raise RuntimeError(f"{part} of {kind} leaves something without any kill:\n{complaint}")
            lines = self.node_result(lane)
            if any(x.startswith("ended") for x in lines):
                return {int(b): int(c) for a, b, c in (x.split() for x in lines if x.count(" ") == 2) if a.isdigit()}
        return None

    def node_point(self, lane, point):
        kind, part, late, call, k, action = point
        self.node_forget(lane)
        status = self.node_run(lane, kind, part, late, f"{call} {k} {action}")
        # Nobody tells where whoever tells was killed in its turn.
        unreached = any(re.match(r"ended \d+ 0$", x) for x in self.node_result(lane))
        complaint = None
        if not late:
            complaint = self.claims(lane, status)
        elif kind == "isolate":  # class K: with nobody left the kernel ends it
            end = uptime() + LEASE + SLACK
            asked = uptime()  # what a look has seen was so when it began; it may take its time
            while lane.host("nft list ruleset | grep -q expires")[0] == 0 and complaint is None:
                if asked > end:
                    complaint = "    the kernel's timer has not ended it"
                time.sleep(0.1)
                asked = uptime()
        # Runner and guard are both dead, or the runner has said that it did not come through: what is left is there
        # until `undo`, which must find it.
        alone = late or part == "guard" and status in (None, 6)
        hangs = part == "guard" and action.endswith("+")
        complaint = complaint or (lane.closed(hangs) if alone else lane.look(LEASE + SLACK))
        self.node_forget(lane)
        if unreached and complaint is None:
            with self.lock:
                self.unreached += 1
        does = "dies" if action in ("kill", "orphan") else f"fails with {action}"
        self.tally(lane, f"{kind}: {part}{' alone' if late else ''} on the host {does} at "
                         f"{CALL_NAMES.get(call, call)} {k}", complaint)
        return True

    def hand_point(self, lane, kind):
        process = lane.begin(f"hand_{kind}")
        undo, end = "test -e /run/faildrill/undo", uptime() + 120
        in_effect = IN_EFFECT.get(kind, "! /etc/init.d/idle status")
        seen = False
        while not seen and uptime() < end:
            seen = lane.host(f"{undo} && {in_effect} >/dev/null")[0] == 0
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        began = uptime()
        status, text = lane.host("sh /run/faildrill/undo")
        complaint = None
        if status != 0:
            complaint = f"    sh /run/faildrill/undo exits {status}:\n{text}"
        elif not seen:
            complaint = "    the fault was never seen in effect"
        complaint = complaint or lane.look(max(0.0, 5 - (uptime() - began)))
        self.tally(lane, f"{kind} undone by hand", complaint)
        return True

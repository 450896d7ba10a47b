#!/usr/bin/python3
"""keeper.py - runs a service and stays the parent of all that it begets.

SPDX-License-Identifier: Apache-2.0

Patroni starts its PostgreSQL in a session of its own and lets go of it: without systemd's groups nobody would
know that the two are one service. Orphans come to us, and we stay as long as one of them lives.
usage: keeper.py COMMAND...
"""
import ctypes
import os
import signal
import sys

PR_SET_CHILD_SUBREAPER = 36

ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
child = os.fork()
if child == 0:
    os.execvp(sys.argv[1], sys.argv[1:])


def pass_on(number, _frame):
    try:
        os.kill(child, number)
    except ProcessLookupError:
        pass


for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(each, pass_on)
while True:
    try:
        os.wait()
    except ChildProcessError:
        break

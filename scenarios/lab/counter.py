#!/usr/bin/python3
"""counter.py - a primary and a replica that count: the service whose commands `counter` has.

SPDX-License-Identifier: Apache-2.0

usage: counter.py CONFIG [--replica]     CONFIG: {"peer": ADDRESS, "first": true on one of the two}
One line in, one line out, on port 7070:
  rank       "primary TERM" or "replica TERM"
  state      "ROLE TERM COUNT"
  whole      "whole", or "lacking ..."
  add        "ok COUNT" from the primary, else "no ..."
  promote    "ok"; of the peer, when it hands over
  hand-over  "ok", or "no ..."
It starts as what it was; a replica that hears no primary for PROMOTE_AFTER_S becomes one, of the next term, and a
primary that meets one of a higher term gives up. What was not yet fetched by then is lost: an example, no database.
"""
import json
import socket
import socketserver
import sys
import threading
import time

PORT = 7070
EVERY_S = 0.1
TIMEOUT_S = 0.3
PROMOTE_AFTER_S = 2.0
FILE = "/tmp/counter.json"


def ask(peer, line):
    """The peer's answer, or None."""
    try:
        with socket.create_connection((peer, PORT), timeout=TIMEOUT_S) as link:
            link.settimeout(TIMEOUT_S)
            link.sendall(line.encode() + b"\n")
            return link.makefile().readline().strip() or None
    except OSError:
        return None


class Counter:
    def __init__(self, config, replica):
        self.lock = threading.Lock()
        self.peer = config["peer"]
        self.role, self.term, self.count = "primary" if config.get("first") else "replica", 1, 0
        try:
            with open(FILE, encoding="utf-8") as file:
                self.role, self.term, self.count = json.load(file)
        except (OSError, ValueError):
            pass
        if replica:
            self.role = "replica"
        self.heard = time.monotonic()  # of a primary
        self.fetched, self.seen = -1, 0.0  # what the peer has, when it last said so
        self.stays = True

    def save(self):
        with open(FILE, "w", encoding="utf-8") as file:
            json.dump([self.role, self.term, self.count], file)

    def follow(self):
        while True:
            said = (ask(self.peer, "state") or "silent 0 0").split()
            with self.lock:
                self.meet(said[0], int(said[1]), int(said[2]), time.monotonic())
            time.sleep(EVERY_S)

    def meet(self, role, term, count, now):
        before = (self.role, self.term, self.count)
        if role == "primary" and term > self.term:
            self.role = "replica"
        if self.role == "primary" and role == "replica":
            self.fetched, self.seen = count, now
        elif self.role == "replica" and role == "primary" and term >= self.term:
            self.term, self.count, self.heard = term, count, now
        elif self.role == "replica" and now - self.heard > PROMOTE_AFTER_S:
            self.role, self.term = "primary", max(self.term, term) + 1
        if (self.role, self.term, self.count) != before:
            self.save()

    def whole(self):
        age = time.monotonic() - self.seen
        if self.role != "primary":
            return "lacking a primary: this is a replica"
        return "whole" if age < 1 else f"lacking the replica, unheard of for {age:.0f} s"

    def add(self):
        if self.role != "primary" or not self.stays:
            return "no this is a replica"
        self.count += 1
        self.save()
        return f"ok {self.count}"

    def promote(self):
        self.role, self.term = "primary", self.term + 1
        self.save()
        return "ok"

    def hand_over(self):
        """Writes stop first, so that the replica has them all. Without the lock, which others need meanwhile."""
        if self.role != "primary":
            return "no this is a replica"
        self.stays = False
        end = time.monotonic() + 2
        while self.fetched != self.count and time.monotonic() < end:
            time.sleep(EVERY_S / 4)
        moved = self.fetched == self.count and ask(self.peer, "promote") == "ok"
        with self.lock:
            if moved:
                self.role, self.heard = "replica", time.monotonic()
                self.save()
            self.stays = True
        return "ok" if moved else "no the replica does not keep up"

    def answer(self, line):
        if line == "hand-over":
            return self.hand_over()
        with self.lock:
            if line in ("rank", "state"):
                return f"{self.role} {self.term}" + (f" {self.count}" if line == "state" else "")
            known = {"whole": self.whole, "add": self.add, "promote": self.promote}
            return known[line]() if line in known else "no such word"


class Handler(socketserver.StreamRequestHandler):
    timeout = 30
    counter = None

    def handle(self):
        for line in self.rfile:
            self.wfile.write((self.counter.answer(line.decode().strip()) + "\n").encode())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        Handler.counter = Counter(json.load(file), "--replica" in sys.argv)
    Handler.counter.save()
    threading.Thread(target=Handler.counter.follow, daemon=True).start()
    Server(("0.0.0.0", PORT), Handler).serve_forever()


if __name__ == "__main__":
    main()

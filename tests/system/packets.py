#!/usr/bin/env python3
# packets.py - what a line does to packets, as the two ends see it.
# SPDX-License-Identifier: Apache-2.0
# packets.py serve PORT            answers each datagram; sends SIZE numbered bytes over TCP where asked for
# packets.py ask HOST PORT COUNT   prints how many of COUNT datagrams came back, how late, in which order
# packets.py ping HOST COUNT          the same by echo requests, which the host's kernel answers; and how many were damaged
# packets.py pings HOST MS            as until, by echo requests
# packets.py until HOST PORT MS       prints after how long an answer came within MS; 60 s at most
# packets.py load HOST PORT SIZE   prints how fast SIZE bytes came over TCP, and whether all were right
# packets.py connect HOST PORT     prints the shortest of 20 connects
import hashlib
import json
import random
import socket
import statistics
import struct
import sys
import threading
import time

GAP, LAST = 0.005, 2.0  # s between two datagrams; waited after the last one


def block(number):
    return hashlib.sha256(b"%d" % number).digest() * 512


def answer_tcp(connection):
    with connection:
        size = int(connection.makefile().readline())
        for number in range(0, (size + 16383) // 16384):
            connection.sendall(block(number))


def serve(port):
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("", port))
    listening = socket.create_server(("", port))

    def accept():
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=answer_tcp, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print("ready", flush=True)
    while True:
        data, peer = datagrams.recvfrom(2048)
        datagrams.sendto(data, peer)


class Datagrams:
    """To a server of ours, which sends them back."""

    def __init__(self, host, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((host, port))

    def send(self, number):
        self.socket.send(struct.pack("!I", number) + bytes(96))

    def receive(self, seconds):
        """A number; None for what is damaged. OSError where none comes in time."""
        self.socket.settimeout(seconds)
        return struct.unpack("!I", self.socket.recv(2048)[:4])[0]


class Echoes:
    """Echo requests to a kernel; a raw socket sees the answers before their checksum is looked at."""

    def __init__(self, host):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self.socket.connect((host, 0))
        self.id = random.randrange(1 << 16)

    @staticmethod
    def sum(data):
        total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        return total ^ 0xFFFF

    def send(self, number):
        head = struct.pack("!BBHHHI", 8, 0, 0, self.id, number & 0xFFFF, number) + bytes(88)
        self.socket.send(head[:2] + struct.pack("!H", self.sum(head)) + head[4:])

    def receive(self, seconds):
        end = time.monotonic() + seconds
        while True:
            self.socket.settimeout(max(0.001, end - time.monotonic()))
            data = self.socket.recv(2048)[20:]
            if len(data) == 100 and self.sum(data):
                return None
            kind, _, _, own, _, number = struct.unpack("!BBHHHI", data[:12])
            if kind == 0 and own == self.id:
                return number


def ask(line, count):
    sent, late, order = {}, {}, []
    extra = damaged = 0

    def listen():
        nonlocal extra, damaged
        try:
            while True:
                number = line.receive(LAST)
                now = time.monotonic()
                if number is None:
                    damaged += 1
                elif number in late:
                    extra += 1
                elif number in sent:
                    late[number] = now - sent[number]
                    order.append(number)
        except OSError:
            pass

    listener = threading.Thread(target=listen)
    listener.start()
    begin = time.monotonic()
    for number in range(count):
        time.sleep(max(0, begin + number * GAP - time.monotonic()))
        sent[number] = time.monotonic()
        line.send(number)
    listener.join()
    highest, overtaken = -1, 0
    for number in order:
        overtaken += number < highest
        highest = max(highest, number)
    ms = sorted(1000 * value for value in late.values()) or [-1]
    print(json.dumps({
        "sent": count, "back": len(late), "extra": extra, "damaged": damaged, "overtaken": overtaken, "least": round(ms[0], 2),
        "median": round(statistics.median(ms), 2), "most": round(ms[-1], 2)}))


def until(line, ms):
    begin, number = time.monotonic(), 0
    while time.monotonic() < begin + 60:
        number += 1
        sent = time.monotonic()
        end = sent + ms / 1000
        line.send(number)
        try:
            while line.receive(max(0.001, end - time.monotonic())) != number:
                pass
            took = time.monotonic() - sent
            if took < ms / 1000:
                print(json.dumps({"after": round(sent - begin, 2), "ms": round(1000 * took, 2)}))
                return
        except OSError:
            time.sleep(max(0, end - time.monotonic()))
    sys.exit("none within 60 s")


def load(host, port, size):
    begin = time.monotonic()
    with socket.create_connection((host, port), 10) as connection:
        connection.settimeout(30)
        connection.sendall(b"%d\n" % size)
        number, right, rest = 0, True, b""
        while True:
            data = connection.recv(1 << 20)
            if not data:
                break
            rest += data
            while len(rest) >= 16384:
                right = right and rest[:16384] == block(number)
                rest = rest[16384:]
                number += 1
    seconds = time.monotonic() - begin
    right = right and number == (size + 16383) // 16384 and not rest
    print(json.dumps({"right": right, "seconds": round(seconds, 2), "mb_a_second": round(size / 1e6 / seconds, 1)}))


def connect(host, port):
    least = 1e9
    for _ in range(20):
        begin = time.monotonic()
        socket.create_connection((host, port), 10).close()
        least = min(least, time.monotonic() - begin)
    print(json.dumps({"least": round(1000 * least, 2)}))


VERBS = {
    "serve": serve,
    "ask": lambda host, port, count: ask(Datagrams(host, port), count),
    "until": lambda host, port, ms: until(Datagrams(host, port), ms),
    "ping": lambda host, count: ask(Echoes(host), count),
    "pings": lambda host, ms: until(Echoes(host), ms),
    "load": load,
    "connect": connect,
}
words = sys.argv[1:]
VERBS[words[0]](*(int(word) if word.isdigit() else word for word in words[1:]))

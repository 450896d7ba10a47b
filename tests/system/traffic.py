#!/usr/bin/env python3
# traffic.py - real packets between hosts: who is heard by whom, how many, how fast.
# SPDX-License-Identifier: Apache-2.0
"""hear [PORT...]      counts datagrams by what they say, answers as a name server on 53; until killed
heard               what the one beside us has counted since it was last asked: a line each
say WORD COUNT BYTES PAUSE_MS ADDRESS...   sends COUNT datagrams of BYTES to each ADDRESS
ask ADDRESS         a question to a name server, by UDP and TCP: answered, refused or silent
reach ADDRESS PORT  a TCP connection: open, refused or silent
beat ADDRESS PORT PAUSE_MS   a datagram now and then, until killed
pauses PORT LEAST_MS   when a pause of the datagrams that come to it ended, and its length: until killed"""
import collections
import selectors
import socket
import sys
import time

PORT = 7777
SO_RCVBUFFORCE = 33


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def listen(kind, port):
    sock = socket.socket(socket.AF_INET6, kind)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if kind == socket.SOCK_DGRAM:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    sock.bind(("::", port))
    if kind == socket.SOCK_STREAM:
        sock.listen(64)
    return sock


def hear(ports):
    counts, sizes = collections.Counter(), collections.Counter()
    select = selectors.DefaultSelector()
    for port in [53] + [int(port) for port in ports]:
        select.register(listen(socket.SOCK_STREAM, port), selectors.EVENT_READ, port)
    select.register(listen(socket.SOCK_DGRAM, 53), selectors.EVENT_READ, "dns")
    select.register(listen(socket.SOCK_DGRAM, PORT), selectors.EVENT_READ, "count")
    print("ready", flush=True)
    while True:
        for key, _ in select.select():
            if isinstance(key.data, int):
                client, _ = key.fileobj.accept()
                client.sendall(b"hello")
                client.close()
                continue
            data, source = key.fileobj.recvfrom(65536)
            if key.data == "dns":
                key.fileobj.sendto(data, source)
            elif data == b"heard?":
                lines = [f"{word} {counts[word]} {sizes[word]}" for word in sorted(counts)]
                counts.clear(), sizes.clear()
                key.fileobj.sendto("\n".join(lines).encode(), source)
            else:
                word = data.split(b"\0")[0].decode()
                counts[word] += 1
                sizes[word] += len(data)


def heard():
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.settimeout(20)
    sock.connect(("::1", PORT))
    sock.send(b"heard?")
    print(sock.recv(65536).decode())


def say(word, count, size, pause_ms, *addresses):
    data = word.encode() + b"\0" * (int(size) - len(word))
    socks = [(socket.socket(family(each), socket.SOCK_DGRAM), each) for each in addresses]
    refused, begin = 0, time.monotonic()
    for at in range(int(count)):
        for sock, address in socks:
            try:
                sock.sendto(data, (address, PORT))
            except OSError:
                refused += 1
        time.sleep(max(0, begin + (at + 1) * float(pause_ms) / 1000 - time.monotonic()))
    print(f"refused {refused} seconds {time.monotonic() - begin:.2f}")


def pauses(port, least_ms):
    sock, last = listen(socket.SOCK_DGRAM, int(port)), None
    print("ready", flush=True)
    while True:
        sock.recv(100)
        now = time.monotonic()
        if last is not None and (now - last) * 1000 >= float(least_ms):
            print(f"{now:.3f} {now - last:.3f}", flush=True)
        last = now


def beat(address, port, pause_ms):
    sock = socket.socket(family(address), socket.SOCK_DGRAM)
    while True:
        sock.sendto(b"beat", (address, int(port)))
        time.sleep(float(pause_ms) / 1000)


def word_of(error):
    return "silent" if isinstance(error, TimeoutError) else "refused"


def ask(address):
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        sock = socket.socket(family(address), kind)
        sock.settimeout(1.5)
        try:
            sock.connect((address, 53))
            sock.send(b"\x12\x34 a question")
            print("answered" if sock.recv(100) else "closed")
        except OSError as error:
            print(word_of(error))


def reach(address, port):
    sock = socket.socket(family(address), socket.SOCK_STREAM)
    sock.settimeout(1.5)
    try:
        sock.connect((address, int(port)))
        print("open")
    except OSError as error:
        print(word_of(error))


if __name__ == "__main__":
    verb, words = sys.argv[1], sys.argv[2:]
    hear(words) if verb == "hear" else globals()[verb](*words)

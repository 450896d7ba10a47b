#!/usr/bin/python3
"""shop.py - the lab's HTTP service: a shop that keeps what it sells in Redis, found through Sentinel.

SPDX-License-Identifier: Apache-2.0

GET /healthz        200 while the process lives.
GET /checkout/ping  one write to the primary that Sentinel names: 200 {"ok": true}, or 503 and why not.
"""
import http.server
import json
import sys

import redis
from redis.sentinel import Sentinel

# What a silent Redis may cost a request; several such waits can add up (an old connection, a dead Sentinel).
TIMEOUT_S = 0.5


def find_shop(config):
    """A client whose every new connection goes to whom the Sentinels call primary."""
    sentinels = [(address, 26379) for address in config["sentinels"]]
    sentinel = Sentinel(sentinels, socket_timeout=TIMEOUT_S / 2)
    return sentinel.master_for("shop", socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)


class Shop(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30  # idle connections
    client = None

    def do_GET(self):
        if self.path == "/healthz":
            self.answer(200, {"ok": True})
        elif self.path == "/checkout/ping":
            self.checkout()
        else:
            self.answer(404, {"ok": False, "error": "no such page"})

    def checkout(self):
        try:
            self.client.incr("shop:pings")
        except redis.RedisError as error:
            self.answer(503, {"ok": False, "error": f"{type(error).__name__}: {error}"})
        else:
            self.answer(200, {"ok": True})

    def answer(self, status, value):
        body = json.dumps(value, separators=(",", ":")).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code="-", size="-"):
        if str(code) != "200":
            super().log_request(code, size)


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        Shop.client = find_shop(json.load(file))
    Server(("0.0.0.0", 8080), Shop).serve_forever()


if __name__ == "__main__":
    main()

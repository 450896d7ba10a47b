#!/usr/bin/env python3
# rds_stand_in.py - answers FailoverDBCluster and DescribeEvents as RDS does, to requests whose signature is right.
# SPDX-License-Identifier: Apache-2.0
# usage: rds_stand_in.py PORT_FILE [AHEAD] [MANNER]
#                                             listens on loopback; its clock is AHEAD seconds ahead. MANNER: `mute` does what it
#                                             is told, and then resets the connection; `idle` accepts, and fails nothing over
#        rds_stand_in.py vectors              checks itself against published vectors
#
# Signature Version 4 once more, from its description: the requests that it checks were signed by libcurl.
import hashlib
import hmac
import http.server
import os
import socket
import struct
import sys
import threading
import time
import urllib.parse

KEYS = {"AKIDEXAMPLE": ("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None),
        "ASIATEMPORARY": ("temporary/key+of=somebody", "t" * 1200 + "/+==")}
SCOPE = ("eu-west-1", "rds")
DOWN_SECONDS, EXPIRY_SECONDS = 1.0, 900
WRONG_TEXT = "the signature that was sent is not that of this request. The canonical string is "


def digest(data):
    return hashlib.sha256(data).hexdigest()


def keyed(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def canonical_query(query):
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    quoted = sorted((urllib.parse.quote(name, safe="-_.~"), urllib.parse.quote(value, safe="-_.~")) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in quoted)


def canonical_request(method, target, headers, signed, body):
    """`headers`: names in lower case with a list of values."""
    path, _, query = target.partition("?")
    lines = "".join(f"{name}:{','.join(' '.join(value.split()) for value in headers.get(name, []))}\n" for name in signed)
    return "\n".join([method, urllib.parse.quote(path, safe="/-_.~"), canonical_query(query), lines, ";".join(signed), digest(body)])


def signature(key, scope, date, request):
    """`scope`: date, region, service, aws4_request."""
    text = "\n".join(["AWS4-HMAC-SHA256", date, "/".join(scope), digest(request.encode())])
    derived = ("AWS4" + key).encode()
    for part in scope:
        derived = keyed(derived, part)
    return hmac.new(derived, text.encode(), hashlib.sha256).hexdigest()


def parts_of(authorization):
    scheme, _, rest = authorization.partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
    return parts if scheme == "AWS4-HMAC-SHA256" and {"Credential", "SignedHeaders", "Signature"} <= parts.keys() else None


def refusal(method, target, headers, body, now):
    """None, or status and code of why this request is not let in."""
    parts = parts_of(headers.get("authorization", [""])[0])
    if parts is None:
        return 403, "MissingAuthenticationToken"
    identity, *scope = parts["Credential"].split("/")
    signed = parts["SignedHeaders"].split(";")
    date = headers.get("x-amz-date", [""])[0]
    if identity not in KEYS:
        return 403, "InvalidClientTokenId"
    key, token = KEYS[identity]
    if token is not None and headers.get("x-amz-security-token") != [token]:
        return 403, "InvalidClientTokenId"
    must = {"host", "x-amz-date"} | {name for name in headers if name.startswith("x-amz-")}
    if not must <= set(signed) or signed != sorted(signed) or not set(signed) <= headers.keys():
        return 403, "IncompleteSignature"
    if tuple(scope[1:]) != (*SCOPE, "aws4_request") or scope[0] != date[:8]:
        return 403, "SignatureDoesNotMatch"
    request = canonical_request(method, target, headers, signed, body)
    if not hmac.compare_digest(signature(key, scope, date, request), parts["Signature"]):
        return 403, "SignatureDoesNotMatch"
    sent = time.mktime(time.strptime(date, "%Y%m%dT%H%M%SZ")) - time.timezone
    return None if abs(now - sent) <= EXPIRY_SECONDS else (400, "RequestExpired")


class Cluster:
    """Two instances; after a failover nobody is writer for a while, then the other."""

    def __init__(self):
        self.lock = threading.Lock()
        self.writer, self.down_until, self.failovers, self.completed = "db-1", 0.0, 0, []

    def fail_over(self):
        with self.lock:
            self.writer = "db-2" if self.writer == "db-1" else "db-1"
            self.down_until, self.failovers = time.monotonic() + DOWN_SECONDS, self.failovers + 1
            self.completed.append(self.down_until)

    def events(self, minutes):
        now = time.monotonic()
        with self.lock:
            return ["Completed failover to DB instance: " + self.writer for at in self.completed if now - 60 * minutes <= at <= now]

    def leads(self):
        with self.lock:
            return None if time.monotonic() < self.down_until else self.writer


def handler_of(cluster, ahead, manner):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status, text):
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def refuse(self, status, code, message):
            self.answer(status, '<ErrorResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/">\n  <Error>\n    <Type>Sender</Type>\n'
                        f"    <Code>{code}</Code>\n    <Message>{message}</Message>\n  </Error>\n"
                        "  <RequestId>0c2fb5b2-0000-4000-8000-000000000000</RequestId>\n</ErrorResponse>\n")

        def do_GET(self):
            leads = cluster.leads()
            if self.path.startswith("/primary/"):
                self.answer(200 if self.path == f"/primary/{leads}" else 503, "")
            elif self.path == "/failovers":
                self.answer(200, str(cluster.failovers))
            else:
                self.answer(503 if leads is None else 200, "ok")

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {}
            for name, value in self.headers.items():
                headers.setdefault(name.lower(), []).append(value)
            why = refusal("POST", self.path, headers, body, time.time() + ahead)
            asked = dict(urllib.parse.parse_qsl(body.decode()))
            if why is not None:
                token = headers.get("x-amz-security-token", [""])[0]
                self.refuse(*why, WRONG_TEXT + f"x-amz-security-token:{token} \x1b[31m")
            elif asked.get("Action") not in ("FailoverDBCluster", "DescribeEvents") or asked.get("Version") != "2014-10-31":
                self.refuse(400, "InvalidAction", "no such action")
            elif asked["Action"] == "DescribeEvents":
                mine = asked.get("SourceType") == "db-cluster" and asked.get("SourceIdentifier") == "shop"
                events = cluster.events(int(asked.get("Duration", "60"))) if mine else []
                rows = "".join(f"<Event><SourceIdentifier>shop</SourceIdentifier><Message>{event}</Message></Event>" for event in events)
                self.answer(200, '<DescribeEventsResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><DescribeEventsResult>'
                            f"<Events>{rows}</Events></DescribeEventsResult></DescribeEventsResponse>")
            elif asked.get("DBClusterIdentifier") != "shop":
                self.refuse(404, "DBClusterNotFoundFault", "DBCluster not found")
            elif manner == "mute":
                cluster.fail_over()
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
            else:
                if manner != "idle":
                    cluster.fail_over()
                self.answer(200, '<FailoverDBClusterResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><FailoverDBClusterResult>'
                            "<DBCluster><DBClusterIdentifier>shop</DBClusterIdentifier><Status>available</Status></DBCluster>"
                            "</FailoverDBClusterResult></FailoverDBClusterResponse>")

        def log_message(self, *_):
            pass

    return Handler


VECTORS = (  # of the published test suite: name, method, target, headers, body, signature
    ("get-vanilla", "GET", "/", {}, b"", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    ("get-vanilla-query-order-key-case", "GET", "/?Param2=value2&Param1=value1", {}, b"",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
    ("post-vanilla", "POST", "/", {}, b"", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    ("post-header-key-sort", "POST", "/", {"my-header1": ["value1"]}, b"",
     "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"),
    ("get-header-value-trim", "GET", "/", {"my-header1": [" value1"], "my-header2": [' "a   b   c"']}, b"",
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
    ("post-x-www-form-urlencoded", "POST", "/", {"content-type": ["application/x-www-form-urlencoded"]}, b"Param1=value1",
     "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
)


def check_vectors():
    wrong = 0
    for name, method, target, more, body, expected in VECTORS:
        headers = {"host": ["example.amazonaws.com"], "x-amz-date": ["20150830T123600Z"], **more}
        request = canonical_request(method, target, headers, sorted(headers), body)
        scope = ["20150830", "us-east-1", "service", "aws4_request"]
        if signature(KEYS["AKIDEXAMPLE"][0], scope, "20150830T123600Z", request) != expected:
            print(f"{name}: another signature, of\n{request}")
            wrong += 1
    return wrong


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass  # who asks by probes resets its connections


def main():
    os.environ["TZ"] = "UTC"
    time.tzset()
    if sys.argv[1] == "vectors":
        sys.exit(check_vectors() > 0)
    ahead = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    manner = sys.argv[3] if len(sys.argv) > 3 else ""
    server = Server(("127.0.0.1", 0), handler_of(Cluster(), ahead, manner))
    with open(sys.argv[1] + ".new", "w", encoding="ascii") as file:
        file.write(str(server.server_port))
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    server.serve_forever()


main()

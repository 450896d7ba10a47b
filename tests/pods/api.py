#!/usr/bin/python3
# api.py - a small stand-in for a cluster: pods over HTTP on loopback, and who makes new ones.
# SPDX-License-Identifier: Apache-2.0
"""
usage: api.py FOLDER REPLICAS START_MS

It is no cluster. It answers what kubectl asks about pods in one namespace as the API server would: list by labels, get,
delete with preconditions and grace; and its controller makes a pod for each that is missing, ready START_MS later. Its
port is written to FOLDER/port, each request to FOLDER/requests. A file in FOLDER changes what it does:
  stuck     no pod becomes ready          deaf   it takes no request, and answers 503
  grace     how many ms a pod lives that was deleted with its own grace period (default 500)
  lost      a deletion is done, and its connection closed without an answer
"""
import http.server
import json
import os
import sys
import threading
import time
import urllib.parse
import uuid

FOLDER, REPLICAS, START_MS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
PREFIX = "/api/v1/namespaces/shop/pods"
LABELS = {"app": "billing", "tier": "back"}
lock = threading.RLock()
pods = {}


def asked(name):
    return os.path.exists(os.path.join(FOLDER, name))


def number(name, default):
    try:
        with open(os.path.join(FOLDER, name)) as file:
            return int(file.read())
    except OSError:
        return default


def make(owner="ReplicaSet", labels=None, name=None):
    uid = str(uuid.uuid4())
    name = name or "billing-" + uid[:5]
    owners = [{"apiVersion": "apps/v1", "kind": owner, "name": "billing", "uid": "1", "controller": True}] if owner else []
    pods[name] = {"made": time.monotonic(), "ends": None, "restarts": 0, "object": {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "uid": uid, "labels": labels or LABELS, "ownerReferences": owners,
                     "resourceVersion": "1", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"containers": [{"name": "app", "image": "app"}]}, "status": {"phase": "Pending"}}}


def show(pod):
    ready = pod["ready"]
    pod["object"]["status"] = {
        "phase": "Running" if ready else "Pending", "podIP": "127.0.0.1",
        "conditions": [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "True" if ready else "False"}],
        "containerStatuses": [{"name": "app", "image": "app", "imageID": "", "ready": ready, "restartCount": pod["restarts"]}]}
    return pod["object"]


def turn():
    """What time has done: pods become ready, go, and are replaced."""
    now = time.monotonic()
    for name, pod in list(pods.items()):
        pod["ready"] = pod.get("ready") or now - pod["made"] >= START_MS / 1000 and not asked("stuck")
        if pod["ends"] is not None and now >= pod["ends"]:
            del pods[name]
    owned = [x for x in pods.values() if x["ends"] is None and
             any(owner["kind"] == "ReplicaSet" for owner in x["object"]["metadata"]["ownerReferences"])]
    for _ in range(REPLICAS - len(owned)):
        make()
    for pod in pods.values():
        pod.setdefault("ready", False)


def matches(pod, selector):
    labels = pod["object"]["metadata"]["labels"]
    for one in filter(None, selector.split(",")):
        key, _, value = one.partition("!=") if "!=" in one else one.partition("=")
        if (labels.get(key) == value.lstrip("=")) == ("!=" in one):
            return False
    return True


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128


class Api(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, status, reason, message):
        self.answer(status, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
                             "reason": reason, "code": status})

    def body(self):
        """kubectl sends a file in chunks, without saying how long it is."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            parts.append(self.rfile.read(size))
            self.rfile.readline()
            if size == 0:
                return b"".join(parts)

    def begin(self):
        body = self.body()
        with open(os.path.join(FOLDER, "requests"), "a") as file:
            file.write(f"{self.command} {self.path} {body.decode().strip()}\n")
        url = urllib.parse.urlsplit(self.path)
        if asked("deaf"):
            self.refuse(503, "ServiceUnavailable", "the server is currently unable to handle the request")
            return None, None, None
        return url.path, urllib.parse.parse_qs(url.query), body

    def do_GET(self):
        path, query, _ = self.begin()
        if path is None:
            return
        if path == "/version":
            self.answer(200, {"major": "1", "minor": "20", "gitVersion": "v1.20.2"})
        elif path == "/api":
            self.answer(200, {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})
        elif path == "/apis":
            self.answer(200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": []})
        elif path == "/api/v1":
            self.answer(200, {"kind": "APIResourceList", "groupVersion": "v1", "resources": [
                {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "shortNames": ["po"],
                 "verbs": ["create", "delete", "get", "list"]}]})
        elif path == PREFIX:
            with lock:
                turn()
                found = [show(x) for _, x in sorted(pods.items()) if matches(x, query.get("labelSelector", [""])[0])]
                self.answer(200, {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": found})
        elif path.startswith(PREFIX + "/"):
            with lock:
                turn()
                pod = pods.get(path[len(PREFIX) + 1:])
                if pod is None:
                    self.missing(path)
                else:
                    self.answer(200, show(pod))
        else:
            self.refuse(404, "NotFound", "the server could not find the requested resource")

    def missing(self, path):
        name = path[len(PREFIX) + 1:]
        self.refuse(404, "NotFound", f'pods "{name}" not found')

    def do_DELETE(self):
        path, _, body = self.begin()
        if path is None:
            return
        with lock:
            turn()
            pod = pods.get(path[len(PREFIX) + 1:])
            options = json.loads(body or b"{}")
            if pod is None:
                self.missing(path)
                return
            uid, wanted = pod["object"]["metadata"]["uid"], options.get("preconditions", {}).get("uid")
            if wanted is not None and wanted != uid:
                self.refuse(409, "Conflict", f"the UID in the precondition ({wanted}) does not match the UID in record ({uid})")
                return
            at_once = options.get("gracePeriodSeconds") == 0
            pod["ends"] = time.monotonic() + (0 if at_once else number("grace", 500) / 1000)
            pod["object"]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:01Z"
            gone = show(pod)
            turn()
            if asked("lost"):
                self.close_connection = True
                return
            self.answer(200, gone)

    def do_POST(self):
        """For the test: /pods/KIND/NAME/LABEL makes a pod with that controller (or none)."""
        path, _, _ = self.begin()
        _, _, kind, name, app = path.split("/")
        with lock:
            make(kind if kind != "none" else None, {"app": app}, name)
        self.answer(201, {})


server = Server(("127.0.0.1", 0), Api)
with lock:
    turn()
with open(FOLDER + "/port.new", "w") as port:
    port.write(str(server.server_address[1]))
os.rename(FOLDER + "/port.new", FOLDER + "/port")
server.serve_forever()

# link.py - the wire between runner and sshd, as a relay that loses it at a chosen moment.
# SPDX-License-Identifier: Apache-2.0
"""
SSH tells a relay nothing, so the moment is read off the host: the script that will apply the fault writes its pid to
`waiting` before it asks for its line, and its environment names the port of the connection that it came by. What the
runner sends on that connection next is the line.
"""
import os
import select
import socket
import struct
import threading

from host import read


class Link:
    def __init__(self, host):
        self.host = host
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.pairs = []
        self.faults = 1  # that are fired together
        self.mend()
        threading.Thread(target=self._accept, daemon=True).start()

    def mend(self):
        self.mode, self.phase, self.firing, self.cut_now = "open", None, None, threading.Event()
        self.passed = 0

    def aim(self, phase):
        """arming: half of the script that arms arrives. before, within: nothing, or half, of the line that fires
        arrives. unanswered: it arrives, and no answer comes back. cut_now is set when that has happened."""
        self.mend()
        self.phase = phase

    def close(self, reset=False):
        """Ends every connection."""
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for one in pair:
                try:
                    if reset:
                        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        one.close()
                    else:
                        one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # it was closed just now

    def cut(self):
        """Nothing passes from now on, and no new connection is made."""
        self.mode = "dead"
        self.close()

    def stall(self):
        """Everything stays open, and nothing passes."""
        self.mode = "silent"

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            if self.mode == "dead":
                client.close()
                return
            server = socket.create_connection((self.host.address, 22), 10)
        except OSError:
            client.close()
            return
        with self.lock:
            dead = self.mode == "dead"  # since we asked: the cut has not seen this pair
            if not dead:
                self.pairs.append((client, server))
        try:
            if not dead:
                self._pump(client, server)
        except (OSError, ValueError):
            pass
        for one in (client, server):
            one.close()

    def _pump(self, client, server):
        port = str(server.getsockname()[1])
        while True:
            if self.mode == "silent":
                self.cut_now.wait(0.2)
                threading.Event().wait(0.2)
                continue
            ready, _, _ = select.select([client, server], [], [], 0.5)
            for one in ready:
                if self.mode == "silent":
                    continue
                data = one.recv(1 << 16)
                if not data:
                    return
                if self.phase is not None:
                    data = self._take(port, one is client, data)
                (server if one is client else client).sendall(data)
                if self.cut_now.is_set() and self.phase in ("arming", "before", "within"):
                    self.phase = None
                    self.cut()
                    return

    def _take(self, port, sent, data):
        """What of this passes; sets cut_now."""
        if self.phase == "arming":
            folder = self.host.root + "/run/faildrill"
            if sent and os.path.exists(folder + "/lock/boot"):
                self.passed += len(data)
                if self.passed > 8000:
                    self.cut_now.set()
                    return data[:len(data) // 2]
            return data
        if self.firing is None and not sent:
            self.firing = self._waiting()
            return data
        if self.firing != port:
            return data
        if self.phase == "unanswered":
            if sent:
                self.cut_now.set()
            return b"" if self.cut_now.is_set() and not sent else data
        if sent:
            self.cut_now.set()
            return b"" if self.phase == "before" else data[:len(data) // 2]
        return data

    def _waiting(self):
        """The port of the connection on which the faults wait for their lines, once all do; or None."""
        top = self.host.root + "/run/faildrill"
        try:
            folders = [x for x in os.listdir(top) if "_" in x]
        except OSError:
            return None
        ports = []
        for folder in folders:
            for line in read(f"{top}/{folder}/waiting").splitlines():
                words = read(f"{self.host.root}/proc/{line.split()[0]}/environ").split("\0")
                ports += [word.split()[1] for word in words if word.startswith("SSH_CONNECTION=")]
        return ports[0] if len(ports) >= self.faults else None

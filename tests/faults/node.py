# node.py - a host with a real systemd as process 1 (nodes.sh), seen as host.py sees those of the lab.
# SPDX-License-Identifier: Apache-2.0
import os
import re
import time

from host import Host, read, uptime

GROUPS = "/sys/fs/cgroup/*/system.slice/idle.service /sys/fs/cgroup/system.slice/idle.service"
NAMES = re.compile(r"(?<=/streams/)\d+:\d+$|(?<=/systemd-private)-[0-9a-f]{32}|(?<=\.service)-\w{6}(?=$|/)")


class Node(Host):
    """Its service is a unit, which systemd starts again at once, whoever ends it.

    What systemd does for itself is no part of it: what process 1 runs in its own cgroup (its generators, at each
    daemon-reload) ends by itself. The processes of all units count, and so do the units.
    """

    DEVICE = "host0"
    ROLE = "unit: idle.service"
    START = "until systemctl --quiet is-active idle.service; do sleep 0.1; done"
    # By its cgroup, since systemd does not answer while it is loaded anew.
    WAYS = (f'main() {{ for group in {GROUPS}; do cat "$group/cgroup.procs"; done 2>/dev/null | sort -n | head -n 1; }}\n'
            'runs() { [ -n "$(main)" ]; }\n')
    MORE = ("systemctl list-units --plain --no-legend\nsystemctl show idle.service -p LoadState -p ActiveState "
            "-p UnitFileState -p DropInPaths -p FragmentPath -p Transient -p Restart -p FreezerState\n")
    # What generators wrote is gone for half of each daemon-reload.
    WAY = Host.WAY + r"|/run/systemd/((transient|units)/\S*\bfd-|journal/streams/|generator)"
    DROPS = ()
    REVIVES = True

    def first(self):
        """Its process 1 as this machine numbers it, None while it is off."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            status = read(f"/proc/{pid}/status")
            if (status.startswith("Name:\tsystemd\n") and re.search(r"^NSpid:.*\t1$", status, re.M)
                    and read(f"/proc/{pid}/root/etc/hostname") == self.name + "\n"):
                return pid
        return None

    def reboot(self):
        """As an operator does; a systemd that does not go within a minute loses its power."""
        was, began, cut = self.pid, uptime(), False
        self.close_sockets()
        self.sh("systemctl reboot", timeout=60)
        while (now := self.first()) in (None, was):
            if uptime() > began + 60 and not cut:
                cut = True
                os.kill(int(was), 9)
            if cut:
                open(f"{os.environ['NODES_POWER']}/{self.name}.boots", "w").close()
            if uptime() > began + 120:
                raise RuntimeError(f"{self.name} does not boot")
            time.sleep(0.1)
        self.find()
        while self.sh("systemctl is-system-running")[1].strip() not in ("running", "degraded"):
            if uptime() > began + 180:
                raise RuntimeError(f"{self.name} does not come up: {self.sh('systemctl list-jobs')[1]}")
            time.sleep(0.2)

    def files(self):
        """A first transient unit leaves a folder for all. At each start a unit's way to the journal has another number,
        and its /tmp another name."""
        return [NAMES.sub("", x) for x in super().files() if x != "/run/systemd/transient"]

    def processes(self):
        return {pid: one for pid, one in super().processes().items()
                if pid == 1 or not re.search(r":\S*/init\.scope$", read(f"{self.root}/proc/{pid}/cgroup"), re.M)}

# kinds.py - each kind of fault as the matrix drills it: a row a kind.
# SPDX-License-Identifier: Apache-2.0
"""
A new kind is one row here. The matrix fails by name for a verb of `faildrill explain steps` that is in neither table.
"""
import re
import subprocess
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Kind:
    name: str
    step: str  # of the scenario, as the inside of {...}; HOLD stands where `for:` belongs
    seen: str  # a shell line, true while the fault is in effect; ADDRESS, NAME and MAIN (the service's pid before) are set,
    # `runs` and `main` say whether the service runs and with which pid
    # Where `seen` runs: on the host itself, or on another.
    beside: bool = False
    # The other host has a role as well, `far`, and is as before, too.
    far: bool = False
    # A shell line on the host, true where it can be drilled here, and what is missing where it is not.
    needs: str = "true"
    lacks: str = ""
    # What the host is like beyond host.py's WHOLE: a shell text whose output must be as before.
    whole: str = ""
    # Over by itself once it is proven (a restart): nothing of it can be seen afterwards.
    over: bool = False
    # How long where it ends as planned.
    shortest: str = "2s"
    # Ends without its undo: the process that holds it asks each half second whether it still may.
    alone: bool = False
    # What a host with a tc tree of its own is told instead of being touched: the word of the refusal; None = it works.
    refused: str = None
    # On a host that has iptables and ipset alone.
    without_nft: bool = False
    more: str = ""  # lines of the scenario, at its top level
    role: str = ""  # lines of the role, indented by four
    # What differs where the service is a unit, which systemd starts again by itself.
    of_unit: dict = field(default_factory=dict)

    @property
    def verb(self):
        return self.step.split(":")[0]

    @property
    def holds(self):
        return "HOLD" in self.step


HELD = "grep -qs FD_HELD= /proc/[0-9]*/environ"
DOWN = "! runs"
ANEW = '[ "$(main)" != "$MAIN" ] && runs'
SHUT = '! timeout 1 bash -c "exec 3<>/dev/tcp/$ADDRESS/22" 2>/dev/null'
API = "http://127.0.0.1:8080/slow"
# Of a unit: it is frozen by its control group.
FROZEN = ("grep -qsx 'frozen 1' /sys/fs/cgroup/*/system.slice/idle.service/cgroup.events "
          "/sys/fs/cgroup/system.slice/idle.service/cgroup.events")
KINDS = [
    Kind("kill", "kill: victim, HOLD", DOWN),
    Kind("kill once", "kill: victim", DOWN, of_unit={"seen": ANEW, "over": True}),
    Kind("stop", "stop: victim, HOLD", DOWN),
    Kind("freeze", "freeze: victim, HOLD", 'grep -q "^State:.T" "/proc/$MAIN/status"', of_unit={"seen": FROZEN}),
    Kind("restart", "restart: victim", ANEW, over=True),
    Kind("restart loop", "restart: victim, every: 1s, HOLD", HELD, alone=True),
    # The runner's own address may still come in; another host may not.
    Kind("isolate", "isolate: victim, HOLD", SHUT, beside=True),
    Kind("isolate by iptables", "isolate: victim, HOLD", SHUT, beside=True, without_nft=True, needs="command -v ipset",
         lacks="ipset", whole="{ iptables-save; ip6tables-save; ipset save; } | sed -e '/^#/d' -e 's/ \\[[0-9:]*\\]//'\n"),
    # Both ends have a fault each; what goes wrong goes wrong at one.
    Kind("cut", "cut: {between: [victim, far]}, HOLD", SHUT, beside=True, far=True),
    Kind("cut one way", "cut: {from: far, to: victim}, HOLD", SHUT, beside=True, far=True),
    # Whoever begins its bad phases, and the table that they fill.
    Kind("flap", "isolate: victim, flap: {bad: 1s, good: 1s}, HOLD",
         HELD + ' && nft list tables | grep -q "inet fd_"', shortest="3s"),
    # All of it, so that one look is enough.
    Kind("loss", "loss: victim, share: 100%, HOLD", SHUT, beside=True),
    Kind("rate_limit", "rate_limit: victim, rate: 8kbit/s, HOLD", 'nft list tables | grep -q "inet fd_"'),
    Kind("dns_cut", "dns_cut: victim, with: reject, HOLD", 'nft list tables | grep -q "inet fd_"'),
    # Longer than the look from elsewhere waits. By a line of ours, this machine's kernel having no netem.
    Kind("delay", "delay: victim, by: 3s, HOLD", SHUT, beside=True),
    Kind("override", 'override: victim, file: /etc/hosts, content: "192.0.2.9 fd-shop", keep: true, HOLD',
         "getent hosts fd-shop >/dev/null"),
    Kind("cpu_load", "cpu_load: victim, share: 5%, HOLD", HELD, alone=True),
    # What a host has of both is furnished (cell.py).
    Kind("memory_fill", "memory_fill: victim, leave: 200MiB, HOLD", "grep -qsx dd /proc/[0-9]*/comm",
         alone=True),
    Kind("disk_fill", "disk_fill: victim, path: /media, leave: 20MiB, HOLD",
         '[ "$(df --output=avail /media | tail -n 1)" -lt 30000 ]', alone=True),
    Kind("replace_file", 'replace_file: victim, path: /etc/hosts, content: "192.0.2.9 fd-shop", HOLD',
         "getent hosts fd-shop >/dev/null", refused="a mount of its own"),
    Kind("sysctl", 'sysctl: victim, key: net.ipv4.tcp_retries2, value: "3", HOLD',
         '[ "$(cat /proc/sys/net/ipv4/tcp_retries2)" = 3 ]'),
    Kind("expire_certificate", "expire_certificate: victim, path: /root/fd-tls.pem, private_key: /root/fd-tls.key, HOLD",
         "! openssl x509 -in /root/fd-tls.pem -noout -checkend 0 >/dev/null"),
    Kind("disk_load", "disk_load: victim, path: /var/log, share: 5%, HOLD", HELD, alone=True),
    Kind("clock_skew", "clock_skew: victim, by: 5m, HOLD", "false", lacks="a clock of its own",
         needs='[ "$(readlink /proc/self/ns/pid)" = "pid:[4026531836]" ]'),
    Kind("exhaust pids", "exhaust: victim, what: pids, share: 70%, HOLD", "set -- /proc/[0-9]*; [ $# -gt 400 ]",
         needs='[ "$(cat /proc/sys/kernel/pid_max)" = 1000 ]', lacks="a pid_max of a host's own (Linux 6.14)",
         alone=True),
    Kind("exhaust descriptors", "exhaust: victim, what: descriptors, share: 70%, HOLD",
         "set -- /proc/[0-9]*/fd/*; [ $# -gt 700 ]", alone=True),
    Kind("exhaust connections", "exhaust: victim, what: connections, port: 8080, count: 20, HOLD",
         '[ "$(ss -Htn state established dport = :8080 | wc -l)" -eq 20 ]', alone=True),
    Kind("http", f'http: "{API}", method: POST, target: victim, fault: true, undo: {{http: "{API}", method: DELETE}}, '
                 f'proof: {{http: "{API}"}}, HOLD', "test -e /var/log/fd-slow"),
    Kind("power_off", "power_off: victim", "false", needs="false",
         lacks="`make machines` cuts the power of hosts and is a matrix of its own"),
    Kind("run", 'run: "touch /run/broken", target: victim, fault: true, undo: "rm -f /run/broken", '
                'proof: "test -e /run/broken", HOLD', "test -e /run/broken"),
    # Two of one host, armed one and all and fired together; what goes wrong goes wrong with both. Seen while there is one.
    Kind("parallel", 'parallel: [{run: "touch /run/broken", target: victim, fault: true, undo: "rm -f /run/broken", '
                     'proof: "test -e /run/broken", HOLD}, {isolate: victim, HOLD}]',
         'test -e /run/broken || nft list tables | grep -q "inet fd_"'),
]
# Verbs of a step that put nothing in place which an undo would take out.
NO_FAULTS = {
    "sql": "a statement, once: touches no host",
    "lock_row": "in a database: its ends are in databases/lock_row_test.sh",
    "session_kill": "in a database: its ends are in databases/session_kill_test.sh",
    "pause_replication": "in a database: its ends are in databases/replay_paused_test.sh",
    "read_only": "in a database: its ends are in databases/settings_test.sh",
    "set_config": "in a database: its ends are in databases/settings_test.sh",
    "power_off": "of a whole machine: its ends are in system/machine.sh",
    "reboot": "of a whole machine: its ends are in systemd/systemd_test.sh",
    "crash": "of a whole machine: its ends are in kernels/sysrq_test.sh",
    "failover": "asked of a system, which stays failed over",
    "wait": "touches no host",
    "note": "touches no host",
    "ask": "touches no host",
}


def verbs_without_a_row(program):
    said = subprocess.run([program, "explain", "steps"], capture_output=True, text=True, check=True).stdout
    verbs = re.findall(r"^  (\w+)  +\S", said.split("one of:\n")[1].split("\n\n")[0], re.M)
    have = {kind.verb for kind in KINDS} | set(NO_FAULTS)
    return [verb for verb in verbs if verb not in have] + ([] if verbs else ["(no verb is listed at all)"])

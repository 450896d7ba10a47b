# delay_line.py - holds packets back in a TUN device, where the kernel has no netem.
# SPDX-License-Identifier: Apache-2.0
# python3 -c TEXT BY JITTER REORDER DUPLICATE CORRUPT LIMIT: microseconds, shares in millionths, packets.
# Started in the fault's folder. The device, its routes and all delay end with this process: when the
# fault is undone, when its lease runs out, when it is killed. What it holds by then still leaves.
import fcntl, heapq, os, random, select, socket, struct, sys, time

DEVICE, MARK = b"fd1d", 0xFD1E  # of packets that were held already
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
SO_MARK, SO_SNDBUFFORCE = 36, 32

by, jitter = (int(word) / 1e6 for word in sys.argv[1:3])
reorder, duplicate, corrupt = (int(word) / 1e6 for word in sys.argv[3:6])
limit = int(sys.argv[6])


def is_wanted():
    try:
        with open("lease") as file:
            lease = int(file.read().split()[0])
        with open("/proc/uptime") as file:
            now = float(file.read().split()[0])
        return os.path.exists("permit") and now < lease / 100
    except (OSError, ValueError, IndexError):
        return False


def raw(family):
    try:
        out = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
    except OSError:
        return None
    out.setsockopt(socket.SOL_SOCKET, SO_MARK, MARK)
    out.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 24)
    return out


def damage(packet):
    """One bit behind the IP header, whose checksum would be made anew."""
    start = (packet[0] & 15) * 4 if packet[0] >> 4 == 4 else 40
    if len(packet) <= start:
        return packet
    bits = bytearray(packet)
    bits[random.randrange(start, len(bits))] ^= 1 << random.randrange(8)
    return bytes(bits)


def send(packet):
    try:
        if packet[0] >> 4 == 4:
            out4.sendto(packet, (socket.inet_ntop(socket.AF_INET, packet[16:20]), 0))
        elif out6:
            out6.sendto(packet, (socket.inet_ntop(socket.AF_INET6, packet[24:40]), 0))
    except OSError:
        pass  # as on a real line: it is lost


held, count = [], 0


def hold(packet, now):
    global count
    if len(held) >= limit:
        return
    overtakes = reorder and random.random() < reorder
    due = now if overtakes else now + by + (random.uniform(-jitter, jitter) if jitter else 0)
    if corrupt and random.random() < corrupt:
        packet = damage(packet)
    count += 1
    heapq.heappush(held, (due, count, packet))


def take(now):
    for _ in range(64):
        try:
            packet = os.read(tun, 65536)
        except BlockingIOError:
            return
        hold(packet, now)
        if duplicate and random.random() < duplicate:
            hold(packet, now)


out4, out6 = raw(socket.AF_INET), raw(socket.AF_INET6)
if not is_wanted() or not out4:
    sys.exit(1)
tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", DEVICE, IFF_TUN | IFF_NO_PI))
asked = wanted_until = time.monotonic()
wanted = True
while wanted or (held and time.monotonic() < wanted_until + by + jitter + 0.1):
    now = time.monotonic()
    if wanted and now >= asked + 0.1:
        asked = wanted_until = now
        wanted = is_wanted()
    while held and held[0][0] <= now:
        send(heapq.heappop(held)[2])
    pause = min(0.1, held[0][0] - time.monotonic()) if held else 0.1
    if select.select([tun], [], [], max(0, pause))[0]:
        take(time.monotonic())

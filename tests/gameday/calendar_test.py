#!/usr/bin/env python3
# calendar_test.py - our dates are those of `systemd-analyze calendar`, and what it refuses we refuse.
# SPDX-License-Identifier: Apache-2.0
"""Expressions of the documented subset, drawn with a fixed seed; from moments around changes of the clocks too."""
import os
import random
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

BUILD = os.environ.get("BUILD", "build")
COUNT = int(os.environ.get("CALENDARS", "400"))
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kolkata"]
# Some hours before the clocks jump, and at any time.
MOMENTS = [1774738800, 1792879200, 1772949600, 1793523600, 1775322000, 1790000000, 1709164800, 1798750000]
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
BAD = ["Sun..Mon 10:00", "25:00", "*-13-01", "*/2:00", "10:60", "0/0:00", "*-*~29", "5..1:00", "Tue 10:30 Mars/Base",
       "*-*-0", "*-*-32", "noon", "-1:00", "*-*-* 10", "*-*-31..1"]


def part(rng, low, high):
    kind = rng.randrange(6)
    a, b = sorted(rng.sample(range(low, high + 1), 2))
    if kind == 0:
        return "*"
    if kind == 1:
        return f"{a:02}..{b:02}"
    if kind == 2:
        return f"{a:02},{b:02}"
    if kind == 3:
        step = rng.randint(1, max(1, (high - low) // 3))
        return f"{min(a, high - step):02}/{step}"
    return f"{a:02}"


def expression(rng):
    words = []
    if rng.random() < 0.4:
        first = rng.randrange(7)
        last = rng.randrange(first, 7)
        words.append(rng.choice([DAYS[first], f"{DAYS[first]}..{DAYS[last]}", f"{DAYS[first]},{DAYS[last]}"]))
    if rng.random() < 0.6:
        date = part(rng, 1, 12)
        date += f"~{rng.randint(1, 28):02}" if rng.random() < 0.2 else "-" + part(rng, 1, 31)
        words.append(rng.choice(["*-", "", "2026..2030-", "2027-"]) + date)
    if rng.random() < 0.85 or not words:
        # The hour that is left out or repeated, often enough.
        hour = rng.choice(["01", "02", "03", part(rng, 0, 23)])
        words.append(hour + ":" + part(rng, 0, 59) + (":" + part(rng, 0, 59) if rng.random() < 0.2 else ""))
    return " ".join(words)


def theirs(case):
    moment, zone, text = case
    env = dict(os.environ, TZ=zone, LC_ALL="C")
    done = subprocess.run(["systemd-analyze", "calendar", "--iterations=4", f"--base-time=@{moment}", text],
                          capture_output=True, text=True, env=env)
    if done.returncode != 0:
        return "refused"
    seconds = []
    for line in done.stdout.splitlines():
        found = re.match(r"\s*(?:Next elapse|Iter\S* #\d+): (\w+ [\d-]+ [\d:]+) (\S+)", line)
        utc = re.match(r"\s*\(in UTC\): \w+ ([\d-]+ [\d:]+) UTC", line)
        if utc:
            seconds[-1] = utc.group(1)
        elif found:
            seconds.append(found.group(1)[4:])
    stamps = [subprocess.run(["date", "-u", "-d", at + " UTC", "+%s"], capture_output=True, text=True).stdout.strip()
              for at in seconds]
    return " ".join(stamps)


def is_repeated(moment, zone):
    """Whether the clocks show that time twice: systemd takes either, we the first."""
    env = dict(os.environ, TZ=zone)
    shows = [subprocess.run(["date", "-d", f"@{int(moment) + shift}", "+%Y-%m-%d %H:%M:%S"], capture_output=True,
                            text=True, env=env).stdout for shift in (-3600, -1800, 0, 1800, 3600)]
    return shows[2] in shows[:2] + shows[3:]


def main():
    if shutil.which("systemd-analyze") is None:
        print("skip calendars: no systemd-analyze here")
        return 77
    rng = random.Random(6)
    cases = [(rng.choice(MOMENTS) + rng.randrange(86400), rng.choice(ZONES), expression(rng)) for _ in range(COUNT)]
    cases += [(MOMENTS[0], "UTC", text) for text in BAD]
    lines = "".join(f"{moment} {zone}|{text}\n" for moment, zone, text in cases)
    ours = subprocess.run([f"{BUILD}/tests/gameday/calendar_at"], input=lines, capture_output=True, text=True,
                          check=True).stdout.splitlines()
    with ThreadPoolExecutor(4) as pool:
        their = list(pool.map(theirs, cases))
    wrong = refused = dates = apart = 0
    for case, mine, other in zip(cases, ours, their):
        mine = "refused" if mine.startswith("refused") else mine
        refused += other == "refused"
        dates += len(other.split()) if other != "refused" else 0
        if mine == other:
            continue
        mixed = [one for one in set(mine.split()) ^ set(other.split()) if one.isdigit()]
        if mixed and mine != "refused" and other != "refused" and any(is_repeated(one, case[1]) for one in mixed):
            apart += 1
            continue
        wrong += 1
        print(f"not ok {case[2]!r} from {case[0]} in {case[1]}: ours {mine}, theirs {other}")
    print(f"{len(cases)} expressions, {dates} dates, {refused} refused by both, {apart} differ in an hour that comes twice")
    if wrong == 0 and refused < len(cases) // 2:
        print("ok dates are those of systemd-analyze")
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())

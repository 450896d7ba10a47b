#!/usr/bin/python3
# compare.py - whether what an observer saw lies inside the brackets of a report, and these are narrow enough.
# SPDX-License-Identifier: Apache-2.0
"""
usage: compare.py SEEN REPORT.json HISTORY.db

SEEN is what tests/system/observer printed. Its times are CLOCK_MONOTONIC, the report's count from the run's start on
the same clock, which the history keeps. For each probe that both have:
  first failure   in (last good attempt began, first bad one ended]
  first success   in (last bad attempt began, first good one ended]     after the last failing stretch before the undo
and the width of the printed recovery is at most one interval + 20 ms + the width of T0, where the service refuses; where
it is silent, requests sent up to the timeout before the end are answered late, so that much more (MEASURING.md B.8).
The observer is no sharper than its pace there and then: the service may have changed one of its attempts and the way of
one sooner or later than it saw. A checkout is asked each 4 ms, and each answer waits for a turn of the processor.
A service behind the service (checkout) answers its first good request when it has found its own way: its time counts too.
"""
import json
import sqlite3
import sys

MS = 1000000


def lines_of(path, wanted, names):
    seen = {}
    for line in open(path):
        word, *rest = line.split()
        if word == wanted:
            seen.setdefault(rest[0], []).append(dict(zip(names, map(int, rest[1:]))))
    return seen


def windows_of(path):
    return lines_of(path, "window", ("last_good", "first_bad", "first_bad_done", "last_bad", "first_good"))


def paces_of(path):
    return lines_of(path, "pace", ("first", "last", "slowest", "pause"))


def doubt_of(paces):
    return max(pace["slowest"] for pace in paces) + max(pace["pause"] for pace in paces)


def merged(windows, gap, interval):
    """One failing stretch goes on over good spells of up to `gap`, as the report has it. What is shorter than the probe's
    interval is what the report says that it cannot see."""
    out = []
    for window in windows:
        if window["last_bad"] - window["first_bad"] < interval:
            continue
        if out and out[-1]["first_good"] and window["first_bad"] - out[-1]["first_good"] <= gap:
            out[-1] = dict(window, last_good=out[-1]["last_good"], first_bad=out[-1]["first_bad"],
                           first_bad_done=out[-1]["first_bad_done"])
        else:
            out.append(dict(window))
    return out


class Comparison:
    def __init__(self, seen, report, history):
        self.seen, self.paces = windows_of(seen), paces_of(seen)
        self.report, self.history = report, history
        (self.key, self.started), = history.execute(
            "SELECT key, mono_started FROM details JOIN runs ON run = key WHERE id = ?", (report["run"]["id"],))
        self.wrong = 0

    def say(self, good, text):
        self.wrong += not good
        print(("    " if good else "  ! ") + text)

    def inside(self, what, at, bracket, doubt):
        low, high = bracket
        good = low - doubt <= at <= high + doubt
        self.say(good, f"{what}: seen {(at - low) / MS:.1f} ms into a bracket of {(high - low) / MS:.1f} ms, "
                 f"give or take {doubt / MS:.1f}")

    def probe(self, probe):
        name, t0 = probe["name"], self.report["t0"]
        undo = self.report["undone"]["low_at_ns"]
        stretches = [s for s in probe["stretches"]
                     if s["first_bad_ended_at_ns"] >= t0["low_at_ns"] and s["first_bad_at_ns"] < undo]
        windows = [w for w in merged(self.seen.get(name, []), probe["gap_ns"], probe["interval_ns"])
                   if w["first_bad_done"] >= self.started + t0["low_at_ns"] and
                   w["first_bad"] < self.started + undo]
        if not stretches or not windows:
            self.say(False, f"{name}: {len(stretches)} outages printed, {len(windows)} seen")
            return
        first, last = stretches[0], stretches[-1]
        before = [pace for pace in self.paces[name] if pace["last"] <= windows[0]["first_bad"]]
        self.inside(f"{name} first failure", windows[0]["first_bad"] - self.started,
                    (first["last_good_at_ns"], first["first_bad_ended_at_ns"]), doubt_of(before[-2:]))
        if not last["first_good_ended_at_ns"] or not windows[-1]["first_good"]:
            self.say(False, f"{name}: never recovered")
            return
        after = [pace for pace in self.paces[name] if pace["first"] >= windows[-1]["first_good"]]
        self.inside(f"{name} first success", windows[-1]["first_good"] - self.started,
                    (last["last_bad_at_ns"], last["first_good_ended_at_ns"]), doubt_of(after[:2]))
        self.width(probe, t0, last["first_good_ended_at_ns"])

    def request(self, probe, ended):
        """How long the request took that ended then; the samples of a run are numbered from its key on."""
        number = [each["name"] for each in self.report["probes"]].index(probe["name"])
        rows = self.history.execute(
            "SELECT ended - started FROM samples WHERE id >> 32 = ? AND probe = ? AND intended + ended = ?",
            (self.key, number, ended)).fetchall()
        return max(row[0] for row in rows)

    def width(self, probe, t0, recovered):
        printed = probe["recovered"]["high_ns"] - probe["recovered"]["low_ns"]
        silent = probe["silent"] or probe["froze"]
        late = min([probe["timeout_ns"]] + [probe["under_ns"]] * bool(probe["under_ns"])) if silent else 0
        if probe["kind"] == "http" and not silent:
            late = self.request(probe, recovered)
        most = probe["interval_ns"] + 20 * MS + t0["high_at_ns"] - t0["low_at_ns"] + late
        self.say(printed <= most, f"{probe['name']} recovered {probe['recovered']['low_ns'] / 1e9:.3f}-"
                 f"{probe['recovered']['high_ns'] / 1e9:.3f} s: {printed / MS:.1f} ms wide, {most / MS:.1f} at most "
                 f"(T0 {(t0['high_at_ns'] - t0['low_at_ns']) / MS:.1f}{', silence' if silent else ''})")


def main():
    report = json.load(open(sys.argv[2]))
    history = sqlite3.connect(f"file:{sys.argv[3]}?mode=ro", uri=True)
    comparison = Comparison(sys.argv[1], report, history)
    for probe in report["probes"]:
        if probe["name"] in ("writes", "checkout"):
            comparison.probe(probe)
    return 1 if comparison.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

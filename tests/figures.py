#!/usr/bin/python3
# figures.py - what a drill's report says of a failover, as the few figures that a line or a table of drills has.
# SPDX-License-Identifier: Apache-2.0
"""
usage: figures.py REPORT [NAME]     one line for people, of a report in JSON
"""
import json
import sys


def span(value):
    """[low, high] in ns; high None: it did not come within the run. None: there is no such thing in this run."""
    if not value or value["low_ns"] is None:
        return None
    return [value["low_ns"], value["high_ns"]]


def came(value):
    """The same where it came, else None."""
    value = span(value)
    return value if value and value[1] is not None else None


def writes(ledgers):
    """None where nobody wrote. `read`: all was read back, so `lost` is all that was lost."""
    if not ledgers:
        return None
    return {"lost": sum(x["lost"] + x["back_lost"] for x in ledgers),
            "acked": sum(x["acked"] + x["back_acked"] for x in ledgers),
            "read": all(x["read_back_complete"] == "yes" for x in ledgers)}


def slowest(probes, key):
    """Of what clients do: [low, high], or [low, None] where one did not within the run; None where none noticed."""
    spans = [x for x in (span(probe[key]) for probe in probes) if x]
    return max(spans, key=lambda x: (x[1] is None, x[1] or 0, x[0])) if spans else None


def is_inside(failover, expected, is_foreseen):
    """Whether the span that was measured meets the range that was predicted; None where there is nothing to compare."""
    if not expected or not (failover or is_foreseen):
        return None
    return bool(failover) and failover[0] <= expected[1] and failover[1] >= expected[0]


def unasked(report, primary, beside):
    """Ns that the old primary could not be asked, with no client there: whether it led too is unknown. 0: it is known."""
    is_cut = any(x["kind"] in ("isolate", "cut") for x in report["faults"])
    return primary.get("unasked_ns") or 0 if is_cut and not beside else 0


def figures(report):
    primary = (report["primaries"] or [{}])[0]
    leads, old = primary.get("probe"), primary.get("before")
    beside = {x["name"] for x in report["probes"] if old and x["from"] == old}  # clients on the old primary's side
    clients = [x for x in report["probes"] if x["name"] != leads and x["name"] not in beside and not x["control"]]
    sent = report["faults_sent"] > 0
    failover, expected = came(primary.get("failover")), came(primary.get("expected"))
    expected = expected if expected and expected[1] > 0 else None
    is_foreseen = any(x["probe"] == leads and x["word"] == "failover_within" for x in report["expectations"])
    return {
        "verdict": report["verdict"], "status": report["status"], "why": report["why"], "sent": sent,
        "clients": len(clients), "recovered": slowest(clients, "recovered") if sent else None,
        # Those who were not served before the undo: how long after it.
        "healed": slowest([x for x in clients if (span(x["recovered"]) or [0])[-1] is None], "healed") if sent else None,
        "failover": failover, "expected": expected, "foreseen": is_foreseen,
        "inside": is_inside(failover, expected, is_foreseen) if sent else None,
        "split": came(primary.get("split")), "unasked": unasked(report, primary, beside),
        "redundant": span(primary.get("redundant")) if sent and primary.get("system") else None,
        "writes": writes([x for x in report["ledgers"] if x["probe"] not in beside]),
        "cut_side": writes([x for x in report["ledgers"] if x["probe"] in beside]),
        "advice": len(report["advice"]), "findings": report["findings"], "took": report["run"]["took_ns"], "at": report["run"]["started"],
    }


def seconds(value, unseen="-"):
    """Of a span, as reports have it, down for the low end and up for the high one: 4.2-4.7 s."""
    if value is None:
        return unseen
    if value == [0, None]:
        return "not seen"
    low = value[0] // 10**8 / 10
    if value[1] is None:
        return f"> {low:.1f} s"
    high = -(-value[1] // 10**8) / 10
    return f"{low:.1f} s" if low == high else f"{low:.1f}-{high:.1f} s"


def of_acked(value):
    return "-" if value is None else f"{'' if value['read'] else 'at least '}{value['lost']} of {value['acked']}"


def line(name, of):
    unseen = "unnoticed" if of["sent"] and of["clients"] else "-"
    healed = f" ({seconds(of['healed'])} after the undo)" if of["healed"] else ""
    return (f"{name:42} {of['verdict']:5} recovered {seconds(of['recovered'], unseen)}{healed}, "
            f"failover {seconds(of['failover'])} ({seconds(of['expected'])}), two primaries {seconds(of['split'])}, "
            f"lost {of_acked(of['writes'])}, cut side {of_acked(of['cut_side'])}, redundant {seconds(of['redundant'])}, "
            f"took {of['took'] / 1e9:.0f} s")


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        of_report = json.load(file)
    print(line(sys.argv[2] if len(sys.argv) > 2 else of_report["run"]["scenario"], figures(of_report)))

# table_text.py - the table of table.py as a page: what all runs of a drill come to, and the runs that want a reason.
# SPDX-License-Identifier: Apache-2.0
from figures import of_acked, seconds

# As its own test has it: a thawed Patroni 3.0 may take the lock back, and the run must then say what was lost.
# Of two standbys one is synchronous, and Patroni hands back to no other.
MAY_FAIL = {"patroni_primary_frozen": lambda of: of["verdict"] == "FAIL" and of["writes"]["read"] and of["writes"]["lost"] > 0,
            "patroni_switchover_back": lambda of: of["verdict"] == "INCONCLUSIVE" and "is no synchronous standby" in of["why"]}

HEAD = ["environment", "drill", "runs", "verdicts", "clients recovered", "failover", "predicted", "met it", "lost of acknowledged",
        "of the cut side", "two primaries", "redundant again"]

ABOUT = """\
# Every drill of a failover, {asked} times

Written by `make system-table` (table.py here): {when}.

The least and the most of the runs, each figure as its report has it. From the fault on: when the slowest of the clients was
served again; when another one led (where a step asks for that, from the step on); the range that the plan predicted from
the settings it read, and how many runs met it, which is that the two overlap. Acknowledged writes that were gone at the
end, those of clients on the old primary's side of a cut apart; how long two hosts led, or for how long the old one could not
be asked. From the undo on: when redundancy was whole. **Bold**: not as it should be; below the table is why.
A run that should be left as it is gets no advice: {advised}.
"""


def is_expected(drill, of):
    return of["verdict"] == "PASS" or (drill in MAY_FAIL and MAY_FAIL[drill](of))


def is_clean(of):
    """It passed, and no failover of it was outside its range: its settings want no change."""
    return of["verdict"] == "PASS" and of["inside"] is not False


def advised(runs):
    """What clean runs were advised, which should be nothing; figures of an older runner do not say."""
    clean = [run["figures"] for run in runs if run["figures"] and is_clean(run["figures"])]
    told = [of["advice"] for of in clean if "advice" in of]
    said = f"{len(clean)} clean runs (passed, no failover outside its range), {sum(map(bool, told))} with advice"
    return said + (f", of {len(clean) - len(told)} it is not known" if len(told) < len(clean) else "")


def is_exit_of(run):
    """The runner ended as the report says that it did."""
    return run["exit"] == run["figures"]["status"]


def plain_count(part, all_of, word):
    return f"{part} {word}" if part != all_of else word


def widest(spans):
    return seconds([min(x[0] for x in spans), max(x[1] for x in spans)])


def extent(spans, unseen):
    """From the least to the most, and how many of the runs have none."""
    came = [x for x in spans if x and x[1] is not None]
    never, none = sum(1 for x in spans if x and x[1] is None), sum(1 for x in spans if not x)
    parts = [widest(came)] if came else []
    parts += [f"**{plain_count(never, len(spans), 'not seen')}**"] if never else []
    parts += [plain_count(none, len(spans), unseen)] if none else []
    return ", ".join(parts) or "-"


def recovered(figures):
    """Where clients were served again only once the fault was undone, how long after that."""
    late = [x["healed"] for x in figures if x["healed"]]
    before = [x["recovered"] for x in figures if x["clients"] and not x["healed"]]
    parts = [extent(before, "noticed nothing")] if before else []
    if late:
        healed = [x for x in late if x[1] is not None]
        parts += [f"{plain_count(len(healed), len(figures), 'by the undo')}, {widest(healed)} after it"] if healed else []
        parts += [f"**{len(late) - len(healed)} never**"] if len(healed) < len(late) else []
    return ", ".join(parts) or "-"


def verdicts(drill, runs):
    """The expected ones first."""
    words = {}
    for run in runs:
        of = run["figures"]
        word = ("NO REPORT", False) if not of else (of["verdict"], is_expected(drill, of))
        words[word] = words.get(word, 0) + 1
    return ", ".join(f"{n} {word}" if good else f"**{n} {word}**"
                     for (word, good), n in sorted(words.items(), key=lambda x: (not x[0][1], x[0][0])))


def sum_of(figures, key):
    counts = [x[key] for x in figures if x[key]]
    if not counts:
        return "-"
    return of_acked({"lost": sum(x["lost"] for x in counts), "acked": sum(x["acked"] for x in counts),
                     "read": all(x["read"] for x in counts)})


def split(figures):
    """None seen is nothing known while the old one could not be asked."""
    seen = [x["split"] for x in figures if x["split"]]
    if not seen:
        return "-"
    blind = max(x["unasked"] for x in figures)
    span = [min(x[0] for x in seen), max(x[1] for x in seen)]
    return ("none" if span[1] == 0 else seconds(span)) + (f"; {blind / 1e9:.0f} s unasked" if blind and span[0] == 0 else "")


def predicted(figures):
    """Of runs to which it applies; each range that was foreseen."""
    ranges = sorted({tuple(x["expected"]) for x in figures if x["inside"] is not None})
    return " or ".join(seconds(x) for x in ranges) or "-"


def inside(figures):
    judged = [x["inside"] for x in figures if x["inside"] is not None]
    said = f"{sum(judged)} of {len(judged)}"
    return "-" if not judged else said if all(judged) else f"**{said}**"


def row(asked, drill, runs):
    all_of = [x["figures"] for x in runs if x["figures"]]
    sent = [x for x in all_of if x["sent"]]
    return [drill.environment, drill.name, str(len(runs)) if len(runs) >= asked else f"**{len(runs)} of {asked}**",
            verdicts(drill.name, runs) or "-", recovered(sent),
            extent([x["failover"] for x in sent], "none"), predicted(sent), inside(sent), sum_of(sent, "writes"),
            sum_of(sent, "cut_side"), split(sent), extent([x["redundant"] for x in sent], "not asked")]


def reasons(drill, run):
    """What of a run is not as it should be; [] where all is."""
    of = run["figures"]
    if not of:
        return [f"no report: {run['missing']}"]
    out = [] if is_exit_of(run) else [f"exit {run['exit']}, though its report says {of['status']}"]
    if of["inside"] is False:
        out.append(f"failover {seconds(of['failover'], 'none')}, predicted {seconds(of['expected'])}")
    if not is_expected(drill, of):
        out.append(f"{of['verdict']}: {of['why']}")
    if is_clean(of) and of.get("advice"):
        out.append("nothing was wrong, and a setting was advised")
    if of["redundant"] and of["redundant"][1] is None:
        out.append("redundancy was not seen restored")
    return out


def complaints(drill, runs):
    out = []
    for run in runs:
        why = reasons(drill, run)
        if not why:
            continue
        said = [x for x in (run["figures"] or {}).get("findings", ()) if x]
        out.append(f"- {drill}, run {run['number']} ({run['begun']}, load {run['load']} on {run['cores']} cores"
                   f"{'' if run['ready'] else ', the set was not whole before it'}): {'; '.join(why)}."
                   + (f" The report: {' '.join(said)}" if said else ""))
    return out


def when(runs):
    if not runs:
        return "nothing is measured"
    begun, loads = sorted(x["begun"] for x in runs), [x["load"] for x in runs]
    cores = " or ".join(sorted({str(x["cores"]) for x in runs}))
    return (f"{len(runs)} runs, begun {begun[0]} to {begun[-1]}, on {cores} cores with a load of {min(loads)} to {max(loads)}, "
            f"of version {', '.join(sorted({x['version'] for x in runs}))}")


def text(asked, drills, others, runs, down):
    """drills: environment -> its drills; runs: drill -> number -> run; down: environment -> why its lab is not up."""
    rows, out, unrun = [HEAD, ["---"] * len(HEAD)], [], []
    for environment, of in drills.items():
        mine = {drill.name: [runs[drill.name][n] for n in sorted(runs.get(drill.name, ()))] for drill in of}
        if not any(mine.values()):
            unrun.append(f"- {environment}: {', '.join(x.name for x in of)}" + (f". It was not up: {down[environment]}" if environment in down else ""))
            continue
        rows += [row(asked, drill, mine[drill.name]) for drill in of]
        out += [x for drill in of for x in complaints(drill.name, mine[drill.name])]
    every = [run for of in runs.values() for run in of.values()]
    parts = [ABOUT.format(asked=asked, when=when(every), advised=advised(every)),
             "".join("| " + " | ".join(x) + " |\n" for x in rows),
             "## Runs that want a reason\n\n" + ("\n".join(out) or "None.") + "\n"]
    parts += ["## Not run\n\n" + "\n".join(unrun) + "\n"] if unrun else []
    parts += ["Not in the table, for they watch nobody who leads: " + ", ".join(others) + ".\n"] if others else []
    return "\n".join(parts)

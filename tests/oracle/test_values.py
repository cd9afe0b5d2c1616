#!/usr/bin/env python3
"""Holds every value that a snapshot shows against what the program said of itself before it crashed.

testdata/programs/values prints each variable, and what it points to, and then frees, reuses and moves
whatever it can. A shown value that differs is false, and one false value fails. A variable that is
not shown must have a reason in its frame; one that the program uses after its wait must be shown.
Prints a table per build. Releases as in test_traceback.py; VALUES_FLAGS names builds, VALUES_SHOW
how many differences to print.
"""
import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import crash  # noqa: E402
import values  # noqa: E402

CORESNAP = pathlib.Path(os.environ.get("BUILD", "build")).resolve() / "coresnap"
SHOW = int(os.environ.get("VALUES_SHOW", "12"))
# Each is analysed with these caps as well: what they cut must be cut rightly.
TIGHT = ["--max-string", "9", "--max-elements", "2", "--max-depth", "2"]
OPTIONS = os.environ.get("VALUES_OPTIONS", "--globals main.*").split()
KEPT, ALL = {"default": 0.75}, {"noopt": 0.97}  # shares of variables that must be shown
CHANNEL = ("runtime.chansend", "runtime.chanrecv")
PARKING = CHANNEL + ("runtime.gopark", "runtime.selectgo")
# Go's own names for what a compiler adds; nobody wrote such a variable.
COMPILER = (".", "~", "go.")
# Variables that escaped from an inlined function: the compiler notes them with the one around it.
INLINED = {"main.holdNet": ("addr",)}


class Tally:
    """What one analysis showed, and where it was wrong."""

    def __init__(self):
        self.true = self.seen = self.partial = self.nodes = self.elsewhere = 0
        self.missing, self.within, self.unchecked = (collections.Counter() for _ in range(3))
        self.false, self.wrong = [], []  # false values; other complaints
        self.kept = 0, 0  # shown, of those that are used after the wait

    def add(self, comparer):
        self.nodes += comparer.compared
        self.within.update(comparer.missing)
        self.unchecked.update(comparer.unchecked)
        self.false += comparer.false


def analyze(made, options=()):
    done = subprocess.run([str(CORESNAP), "analyze", "--exe", str(made.exe), *OPTIONS, *options, str(made.core)],
                          capture_output=True, check=False, timeout=120)
    if done.returncode != 0:
        raise crash.Failed(done.stderr.decode(errors="replace").strip()[-500:])
    return json.loads(done.stdout, parse_int=lambda text: -0.0 if text == "-0" else int(text))


def frames_of(snapshot, row):
    """(function, which one of that name, counted from the outermost; the frame) for each, innermost first."""
    stack = [snapshot["frames"][i] for i in snapshot["stacks"][row["stack"]]] if row["stack"] is not None else []
    left, found = collections.Counter(values.plain(frame["function"] or "") for frame in stack), []
    for frame in stack:
        name = values.plain(frame["function"] or "")
        left[name] -= 1
        found.append((name, left[name], frame))
    return found


def name_of(path):
    return path.split(" ")[-1]


def is_zero(shown):
    """Unoptimised code clears its results when it begins."""
    return shown.get("value") in (0, "", False, "0") or bool(shown.get("nil"))


def best(truth, written, shown, facts, path):
    """A comparison with that of several variables of one name which fits best."""
    found = None
    for fact in facts:
        comparer = values.Comparer(truth, written)
        if fact.get("any"):
            comparer.compared = 1
        elif fact.get("absent"):
            if "unavailable" not in shown and not (name_of(path).startswith("~") and is_zero(shown)):
                comparer.wrong(path, f"nothing is assigned to it yet, ours {values.brief(shown)}")
        else:
            comparer.value(shown, fact["v"], path)
        if found is None or len(comparer.false) < len(found.false):
            found = comparer
    return found


def check_variable(tally, truth, written, key, shown):
    """One variable of `shown`; key: goroutine, function, which of them, name."""
    number, function, depth, name = key
    path = f"goroutine {number} {function} {name}"
    facts = [fact for fact in truth.variables.get((number, function, name), ()) if fact.get("depth", 0) == depth]
    if not facts:
        if (number, function) not in truth.functions or name.startswith(COMPILER) or name in INLINED.get(function, ()):
            tally.elsewhere += 1
        else:
            tally.false.append(f"{path}: the program has no such variable")
        return
    comparer = best(truth, written, shown, facts, path)
    tally.add(comparer)
    if comparer.false:
        return
    if values.is_readable(shown):
        tally.true += 1
    elif "unavailable" in shown:
        tally.missing[shown["unavailable"]] += 1
    else:
        tally.partial += 1


def check_missing(tally, truth, keys, frames, number):
    """Each variable of the program's that is not shown has a reason, and is not one that must be."""
    reasons = {}
    for function, depth, frame in frames:
        for row in frame["unavailable"] or []:
            reasons[function, depth, row["name"]] = row["reason"]
    present = {(function, depth) for function, depth, _ in frames}
    for (g, function, name), facts in truth.variables.items():
        for depth in {fact.get("depth", 0) for fact in facts}:
            if g != number or (function, depth) not in present or (function, depth, name) in keys:
                continue
            reason = reasons.get((function, depth, name))
            absent = all(fact.get("absent") for fact in facts)
            if reason is None and absent:
                continue  # a name that the compiler may not have
            tally.missing[reason or "no reason given"] += 1
            if absent and reason not in ("not assigned yet", "optimized out"):
                tally.wrong.append(f"goroutine {g} {function} {name}: {reason}, in truth nothing is assigned yet")


def check_goroutines(tally, truth, snapshot):
    required = []
    for row in snapshot["goroutines"]:
        frames, variables = frames_of(snapshot, row), row["variables"] or []
        written, keys = values.written(variables), {}
        for variable in variables:
            function, depth, _ = frames[variable["frame"]]
            keys.setdefault((function, depth, variable["name"]), []).append(variable["value"])
            check_variable(tally, truth, written, (row["id"], function, depth, variable["name"]), variable["value"])
        check_missing(tally, truth, keys, frames, row["id"])
        for (g, function, name), facts in truth.variables.items():
            for fact in facts if g == row["id"] else ():
                shown = keys.get((function, fact.get("depth", 0), name), [])
                kept = "keep" if fact.get("keep") else "may"
                if not fact.get("absent") and not fact.get("any"):
                    fine = [value for value in shown if values.is_readable(value) and
                            (kept == "may" or value.get("unavailable") != "not kept alive")]
                    required.append((kept, f"{function} {name}", bool(fine)))
    return required


def check_runtime(tally, snapshot):
    """Of the runtime's own frames: a channel operation's channel is what its goroutine waits on, and each
    goroutine's own g is nobody else's."""
    owners = {}
    for row in snapshot["goroutines"]:
        waits = {one["address"] for one in row["waiting_on"] or [] if one["kind"] == "channel"}
        frames = frames_of(snapshot, row)
        for variable in row["variables"] or []:
            function, value = frames[variable["frame"]][0], variable["value"]
            path = f"goroutine {row['id']} {function} {variable['name']}"
            if "pointer" not in value or not function.startswith("runtime."):
                continue
            if variable["name"] == "c" and function.startswith(CHANNEL) and row["status"] == "waiting" and \
                    value["pointer"] not in waits:  # one that was woken stands there still
                tally.false.append(f"{path}: {value['pointer']}, but it waits on {sorted(waits)}")
            if variable["name"] == "gp" and function.startswith(PARKING):
                if owners.setdefault(value["pointer"], row["id"]) != row["id"]:
                    tally.false.append(f"{path}: goroutine {owners[value['pointer']]} has it, too")


def check_channels(tally, truth, rows):
    for row in rows or []:
        want = truth.channels.get(row["address"])
        if want is None:
            continue
        comparer = values.Comparer(truth)
        form = {"kind": "chan", "type": "chan " + want["element_type"], "length": want["length"], "capacity": want["capacity"]}
        comparer.value(dict(row, kind="chan", type="chan " + row["element_type"]), form, "channel " + row["address"])
        for queue in ("send_queue", "receive_queue"):
            if row[queue + "_total"] != len(want[queue]):
                comparer.wrong(row["address"], f"{queue}_total {row[queue + '_total']}, in truth {len(want[queue])}")
        tally.add(comparer)


def check_globals(tally, truth, rows, required):
    shown = {row["name"]: row["value"] for row in rows or []}
    for name, fact in truth.globals.items():
        required.append(("keep", name, name in shown and values.is_readable(shown[name])))
        if name in shown:
            comparer = values.Comparer(truth, values.written([{"value": shown[name]}]))
            comparer.value(shown[name], fact["v"], name)
            if shown[name].get("address", fact["address"]) != fact["address"]:
                comparer.wrong(name, f"lies at {shown[name]['address']}, in truth at {fact['address']}")
            tally.add(comparer)
            tally.true += not comparer.false


def check_panic(tally, truth, snapshot):
    chain = snapshot["crash"]["values"] or []
    if len(chain) != 1:
        tally.wrong.append(f"crash.values has {len(chain)} panics, in truth 1")
        return
    comparer = values.Comparer(truth, values.written([{"value": chain[0]}]))
    want = dict(truth.other["panic"], type="interface {}")
    comparer.value(dict(chain[0], type="interface {}"), want, "crash.values[0]")
    tally.add(comparer)


def check(made, truth, snapshot):
    """(tally, [(keep or may, name, whether shown)]) of one snapshot."""
    tally = Tally()
    required = check_goroutines(tally, truth, snapshot)
    check_channels(tally, truth, snapshot.get("channels"))
    check_globals(tally, truth, snapshot.get("globals"), required)
    check_panic(tally, truth, snapshot)
    check_runtime(tally, snapshot)
    for row in snapshot["diagnostics"]:
        if "contradict" in row["code"]:
            tally.wrong.append(f"diagnostics: {row['code']}: {row['message']} ({row['count']})")
    return tally, required


def demands(case, required, tally):
    """How much must be shown. Without optimisation: whatever is used after the wait, and nearly all of the
    rest (a dead pointer into what is now somebody's stack is not). Otherwise most of what is used after
    the wait: the compiler computes some of it anew, and then it lies nowhere."""
    if case.flags in ("stripped", "w"):
        return
    kept = [row for row in required if row[0] == "keep"]
    tally.kept = sum(shown for _, _, shown in kept), len(kept)
    if case.flags == "noopt":
        lost = collections.Counter(name for _, name, shown in kept if not shown)
        tally.wrong += [f"{name} is not shown ({count})" for name, count in lost.items()]
    for what, rows, share in (("kept", kept, KEPT.get(case.flags, 1)), ("all", required, ALL.get(case.flags, 0))):
        shown = sum(shown for _, _, shown in rows)
        if shown < share * len(rows):
            tally.wrong.append(f"{shown} of {len(rows)} variables ({what}) are shown, wanted {share:.0%}")


def try_case(case):
    try:
        made = crash.crash(case)
        truth = values.Truth(made.truth)
        tally, required = check(made, truth, analyze(made))
        demands(case, required, tally)
        tight, _ = check(made, truth, analyze(made, TIGHT))
        tally.false += ["tight caps: " + text for text in tight.false]
    except crash.Skip as skip:
        return case, None, [], str(skip)
    except crash.Failed as error:
        return case, None, [str(error)], None
    return case, tally, tally.false + tally.wrong, None


def row(case, tally):
    gone = tally.missing
    total = tally.true + tally.partial + sum(gone.values())
    reasons = ", ".join(f"{count} {reason}" for reason, count in gone.most_common())
    print(f"{crash.go_version(case.release):<11} {case.run or case.flags:<9} {total:5} variables: {tally.true:5} true  "
          f"{len(tally.false):4} FALSE  {tally.partial:4} in part; {reasons}")
    within = ", ".join(f"{count} {reason}" for reason, count in tally.within.most_common())
    print(f"{'':21} {tally.kept[0]} of {tally.kept[1]} kept ones; {tally.nodes} values in them and globals; of parts: {within}; "
          f"{tally.elsewhere} variables and {sum(tally.unchecked.values())} parts that the program does not tell")


def main():
    releases = os.environ.get("ORACLE_RELEASES", "local").split()
    flags = os.environ.get("VALUES_FLAGS", "default noopt stripped").split()
    try:
        cases = [case for case in crash.cases(releases, only=("values",)) if case.flags in flags]
    except crash.Skip as skip:
        print(f"no crash of which the program's own values are known: {skip}")
        return 77
    fine, compared, skipped = True, 0, set()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for case, tally, problems, skip in pool.map(try_case, cases):
            if skip:
                skipped.add(skip)
                continue
            if tally:
                row(case, tally)
                compared += tally.nodes
            for line in problems[:SHOW]:
                print(f"    {line}")
            if len(problems) > SHOW:
                print(f"    and {len(problems) - SHOW} more")
            fine = fine and not problems
    for reason in sorted(skipped):
        print(f"skipped: {reason}")
    if compared == 0 and fine:
        return 77
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())

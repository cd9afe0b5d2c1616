#!/usr/bin/env python3
"""Holds the natural forms of well-known types against what the program wrote of them itself.

testdata/programs/forms has a value of each kind, prints its own text of it, and panics with all of
them. Each must have that text, read by the program's type data (crash.values, in stripped builds as
well) and by DWARF (main.gForms, main.gTyped). A text that differs is false and fails; so does one
that is missing, unless its release cannot tell (MISSING). The same for the cases of selects.
Releases as in test_traceback.py; FORMS_FLAGS names builds.
"""
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import crash  # noqa: E402

CORESNAP = pathlib.Path(os.environ.get("BUILD", "build")).resolve() / "coresnap"
OPTIONS = ["--globals", "main.g*", "--max-depth", "24", "--max-elements", "400"]
UNITS = {"h": 3600e9, "m": 60e9, "s": 1e9, "ms": 1e6, "µs": 1e3, "ns": 1}
DURATION = re.compile(r"-?(?:[\d.]+(?:h|ms|µs|ns|m|s))+")
SLACK_NS = 3e9  # the clock at the crash is the latest stamp that the runtime took
# What lies behind a select's cases may look like more of them, where some have no channel, and in any
# select that is not optimized: then no number of cases is proved.
UNPROVED = ("nil channels", "by reflection")
# Forms that a release's memory does not tell. Until 1.22 an IPv4 address is known by where the
# pointer beside it points, which only its package knows.
MISSING = {"netip0": (1, 22), "netip3": (1, 22), "netip.port4": (1, 22), "netip.prefix": (1, 22), "typed.Addr": (1, 22)}


def nanoseconds(text):
    sign = -1 if text.startswith("-") else 1
    return sign * sum(float(n) * UNITS[unit] for n, unit in re.findall(r"([\d.]+)(h|ms|µs|ns|m|s)", text))


class Check:
    def __init__(self, case):
        self.case, self.fine, self.false = case, 0, []
        self.missing = collections.Counter()

    def wrong(self, name, text):
        self.false.append(f"{name}: {text}")


def release_of(case):
    match = re.match(r"(?:go)?(\d+)\.(\d+)", crash.go_version(case.release))
    return int(match.group(1)), int(match.group(2))


def field(value, name):
    return next((one["value"] for one in value.get("fields", []) if one["name"] == name), None)


def inner(value):
    """What an interface, and behind it a pointer, holds."""
    while value and value.get("kind") in ("interface", "pointer"):
        value = value.get("dynamic_value") or value.get("target")
    return value or {}


def is_cut(value):
    """Whether a package variable's share of the document ended within this value."""
    return any(one.get("truncated") for one in (value, value.get("dynamic_value") or {}, inner(value)))


def plain(value):
    """A value as fmt.Sprint writes it, as far as the program's facts go."""
    value = inner(value)
    shown = value.get("value", value.get("text"))
    return json.dumps(shown) if isinstance(shown, bool) else str(shown)


def is_text(got, fact, now):
    want = fact["text"]
    if got in fact.get("or", ()):
        return True
    if "%d" not in want:
        return got == want
    before, after = want.split("%d")
    if not got.startswith(before) or not got.endswith(after):
        return False
    left = re.sub("^at (?:most|least) | (?:ago|left)$", "", got[len(before):len(got) - len(after)])
    if not DURATION.fullmatch(left):
        return False
    ago = got[len(before):].startswith("at least " + left + " ago")
    shown = -nanoseconds(left) if ago else nanoseconds(left)
    return abs(shown - (fact["until"] - now)) < SLACK_NS


def check_text(check, name, value, fact, now):
    got = value.get("text")
    if got is None:
        if "text" in fact and not (name.startswith("global") and is_cut(value)):
            last = MISSING.get(name.split(" ")[-1])
            if last and release_of(check.case) <= last:
                check.missing[name] += 1
            else:
                check.wrong(name, f"no text, in truth {fact['text']!r}")
        return
    if fact.get("none") or "text" in fact and not is_text(got, fact, now):
        check.wrong(name, f"text {got!r}, in truth {fact.get('text')!r} {fact.get('until', 0) - now}")
    elif "text" in fact:
        check.fine += 1


def check_content(check, name, value, fact):
    inside = inner(value)
    if "wraps" in fact:
        got = [one.get("text") for one in value.get("wraps", [])]
        if got != fact["wraps"]:
            check.wrong(name, f"wraps {got}, in truth {fact['wraps']}")
    elif value.get("wraps"):
        check.wrong(name, f"wraps {value['wraps']}, in truth nothing")
    if "length" in fact and inside.get("length") != fact["length"]:
        check.wrong(name, f"length {inside.get('length')}, in truth {fact['length']}")
    if "holds" in fact and inside.get("dynamic_type", (inside.get("target") or {}).get("type")) != fact["holds"]:
        check.wrong(name, f"holds {inside.get('dynamic_type')}, in truth {fact['holds']}")
    if "list" in fact and [plain(one) for one in inside.get("elements", [])] != fact["list"]:
        check.wrong(name, f"elements {[plain(one) for one in inside.get('elements', [])]}, in truth {fact['list']}")
    if "entries" in fact:
        got = {plain(one["key"]): plain(one["value"]) for one in inside.get("entries", [])} if "entries" in inside else \
            {one["name"]: one["value"]["value"] for one in inside.get("fields", []) if "value" in one["value"]}
        if {k: str(v) for k, v in got.items()} != {k: str(v) for k, v in fact["entries"].items()}:
            check.wrong(name, f"entries {str(got)[:200]}, in truth {str(fact['entries'])[:200]}")
    shown = [one["name"] for one in inside.get("fields", [])]
    for absent in fact.get("absent", []):
        if absent in shown:
            check.wrong(name, f"shows {absent}")


def check_forms(check, where, forms, facts, now):
    seen = set()
    for row in (forms or {}).get("elements", []):
        name = field(row, "Name")["value"]
        fact = facts.get("form." + name)
        if fact is None:
            check.wrong(f"{where} {name}", "the program said nothing of it")
            continue
        seen.add("form." + name)
        if field(row, "V") is None and where == "global":
            continue  # its share of the document ended here
        check_text(check, f"{where} {name}", field(row, "V"), fact, now)
        check_content(check, f"{where} {name}", field(row, "V"), fact)
    for name in facts if not (forms or {}).get("truncated") else ():
        if name.startswith("form.") and name not in seen:
            check.wrong(where, f"{name} is not shown")


def check_typed(check, where, typed, facts, now):
    for name, text in facts.items():
        if name.startswith("typed."):
            value = field(inner(typed), name[len("typed."):])
            check_text(check, f"{where} {name}", value or {}, {"text": text}, now)


def is_without_cases(row, key):
    """Whether this goroutine waits in that select, and nothing is said of its cases."""
    on = [w for w in row["waiting_on"] if w["kind"] == "channel"]
    return sorted((w["address"], w["operation"]) for w in on) == sorted(one[:2] for one in key) and \
        all(w["select_case"] is None for w in on)


def check_selects(check, snapshot, facts):
    wanted = collections.defaultdict(list)
    for name, fact in facts.items():
        if name.startswith("select."):
            wanted[fact["name"]].append(fact)
    channels = {row["address"]: row for row in snapshot["channels"]}
    for name, picks in wanted.items():
        key = sorted((one["channel"], one["operation"], one["case"]) for one in picks)
        found = [row for row in snapshot["goroutines"]
                 if sorted((w["address"], str(w["operation"]), -1 if w["select_case"] is None else w["select_case"])
                           for w in row["waiting_on"] if w["kind"] == "channel") == key]
        may_lack = name in UNPROVED or check.case.flags == "noopt"
        if not found and may_lack and any(is_without_cases(row, key) for row in snapshot["goroutines"]):
            check.missing[f"select of {name}"] += 1
            continue
        if len(found) != 1:
            check.wrong(f"select of {name}", f"{len(found)} goroutines wait so")
            continue
        check.fine += 1
        for one in picks:
            queue = channels[one["channel"]][one["operation"] + "_queue"]
            rows = [row for row in queue if row["goroutine"] == found[0]["id"] and row.get("select_case") == one["case"]]
            if len(rows) != 1:
                check.wrong(f"select of {name}", f"{one['channel']}'s queue has {len(rows)} rows of it")
            elif one["value"] and str(rows[0]["value"].get("value")) != one["value"]:
                check.wrong(f"select of {name}", f"sends {rows[0]['value'].get('value')}, in truth {one['value']}")


def check_spin(check, snapshot, facts):
    """What a function that never calls anything holds: in registers, which its preemption saved."""
    for row in snapshot["goroutines"]:
        frames = [snapshot["frames"][i]["function"] for i in snapshot["stacks"][row["stack"]]]
        if "main.spin" not in frames:
            continue
        shown = {one["name"]: one["value"] for one in row["variables"] if frames[one["frame"]] == "main.spin"}
        for name in ("sum", "scale", "step", "small"):
            got = shown.get(name, {}).get("value")
            if got is None and (name != "sum" or check.case.flags in ("stripped", "w")):
                continue
            if got != facts["spin." + name]:
                check.wrong(f"spin {name}", f"{shown.get(name)}, in truth {facts['spin.' + name]}")
            else:
                check.fine += 1
        return
    check.wrong("spin", "no goroutine is there")


def clock_of(facts):
    """The runtime's clock when the program had said all: a moment before it crashed."""
    return facts["now"]


def try_case(case):
    check = Check(case)
    try:
        made = crash.crash(case)
        done = subprocess.run([str(CORESNAP), "analyze", "--exe", str(made.exe), *OPTIONS, str(made.core)],
                              capture_output=True, check=False, timeout=120)
        if done.returncode != 0:
            raise crash.Failed(done.stderr.decode(errors="replace").strip()[-500:])
        snapshot, facts = json.loads(done.stdout), made.truth
    except crash.Skip as skip:
        return check, str(skip)
    except crash.Failed as error:
        check.wrong("analyze", str(error))
        return check, None
    now = clock_of(facts)
    catalogue = inner(snapshot["crash"]["values"][0])
    check_forms(check, "panic", field(catalogue, "Forms"), facts, now)
    check_typed(check, "panic", field(catalogue, "Typed"), facts, now)
    rows = {row["name"]: row["value"] for row in snapshot.get("globals") or []}
    if case.flags not in ("stripped", "w"):
        check_forms(check, "global", rows.get("main.gForms"), facts, now)
        check_typed(check, "global", rows.get("main.gTyped"), facts, now)
    check_selects(check, snapshot, facts)
    check_spin(check, snapshot, facts)
    return check, None


def main():
    releases = os.environ.get("ORACLE_RELEASES", "local").split()
    flags = os.environ.get("FORMS_FLAGS", "default noopt stripped").split()
    try:
        cases = [case for case in crash.cases(releases, only=("forms",)) if case.flags in flags]
    except crash.Skip as skip:
        print(f"no crash of which the program's own forms are known: {skip}")
        return 77
    fine, compared, skipped = True, 0, set()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for check, skip in pool.map(try_case, cases):
            if skip:
                skipped.add(skip)
                continue
            print(f"{crash.go_version(check.case.release):<11} {check.case.flags:<9} {check.fine:4} texts as in truth, "
                  f"{len(check.false)} FALSE or missing, {sum(check.missing.values())} that the release does not tell")
            for line in check.false[:40]:
                print(f"    {line}")
            compared += check.fine
            fine = fine and not check.false
    for reason in sorted(skipped):
        print(f"skipped: {reason}")
    if compared == 0 and fine:
        return 77
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())

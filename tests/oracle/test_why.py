#!/usr/bin/env python3
"""Holds the sentence `why` of each goroutine against what the program why says of it, and the threads'
states against what they must be. With the machine's Go or the releases in ORACLE_RELEASES.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import cases  # noqa: E402
import crash  # noqa: E402

CORESNAP = pathlib.Path(os.environ.get("BUILD", "build")).resolve() / "coresnap"
ANALYZE_SECONDS = 60


def why_differs(snapshot, truth):
    ours, wrong = {row["id"]: row["why"] for row in snapshot["goroutines"]}, []
    wanted = {int(name[4:]): pattern for name, pattern in truth.items() if name.startswith("why.")}
    if not wanted:
        wrong.append("the program told of no goroutine")
    for goroutine, pattern in wanted.items():
        if not re.fullmatch(pattern, ours.get(goroutine, "")):
            wrong.append(f"goroutine {goroutine}: '{pattern}', ours '{ours.get(goroutine)}'")
    return wrong


def threads_differ(snapshot):
    """What a thread does must agree with its goroutine, and one of them is the monitor."""
    rows, wrong = {row["id"]: row for row in snapshot["goroutines"]}, []
    states = [t["state"] for t in snapshot["threads"]]
    if states.count("monitor") != 1 or states.count("dying") != 1:
        wrong.append(f"threads: {states}")
    for thread in snapshot["threads"]:
        row = rows.get(thread["goroutine"])
        if thread["state"] == "syscall" and (not row or row["status"] != "syscall"):
            wrong.append(f"thread {thread['id']} is in a system call for {row}")
        if thread["state"] in ("parked", "polling", "spinning", "stopped") and row:
            wrong.append(f"thread {thread['id']} is {thread['state']} and has goroutine {row['id']}")
    return wrong


def try_case(case):
    """(case, [problems], goroutines compared, reason of a skip or None)."""
    try:
        made = crash.crash(case)
        done = subprocess.run([str(CORESNAP), "analyze", "--variables", "none", "--exe", str(made.exe),
                               str(made.core)], capture_output=True, timeout=ANALYZE_SECONDS, check=False)
        if done.returncode != 0:
            return case, [done.stderr.decode(errors="replace").strip()], 0, None
        snapshot, truth = json.loads(done.stdout), made.truth
        return case, why_differs(snapshot, truth) + threads_differ(snapshot), len(truth), None
    except crash.Skip as skip:
        return case, [], 0, str(skip)
    except (crash.Failed, subprocess.TimeoutExpired, ValueError, KeyError) as error:
        return case, [f"{type(error).__name__}: {error}"], 0, None


class Comparison(unittest.TestCase):
    """The comparison finds a difference."""

    def test_notices(self):
        snapshot = {"goroutines": [{"id": 4, "status": "waiting", "why": "sleeps"}],
                    "threads": [{"id": 1, "state": "monitor", "goroutine": None},
                                {"id": 2, "state": "dying", "goroutine": None}]}
        self.assertEqual(why_differs(snapshot, {"why.4": "sleeps"}) + threads_differ(snapshot), [])
        for truth in ({}, {"why.4": "sleep"}, {"why.5": "sleeps"}):
            self.assertEqual(len(why_differs(snapshot, truth)), 1)
        for state in ("parked", "syscall"):
            snapshot["threads"].append({"id": 3, "state": state, "goroutine": 4})
            self.assertEqual(len(threads_differ(snapshot)), 1)
            snapshot["threads"].pop()


if __name__ == "__main__":
    sys.exit(cases.main("why", try_case, "facts", "no program that says why"))

#!/usr/bin/env python3
"""Holds the run queues of a snapshot against the order in which the program, let go on, really ran them.

The program order fills the queues of its one processor, dumps a copy of itself and prints later who
ran when. From the snapshot follows an order by the scheduler's rules (runtime/proc.go findRunnable): the
two must be the same. With the machine's Go or the releases in ORACLE_RELEASES.
"""
import json
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import cases  # noqa: E402
import crash  # noqa: E402

CORESNAP = pathlib.Path(os.environ.get("BUILD", "build")).resolve() / "coresnap"
ANALYZE_SECONDS = 60
GLOBAL_EVERY = 61   # findRunnable: every so many ticks the global queue comes first
LOCAL_SIZE = 256


def expected(scheduler):
    """The goroutines of all queues in the order in which one processor will run them."""
    busy = [p for p in scheduler["processors"] if p["queue"] or p["run_next"]]
    if len(scheduler["processors"]) != 1 and len(busy) > 1:
        raise ValueError("more than one processor has something to run")
    p = (busy or scheduler["processors"])[0]
    ids = lambda refs: [ref["goroutine"] for ref in refs]  # noqa: E731
    local, waiting = ids(p["queue"]), ids(scheduler["global_queue"])
    run_next = ids([p["run_next"]] if p["run_next"] else [])
    tick, order = p["schedule_tick"], []
    while local or waiting or run_next:
        if waiting and tick % GLOBAL_EVERY == 0:
            order.append(waiting.pop(0))
        elif run_next:  # it shares the time slice: no tick
            order.append(run_next.pop())
            continue
        elif local:
            order.append(local.pop(0))
        else:
            count = min(len(waiting), len(waiting) // scheduler["gomaxprocs"] + 1, LOCAL_SIZE // 2)
            order.append(waiting[0])
            local, waiting = waiting[1:count], waiting[count:]
        tick += 1
    return order


def places_differ(snapshot):
    """Each goroutine's sentence must say the place that the queues have it at."""
    why = {row["id"]: row["why"] for row in snapshot["goroutines"]}
    scheduler, wrong = snapshot["scheduler"], []
    queues = [("the global queue", scheduler["global_queue"])]
    queues += [(f"processor {p['id']}'s queue", ([p["run_next"]] if p["run_next"] else []) + p["queue"])
               for p in scheduler["processors"]]
    for name, queue in queues:
        for position, ref in enumerate(queue, 1):
            number, _, rest = why[ref["goroutine"]].partition(" in ")
            if int(number[:-2]) != position or not rest.startswith(name):
                wrong.append(f"goroutine {ref['goroutine']}: {position} in {name}, says {why[ref['goroutine']]}")
    return wrong


def differs(snapshot, truth):
    ours = [g for g in expected(snapshot["scheduler"]) if g in set(truth)]
    if ours == truth:
        return []
    at = next((i for i, (a, b) in enumerate(zip(ours, truth)) if a != b), min(len(ours), len(truth)))
    return [f"of {len(truth)} that ran, ours has {len(ours)}; from {at} on {truth[at:at + 6]}, "
            f"ours {ours[at:at + 6]}"]


def try_case(case):
    """(case, [problems], goroutines compared, reason of a skip or None)."""
    try:
        made = crash.crash(case)
        truth = made.truth["order"]
        done = subprocess.run([str(CORESNAP), "analyze", "--variables", "none", "--exe", str(made.exe),
                               str(made.core)], capture_output=True, timeout=ANALYZE_SECONDS, check=False)
        if done.returncode != 0:
            return case, [done.stderr.decode(errors="replace").strip()], 0, None
        snapshot = json.loads(done.stdout)
        return case, differs(snapshot, truth) + places_differ(snapshot), len(truth), None
    except crash.Skip as skip:
        return case, [], 0, str(skip)
    except (crash.Failed, subprocess.TimeoutExpired, ValueError, KeyError) as error:
        return case, [f"{type(error).__name__}: {error}"], 0, None


def queues(local, waiting=(), run_next=None, tick=1):
    def refs(ids):
        return [{"goroutine": g} for g in ids]
    return {"gomaxprocs": 1, "global_queue": refs(waiting),
            "processors": [{"id": 0, "queue": refs(local), "schedule_tick": tick,
                            "run_next": {"goroutine": run_next} if run_next else None}]}


class Comparison(unittest.TestCase):
    """The rules, and that the comparison finds a difference."""

    def test_rules(self):
        self.assertEqual(expected(queues([2, 3], run_next=9)), [9, 2, 3])
        self.assertEqual(expected(queues([2, 3], waiting=[7, 8])), [2, 3, 7, 8])
        self.assertEqual(expected(queues([2, 3], waiting=[7, 8], run_next=9, tick=60)), [9, 2, 7, 3, 8])
        self.assertEqual(expected(queues([2, 3], waiting=[7, 8], run_next=9, tick=61)), [7, 9, 2, 3, 8])

    def test_notices(self):
        snapshot = {"scheduler": queues([2, 3])}
        self.assertEqual(differs(snapshot, [2, 3]), [])
        self.assertNotEqual(differs(snapshot, [3, 2]), [])
        self.assertNotEqual(differs(snapshot, [2, 3, 4]), [])


if __name__ == "__main__":
    sys.exit(cases.main("order", try_case, "goroutines", "no program with full queues"))

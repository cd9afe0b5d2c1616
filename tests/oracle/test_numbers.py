#!/usr/bin/env python3
"""Holds `memory`, `gc`, `timers` and `descriptors` against what the program numbers says of itself just
before it crashes: runtime.ReadMemStats and runtime/metrics field by field, its timers, its descriptors.

With the machine's Go or the releases in ORACLE_RELEASES; default and stripped builds.
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
SECOND, HOUR = 10 ** 9, 3600 * 10 ** 9
SLACK = 2 * SECOND  # between setting a timer and the crash, on a busy machine

# What the runtime keeps in variables that are not read, or counts with the world stopped.
NOT_COMPUTED = re.compile(r"/cgo/|/gc/limiter/|/gc/stack/starting-size|/gc/finalizers/"
                          r"|/sched/goroutines/|/sched/threads/")
# Waiting for the runtime's own locks goes on while the world starts again after the reading.
GROWS = "/sync/mutex/wait/total:seconds"
STACK_SPAN = 32768  # bytes: runtime/stack.go _StackCacheSize
MOST_MOVED = 2
# Floats that the runtime divides out are compared to the last digit but one.
RELATIVE_ERROR = 1e-15


def read_truth(text):
    return {name: json.loads(value) for name, value in re.findall(r"^(\S+) = (.*)$", text, re.M)}


def is_same(ours, theirs):
    if isinstance(theirs, float):
        return ours is not None and abs(ours - theirs) <= RELATIVE_ERROR * max(abs(ours), abs(theirs))
    if isinstance(theirs, int) and theirs > 2 ** 63 - 1:  # no JSON reader takes it: "none"
        return ours is None
    return ours == theirs


def stats_differ(memory, truth):
    ours, wrong = memory["mem_stats"], []
    for name, value in truth.items():
        group, _, key = name.partition(".")
        if group == "stats":
            mine = ours.get(key, "nothing")
        elif group == "sizes":
            mine = [row[key] for row in ours["BySize"]]
        else:
            continue
        if not is_same(mine, value):
            wrong.append(f"MemStats.{key}: {value}, ours {mine}")
    return wrong


def metrics_differ(memory, truth):
    wrong, names = [], [name for name in truth if name.startswith("metric.")]
    if len(names) < 20:
        wrong.append(f"the program told of {len(names)} metrics only")
    for name in names:
        key = name[len("metric."):]
        if key not in memory["metrics"]:
            if not NOT_COMPUTED.match(key):
                wrong.append(f"{key} is not there")
        elif key == GROWS and memory["metrics"][key] >= truth[name]:
            continue
        elif not is_same(memory["metrics"][key], truth[name]):
            wrong.append(f"{key}: {truth[name]}, ours {memory['metrics'][key]}")
    return wrong


def gc_differs(gc, truth):
    ours = {"cycles": "NumGC", "forced_cycles": "NumForcedGC", "heap_goal": "NextGC",
            "pause_total_ns": "PauseTotalNs"}
    wrong = [f"gc.{mine}: {truth['stats.' + theirs]}, ours {gc[mine]}" for mine, theirs in ours.items()
             if not is_same(gc[mine], truth["stats." + theirs])]
    cycles = truth["stats.NumGC"]
    pauses = [truth["stats.PauseNs"][(n + 255) % 256] for n in range(cycles, max(0, cycles - 256), -1)]
    if gc["last_pauses_ns"] != pauses:
        wrong.append(f"gc.last_pauses_ns: {pauses[:4]}…, ours {gc['last_pauses_ns'][:4]}…")
    if gc["finalizers_queued"] != truth["finalizers"]:
        wrong.append(f"finalizers: {truth['finalizers']}, ours {gc['finalizers_queued']}")
    if (gc["cleanups_queued"] or 0) != truth["cleanups"]:
        wrong.append(f"cleanups: {truth['cleanups']}, ours {gc['cleanups_queued']}")
    return wrong


def timers_differ(timers, truth):
    """Each timer that the program has set is there once, and no other of its own."""
    wanted = [("time.goFunc", "main.later", None, 2 * HOUR), ("time.goFunc", "main.later", None, 3 * HOUR),
              ("time.sendTime", None, None, 5 * HOUR),
              ("runtime.goroutineReady", None, truth["sleeper"], 4 * HOUR),
              ("runtime.netpollReadDeadline", None, None, HOUR)]
    # Until 1.22 every ticker is in a heap, since then only one that somebody waits for.
    optional = [("time.sendTime", None, None, HOUR // 2)]
    wrong, left = [], list(timers)
    for function, starts, goroutine, fires in wanted + optional:
        found = [t for t in left if t["function"] == function and t["starts"] == starts and
                 t["goroutine"] == goroutine and abs(t["fires_in_ns"] - fires) < SLACK]
        if len(found) == 1:
            left.remove(found[0])
        elif (function, starts, goroutine, fires) in wanted:
            wrong.append(f"timer {function} {starts} in {fires / HOUR} h: {len(found)} times")
    wrong += [f"a timer that nobody set: {t}" for t in left if t["function"] != "runtime.goroutineReady"
              and not str(t["function"]).startswith("runtime.")]
    if [t["fires_in_ns"] for t in timers] != sorted(t["fires_in_ns"] for t in timers):
        wrong.append("timers are not in the order in which they fire")
    return wrong


def descriptors_differ(descriptors, truth):
    ours, wrong = {d["fd"]: d for d in descriptors}, []
    fds = {truth[name]: name[3:] for name in truth if name.startswith("fd.")}
    if set(ours) != set(fds) or len(descriptors) != len(ours):
        wrong.append(f"descriptors {sorted(fds)}, ours {sorted(d['fd'] for d in descriptors)}")
    for fd, name in fds.items():
        side = ours.get(fd, {}).get("read", {})
        if side.get("goroutine") != truth.get("reader." + name):
            wrong.append(f"fd {fd} ({name}): goroutine {truth.get('reader.' + name)} reads, "
                         f"ours {side.get('goroutine')}")
        deadline = side.get("deadline_in_ns")
        if (deadline is None) != (name != "deadline") or (deadline and abs(deadline - HOUR) > SLACK):
            wrong.append(f"fd {fd} ({name}): deadline in {deadline}")
    return wrong


def move_stacks(memory, truth):
    """The truth where spans of stacks were taken or given back since the program read it, as a stack that
    grows does: all six numbers that tell of them must have moved by as much."""
    moved = truth.get("stats.StackInuse", 0) - memory["mem_stats"].get("StackInuse", 0)
    if moved % STACK_SPAN or abs(moved) > MOST_MOVED * STACK_SPAN:
        return truth
    truth = dict(truth)
    for sign, names in ((1, ("stats.HeapSys", "stats.HeapIdle", "metric./memory/classes/heap/free:bytes")),
                        (-1, ("stats.StackInuse", "stats.StackSys", "metric./memory/classes/heap/stacks:bytes"))):
        for name in names:
            if name in truth:
                truth[name] += sign * moved
    return truth


def differs(snapshot, truth):
    memory = snapshot["memory"]
    if memory is None or snapshot["gc"] is None:
        return ["no memory, no gc"]
    truth = move_stacks(memory, truth)
    return stats_differ(memory, truth) + metrics_differ(memory, truth) + gc_differs(snapshot["gc"], truth) + \
        timers_differ(snapshot["timers"], truth) + descriptors_differ(snapshot["descriptors"], truth)


def try_case(case):
    """(case, [problems], values compared, reason of a skip or None)."""
    try:
        made = crash.crash(case)
        truth = read_truth((made.dir / "stdout").read_text())
        done = subprocess.run([str(CORESNAP), "analyze", "--variables", "none", "--exe", str(made.exe),
                               str(made.core)], capture_output=True, timeout=ANALYZE_SECONDS, check=False)
        if done.returncode != 0:
            return case, [done.stderr.decode(errors="replace").strip()], 0, None
        return case, differs(json.loads(done.stdout), truth), len(truth), None
    except crash.Skip as skip:
        return case, [], 0, str(skip)
    except (crash.Failed, subprocess.TimeoutExpired, ValueError, KeyError) as error:
        return case, [f"{type(error).__name__}: {error}"], 0, None


class Comparison(unittest.TestCase):
    """The comparison finds each kind of difference that it is there for."""

    def test_numbers(self):
        self.assertTrue(is_same(None, 2 ** 64 - 1))
        self.assertFalse(is_same(2 ** 62, 2 ** 64 - 1))
        self.assertTrue(is_same(0.1 + 0.2, 0.30000000000000004))
        self.assertFalse(is_same(0.1, 0.10001))
        self.assertFalse(is_same("nothing", 0))

    def test_stats(self):
        memory = {"mem_stats": {"Alloc": 5, "BySize": [{"Size": 8}]}}
        self.assertEqual(stats_differ(memory, {"stats.Alloc": 5, "sizes.Size": [8]}), [])
        for truth in ({"stats.Alloc": 6}, {"stats.Sys": 5}, {"sizes.Size": [16]}):
            self.assertEqual(len(stats_differ(memory, truth)), 1)

    def test_moved_stacks(self):
        truth = {"stats.HeapSys": 100, "stats.HeapIdle": 50, "stats.StackInuse": 2 * STACK_SPAN}
        self.assertEqual(move_stacks({"mem_stats": {"StackInuse": STACK_SPAN}}, truth),
                         {"stats.HeapSys": 100 + STACK_SPAN, "stats.HeapIdle": 50 + STACK_SPAN,
                          "stats.StackInuse": STACK_SPAN})
        self.assertEqual(move_stacks({"mem_stats": {"StackInuse": STACK_SPAN - 1}}, truth), truth)

    def test_descriptors(self):
        row = {"fd": 3, "read": {"goroutine": 7, "deadline_in_ns": None}}
        truth = {"fd.accept": 3, "reader.accept": 7}
        self.assertEqual(descriptors_differ([row], truth), [])
        for other in ([], [row, row], [dict(row, fd=4)], [dict(row, read={"goroutine": 8})],
                      [dict(row, read={"goroutine": 7, "deadline_in_ns": 5})]):
            self.assertNotEqual(descriptors_differ(other, truth), [])


if __name__ == "__main__":
    sys.exit(cases.main("numbers", try_case, "values", "no program that counts itself"))

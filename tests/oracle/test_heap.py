#!/usr/bin/env python3
"""Holds what analyzer/heap reaches in the core of testdata/programs/heapwalk against what the collector
of that process itself had found alive just before: all objects, and those of each size class; and
against the program's own count of what it keeps. Releases of ORACLE_RELEASES, or the machine's Go.
"""
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import crash  # noqa: E402

DUMP = pathlib.Path(os.environ.get("BUILD", "build")).resolve() / "tools" / "heap-dump"
# Between its last cycle and the signal the runtime itself allocates, and a goroutine starts or ends.
SLACK = 40
CLASS_SLACK = 12
RUNTIMES_OWN = 16  # objects of such a size
GARBAGE = 2500  # at least: what the program throws away behind its last cycle


def dump(made):
    done = subprocess.run([str(DUMP), str(made.exe), str(made.core)], capture_output=True, timeout=120,
                          text=True, check=False)
    if done.returncode != 0:
        raise crash.Failed(done.stderr.strip())
    return json.loads(done.stdout)


def differs(heap, truth):
    """What of the two does not agree, a line each."""
    wrong = []
    if heap["why_not"]:
        wrong.append(f"not whole: {heap['why_not']}")
    if abs(heap["live_objects"] - truth["heap.objects"]) > SLACK:
        wrong.append(f"{heap['live_objects']} objects reached, the collector kept {truth['heap.objects']}")
    if heap["objects"] - heap["live_objects"] < GARBAGE:
        wrong.append(f"only {heap['objects'] - heap['live_objects']} of {heap['objects']} are garbage")
    for name, expected in truth.items():
        kind, _, size = name.partition(".n")
        allocated, live = heap["classes"].get(size, (0, 0))
        if kind == "class" and abs(live - expected) > CLASS_SLACK:
            wrong.append(f"size {size}: {live} of {allocated} reached, the collector kept {expected}")
        if kind == "nodes" and not 0 <= live - expected <= RUNTIMES_OWN:
            wrong.append(f"size {size}: {live} reached, the program keeps {expected}")
    return wrong


def main():
    releases = os.environ.get("ORACLE_RELEASES", "local").split()
    fine, total, skipped = True, 0, set()
    try:
        cases = list(crash.cases(releases, ("heapwalk",), full=bool(os.environ.get("ORACLE_FULL"))))
    except crash.Skip as skip:
        print(f"no heap to look at: {skip}")
        return 77
    for case in cases:
        try:
            made = crash.crash(case)
            heap = dump(made)["heap"]
            wrong = differs(heap, made.truth)
            kept = made.truth["heap.objects"]
        except crash.Skip as skip:
            skipped.add(str(skip))
            continue
        except (crash.Failed, subprocess.TimeoutExpired, ValueError, KeyError) as error:
            heap, kept = {"objects": 0, "live_objects": 0}, 0
            wrong = [f"{type(error).__name__}: {error}"]
        total += 1
        print(f"{crash.go_version(case.release):<11} {case.name:<28} {heap['live_objects']} of "
              f"{heap['objects']} objects, the collector {kept}  {'NO' if wrong else 'ok'}")
        for line in wrong:
            print(f"    {line}")
            fine = False
    for reason in sorted(skipped):
        print(f"skipped: {reason}")
    return (77 if not total else 0) if fine else 1


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Holds deadlocks and leaked goroutines of a snapshot against what the programs say of themselves.

testdata/programs/hangs has a hang of each kind, each with its true verdict; testdata/programs/busy has
healthy programs, and any verdict on them is a false alarm. Both print the verdict before they are
stopped; goroutines go by the outermost function of the program's own on their stacks. Where the
runtime has a goroutine leak profile of its own, the program prints what that found, and ours must be
equal. Every verdict must come with its evidence in words. Releases as in test_traceback.py; HANGS_RUNS
names runs.
"""
import collections
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import crash  # noqa: E402

CORESNAP = pathlib.Path(os.environ.get("BUILD", "build")).resolve() / "coresnap"


def analyze(made):
    done = subprocess.run([str(CORESNAP), "analyze", "--variables", "none", "--exe", str(made.exe), str(made.core)],
                          capture_output=True, check=False, timeout=120)
    if done.returncode != 0:
        raise crash.Failed(done.stderr.decode(errors="replace").strip()[-500:])
    return json.loads(done.stdout)


class Names:
    """Goroutines by the function that the program started them with, whatever wraps it."""

    def __init__(self, snapshot):
        self.names = {}
        for row in snapshot["goroutines"]:
            stack = [] if row["stack"] is None else snapshot["stacks"][row["stack"]]
            frames = [snapshot["frames"][i]["function"] for i in stack]
            # go1.21 names the wrapper of `go f(x)` gowrap1, earlier releases func1.
            own = [name for name in frames if name.startswith("main.")]
            while len(own) > 1 and is_wrapper(own[-1]):
                own.pop()
            self.names[row["id"]] = own[-1] if own else row["start"]

    def of(self, ids):
        return [self.names[one] for one in ids]


# The functions of the hangs that are closures in the source, too.
CLOSURES = ("main.(*group).Go.func1", )


def is_wrapper(name):
    last = name.rsplit(".", 1)[-1]
    return name not in CLOSURES and (last.startswith("gowrap") or last.rstrip("0123456789") in ("func", "dwrap·", "·dwrap·"))


def check_sync(snapshot):
    """Every lock that is waited for is in the table, with its waiters."""
    wrong = []
    rows = {row["address"]: row for row in snapshot["sync"]}
    kinds = ("mutex", "rwmutex", "waitgroup", "cond", "once")
    for row in snapshot["goroutines"]:
        for on in row["waiting_on"]:
            if on["kind"] not in kinds:
                continue
            if on["address"] is None:
                wrong.append(f"goroutine {row['id']}: nobody knows which {on['kind']}")
            elif row["id"] not in rows.get(on["address"], {"waiters": []})["waiters"]:
                wrong.append(f"goroutine {row['id']} is no waiter of {on['kind']} {on['address']}")
        if row["status"] == "waiting" and row["wait_reason"] in REASONS and not row["waiting_on"]:
            wrong.append(f"goroutine {row['id']} waits ({row['wait_reason']}) on nothing")
    return wrong


REASONS = ("chan receive", "chan send", "select", "semacquire", "sync.Mutex.Lock", "sync.RWMutex.Lock", "IO wait",
           "sync.RWMutex.RLock", "sync.WaitGroup.Wait", "sync.Cond.Wait", "sleep", "coroutine")


def check_evidence(snapshot):
    told = {row["goroutine"] for row in snapshot["blocking"]["evidence"] if row["text"]}
    accused = set(snapshot["blocking"]["leaked"]).union(*snapshot["blocking"]["deadlocks"])
    return [f"goroutine {one}: a verdict without evidence" for one in sorted(accused - told)]


def check_blamed(snapshot):
    """Whoever waits in a ring stands first."""
    rings = snapshot["blocking"]["deadlocks"]
    if rings and not set(snapshot["crash"]["blamed"]) & set().union(*rings):
        return [f"blamed: {snapshot['crash']['blamed']}, but in deadlocks are {rings}"]
    return []


def differences(what, got, want):
    """Counters compared, a line for each false and each missing verdict."""
    return [f"{what}: {name} {count} too many: FALSE" for name, count in (got - want).items()] + \
        [f"{what}: {name} {count} missing" for name, count in (want - got).items()]


def check_crash(made):
    snapshot, truth = analyze(made), made.truth
    names = Names(snapshot)
    rings = collections.Counter(" + ".join(sorted(names.of(ring))) for ring in snapshot["blocking"]["deadlocks"])
    wanted = collections.Counter(" + ".join(sorted(ring)) for ring in truth["hang.deadlocks"])
    leaked = collections.Counter(names.of(snapshot["blocking"]["leaked"]))
    wrong = differences("deadlock", rings, wanted)
    wrong += differences("leaked", leaked, collections.Counter(truth["hang.leaked"]))
    if "hang.profile" in truth:
        wrong += differences("the runtime's profile", leaked, collections.Counter(truth["hang.profile"]))
    wrong += check_sync(snapshot) + check_evidence(snapshot) + check_blamed(snapshot)
    return wrong, sum(rings.values()) + sum(leaked.values())


ATTEMPTS = 3


def check_case(case):
    """A word left behind on the stack of a thread that was just looking for work may keep anything alive,
    and then a verdict is honestly missing: the program is stopped anew. A false verdict never passes."""
    for attempt in range(ATTEMPTS):
        made = crash.crash(case)
        wrong, verdicts = check_crash(made)
        if not wrong or not all(line.endswith("missing") for line in wrong):
            break
        if attempt < ATTEMPTS - 1:
            shutil.rmtree(made.dir)
    return wrong, verdicts


def try_case(case):
    try:
        wrong, verdicts = check_case(case)
    except crash.Skip as skip:
        return case, [], 0, str(skip)
    except crash.Failed as error:
        return case, [str(error)], 0, None
    return case, wrong, verdicts, None


def main():
    releases = os.environ.get("ORACLE_RELEASES", "local").split()
    runs = os.environ.get("HANGS_RUNS", "").split()
    try:
        cases = [case for case in crash.cases(releases, ("hangs", "busy"), full="ORACLE_FULL" in os.environ)
                 if not runs or case.run in runs]
    except crash.Skip as skip:
        print(f"no hang to look at: {skip}")
        return 77
    fine, tried, skipped = True, 0, set()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for case, wrong, verdicts, skip in pool.map(try_case, cases):
            if skip:
                skipped.add(skip)
                continue
            tried += 1
            print(f"{crash.go_version(case.release):<11} {case.name:<28} {verdicts} verdicts  "
                  f"{'NO' if wrong else 'ok'}")
            for line in wrong:
                print(f"    {line}")
                fine = False
    for reason in sorted(skipped):
        print(f"skipped: {reason}")
    if not tried and fine:
        return 77
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())

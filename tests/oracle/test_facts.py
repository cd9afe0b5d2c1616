#!/usr/bin/env python3
"""Holds a snapshot against facts that the program printed about itself before it crashed: keys that
no traceback shows. Lines `name = JSON` on its stdout; FACTS says what each name is compared with.
Releases and programs as in test_traceback.py.
"""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import agree  # noqa: E402
import crash  # noqa: E402

CORESNAP = pathlib.Path(os.environ.get("BUILD", "build")).resolve() / "coresnap"
WAIT_SLACK_NS = 200e6  # between a goroutine's park and the print, on a busy machine
ALLOC_SLACK = 64 << 10  # what printing the facts allocates


def users(snapshot):
    return [row for row in snapshot["goroutines"] if not row["system"] and row["status"] != "dead"]


def goroutines(snapshot, want):
    """runtime.NumGoroutine leaves out the runtime's own."""
    got = len(users(snapshot))
    return None if got == want else f"{got} user goroutines"


def gomaxprocs(snapshot, want):
    got = snapshot["scheduler"]["gomaxprocs"]
    processors = len(snapshot["scheduler"]["processors"])
    return None if got == want == processors else f"gomaxprocs {got}, {processors} processors"


def labels(snapshot, want):
    got = [row["labels"] for row in users(snapshot) if row["labels"]]
    missing = [one for one in want if one not in got]
    return f"nobody has {missing[0]}" if missing else \
        None if len(got) == len(want) else f"{len(got)} goroutines have labels"


def waited(snapshot, function, want):
    """Every goroutine that waits in `function` did so for `want` ns, and a little more."""
    rows = [row for row in users(snapshot) if row["id"] != 1 and row["status"] == "waiting" and
            any(frame["function"] == function for frame in agree.stack_of(snapshot, row))]
    if not rows:
        return "nobody waits in it"
    for row in rows:
        least, most = row["wait_min_ns"], row["wait_max_ns"]
        if least is not None and least > want + WAIT_SLACK_NS:
            return f"goroutine {row['id']}: at least {least} ns is too much"
        if most is not None and most < want - WAIT_SLACK_NS:
            return f"goroutine {row['id']}: at most {most} ns is too little"
    return None


def equal(*path):
    def check(snapshot, want):
        got = snapshot
        for key in path:
            got = got[key]
        return None if got == want else f"{got!r}"
    return check


def args(snapshot, want):
    """The program knows its own name by the path that it was started with."""
    got = snapshot["process"]["args"]
    return None if got == want else f"{got}"


def at_least(slack, *path):
    """The same, or a little above: the program went on allocating after it looked."""
    def check(snapshot, want):
        got = snapshot
        for key in path:
            got = got[key]
        return None if got is None or want <= got <= want + slack else f"{got}"
    return check


FACTS = {
    "goroutines": goroutines, "gomaxprocs": gomaxprocs, "labels": labels, "args": args,
    "pid": equal("process", "pid"), "go_version": equal("binary", "go_version"),
    "gc.cycles": equal("gc", "cycles"), "gc.pause_total_ns": equal("gc", "pause_total_ns"),
    "gc.last_pause_ns": lambda s, want: None if s["gc"]["last_pauses_ns"][:1] == [want]
    else f"{s['gc']['last_pauses_ns'][:3]}",
    "died.goroutine": equal("crash", "goroutine"), "died.blamed": equal("crash", "blamed"),
    "traceback_level": equal("runtime", "traceback_level"),
    "died.address": equal("crash", "signal", "address"),
    "memory.heap_alloc": lambda s, want: at_least(ALLOC_SLACK, "memory", "heap_alloc")(s, want)
    if "heap_alloc" in (s.get("memory") or {}) else None,
}
ELSEWHERE = ("crash.kind", "crash.message", "crash.goroutine", "crash.thread", "crash.blamed", "gc.heap_goal")  # the traceback test's


def check_crash(made):
    """[problems] of one crash, and how many facts it was held against."""
    output = subprocess.run([str(CORESNAP), "analyze", "--exe", str(made.exe), str(made.core)],
                            capture_output=True, check=False, timeout=120)
    if output.returncode != 0:
        return [output.stderr.decode(errors="replace").strip()[-500:]], 0
    snapshot, wrong, count = json.loads(output.stdout), [], 0
    for name, want in made.truth.items():
        if name in ELSEWHERE:
            continue
        count += 1
        if name.startswith("wait."):
            problem = waited(snapshot, name[len("wait."):], want)
        else:
            problem = FACTS[name](snapshot, want)
        if problem:
            wrong.append(f"{name}: the program says {want!r}, ours: {problem}")
    return wrong, count


def try_case(case):
    try:
        made = crash.crash(case)
    except crash.Skip as skip:
        return case, [], 0, str(skip)
    except crash.Failed as error:
        return case, [str(error)], 0, None
    wrong, count = check_crash(made)
    return case, wrong, count, None


def main():
    releases = os.environ.get("ORACLE_RELEASES", "local").split()
    try:
        only = os.environ.get("ORACLE_PROGRAMS", "").split()
        cases = [case for case in crash.cases(releases, only, all_flags=False)
                 if case.program in ("bus", "c-thread", "facts", "handler", "labels", "level", "longwait", "many", "parents", "queues", "spin")]
    except crash.Skip as skip:
        print(f"no crash of which the program's own facts are known: {skip}")
        return 77
    cases.sort(key=lambda case: not case.slow)
    fine, total, skipped = True, 0, set()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for case, wrong, count, skip in pool.map(try_case, cases):
            total += count
            if skip:
                skipped.add(skip)
                continue
            print(f"{crash.go_version(case.release):<11} {case.name:<20} {count} facts  "
                  f"{'NO' if wrong else 'ok'}")
            for line in wrong:
                print(f"    {line}")
                fine = False
    for reason in sorted(skipped):
        print(f"skipped: {reason}")
    if total == 0 and fine:
        return 77
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())

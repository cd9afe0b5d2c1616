#!/usr/bin/env python3
"""Holds the snapshot's `scheduler` against what the runtime prints of itself, just before it freezes
the world, with GODEBUG=scheddetail=1: processors, ticks, queues, threads, goroutines.

Programs of testdata/programs, with the machine's Go or the releases in ORACLE_RELEASES.
"""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import crash  # noqa: E402
import schedtrace  # noqa: E402

CORESNAP = pathlib.Path(os.environ.get("BUILD", "build")).resolve() / "coresnap"
PROGRAMS = ("locked", "many", "panic", "queues", "spin", "timers")
ANALYZE_SECONDS = 120

TRACE = """SCHED 5ms: gomaxprocs=2 idleprocs=1 threads=4 spinningthreads=0 needspinning=0 idlethreads=2 \
runqueue=1 gcwaiting=false nmidlelocked=0 stopwait=0 sysmonwait=false
  P0: status=1 schedtick=9 syscalltick=1 m=0 runqsize=3 gfreecnt=0 timerslen=0
  P1: status=0 schedtick=7 syscalltick=0 m=nil runqsize=0 gfreecnt=0 timerslen=0
  M0: p=0 curg=1 mallocing=1 throwing=0 preemptoff= locks=1 dying=1 spinning=false blocked=false lockedg=nil
  G1: status=2() m=0 lockedm=0
  G2: status=4(chan receive (nil chan)) m=nil lockedm=nil
  G3: status=6() m=nil lockedm=nil
"""


def traced(case):
    """The same case, with the runtime's word on its scheduler."""
    env = dict(case.run_spec.get("env", {}))
    env["GODEBUG"] = ",".join(filter(None, (env.get("GODEBUG"), "scheddetail=1")))
    case.run_spec = dict(case.run_spec, env=env)
    case.run = (case.run or "run") + "-scheddetail"
    return case


def try_case(case):
    """(case, [problems], processors compared, reason of a skip or None)."""
    try:
        made = crash.crash(case)
        trace = schedtrace.parse(made.stderr)
        if trace is None:
            return case, ["the runtime printed no detailed trace"], 0, None
        trace.goes_on = "dontfreezetheworld=1" in case.run_spec["env"]["GODEBUG"] and \
            crash.release_number(case.release) >= (1, 21)  # before, nobody read it
        done = subprocess.run([str(CORESNAP), "analyze", "--exe", str(made.exe), str(made.core)],
                              capture_output=True, timeout=ANALYZE_SECONDS, check=False)
        if done.returncode != 0:
            return case, [done.stderr.decode(errors="replace").strip()], 0, None
        return case, schedtrace.differs(json.loads(done.stdout), trace), len(trace.processors), None
    except crash.Skip as skip:
        return case, [], 0, str(skip)
    except (crash.Failed, subprocess.TimeoutExpired, ValueError, KeyError) as error:
        return case, [f"{type(error).__name__}: {error}"], 0, None


def sample():
    """A snapshot that says what TRACE says."""
    def processor(number, status, tick, syscall, queue):
        return {"id": number, "status": status, "schedule_tick": tick, "syscall_tick": syscall,
                "queue_total": queue}
    return {"goroutines": [{"id": 1, "status": "running", "locked_to_thread": True, "frozen": False, "system": False},
                           {"id": 2, "status": "waiting", "locked_to_thread": False, "frozen": False, "system": False}],
            "threads": [{"goroutine": 1}],
            "scheduler": {"gomaxprocs": 2, "global_queue_total": 1,
                          "stats": {"threads": 4, "idle_processors": 1, "idle_threads": 2,
                                    "idle_locked_threads": 0, "spinning_threads": 0},
                          "processors": [processor(0, "running", 9, 1, 3), processor(1, "idle", 7, 0, 0)]}}


class Comparison(unittest.TestCase):
    """The comparison finds each kind of difference that it is there for."""

    def test_equal(self):
        self.assertEqual(schedtrace.differs(sample(), schedtrace.parse(TRACE)), [])

    def test_notices(self):
        for change in (lambda s: s["scheduler"].update(gomaxprocs=3),
                       lambda s: s["scheduler"].update(global_queue_total=2),
                       lambda s: s["scheduler"]["stats"].update(threads=5),
                       lambda s: s["scheduler"]["stats"].update(idle_processors=0),
                       lambda s: s["scheduler"]["processors"].pop(),
                       lambda s: s["scheduler"]["processors"][0].update(queue_total=2),
                       lambda s: s["scheduler"]["processors"][0].update(schedule_tick=8),
                       lambda s: s["scheduler"]["processors"][1].update(status="running"),
                       lambda s: s["goroutines"].pop(),
                       lambda s: s["goroutines"][0].update(locked_to_thread=False),
                       lambda s: s["goroutines"][0].update(status="runnable"),
                       lambda s: s["goroutines"][1].update(frozen=True),
                       lambda s: s["threads"][0].update(goroutine=None)):
            snapshot = sample()
            change(snapshot)
            self.assertNotEqual(schedtrace.differs(snapshot, schedtrace.parse(TRACE)), [])

    def test_only_detailed(self):
        self.assertIsNone(schedtrace.parse("SCHED 0ms: gomaxprocs=2 idleprocs=1 runqueue=0 [0 0]\n"))


def main():
    if not unittest.main(argv=sys.argv[:1], verbosity=0, exit=False).result.wasSuccessful():
        return 1
    releases = os.environ.get("ORACLE_RELEASES", "local").split()
    try:
        cases = [traced(case) for case in crash.cases(releases, PROGRAMS, all_flags=False) if not case.slow]
    except crash.Skip as skip:
        print(f"no crash with a trace of the scheduler: {skip}")
        return 77
    fine, total, skipped = True, 0, set()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for case, wrong, count, skip in pool.map(try_case, cases):
            total += count
            if skip:
                skipped.add(skip)
                continue
            print(f"{crash.go_version(case.release):<11} {case.name:<28} {count} processors  "
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

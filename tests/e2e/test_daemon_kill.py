#!/usr/bin/env python3
"""coresnapd: killed at every named step of a crash's way, it loses nothing and sends nothing twice."""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from bench import Bench, equal, main  # noqa: E402


def killed_at(step, script=(), parked=0):
    with Bench(script) as bench:
        bench.executable("app")
        bench.start(fail_at=step)
        bench.core("one")
        # A step of the uploader kills only that process: then the machine goes down with it.
        bench.until(lambda: bench.daemon.poll() is not None or bench.log_has("the uploader ended"),
                    "the daemon was killed at " + step)
        bench.kill()
        bench.start()
        bench.core("two")
        bench.until_objects(2 - parked)
        bench.until_idle()
        bench.until(lambda: len(bench.spool("seen")) == 2, "both cores are remembered")
        bench.until_idle()
        equal(len(bench.spool("failed")), 2 * parked, "files in failed/")
        equal(bench.store.duplicates, [], "objects stored twice")
        equal(len(bench.store.objects), 2 - parked, "objects")
        stray = [name for state in ("queue", "failed", "seen", "waiting")
                 for name in os.listdir(bench.path("spool", state)) if name.startswith(".")]
        equal(stray, [], "half-written records")


def killed_at_random():
    """20 crashes, a store that stumbles, and the power goes ten times."""
    seed = random.randrange(1 << 32)
    print("seed %d" % seed)
    dice = random.Random(seed)
    script = [dice.choice([(503, []), "drop", "lose-reply", None, None]) for _ in range(30)]
    with Bench(script) as bench:
        bench.executable("app")
        for i in range(20):
            bench.core("crash-%d" % i)
        time.sleep(2)  # so that every start takes them at once
        for _ in range(10):
            bench.start("--jobs", "2")
            time.sleep(dice.uniform(0, 0.5))
            bench.kill()
        bench.start("--jobs", "2")
        bench.until(lambda: len(bench.spool("seen")) == 20, "all cores are settled", 25)
        bench.until_idle()
        equal(len(bench.store.objects), 20, "objects")
        equal(bench.store.duplicates, [], "objects stored twice")
        equal(bench.spool("failed"), [], "failed")


def test_of(step, script=(), parked=0):
    def test():
        killed_at(step, script, parked)
    test.__name__ = "killed_" + step
    return test


TESTS = [test_of(step) for step in ("analyzed", "synced", "renamed", "queued", "settled",
                                    "confirmed", "unlinked")]
# Before the move to failed/ the snapshot is still queued: the store is asked again, and takes it.
TESTS += [test_of("reasoned", [(403, [])]), test_of("parked", [(403, [])], 1)]

TESTS.append(killed_at_random)

if __name__ == "__main__":
    main(TESTS)

#!/usr/bin/env python3
"""coresnapd: killed at every named step of a crash's way, it loses nothing and sends nothing twice."""
import os
import sys

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
                 for name in bench.spool(state) if name.startswith(".")]
        equal(stray, [], "half-written records")


def test_of(step, script=(), parked=0):
    def test():
        killed_at(step, script, parked)
    test.__name__ = "killed_" + step
    return test


TESTS = [test_of(step) for step in ("analyzed", "synced", "renamed", "queued", "settled",
                                    "confirmed", "unlinked")]
# Before the move to failed/ the snapshot is still queued: the store is asked again, and takes it.
TESTS += [test_of("reasoned", [(403, [])]), test_of("parked", [(403, [])], 1)]

if __name__ == "__main__":
    main(TESTS)

#!/usr/bin/env python3
"""coresnapd: every crash reaches the store exactly once, whatever store and machine do."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from bench import Bench, equal, main  # noqa: E402


def crash_is_uploaded():
    with Bench() as bench:
        bench.executable("renamed")
        bench.core("one")
        bench.start()
        bench.until_objects(1)
        bench.until_idle()
        equal(len(bench.store.objects), 1, "objects")
        _, path, headers = bench.store.requests[0]
        equal(headers["Content-Encoding"], "zstd", "encoding")
        equal(headers["Content-Type"], "application/json", "type")
        equal(headers["If-None-Match"], "*", "condition")
        equal(os.path.exists(bench.path("cores/core.one")), True, "the core is still there")
        wanted = "crash: app (pid 7) SIGABRT go1.26.8: panic: \\\"boom\\\" in main.handler, 51 goroutines"
        equal(wanted in bench.log(), True, "the line of the crash is in the log")
        equal(bench.stop(), 0, "exit status")


def two_refusals_a_kill_and_a_restart():
    """Issue 3, "Done when"."""
    with Bench([(503, []), (503, [])]) as bench:
        bench.executable("app")
        bench.start("--retry-min", "500ms")
        bench.core("one")
        bench.until(lambda: len(bench.store.requests) >= 1, "the store was asked")
        bench.kill()
        bench.start("--retry-min", "500ms")
        bench.until_objects(1)
        bench.until_idle()
        bench.kill()
        bench.start()
        bench.core("two")
        bench.until_objects(2)
        bench.until_idle()
        equal(len(bench.store.requests), 4, "requests")
        equal(bench.store.duplicates, [], "duplicates")
        equal(bench.runs(), ["one", "two"], "analyses")


TESTS = [crash_is_uploaded, two_refusals_a_kill_and_a_restart]

if __name__ == "__main__":
    main(TESTS)

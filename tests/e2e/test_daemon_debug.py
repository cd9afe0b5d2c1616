#!/usr/bin/env python3
"""coresnapd with a store of executables and debug files: both are found, and no server is asked."""
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "lib"), str(ROOT / "tests" / "e2e" / "lib")]
import committed  # noqa: E402
import crash  # noqa: E402
import debugfiles  # noqa: E402
import debuginfod  # noqa: E402
from bench import BUILD, Bench, equal, main  # noqa: E402

COMMAND = os.path.join(BUILD, "coresnap")


def take_apart(bench, case, made):
    """A stripped executable of an unknown release and its debug file."""
    exe, debug = (pathlib.Path(bench.path("apart", name)) for name in ("app", "debug"))
    exe.parent.mkdir()
    whole = debugfiles.unknown_release(made.exe, case.release, exe.parent / "whole")
    debugfiles.split(whole, exe, debug, link=False)
    return exe, debug


def analyzed(bench, made):
    """The daemon's snapshot of the crash."""
    bench.start()
    subprocess.run(["cp", "--sparse=always", made.core, bench.path("arriving")], check=True)
    os.rename(bench.path("arriving"), bench.path("cores/core.1"))
    bench.until_objects(1, 25)
    body = list(bench.store.objects.values())[0]
    return json.loads(subprocess.run(["zstd", "-dc"], input=body, stdout=subprocess.PIPE,
                                     check=True).stdout)


def find_case():
    return next(case for case in committed.crashes()
                if (case.release.removeprefix("go"), case.program) == ("1.26.8", "demo"))


def the_store_has_both():
    case = find_case()
    with Bench(analyzer=COMMAND) as bench:
        made = case.unpack()
        exe, debug = take_apart(bench, case, made)
        subprocess.run([COMMAND, "store", "add", "--store", bench.path("bin"), exe, debug],
                       check=True, stdout=subprocess.DEVNULL)
        snapshot = analyzed(bench, made)
        equal(snapshot["runtime"]["layout"], "dwarf", "layout")
        equal(snapshot["binary"]["debug_source"], "build-id", "debug_source")
        equal(snapshot["binary"]["has_dwarf"], False, "the executable's own DWARF")


def no_server_is_asked():
    case = find_case()
    with Bench(analyzer=COMMAND) as bench, debuginfod.serving({}) as server:
        made = case.unpack()
        exe, _ = take_apart(bench, case, made)
        os.rename(exe, bench.path("bin/app"))
        os.environ["DEBUGINFOD_URLS"] = server.url
        snapshot = analyzed(bench, made)
        equal(snapshot["runtime"]["layout"] in ("guessed", None), True, "no DWARF was read")
        equal(server.asked, [], "requests")


if __name__ == "__main__":
    try:
        find_case().unpack()
        debugfiles.binutils("objcopy", "--version")
    except crash.Skip as skip:
        print(f"skipped: {skip}")
        sys.exit(77)
    main([the_store_has_both, no_server_is_asked])

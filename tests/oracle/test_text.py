#!/usr/bin/env python3
"""Holds `analyze --format text` at the levels single, all and system against what Go prints there.

A core comes from a run at GOTRACEBACK=crash; programs that do the same each time are run again at
each of the lower levels, without a core, and must print the same goroutines: states, labels, frames
shown and hidden, creators. Numbers and addresses differ from run to run and are not compared.
"""
import collections
import concurrent.futures
import os
import pathlib
import resource
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import crash  # noqa: E402
import gotrace  # noqa: E402

CORESNAP = pathlib.Path(os.environ.get("BUILD", "build")).resolve() / "coresnap"
LEVELS = ("single", "all", "system")
# Programs whose goroutines stand at the same places in every run.
STEADY = ("coroutine", "deadlock", "fatal-unlock", "inline", "labels", "panic", "panic-goroutine",
          "parents", "recursion", "repanic", "runtime-error", "stack-overflow")


def no_core():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def printed(made, level):
    env = {"PATH": "/usr/bin:/bin", "GOTRACEBACK": level}
    env.update(made.case.run_spec.get("env", {}))
    done = subprocess.run(made.case.command(made.exe), env=env, capture_output=True, preexec_fn=no_core,
                          timeout=60, check=False)
    return gotrace.parse(done.stderr.decode("utf-8", "surrogateescape"))


def ours(made, level):
    done = subprocess.run([str(CORESNAP), "analyze", "--format", "text", "--traceback", level, "--exe",
                           str(made.exe), str(made.core)], capture_output=True, timeout=60, check=False)
    if done.returncode != 0:
        raise crash.Failed(done.stderr.decode(errors="replace").strip()[-300:])
    return gotrace.parse(done.stdout.decode("utf-8", "surrogateescape"))


def place(frame):
    return f"{frame.function} {frame.file}:{frame.line}{' inlined' if frame.inlined else ''}"


def faces(traceback):
    """Each goroutine as text without numbers and addresses, counted."""
    counted = collections.Counter()
    for g in traceback.goroutines:
        # How far the runtime's own goroutines have come by the crash is chance.
        if g.created_by and g.created_by.function.startswith("runtime."):
            continue
        lines = [f"[{g.status}]{' locked' if g.locked else ''} {sorted((g.labels or {}).items())}"]
        lines += [place(frame) for frame in g.frames]
        lines.append(f"elided {g.elided} after {g.elided_after}")
        lines.append("created by " + (place(g.created_by) if g.created_by else "nobody"))
        counted["\n".join(lines)] += 1
    return counted


def first_difference(wanted, got):
    missing, extra = list((wanted - got).elements()), list((got - wanted).elements())
    if not missing:
        return "too many: " + extra[0].replace("\n", "; ")[:300]
    if not extra:
        return "missing: " + missing[0].replace("\n", "; ")[:300]
    lines = missing[0].split("\n"), extra[0].split("\n")
    for want, have in zip(*lines):
        if want != have:
            return f"{want}, ours {have} (in {lines[0][0]}, {lines[0][1]})"
    return f"{len(lines[0])} lines, ours {len(lines[1])} (in {lines[0][0]}, {lines[0][1]})"


def try_case(case):
    """(name, [problems], goroutines compared, reason of a skip)."""
    wrong, count = [], 0
    try:
        made = crash.crash(case)
        for level in LEVELS:
            want, got = printed(made, level), ours(made, level)
            faces_wanted, faces_got = faces(want), faces(got)
            count += sum(faces_wanted.values())
            if faces_wanted != faces_got:
                wrong.append(f"{level}: {first_difference(faces_wanted, faces_got)}")
    except crash.Skip as skip:
        return case, [], 0, str(skip)
    except (crash.Failed, subprocess.TimeoutExpired) as error:
        wrong.append(str(error))
    return case, wrong, count, None


def main():
    releases = os.environ.get("ORACLE_RELEASES", "local").split()
    try:
        cases = list(crash.cases(releases, STEADY, all_flags=False))
    except crash.Skip as skip:
        print(f"nothing to print a traceback: {skip}")
        return 77
    fine, total, skips = True, 0, set()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for case, wrong, count, skip in pool.map(try_case, cases):
            total += count
            if skip:
                skips.add(skip)
            for line in wrong:
                print(f"{crash.go_version(case.release)} {case.name}: {line}")
                fine = False
    for skip in sorted(skips):
        print(f"skipped: {skip}")
    print(f"{len(cases)} crashes at {len(LEVELS)} levels, {total} goroutines")
    return (0 if total else 77) if fine else 1


if __name__ == "__main__":
    sys.exit(main())

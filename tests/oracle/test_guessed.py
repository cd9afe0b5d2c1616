#!/usr/bin/env python3
"""A release that no table has: the nearest one's table gives the truth, or is refused. Never anything else.

Stripped executables are made to claim another release, each minor of the table in turn, so that the
layout of that one is tried on a process of this one. What comes out must equal what the right table
gives in every member that it recovers, or be refused with "unknown-layout". ORACLE_RELEASES as in test_traceback.py,
and the committed crashes.
"""
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lib"))
import committed  # noqa: E402
import crash  # noqa: E402
import spoil  # noqa: E402

COMMAND = ROOT / os.environ.get("BUILD", "build") / "coresnap"
PROGRAMS = ("rich", "signal", "labels", "cgo")
MINORS = range(18, 28)
SHOWN = 4
# What tells of the executable and its release, and of the guess itself.
LEFT_OUT = {"binary", "runtime", "diagnostics", "blocking"}


def analyze(core, exe):
    done = subprocess.run([COMMAND, "analyze", "--exe", exe, core], capture_output=True, timeout=120,
                          check=False)
    if done.returncode != 0:
        raise crash.Failed(f"coresnap analyze: {done.stderr.decode(errors='replace').strip()}")
    return json.loads(done.stdout)


def differences(right, guessed, path=""):
    if isinstance(right, dict) and isinstance(guessed, dict):
        for key in sorted(right.keys() | guessed.keys()):
            if path or key not in LEFT_OUT:
                yield from differences(right.get(key), guessed.get(key), f"{path}.{key}")
    elif isinstance(right, list) and isinstance(guessed, list) and len(right) == len(guessed):
        for i, (a, b) in enumerate(zip(right, guessed)):
            yield from differences(a, b, f"{path}[{i}]")
    elif right != guessed and guessed is not None and not path.endswith(".unavailable"):
        # null, and a reason for it: not recovered, which is no untruth
        yield f"{path}: {str(right)[:60]} became {str(guessed)[:60]}"


def prove_less(right, guessed):
    """Who is leaked is not told of a guess; then what is told of who waits for whom is a part of the truth."""
    right, guessed = right["blocking"], guessed["blocking"]
    if guessed["leaked"] is not None:
        yield ".blocking.leaked: told of a guess"
    for key in ("edges", "deadlocks", "evidence"):
        yield from (f".blocking.{key}: {one} is not true" for one in guessed[key] if one not in right[key])


def is_refused(snapshot):
    return snapshot["runtime"] is None or any(d["code"] == "unknown-layout" for d in snapshot["diagnostics"])


def try_crash(made, directory, is_stripped, arch):
    """{claimed minor: "equal", "refused" or [differences]}"""
    stripped, claimed, outcomes = directory / "stripped", directory / made.exe.name, {}
    shutil.copy(made.exe, stripped)
    if not is_stripped:
        crash.strip(str(stripped), arch)
    right = analyze(made.core, stripped)
    for minor in MINORS:
        if not spoil.claim_release(stripped, claimed, f"go1.{minor}-"):
            continue
        snapshot = analyze(made.core, claimed)
        if is_refused(snapshot):
            outcomes[minor] = "refused"
            continue
        if snapshot["runtime"]["layout"] != "guessed":
            outcomes[minor] = ["the layout was not guessed: nothing was tested"]
            continue
        outcomes[minor] = [*differences(right, snapshot), *prove_less(right, snapshot)] or "equal"
    return outcomes


def try_case(case):
    try:
        made = case.unpack() if isinstance(case, committed.Committed) else crash.crash(case)
        with tempfile.TemporaryDirectory() as directory:
            return case, try_crash(made, pathlib.Path(directory), getattr(case, "is_stripped", False), case.arch), None
    except crash.Skip as skip:
        return case, {}, str(skip)


def all_cases():
    releases = os.environ.get("ORACLE_RELEASES", "local").split()
    cases = committed.crashes()
    try:
        cases += [case for case in crash.cases(releases, PROGRAMS, all_flags=False)
                  if case.run in ("", "panic", "quit-spin", "below")]
    except crash.Skip as skip:
        print(f"only the committed crashes: {skip}")
    return cases


def main():
    fine, equal, refused, skipped = True, 0, 0, set()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for case, outcomes, skip in pool.map(try_case, all_cases()):
            if skip:
                skipped.add(skip)
                continue
            words = []
            for minor, outcome in outcomes.items():
                equal, refused = equal + (outcome == "equal"), refused + (outcome == "refused")
                words.append(f"{minor}:{outcome if isinstance(outcome, str) else 'WRONG'}")
            print(f"{case.release:<11} {case.name:<24} {' '.join(words)}")
            for minor, outcome in outcomes.items():
                if not isinstance(outcome, str):
                    fine = False
                    print(f"    1.{minor}: {len(outcome)} differences")
                    for line in outcome[:SHOWN]:
                        print(f"      {line}")
    for skip in sorted(skipped):
        print(f"skipped: {skip}")
    print(f"{equal} guesses gave the truth, {refused} were refused")
    if not equal:
        return 77 if skipped and fine else 1
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())

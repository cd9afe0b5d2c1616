#!/usr/bin/env python3
"""With a table that has exactly the release no DWARF is read: executables whose DWARF is garbage, or
zeros, give the same bytes as whole ones but for variables, which only DWARF has.

The committed crashes and the local release's. That the garbage would be noticed is shown too: an
executable whose version no table has must not come out the same. ORACLE_RELEASES as in
test_traceback.py.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lib"))
import committed  # noqa: E402
import crash  # noqa: E402
import spoil  # noqa: E402

COMMAND = ROOT / os.environ.get("BUILD", "build") / "coresnap"
FORMATS = ("json", "text")
OPTIONS = ("--variables", "none")  # those are read from DWARF, and from nowhere else


def analyze(exe, core, form):
    done = subprocess.run([COMMAND, "analyze", "--exe", exe, "--format", form, *OPTIONS, core], capture_output=True,
                          timeout=120, check=False)
    return done.stdout if done.returncode == 0 else b"status %d: " % done.returncode + done.stderr


def check(made, directory):
    """[problems] of one crash, and the bytes of DWARF that were overwritten."""
    copy, wrong, spoiled = directory / made.exe.name, [], 0
    for form in FORMATS:
        whole = analyze(made.exe, made.core, form)
        for byte in (0xff, 0):
            spoiled = spoil.overwrite_dwarf(made.exe, copy, byte)
            if analyze(copy, made.core, form) != whole:
                wrong.append(f"{form}: another output with a DWARF of {byte:#x}")
    return wrong, spoiled


def is_noticed(made, directory):
    """Whether the garbage is found where DWARF is needed: with a version that no table has."""
    unknown, spoiled = directory / "unknown", directory / made.exe.name
    if not spoil.claim_release(made.exe, unknown, "go1.99"):
        return None
    spoil.overwrite_dwarf(unknown, spoiled, 0xff)
    return analyze(unknown, made.core, "json") != analyze(spoiled, made.core, "json")


def all_crashes():
    releases = os.environ.get("ORACLE_RELEASES", "local").split()
    found = []
    for case in [*committed.crashes(), *crash.cases(releases, ("rich", "demo"), all_flags=False)]:
        try:
            found.append((case, case.unpack() if isinstance(case, committed.Committed) else crash.crash(case)))
        except crash.Skip as skip:
            print(f"skipped: {case.name}: {skip}")
    return found


def main():
    fine, noticed, count = True, set(), 0
    with tempfile.TemporaryDirectory() as name:
        for case, made in all_crashes():
            wrong, spoiled = check(made, pathlib.Path(name))
            count += spoiled > 0
            noticed.add(is_noticed(made, pathlib.Path(name)))
            print(f"{case.release:<11} {case.name:<28} {spoiled} bytes of DWARF  {'NO' if wrong else 'ok'}")
            for line in wrong:
                print(f"    {line}")
                fine = False
    if count == 0:
        print("no executable with DWARF: nothing was tested")
        return 77
    if True not in noticed or False in noticed:
        print("garbage in the DWARF is not noticed where it is read: nothing was tested")
        fine = False
    return 0 if fine else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except crash.Skip as reason:
        print(reason)
        sys.exit(77)

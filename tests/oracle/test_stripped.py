#!/usr/bin/env python3
"""What `strip` takes from an executable must not cost a single member of the snapshot.

The same core is analyzed with the executable as it was built and with a stripped copy: without
symbols and DWARF every variable of the runtime is found by structure and by reference, with them by
name. The two snapshots must be equal but for what they say about the executable itself, and for the
variables of frames, whose names and places only DWARF has.
ORACLE_RELEASES names the Go releases (default: the local one).
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
import crash  # noqa: E402

COMMAND = ROOT / os.environ.get("BUILD", "build") / "coresnap"
CASES = {"rich": ("default", "noopt", "pie"), "facts": ("default",), "http": ("default",),
         "cgo": ("cgo",)}
OF_THE_EXECUTABLE = {"has_dwarf", "has_symtab", "debug_source"}
OF_DWARF = {"variables", "unavailable"}
SHOWN = 5  # differences of one case


def analyze(core, exe):
    done = subprocess.run([COMMAND, "analyze", "--exe", exe, core], capture_output=True, text=True,
                          timeout=120)
    if done.returncode != 0:
        raise crash.Failed(f"coresnap analyze: {done.stderr.strip()}")
    return json.loads(done.stdout)


def differences(whole, stripped, path=""):
    """Each difference as a line: where, and both values."""
    if isinstance(whole, dict) and isinstance(stripped, dict):
        for key in sorted(whole.keys() | stripped.keys()):
            if key not in OF_THE_EXECUTABLE | OF_DWARF:
                yield from differences(whole.get(key), stripped.get(key), f"{path}.{key}")
    elif isinstance(whole, list) and isinstance(stripped, list) and len(whole) == len(stripped):
        for i, (a, b) in enumerate(zip(whole, stripped)):
            yield from differences(a, b, f"{path}[{i}]")
    elif whole != stripped:
        yield f"{path}: {str(whole)[:80]} became {str(stripped)[:80]}"


def cases(releases):
    for release in releases:
        for program, all_flags in CASES.items():
            spec = crash.read_spec(program)
            for flags in all_flags:
                yield crash.Case(program, next(iter(spec["runs"])), release, flags)


def try_case(case):
    """(case, differences, goroutines compared, skip reason)"""
    try:
        made = crash.crash(case)
        with tempfile.TemporaryDirectory() as directory:
            copy = pathlib.Path(directory) / made.exe.name
            shutil.copy(made.exe, copy)
            crash.strip(str(copy))
            whole, stripped = analyze(made.core, made.exe), analyze(made.core, copy)
    except crash.Skip as skip:
        return case, [], 0, str(skip)
    except (crash.Failed, subprocess.TimeoutExpired, ValueError) as error:
        return case, [str(error)], 0, None
    stripped["diagnostics"] = [row for row in stripped["diagnostics"] if row["code"] != "no-dwarf"]
    wrong = list(differences(whole, stripped))
    if not whole["binary"]["has_dwarf"] or stripped["binary"]["has_dwarf"]:
        wrong.append("the executables differ in no DWARF: nothing was tested")
    return case, wrong, len(whole["goroutines"]), None


def main():
    releases = os.environ.get("ORACLE_RELEASES", "local").split()
    fine, total, count, skips = True, 0, 0, set()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for case, wrong, goroutines, skip in pool.map(try_case, cases(releases)):
            if skip:
                skips.add(skip)
                continue
            count += 1
            total += goroutines
            for line in wrong[:SHOWN]:
                print(f"{crash.go_version(case.release)} {case.name}: {line}")
            if wrong:
                print(f"{case.name}: {len(wrong)} differences")
                fine = False
    for skip in sorted(skips):
        print(f"skipped: {skip}")
    print(f"{count} crashes, {total} goroutines")
    return (0 if total else 77) if fine else 1


if __name__ == "__main__":
    sys.exit(main())

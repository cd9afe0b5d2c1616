#!/usr/bin/env python3
"""What `strip` takes from an executable must not cost a single member of the snapshot.

The same core is analyzed with the executable as it was built and with a stripped copy: without
symbols and DWARF every variable of the runtime is found by structure and by reference, with them by
name. The two snapshots must be equal but for what they say about the executable itself, and for the
variables of frames, whose names and places only DWARF has. The same holds for a stripped copy with a
separate debug file, of a release that nobody has measured: all that is known of its runtime is then in
that file.
ORACLE_RELEASES names the Go releases (default: the local one), ORACLE_PROGRAMS the programs to try
instead of those below.
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
import debugfiles  # noqa: E402

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
    return json.loads(done.stdout.replace(str(exe), "EXE"))  # a warning names it


def without_c(snapshot):
    """Names of C code are ELF's and DWARF's to tell, and so is what was inlined: its frames are left out."""
    frames, kept = snapshot["frames"], {}
    for i, frame in enumerate(frames):
        if frame["kind"] == "go":
            kept[i] = len(kept)
    lengths = [len(stack) for stack in snapshot["stacks"]]
    snapshot["frames"] = [frames[i] for i in kept]
    snapshot["stacks"] = [[kept[i] for i in stack if i in kept] for stack in snapshot["stacks"]]
    for row in snapshot["goroutines"]:
        if row["stack"] is not None:
            left_out = lengths[row["stack"]] - len(snapshot["stacks"][row["stack"]])
            row["frames_total"] -= left_out
            if row["arguments"] and left_out:
                row["arguments"] = len(row["arguments"]) - left_out
    rows = snapshot["goroutines"] + refs_of(snapshot["scheduler"])
    for row in rows:
        for key in ("created_by", "current"):
            if row.get(key) is not None:
                row[key] = kept.get(row[key])
    snapshot["diagnostics"] = [row for row in snapshot["diagnostics"]
                               if row["code"] != "no-debug-file"]
    return snapshot


def refs_of(scheduler):
    refs = list(scheduler["global_queue"] or [])
    for processor in scheduler["processors"] or []:
        refs += processor["queue"] + ([processor["run_next"]] if processor["run_next"] else [])
    return refs


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


def analyze_apart(made, directory):
    """The snapshots by an executable of an unknown release, whole and taken apart."""
    release = crash.go_version(made.case.release)
    whole = debugfiles.unknown_release(made.exe, release, directory / "whole")
    exe, debug = directory / "apart" / made.exe.name, directory / "apart" / "debug"
    debugfiles.split(whole, exe, debug, arch=made.case.arch)
    return analyze(made.core, whole), analyze(made.core, exe)


def check_apart(whole, apart):
    yield from (f"with a debug file: {line}" for line in differences(whole, apart))
    if whole["runtime"]["layout"] != "dwarf" or apart["binary"]["debug_source"] != "debuglink":
        yield "no debug file was read: nothing was tested"


def cases(releases):
    only = os.environ.get("ORACLE_PROGRAMS", "").split()
    tried = {name: CASES.get(name, ("default",)) for name in only} or CASES
    for release in releases:
        for program, all_flags in tried.items():
            spec = crash.read_spec(program)
            for flags in all_flags:
                for arch in crash.arches():
                    yield crash.Case(program, next(iter(spec["runs"])), release, flags, arch)


def try_case(case):
    """(case, differences, goroutines compared, skip reason)"""
    try:
        made = crash.crash(case)
        with tempfile.TemporaryDirectory() as directory:
            copy = pathlib.Path(directory) / made.exe.name
            shutil.copy(made.exe, copy)
            crash.strip(str(copy), case.arch)
            whole, stripped = (without_c(analyze(made.core, exe)) for exe in (made.exe, copy))
            stripped["diagnostics"] = [row for row in stripped["diagnostics"] if row["code"] != "no-dwarf"]
            wrong = list(differences(whole, stripped))
            wrong += check_apart(*map(without_c, analyze_apart(made, pathlib.Path(directory))))
    except crash.Skip as skip:
        return case, [], 0, str(skip)
    except (crash.Failed, subprocess.TimeoutExpired, ValueError) as error:
        return case, [str(error)], 0, None
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

#!/usr/bin/env python3
"""A stripped executable with its debug file gives what the unstripped one gives, wherever the file
lies; a wrong one is named and not used; executables are found by build id; debuginfod is asked when
it is wanted, and none of its failures costs more than a line.

On committed crashes whose executables say that they are of a release that nobody has measured.
"""
import copy
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "lib"), str(ROOT / "tests" / "e2e" / "lib")]
import committed  # noqa: E402
import crash  # noqa: E402
import debugfiles  # noqa: E402
import debuginfod  # noqa: E402

COMMAND = ROOT / os.environ.get("BUILD", "build") / "coresnap"
OF_THE_EXECUTABLE = ("has_dwarf", "has_symtab", "debug_source")


class Subject:
    """One crash: `whole`, unstripped and of an unknown release, and the snapshot that it gives."""

    def __init__(self, case, directory):
        self.case, self.made = case, case.unpack()
        self.dir = directory / case.meta.parent.name
        self.dir.mkdir()
        self.name = self.made.exe.name
        self.whole = debugfiles.unknown_release(
            self.made.exe, case.release, self.dir / "whole")
        self.ids = identify(self.whole)
        self.snapshot = analyze(self.made.core, "--exe", self.whole)
        if self.snapshot["runtime"]["layout"] != "dwarf":
            raise crash.Failed(f"{case.name}: the release is not unknown")

    def below(self, name):
        return pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.dir))

    def id_path(self, suffix=""):
        gnu = self.ids["gnu_build_id"]
        return f".build-id/{gnu[:2]}/{gnu[2:]}{suffix}"


def run(*words, **environment):
    """coresnap with no more of the environment than is given."""
    return subprocess.run([str(word) for word in (COMMAND, *words)], capture_output=True, text=True,
                          timeout=100, env={"PATH": os.environ["PATH"], **environment})


def analyze(core, *options, **environment):
    done = run("analyze", *options, core, **environment)
    if done.returncode != 0:
        raise crash.Failed(f"analyze {options}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def identify(path):
    return json.loads(run("identify", "--json", path).stdout)


def without(snapshot, *keys):
    """What must not depend on where debug information and executable lie."""
    snapshot = copy.deepcopy(snapshot)
    for key in OF_THE_EXECUTABLE:
        del snapshot["binary"][key]
    for key in keys:
        del snapshot[key]
    return snapshot


def diagnostic(snapshot, code):
    found = [row for row in snapshot["diagnostics"] if row["code"] == code]
    return found[0]["message"] if found else None


def check(what, condition, detail=""):
    if not condition:
        raise crash.Failed(f"{what}: {detail}")


def check_same(what, subject, snapshot, source, *but):
    check(what, snapshot["binary"]["debug_source"] == source,
          f"from {snapshot['binary']['debug_source']}, not {source}; {snapshot['diagnostics']}")
    check(what, snapshot["runtime"]["layout"] == "dwarf", "the layout is not from DWARF")
    check(what, not snapshot["binary"]["has_dwarf"], "the executable itself has DWARF")
    mine, theirs = without(snapshot, *but), without(subject.snapshot, *but)
    for key in theirs:
        check(what, mine[key] == theirs[key], f"another {key}")


def places(subject):
    """Each place where a debug file may lie: its name, options of analyze, and debug_source."""
    here = subject.below("places")
    exe, rest = here / subject.name, here / "elsewhere"
    link = f"{subject.name}.debug"
    yield exe, here / link, [], "debuglink"
    yield exe, here / ".debug" / link, [], "debuglink"
    yield exe, pathlib.Path(f"{rest}{here}/{link}"), ["--debug-dir", rest], "debuglink"
    yield exe, rest / link, ["--exe-dir", rest], "debuglink"
    if subject.ids["gnu_build_id"]:
        yield exe, rest / subject.id_path(".debug"), ["--debug-dir", rest], "build-id"
        yield exe, rest / subject.id_path(".debug"), ["--debug-dir", here, "--debug-dir", rest], \
            "build-id"
        yield exe, rest / subject.id_path(".debug"), ["--exe-dir", rest], "build-id"


def every_place_is_searched(subject):
    kept = subject.below("kept")
    debugfiles.split(subject.whole, kept / subject.name, kept / f"{subject.name}.debug")
    for exe, debug, options, source in places(subject):
        shutil.rmtree(exe.parent, ignore_errors=True)
        debug.parent.mkdir(parents=True, exist_ok=True)
        exe.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(kept / subject.name, exe)
        shutil.copy(kept / f"{subject.name}.debug", debug)
        snapshot = analyze(subject.made.core, "--exe", exe, *options)
        check_same(f"debug file at {debug}", subject, snapshot, source)


def every_kind_of_file_is_read(subject):
    """Compressed sections of both kinds; no link; nothing but the link's CRC32 to prove it."""
    ids = ["--remove-section=.note.gnu.build-id", "--remove-section=.note.go.buildid"]
    kinds = {"zlib": (["--compress-debug-sections=zlib"], True),
             "zlib-gnu": (["--compress-debug-sections=zlib-gnu"], True),
             "plain": (["--decompress-debug-sections"], True),
             "no link": ([], False), "crc": (ids, True)}
    for kind, (options, link) in kinds.items():
        here = subject.below(f"kind-{kind}")
        debugfiles.split(subject.whole, here / subject.name, here / f"{subject.name}.debug", link,
                         options)
        snapshot = analyze(subject.made.core, "--exe", here / subject.name)
        check_same(f"debug file, {kind}", subject, snapshot, "debuglink")


def an_exact_release_asks_for_nothing(subject):
    here = subject.below("exact")
    debugfiles.split(subject.made.exe, here / subject.name, here / f"{subject.name}.debug")
    snapshot = analyze(subject.made.core, "--variables", "none", "--exe", here / subject.name)
    check("exact", snapshot["runtime"]["layout"] == "exact", snapshot["runtime"])
    check("exact", snapshot["binary"]["debug_source"] == "none", snapshot["binary"])
    snapshot = analyze(subject.made.core, "--exe", here / subject.name)
    check("exact", snapshot["binary"]["debug_source"] == "debuglink", snapshot["binary"])
    check("exact", any(row["variables"] for row in snapshot["goroutines"]), "no variable is shown")


def wrong_files_are_named(subject, other):
    here = subject.below("wrong")
    exe, debug = here / subject.name, here / f"{subject.name}.debug"
    debugfiles.split(subject.whole, exe, debug)
    good = debug.read_bytes()
    debugfiles.split(other.whole, here / "other", here / "other.debug", link=False)
    damaged = bytearray(good)
    damaged[0x28:0x30] = b"\xff" * 8  # e_shoff
    rows = {"another build": ((here / "other.debug").read_bytes(), "wrong-debug-file",
                              "is not the debug file of"),
            "stripped": (exe.read_bytes(), "empty-debug-file", "has no debug information"),
            "damaged": (bytes(damaged), "", ""),
            "cut": (good[:100], "", "")}
    for what, (data, code, text) in rows.items():
        debug.write_bytes(data)
        snapshot = analyze(subject.made.core, "--exe", exe)
        # Null where the nearest release is so far away that the process contradicts it.
        check(what, snapshot["binary"]["debug_source"] in ("none", None), snapshot["binary"])
        check(what, snapshot["runtime"]["layout"] in ("guessed", None), snapshot["runtime"])
        check(what, diagnostic(snapshot, "no-debug-file"), snapshot["diagnostics"])
        if code:
            line = diagnostic(snapshot, code) or ""
            check(what, str(debug) in line and text in line, snapshot["diagnostics"])
    # The wrong one does not hide the right one behind it.
    debug.write_bytes(rows["another build"][0])
    (here / ".debug").mkdir()
    (here / ".debug" / debug.name).write_bytes(good)
    snapshot = analyze(subject.made.core, "--exe", exe)
    check_same("behind a wrong one", subject, snapshot, "debuglink", "diagnostics")
    check("behind a wrong one", str(debug) in (diagnostic(snapshot, "wrong-debug-file") or ""),
          snapshot["diagnostics"])


def executables_are_found(subject, other):
    here = subject.below("gone")
    path, store = pathlib.Path(tempfile.mkdtemp(prefix="cs-")) / subject.name, here / "store"
    try:
        core = debugfiles.at_path(subject.made.core, identify(subject.made.core)["executable"],
                                  path, here / "core")
        at_core = json.loads(run("identify", "--json", core).stdout)["executable"]
        done = run("analyze", core)
        check("gone", "No such file" in done.stderr and at_core in done.stderr, done.stderr)
        kept = run("store", "add", "--store", store, subject.made.exe)
        check("store add", kept.returncode == 0, kept.stderr)
        for wrong in (None, other.whole):
            if wrong:
                shutil.copy(wrong, path)
            snapshot = analyze(core, "--exe-dir", store)
            line = diagnostic(snapshot, "executable-elsewhere") or ""
            check("found in the store", str(store) in line, snapshot["diagnostics"])
            check("found in the store", snapshot["goroutines_total"] ==
                  subject.snapshot["goroutines_total"], "other goroutines")
        # Go's id alone is enough, the executable under its own name is enough.
        shutil.rmtree(store / ".build-id", ignore_errors=True)
        check("by Go's id", diagnostic(analyze(core, "--exe-dir", store), "executable-elsewhere"))
        (here / "plain").mkdir()
        shutil.copy(subject.made.exe, here / "plain" / subject.name)
        analyze(core, "--exe-dir", here / "plain")
        done = run("analyze", "--exe-dir", here / "none", core)
        check("wrong everywhere", "was made by build id" in done.stderr and str(path) in done.stderr,
              done.stderr)
    finally:
        shutil.rmtree(path.parent)


def a_debug_file_is_no_executable(subject):
    here = subject.below("swapped")
    debugfiles.split(subject.whole, here / "exe", here / "debug")
    done = run("analyze", "--exe", here / "debug", subject.made.core)
    check("--exe DEBUG", done.returncode == 1 and "is a debug file" in done.stderr, done.stderr)
    check("identify", identify(here / "debug")["kind"] == "debug-file")
    kept = run("store", "add", "--store", here / "store", here / "exe", here / "debug")
    check("store add", kept.returncode == 0, kept.stderr)
    bare = here / "bare"
    bare.mkdir()
    shutil.copy(here / "exe", bare / "app")
    debugfiles.binutils("objcopy", "--remove-section=.gnu_debuglink", bare / "app")
    snapshot = analyze(subject.made.core, "--exe", bare / "app", "--exe-dir", here / "store")
    check_same("debug file from the store", subject, snapshot, "build-id")


class Fetching:
    """Everything about debuginfod for one subject: its stripped executable and both URLs."""

    def __init__(self, subject):
        self.subject, self.here = subject, subject.below("debuginfod")
        debugfiles.split(subject.whole, self.here / "exe", self.here / "gone" / "debug")
        self.debug = (self.here / "gone" / "debug").read_bytes()
        self.url = f"/buildid/{subject.ids['gnu_build_id']}/debuginfo"
        self.count = 0

    def analyze(self, url, *options, **environment):
        self.count += 1
        cache = self.here / f"cache-{self.count}"
        return analyze(self.subject.made.core, "--exe", self.here / "exe", *options,
                       DEBUGINFOD_URLS=url, DEBUGINFOD_CACHE_PATH=str(cache), **environment), cache


def debuginfod_is_asked(subject):
    fetching = Fetching(subject)
    with debuginfod.serving({fetching.url: fetching.debug}) as server:
        snapshot, cache = fetching.analyze(server.url)
        check_same("debuginfod", subject, snapshot, "debuginfod")
        check("debuginfod", server.asked == [fetching.url], server.asked)
        check("its cache", any(cache.rglob("debuginfo")), "is empty")
        for options, environment in ((["--no-debuginfod"], {"DEBUGINFOD_URLS": server.url}), ([], {})):
            snapshot = analyze(subject.made.core, "--exe", fetching.here / "exe", *options,
                               HOME=str(fetching.here), **environment)
            check("not asked", snapshot["runtime"]["layout"] != "dwarf", snapshot["runtime"])
        check("not asked", len(server.asked) == 1, server.asked)


def its_cache_is_that_of_elfutils(subject):
    """Where it lies, and that the fetcher, which is kept to it, can read a tree of files."""
    fetching = Fetching(subject)
    tree = fetching.here / "tree" / fetching.url.lstrip("/")
    tree.parent.mkdir(parents=True)
    tree.write_bytes(fetching.debug)
    home, other = fetching.here / "home", fetching.here / "xdg"
    for environment, cache in (({"HOME": str(home)}, home / ".cache/debuginfod_client"),
                               ({"HOME": str(home), "XDG_CACHE_HOME": str(other)},
                                other / "debuginfod_client"), ({}, None)):
        snapshot = analyze(subject.made.core, "--exe", fetching.here / "exe",
                           DEBUGINFOD_URLS=f"file://{fetching.here}/tree", **environment)
        if cache:
            check_same(f"cache {cache}", subject, snapshot, "debuginfod")
            check(f"cache {cache}", (cache / subject.ids["gnu_build_id"] / "debuginfo").exists())
        else:
            check("no cache", "its cache cannot be used" in diagnostic(snapshot, "debuginfod"),
                  snapshot["diagnostics"])


def debuginfod_may_fail(subject, other):
    fetching = Fetching(subject)
    quick = {"DEBUGINFOD_TIMEOUT": "1", "DEBUGINFOD_MAXTIME": "2", "DEBUGINFOD_RETRY_LIMIT": "0"}
    rows = {"nothing": (None, {}, "no server has it"),
            "a stall": (debuginfod.stall, quick, "too slow"),
            "a trickle": (debuginfod.trickle, quick, "too slow"),
            "no end": (debuginfod.endless, {"DEBUGINFOD_MAXSIZE": "5000000"}, ""),
            "too much": (debuginfod.huge, {}, "too large"),
            "a file of ours": (debuginfod.leads_to_a_file, {}, "no server has it"),
            "a text": (b"no such thing", {}, "is not an ELF file"),
            "another build": (other.whole.read_bytes(), {}, "is not the debug file of")}
    for what, (answer, environment, text) in rows.items():
        with debuginfod.serving({fetching.url: answer}) as server:
            began = time.monotonic()
            snapshot, cache = fetching.analyze(server.url, **environment)
            took = time.monotonic() - began
        line = diagnostic(snapshot, "debuginfod") or diagnostic(snapshot, "wrong-debug-file") or ""
        check(what, text in line and line, snapshot["diagnostics"])
        check(what, snapshot["runtime"]["layout"] != "dwarf", snapshot["runtime"])
        check(what, len(snapshot["threads"]) == len(subject.snapshot["threads"]), "threads are lost")
        check(what, took < 30, f"took {took:.0f} s")
        left = [path for path in cache.rglob("debuginfo.*")]
        check(what, not left, f"left {left}")


def a_stall_costs_half_the_time(subject):
    fetching = Fetching(subject)
    with debuginfod.serving({fetching.url: debuginfod.stall}) as server:
        snapshot, _ = fetching.analyze(server.url, "--time-limit", "8")
    check("a stall", "too slow" in (diagnostic(snapshot, "debuginfod") or ""),
          snapshot["diagnostics"])


def an_interruption_ends_the_fetch(subject):
    fetching = Fetching(subject)
    with debuginfod.serving({fetching.url: debuginfod.stall}) as server:
        words = [COMMAND, "analyze", "--exe", fetching.here / "exe", "-o", fetching.here / "out",
                 subject.made.core]
        process = subprocess.Popen([str(word) for word in words],
                                   env={"DEBUGINFOD_URLS": server.url,
                                        "DEBUGINFOD_CACHE_PATH": str(fetching.here / "cache")})
        while not server.asked and process.poll() is None:
            time.sleep(0.02)
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.send_signal(signal.SIGINT)
        check("interrupted", process.wait(timeout=20) == -signal.SIGINT, process.returncode)
    check("interrupted", len(children) == 2, f"{len(children)} processes: a worker and a fetcher?")
    check("interrupted", not any(pathlib.Path(f"/proc/{child}").exists() for child in children),
          "a process is left")
    check("interrupted", not (fetching.here / "out").exists(), "a file is left")


def debuginfod_has_executables(subject):
    here = subject.below("fetched")
    path = pathlib.Path("/nowhere") / subject.name
    core = debugfiles.at_path(subject.made.core, identify(subject.made.core)["executable"], path,
                              here / "core")
    url = f"/buildid/{subject.ids['gnu_build_id']}/executable"
    with debuginfod.serving({url: subject.made.exe.read_bytes()}) as server:
        snapshot = analyze(core, DEBUGINFOD_URLS=server.url,
                           DEBUGINFOD_CACHE_PATH=str(here / "cache"))
        check("executable", server.asked == [url], server.asked)
    check("executable", snapshot["goroutines_total"] == subject.snapshot["goroutines_total"],
          "other goroutines")
    done = run("analyze", core, DEBUGINFOD_URLS=server.url,
               DEBUGINFOD_CACHE_PATH=str(here / "other-cache"))
    check("a dead server", "No such file" in done.stderr and "debuginfod: " in done.stderr,
          done.stderr)


def main():
    crashes = {f"{case.release}/{case.program}": case for case in committed.crashes()
               if case.run in ("run", "panic")}
    try:
        with tempfile.TemporaryDirectory() as directory:
            # One with a GNU build id and DWARF 5, one without and DWARF 4.
            new = Subject(crashes["go1.26.8/demo"], pathlib.Path(directory))
            old = Subject(crashes["go1.21.13/rich"], pathlib.Path(directory))
            for subject, other in ((new, old), (old, new)):
                every_place_is_searched(subject)
                every_kind_of_file_is_read(subject)
                an_exact_release_asks_for_nothing(subject)
                wrong_files_are_named(subject, other)
                executables_are_found(subject, other)
                a_debug_file_is_no_executable(subject)
            debuginfod_is_asked(new)
            its_cache_is_that_of_elfutils(new)
            debuginfod_may_fail(new, old)
            a_stall_costs_half_the_time(new)
            an_interruption_ends_the_fetch(new)
            debuginfod_has_executables(new)
    except crash.Skip as skip:
        print(f"skipped: {skip}")
        return 77
    except crash.Failed as failed:
        print(failed)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

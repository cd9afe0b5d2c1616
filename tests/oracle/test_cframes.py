#!/usr/bin/env python3
"""Holds the C frames of a snapshot against gdb, and against what the program is known to have called.

The threads of the programs in PROGRAMS are walked by gdb on the same core: functions in order, pcs,
source lines. gdb cannot walk from Go back into C: those frames are compared with the calls as the
program's source has them. The run "panic" is analyzed without libc's file. ORACLE_RELEASES names the Go releases (default: the local one).
ORACLE_ARCHES=arm64 does so with cores of qemu, which name no files and have no page of any.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import agree  # noqa: E402
import crash  # noqa: E402

CORESNAP = pathlib.Path(os.environ.get("BUILD", "build")).resolve() / "coresnap"
PROGRAMS = ("c-frames", "c-resolver")
SHOWN = 6
GDBS = {"amd64": "gdb", "arm64": "gdb-multiarch"}

IN_LIBRARY = ["sleep_inside", "wait_in_library"]
THROUGH = ["goCallback", "call_go", "through_c", "main._Cfunc_through_c"]
# The calls of each goroutine, innermost first, by the function that it was started with and the
# outermost of its calls; what else is on its stack (libc, the runtime, cgo's wrappers) is left out.
GOROUTINES = [
    ["main.goPark", "goPark", "compare", "sort_and_call", "main.sorting"],
    ["main.goCallback"] + THROUGH + ["main.goCallback"] + THROUGH + ["main.calling"],
    IN_LIBRARY + ["main.inLibrary", "main.goCallback"] + THROUGH + ["main.calling"],
    IN_LIBRARY + ["main.inLibrary"],
    IN_LIBRARY + ["main.inLibrary", "main.goFromThread", "goFromThread", "calling_thread"],
    ["sleep_inside"] + ["dig"] * 101 + ["main.digging"],
]
MAIN = {"fault": ["measure", "fault_in_library", "main.main"], "nothing": ["call_nothing", "main.main"],
        "handler": ["on_signal", "abort_in_handler", "main.main"], "quit": ["main.main"],
        "panic": ["main.main"]}
KNOWN = {name for calls in GOROUTINES + list(MAIN.values()) for name in calls}

# What gdb says of every thread: one JSON object. Frames that it makes up for tail calls are left out,
# for no return address of theirs is on the stack.
SCRIPT = r"""
import json
def frames():
    frame, rows = gdb.newest_frame(), []
    while frame is not None and len(rows) < 400:
        sal = frame.find_sal()
        if frame.type() != gdb.TAILCALL_FRAME:
            rows.append([frame.pc(), frame.name(), sal.symtab.filename if sal.symtab else None, sal.line])
        try:
            frame = frame.older()
        except gdb.error:
            break
    return rows
result = {}
for thread in gdb.selected_inferior().threads():
    thread.switch()
    result[thread.ptid[1]] = frames()
print("RESULT " + json.dumps(result))
"""


def ask_gdb(made):
    """{thread id: [(pc, name, file, line)]}, with the ELF files' own symbols and nothing from the net."""
    with tempfile.NamedTemporaryFile("w", suffix=".py") as script:
        script.write(SCRIPT)
        script.flush()
        done = subprocess.run(
            [GDBS[made.case.arch], "-nx", "-batch", "-iex", "set auto-load off", "-iex", "set debuginfod enabled off",
             "-iex", "set debug-file-directory /nonexistent", "-iex", "set backtrace past-main on",
             "-iex", f"set sysroot {crash.sysroot(made.case.arch) or '/'}",
             str(made.exe), str(made.core), "-x", script.name],
            capture_output=True, text=True, timeout=180, check=False, env=dict(os.environ, DEBUGINFOD_URLS=""))
    found = re.search(r"^RESULT (.*)$", done.stdout, re.M)
    if not found:
        raise crash.Failed(f"gdb: {done.stderr.strip()[-300:]}")
    return {int(key): rows for key, rows in json.loads(found.group(1)).items()}


def plain(name):
    """One of the several names that libc has for one function."""
    return re.sub(r"^(__GI_|__libc_|_)*", "", name) if name else None


def segments(frames):
    """Runs of C frames."""
    run = []
    for frame in frames + [{"kind": "go"}]:
        if frame["kind"] == "c":
            run.append(frame)
        elif run:
            yield run
            run = []


def frame_differs(ours, theirs):
    pc, name, file, line = theirs
    if int(ours["pc"], 16) != pc:
        return f"{name} at pc {pc:#x}, ours {ours['function']} at {ours['pc']}"
    # Go's own linker names a package's C code as one, and each of its functions in Go's table only.
    is_wrapper = (ours["function"] or "").startswith("_cgo_") and (not name or name.endswith("(.text)"))
    if plain(ours["function"]) != plain(name) and not is_wrapper:
        return f"{name}, ours {ours['function']}"
    if ours["line"] is not None and file and (ours["line"], pathlib.Path(ours["file"]).name) != \
            (line, pathlib.Path(file).name):
        return f"{name} at {file}:{line}, ours {ours['file']}:{ours['line']}"
    if file and file.endswith(".c") and ours["line"] is None:
        return f"{name} at {file}:{line}, ours without a line"
    return None


def segment_differs(run, rows, has_names):
    """The run must be gdb's frames from the one with its first pc on, and all of those that are C.
    gdb does not get through the Go frames of a signal handler without symbols, and on arm64: None."""
    first = int(run[0]["pc"], 16)
    at = next((i for i, row in enumerate(rows) if row[0] == first), None)
    if at is None and (not has_names or rows and rows[-1][1] == "runtime.sigtramp"):
        return None
    if at is None:
        return f"gdb has no frame at {run[0]['pc']} ({run[0]['function']})"
    for ours, theirs in zip(run, rows[at:]):
        wrong = frame_differs(ours, theirs)
        if wrong:
            return wrong
    if len(rows) < at + len(run):
        return f"{len(run)} frames, gdb {len(rows) - at}"
    after = rows[at + len(run)] if len(rows) > at + len(run) else None
    # A thread that has just been made stands in clone3, which has no call frame information there.
    if len(run) == 1 and after and after[1] is None and int(run[0]["pc"], 16) == rows[0][0]:
        return None
    if (run[-1]["function"] or "").startswith("_cgo_"):  # without call frame information gdb guesses
        return None
    is_go = not after or (after[1] or "").startswith("runtime.") or not has_names
    return None if is_go else f"ours ends before {after[1]}"


def threads_differ(snapshot, theirs, has_names):
    """(number of C frames compared, [differences])"""
    compared, wrong = 0, []
    for thread in snapshot["threads"]:
        # Behind a callback gdb is on the goroutine's stack for good.
        for run in list(segments(agree.stack_of(snapshot, thread)))[:1]:
            difference = segment_differs(run, theirs.get(thread["id"], []), has_names)
            compared += len(run)
            if difference:
                wrong.append(f"thread {thread['id']}: {difference}")
    return compared, wrong


def calls_differ(snapshot, run, has_names):
    """The program's own calls, C and Go, of all goroutines that are its."""
    names = KNOWN if has_names else {name for name in KNOWN if name.startswith(("main.", "go"))}
    got = []
    for row in snapshot["goroutines"]:
        calls = [frame["function"] for frame in agree.stack_of(snapshot, row) if frame["function"] in names]
        if calls:
            got.append(calls)
    want = [[name for name in calls if name in names] for calls in GOROUTINES + [MAIN[run]]]
    return [f"no goroutine has the calls {calls[:8]}" for calls in want if calls not in got] + \
        [f"a goroutine has the calls {calls[:8]}" for calls in got if calls not in want]


def lookup_differs(snapshot):
    """A goroutine in libc's resolver: what lies between it and Go is the wrapper that cgo wrote."""
    for row in snapshot["goroutines"]:
        names = [frame["function"] or "" for frame in agree.stack_of(snapshot, row)]
        if "getaddrinfo" not in names:
            continue
        at = names.index("getaddrinfo")
        wanted = [r"getaddrinfo", r"_cgo_\w+_getaddrinfo", r"runtime\.cgocall"]
        if not all(map(re.fullmatch, wanted, names[at:at + 3])):
            return [f"the calls {names[at:at + 3]} are not {wanted}"]
        return [] if row["start"] == "main.lookup" else ["it is in another goroutine"]
    return ["no goroutine is in getaddrinfo"]


def diagnostics_differ(snapshot):
    wanted = {"missing-library", "incomplete-stack", "running-in-c", "lost-c-frames"}
    return [f"{entry['code']}: {entry['message']}" for entry in snapshot["diagnostics"]
            if entry["code"] in wanted]


def analyze(exe, core, arch="amd64"):
    root = crash.sysroot(arch)
    done = subprocess.run([CORESNAP, "analyze", "--exe", exe, *(["--sysroot", root] if root else []), core],
                          capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise crash.Failed(f"coresnap analyze: {done.stderr.strip()}")
    return json.loads(done.stdout)


def dump_everything():
    pathlib.Path("/proc/self/coredump_filter").write_text("0x7f")  # pages of mapped files too
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def without_libc(core):
    """Writes the core anew, as if libc had been a file that is not there."""
    core.write_bytes(core.read_bytes().replace(b"/libc.so.6\0", b"/libc.so.X\0"))


def c_names(snapshot):
    """The C frames of goroutines, by their ids."""
    return {row["id"]: [frame["function"] for frame in agree.stack_of(snapshot, row) if frame["kind"] == "c"]
            for row in snapshot["goroutines"]}


def try_missing(case):
    """Without the file of libc: what lies above it is lost, and said; Go's frames and the C between are
    not. Where the core has all of its pages nothing is lost at all."""
    try:
        made = crash.crash(case)
        wrong = []
        with tempfile.TemporaryDirectory() as directory:
            core = pathlib.Path(directory) / "core"
            shutil.copy(made.core, core)
            without_libc(core)
            snapshot, whole = analyze(made.exe, core, case.arch), analyze(made.exe, made.core, case.arch)
            said = [entry["message"] for entry in snapshot["diagnostics"] if entry["code"] == "missing-library"]
            if len(said) != 1 or "libc.so.X" not in said[0]:
                wrong.append(f"diagnostics of a missing library: {said}")
            go = [[[f["function"] for f in agree.stack_of(s, row) if f["kind"] == "go"] for row in s["goroutines"]]
                  for s in (snapshot, whole)]
            if go[0] != go[1]:
                wrong.append("Go's frames depend on libc")
            if case.arch != "amd64":  # the emulator's cores never have a file's pages
                return case, len(sum(c_names(snapshot).values(), [])), wrong, None
            core.unlink()
            with crash.core_pattern():
                subprocess.run([made.exe, "panic"], cwd=directory, preexec_fn=dump_everything, check=False,
                               capture_output=True, timeout=60, env={"GOTRACEBACK": "crash"})
                core = next(path for path in pathlib.Path(directory).iterdir())
            want = analyze(made.exe, core)
            without_libc(core)
            got = analyze(made.exe, core)
            if c_names(got) != c_names(want):
                wrong.append(f"from the core's own pages: {c_names(got)}, not {c_names(want)}")
        return case, len(sum(c_names(got).values(), [])), wrong, None
    except crash.Skip as skip:
        return case, 0, [], str(skip)
    except (crash.Failed, subprocess.TimeoutExpired, ValueError, KeyError) as error:
        return case, 0, [f"{type(error).__name__}: {error}"], None


def is_for_gdb(case):
    """gdb places an executable by its headers in memory, which the emulator's cores do not have; in
    signal handlers of go1.18 for arm64 it does not come to an end."""
    return case.arch == "amd64" or (case.flags != "pie" and crash.release_number(case.release) >= (1, 19))


def try_case(case):
    """(case, frames compared, [differences], reason of a skip or None)"""
    if case.run == "panic":
        return try_missing(case)
    try:
        made = crash.crash(case)
        snapshot = analyze(made.exe, made.core, case.arch)
        has_names = case.flags != "strip"
        theirs = ask_gdb(made) if is_for_gdb(case) else {}
        compared, wrong = threads_differ(snapshot, theirs, has_names and is_for_gdb(case))
        wrong += lookup_differs(snapshot) if case.program == "c-resolver" else \
            calls_differ(snapshot, case.run, has_names)
        wrong += diagnostics_differ(snapshot)
        return case, compared, wrong, None
    except crash.Skip as skip:
        return case, 0, [], str(skip)
    except (crash.Failed, subprocess.TimeoutExpired, ValueError, KeyError) as error:
        return case, 0, [f"{type(error).__name__}: {error}"], None


def main():
    missing = [GDBS[arch] for arch in crash.arches() if not shutil.which(GDBS[arch])]
    if missing:
        print(f"no {missing[0]} on this machine")
        return 77
    cases = list(crash.cases(os.environ.get("ORACLE_RELEASES", "local").split(), PROGRAMS))
    fine, total, skipped = True, 0, {}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for case, compared, wrong, skip in pool.map(try_case, cases):
            if skip:
                skipped[skip] = skipped.get(skip, 0) + 1
                continue
            wrong = wrong if compared else wrong + ["nothing was compared"]
            print(f"{case.release:<8} {case.name:<28} {compared:>5} C frames  {'NO' if wrong else 'ok'}")
            for line in wrong[:SHOWN]:
                print(f"    {line}")
            fine, total = fine and not wrong, total + compared
    for reason, count in skipped.items():
        print(f"skipped {count}: {reason}")
    print(f"{total} C frames compared")
    return (0 if fine else 1) if total or not fine else 77


if __name__ == "__main__":
    sys.exit(main())

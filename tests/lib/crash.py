"""Builds the Go programs of testdata/programs, makes them crash, and keeps what is left of them.

A case is a program, one of its runs, a Go release and a set of build flags. crash(case) gives a
directory with the executable (named like the program), core, stderr (the runtime's traceback),
stdout (the program's own truth) and meta.json, made once and found again under build/crashes by a
hash of everything that went in. tools/crash is the command for people; the tests use the module.
"""
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "testdata" / "programs"
CACHE = ROOT / "build" / "crashes"
CORE_PATTERN = pathlib.Path("/proc/sys/kernel/core_pattern")
PATTERN_LOCK = "/run/lock/coresnap-core-pattern"
RECIPE = 1  # raise to throw away every cached crash
RUN_SECONDS = 180
SETTLE_SECONDS = 0.1  # between the program's "ready" and the signal

class Build:
    """How a program is built: arguments of `go build`, what is added to its environment, the first and
    the last release that can. `emulated`: whether it runs under an emulator."""

    def __init__(self, *args, env=None, cgo=False, since=(0, 0), until=(9, 9), emulated=True):
        self.args, self.env, self.cgo, self.emulated = list(args), env or {}, cgo, emulated
        self.since, self.until = since, until


BUILDS = {
    "default": Build(),
    "cgo": Build(cgo=True),
    "stripped": Build("-ldflags=-s -w"),
    "noopt": Build("-gcflags=all=-N -l"),
    "pie": Build("-buildmode=pie"),
    "trimpath": Build("-trimpath"),
    "small": Build("-trimpath", "-ldflags=-s -w"),
    "w": Build("-ldflags=-w"),
    "strip": Build(),  # by binutils, after the build
    "s": Build("-ldflags=-s"),
    "l": Build("-gcflags=all=-l"),
    "race": Build("-race", cgo=True, emulated=False),  # it wants 48 bits of addresses
    "static": Build("-ldflags=-linkmode external -extldflags -static", cgo=True),
    "external-pie": Build("-buildmode=pie", "-ldflags=-linkmode external", cgo=True),
    "external-stripped": Build("-buildmode=pie", "-ldflags=-linkmode external -s -w", cgo=True),
    "noswissmap": Build(env={"GOEXPERIMENT": "noswissmap"}, since=(1, 24), until=(1, 25)),
    "greenteagc": Build(env={"GOEXPERIMENT": "greenteagc"}, since=(1, 25), until=(1, 25)),
    "nogreenteagc": Build(env={"GOEXPERIMENT": "nogreenteagc"}, since=(1, 26)),
    "nodwarf5": Build(env={"GOEXPERIMENT": "nodwarf5"}, since=(1, 25)),
}


# Other architectures' programs run under qemu's user emulation, which writes their cores itself.
EMULATORS = {"arm64": ["qemu-aarch64"]}
# What links with C needs its libraries: the cross compiler's, unless those of the system are here (a
# loader of the one with the C library of the other loops in pthread_create).
if not os.path.exists("/lib/ld-linux-aarch64.so.1"):
    EMULATORS["arm64"] += ["-L", "/usr/aarch64-linux-gnu"]
CROSS_PREFIXES = {"amd64": "", "arm64": "aarch64-linux-gnu-"}


def sysroot(arch):
    """Where the files lie that a program under its emulator names; None: where it says."""
    args = EMULATORS.get(arch, [])
    return args[args.index("-L") + 1] if "-L" in args else None


class Skip(Exception):
    """This machine cannot make the crash; the text says why."""


class Failed(Exception):
    """The crash should have worked and did not."""


class Case:
    """One crash to make: program, run (a key of its crash.json), release ("local" or "1.24.9"), flags,
    architecture."""

    def __init__(self, program, run="", release="local", flags="default", arch="amd64"):
        self.program, self.run, self.release, self.flags = program, run, release, flags
        self.arch = arch
        self.spec = read_spec(program)
        if run not in self.spec["runs"]:
            raise Failed(f"{program} has no run '{run}'; it has {', '.join(self.spec['runs'])}")
        self.run_spec = self.spec["runs"][run]

    @property
    def name(self):
        text = self.program
        if self.run:
            text += "/" + self.run
        if self.arch != "amd64":
            text += " " + self.arch
        return text if self.flags == "default" else f"{text} ({self.flags})"

    def command(self, exe):
        """What runs `exe`, with this run's arguments."""
        return [*EMULATORS.get(self.arch, []), str(exe), *self.run_spec.get("args", [])]

    @property
    def compiler(self):
        return os.environ.get("CC", "gcc") if self.arch == "amd64" else CROSS_PREFIXES[self.arch] + "gcc"

    @property
    def cgo(self):
        return BUILDS[self.flags].cgo or bool(self.spec.get("cgo"))

    @property
    def silent(self):
        """Whether the runtime dies without a word."""
        return bool(self.run_spec.get("silent"))

    @property
    def slow(self):
        return bool(self.run_spec.get("slow"))


class Crash:
    """What is left of one crash; `meta` is what crash() knew when it made it."""

    def __init__(self, case, directory):
        self.case, self.dir = case, pathlib.Path(directory)
        self.exe, self.core = self.dir / case.program, self.dir / "core"
        self.meta = json.loads((self.dir / "meta.json").read_text())

    @property
    def stderr(self):
        return (self.dir / "stderr").read_bytes().decode("utf-8", "surrogateescape")

    @property
    def truth(self):
        return read_truth((self.dir / "stdout").read_text())


def read_truth(text):
    """The lines `name = JSON` that a program printed about itself."""
    truth = {}
    for line in text.splitlines():
        match = re.match(r"([a-z][\w.]*) = (.*)$", line)
        if match:
            truth[match.group(1)] = json.loads(match.group(2))
    return truth


def read_spec(program):
    path = PROGRAMS / program / "crash.json"
    spec = json.loads(path.read_text()) if path.exists() else {}
    spec.setdefault("runs", {"": {}})
    spec.setdefault("flags", ["default"])
    spec.setdefault("full_flags", [])  # builds that are left to check-matrix
    return spec


def programs():
    return sorted(p.parent.name for p in PROGRAMS.glob("*/main.go"))


def _is_for(version, since, until=(9, 9)):
    return tuple(since) <= version <= tuple(until)


def arches():
    """The architectures to try: ORACLE_ARCHES ("amd64 arm64"), or amd64."""
    return os.environ.get("ORACLE_ARCHES", "amd64").split()


def cases(releases=("local",), only=(), all_flags=True, full=False):
    """Every case of every program (or of those named in `only`) for these releases. `full`: also the
    builds that are left to check-matrix, and the programs of which another test takes care."""
    for release in releases:
        version = release_number(release)
        for program in programs():
            spec = read_spec(program)
            if (only and program not in only) or not _is_for(version, spec.get("since", (0,))):
                continue
            if spec.get("own_test") and not full and program not in only:
                continue
            builds = spec["flags"] + (spec["full_flags"] if full else [])
            for flags in builds if all_flags else builds[:1]:
                if not _is_for(version, BUILDS[flags].since, BUILDS[flags].until):
                    continue
                for run, run_spec in spec["runs"].items():
                    if not _is_for(version, run_spec.get("since", (0,))):
                        continue
                    if flags != spec["flags"][0] and run != spec.get("flags_run", run):
                        continue
                    for arch in arches():
                        if BUILDS[flags].emulated or arch not in EMULATORS:
                            yield Case(program, run, release, flags, arch)


_local_version = []


def go_version(release):
    """"go1.26.8" for a release; raises Skip where there is no Go."""
    if release != "local":
        return "go" + release
    if not _local_version:
        if not shutil.which("go"):
            raise Skip("no Go on this machine")
        done = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True,
                              env=dict(os.environ, GOTOOLCHAIN="local"))
        if done.returncode != 0:
            raise Skip(f"go does not work here: {done.stderr.strip()}")
        _local_version.append(done.stdout.strip())
    return _local_version[0]


def release_number(release):
    match = re.match(r"go(\d+)\.(\d+)", go_version(release))
    return (int(match.group(1)), int(match.group(2))) if match else (9, 9)


def _digest(case):
    h = hashlib.sha256()
    if case.arch != "amd64":
        h.update(case.arch.encode())
    h.update(repr((RECIPE, go_version(case.release), case.flags, BUILDS[case.flags].args,
                   case.cgo, sorted(case.run_spec.items()), *sorted(BUILDS[case.flags].env.items()))).encode())
    for path in sorted((PROGRAMS / case.program).rglob("*")):
        if path.suffix in (".go", ".mod", ".c", ".h", ".s"):
            h.update(str(path.relative_to(PROGRAMS)).encode() + b"\0" + path.read_bytes())
    return h.hexdigest()[:16]


_build_locks = {}
_build_locks_guard = threading.Lock()


def _build(case, directory):
    """Builds the program once for its flags and release, whatever the run; returns the executable."""
    exe = directory / case.program
    with _build_locks_guard:
        lock = _build_locks.setdefault(str(exe), threading.Lock())
    with lock:
        stamp = directory / "sources"
        build_case = Case(case.program, next(iter(case.spec["runs"])), case.release, case.flags, case.arch)
        digest = _digest(build_case)
        if exe.exists() and stamp.exists() and stamp.read_text() == digest:
            return exe
        if not shutil.which("go"):
            raise Skip("no Go on this machine")
        if case.cgo and not shutil.which(case.compiler):
            raise Skip(f"cgo needs a C compiler for {case.arch}: no {case.compiler}")
        directory.mkdir(parents=True, exist_ok=True)
        env = dict(os.environ, GOFLAGS="-buildvcs=false", GOWORK="off", GO111MODULE="on",
                   CGO_ENABLED="1" if case.cgo else "0", GOARCH=case.arch, CC=case.compiler,
                   GOTOOLCHAIN="local" if case.release == "local" else go_version(case.release),
                   **BUILDS[case.flags].env)
        for name, package in case.spec.get("plugins", {}).items():
            _go_build(case, env, directory / name, ["-buildmode=plugin", package])
        _go_build(case, env, exe, ["."])
        stamp.write_text(digest)
        return exe


def _go_build(case, env, target, args):
    fresh = str(target) + ".new"
    done = subprocess.run(["go", "build", *BUILDS[case.flags].args, "-o", fresh, *args],
                          cwd=PROGRAMS / case.program, env=env, capture_output=True, text=True)
    if done.returncode != 0:
        if "toolchain not available" in done.stderr or "download" in done.stderr:
            raise Skip(f"{go_version(case.release)} cannot be had here")
        raise Failed(f"{case.name}: go build: {done.stderr.strip()}")
    if case.flags == "strip":
        strip(fresh, case.arch)
    os.replace(fresh, target)


def strip(exe, arch="amd64"):
    """Takes symbols and debug information from an executable, in place."""
    tool = CROSS_PREFIXES[arch] + "strip"
    if not shutil.which(tool):
        raise Skip(f"no {tool} on this machine (binutils)")
    done = subprocess.run([tool, exe], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{tool} {exe}: {done.stderr.strip()}")


@contextlib.contextmanager
def core_pattern():
    """Makes the kernel write plain core files into the working directory while it is entered."""
    pattern = CORE_PATTERN.read_text().strip()
    if pattern and not pattern.startswith(("|", "@", "/")) and "/" not in pattern:
        yield
        return
    if os.geteuid() != 0 or not os.access(CORE_PATTERN, os.W_OK):
        raise Skip(f"kernel.core_pattern is '{pattern}': cores do not go to plain files, "
                   "and only root could change that")
    with open(PATTERN_LOCK, "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        pattern = CORE_PATTERN.read_text().strip()
        try:
            CORE_PATTERN.write_text("core\n")
        except OSError as error:
            raise Skip(f"kernel.core_pattern is '{pattern}' and cannot be set: {error}") from error
        try:
            yield
        finally:
            CORE_PATTERN.write_text(pattern + "\n")


def _unlimited_core():
    """In the child: cores of any size, and SIGQUIT and SIGINT as a shell gives them."""
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    for number in (signal.SIGQUIT, signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)


def _check_core_limit():
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    if hard != resource.RLIM_INFINITY and os.geteuid() != 0:
        raise Skip(f"the hard limit of core files is {hard} bytes")


def _wait_ready(process, stdout):
    deadline = time.monotonic() + RUN_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return
        if b"ready\n" in stdout.read_bytes():
            time.sleep(SETTLE_SECONDS)
            return
        time.sleep(0.02)


def _run(case, exe, group, directory):
    """Runs the program in `directory` until it has dumped its core there; returns how it ended."""
    # Nothing of this machine's own environment: it would lie in the core.
    env = {"PATH": "/usr/bin:/bin", "HOME": str(directory), "GOTRACEBACK": "crash"}
    env.update(case.run_spec.get("env", {}))
    # What a core names must be there later: plugins stay where they were built.
    args = case.command(exe) + \
        [str(group / name) for name in case.spec.get("plugins", {})]
    stderr = os.devnull if case.run_spec.get("quiet") else directory / "stderr"
    with open(directory / "stdout", "wb") as out, open(stderr, "wb") as err:
        # A child must not inherit a descriptor, or a directory, of ours.
        process = subprocess.Popen(args, cwd=directory, env=env, stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=err, preexec_fn=_unlimited_core, start_new_session=True)
        try:
            if "signal" in case.run_spec:
                _wait_ready(process, directory / "stdout")
                process.send_signal(getattr(signal, case.run_spec["signal"]))
            process.wait(RUN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Failed(f"{case.name}: still running after {RUN_SECONDS} s") from None
    if case.arch in EMULATORS:  # "core" is the emulator's own, from the kernel
        (directory / "core").unlink(missing_ok=True)
    cores = [p for p in directory.iterdir() if p.name not in (exe.name, "stdout", "stderr", "core")
             and p.is_file()]
    if not (directory / "core").exists() and len(cores) == 1:
        cores[0].rename(directory / "core")
    if not (directory / "core").exists():
        tail = pathlib.Path(stderr).read_text(errors="replace")[-300:]
        raise Failed(f"{case.name}: no core file (status {process.returncode}): {tail}")
    return process.returncode


def crash(case, cache=CACHE):
    """The crash of a case, from the cache or made now. Raises Skip or Failed."""
    version = go_version(case.release)
    place = version if case.arch == "amd64" else f"{version}-{case.arch}"
    group = pathlib.Path(cache) / place / (case.program if case.flags == "default" else f"{case.program}-{case.flags}")
    directory = group / (case.run or "run")
    digest = _digest(case)
    with contextlib.suppress(OSError, ValueError, KeyError):
        found = Crash(case, directory)
        if found.meta["digest"] == digest and found.core.exists():
            return found
    _check_core_limit()
    if case.arch in EMULATORS and not shutil.which(EMULATORS[case.arch][0]):
        raise Skip(f"no {EMULATORS[case.arch][0]} on this machine (qemu-user)")
    exe = _build(case, group)
    fresh = pathlib.Path(tempfile.mkdtemp(prefix=".new-", dir=group))
    try:
        os.link(exe, fresh / exe.name)
        with core_pattern():
            status = _run(case, fresh / exe.name, group, fresh)
        meta = {"digest": digest, "program": case.program, "run": case.run, "go_version": version,
                "flags": case.flags, "arch": case.arch, "status": status}
        (fresh / "meta.json").write_text(json.dumps(meta, indent=1) + "\n")
        shutil.rmtree(directory, ignore_errors=True)
        os.replace(fresh, directory)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return Crash(case, directory)

#!/usr/bin/env python3
"""A core in every condition that Linux, people and full disks leave it in: each gives what can be
given, in agreement with what the runtime printed, and says what is missing.

One program crashes again and again: under every kind of coredump_filter, with segments sorted by
size, under limits on the core's size, on a full disk, with tens of thousands of segments, and its
core is copied sparsely, stripped of notes and zeroed in places. A live one is dumped by gdb's gcore.
CONDITIONS names the tests to run instead of all; each says why it is skipped where it is.
"""
import contextlib
import fcntl
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import agree  # noqa: E402
import corefile  # noqa: E402
import crash  # noqa: E402
import gotrace  # noqa: E402
import schema  # noqa: E402

CORESNAP = pathlib.Path(os.environ.get("BUILD", "build")).resolve() / "coresnap"
SORT_VMA = pathlib.Path("/proc/sys/kernel/core_sort_vma")
SYSCTL_LOCK = crash.PATTERN_LOCK
SECONDS = 60
FILTERS = (0x00, 0x01, 0x02, 0x03, 0x11, 0x13, 0x23, 0x33, 0x37, 0x3b, 0x3f, 0x73, 0x7f)
PRIVATE = 0x01  # anonymous private memory: without it there is no Go heap
ELF_HEADERS = 0x10


class Died:
    """What one run left: executable, core, and the runtime's words."""

    def __init__(self, exe, directory):
        self.exe, self.directory = exe, pathlib.Path(directory)
        self.core = self.directory / "core"

    @property
    def traceback(self):
        return gotrace.parse((self.directory / "stderr").read_bytes().decode("utf-8", "surrogateescape"))


@contextlib.contextmanager
def sysctl(path, value):
    """Sets a number of the kernel's for a while; skips where it is not ours to set."""
    if not path.exists():
        raise unittest.SkipTest(f"this kernel has no {path}")
    if os.geteuid() != 0 or not os.access(path, os.W_OK):
        raise unittest.SkipTest(f"only root can set {path}")
    with open(SYSCTL_LOCK, "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = path.read_text()
        try:
            path.write_text(f"{value}\n")
            yield
        except OSError as error:
            raise unittest.SkipTest(f"{path} cannot be set: {error}") from error
        finally:
            path.write_text(before)


class Conditions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        try:
            cls.made = crash.crash(crash.Case("rich", "panic"))
            cls.pie = crash.crash(crash.Case("rich", "panic", flags="pie"))
        except crash.Skip as reason:
            print(f"skipped: {reason}")
            sys.exit(77)

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="coresnap-conditions-")
        os.chmod(self.directory, 0o755)
        self.addCleanup(shutil.rmtree, self.directory)

    def die(self, exe, core_filter=0x33, limit=resource.RLIM_INFINITY, args=(), env=()):
        """Lets the program die in a directory of its own."""
        directory = tempfile.mkdtemp(dir=self.directory)

        def prepare():
            with open("/proc/self/coredump_filter", "w", encoding="ascii") as file:
                file.write(hex(core_filter))
            hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
            resource.setrlimit(resource.RLIMIT_CORE, (limit, hard))

        with crash.core_pattern(), open(f"{directory}/stderr", "wb") as err:
            subprocess.run([str(exe), *args], cwd=directory, stderr=err, stdout=subprocess.DEVNULL,
                           stdin=subprocess.DEVNULL, preexec_fn=prepare, check=False, timeout=SECONDS,
                           env={"PATH": "/usr/bin:/bin", "GOTRACEBACK": "crash", **dict(env)})
        found = [name for name in os.listdir(directory) if name.startswith("core")]
        if found and found[0] != "core":
            os.rename(f"{directory}/{found[0]}", f"{directory}/core")
        return Died(exe, directory)

    def analyze(self, core, *options, exe=None, status=0):
        """(the snapshot or None, what was said)."""
        if exe:
            options = ("--exe", str(exe), *options)
        done = subprocess.run([str(CORESNAP), "analyze", *options, str(core)], capture_output=True,
                              check=False, timeout=SECONDS)
        said = done.stderr.decode()
        self.assertEqual(done.returncode, status, said)
        if done.returncode:
            self.assertEqual(len(said.splitlines()), 1, said)
            return None, said
        snapshot = json.loads(done.stdout)
        self.assertEqual(schema.check(snapshot), [])
        return snapshot, said

    def codes(self, snapshot):
        return {row["code"] for row in snapshot["diagnostics"]}

    def agrees(self, snapshot, traceback):
        result = agree.compare(snapshot, traceback)
        self.assertEqual(result.disagreements, [])
        self.assertGreater(result.agreed, 5)
        self.assertEqual(agree.crash_differs(snapshot, traceback), [])


if __name__ == "__main__":
    unittest.main()

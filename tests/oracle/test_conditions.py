#!/usr/bin/env python3
"""A core in every condition that Linux, people and full disks leave it in: each gives what can be
given, in agreement with what the runtime printed, and says what is missing.

One program crashes again and again: under every kind of coredump_filter, with segments sorted by
size, under limits on the core's size, on a full disk, with tens of thousands of segments, and its
core is copied sparsely, stripped of notes and zeroed in places. A live one is dumped by gdb's gcore.
Each test says why it is skipped where it is. CONDITIONS_LONG=1 tries every filter and more limits.
"""
import contextlib
import fcntl
import gzip
import json
import os
import pathlib
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import agree  # noqa: E402
import corefile  # noqa: E402
import crash  # noqa: E402
import gotrace  # noqa: E402
import schema  # noqa: E402

CORESNAP = pathlib.Path(os.environ.get("BUILD", "build")).resolve() / "coresnap"
SORT_VMA = pathlib.Path("/proc/sys/kernel/core_sort_vma")
MAX_MAP_COUNT = pathlib.Path("/proc/sys/vm/max_map_count")
SYSCTL_LOCK = crash.PATTERN_LOCK
SECONDS = 60
IS_LONG = bool(os.environ.get("CONDITIONS_LONG"))
FILTERS = range(0x80) if IS_LONG else (0x00, 0x01, 0x23, 0x37, 0x7f)
LIMITS = range(4096, 2 << 20, 65536) if IS_LONG else (4096, 100000, 400000, 1500000)
PRIVATE = 0x01  # anonymous private memory: without it there is no Go heap

MANY_SEGMENTS = """package main

import "syscall"

const page = 4096

func main() {
	block := make(chan int)
	for i := 0; i < 10; i++ {
		go func() { <-block }()
	}
	pages, err := syscall.Mmap(-1, 0, 140000*page, syscall.PROT_READ, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	for i := 0; err == nil && i < len(pages); i += 2 * page {
		err = syscall.Mprotect(pages[i:i+page], syscall.PROT_NONE)
	}
	panic(err)
}
"""
OTHER = """package main

func f(c chan int) { <-c }

func main() {
	c := make(chan int)
	for i := 0; i < 5; i++ {
		go f(c)
	}
	panic("other")
}
"""


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
        if snapshot["goroutines_total"] is not None:
            self.assertEqual(schema.check(snapshot), [])
        return snapshot, said

    def codes(self, snapshot):
        return {row["code"] for row in snapshot["diagnostics"]}

    def agrees(self, snapshot, traceback):
        result = agree.compare(snapshot, traceback)
        self.assertEqual(result.disagreements, [])
        self.assertGreater(result.agreed, 5)
        self.assertEqual(agree.crash_differs(snapshot, traceback), [])

    def partly_agrees(self, snapshot, traceback):
        """What a cut core still has is right: goroutines are missing, or stacks end too early. Without
        the m that died nothing tells that its last frames are those of dying, and they are shown."""
        if not snapshot["goroutines"]:
            return 0
        result = agree.compare(snapshot, traceback)
        allowed = "only the runtime printed it|that lacks|frame 0: panic, ours runtime[.]"
        for number, wrong in result.disagreements:
            self.assertRegex(wrong, allowed, number)
        return result.agreed

    def each(self, name, values, check):
        """check(a dead process, value) for each value and both executables; CONDITIONS_LONG tells how far
        it has come. `check` makes the process, whose core goes at once: hundreds fill a disk."""
        for exe in (self.made.exe, self.pie.exe):
            for count, value in enumerate(values, 1):
                with self.subTest(**{name: hex(value), "exe": str(exe)}):
                    directory = tempfile.mkdtemp(dir=self.directory)
                    with unittest.mock.patch.object(self, "directory", directory):
                        check(exe, value)
                    shutil.rmtree(directory)
                if IS_LONG and count % 16 == 0:
                    print(f"{name}: {count} of {len(values)}, {exe.parent.name}", file=sys.stderr, flush=True)

    def check_filter(self, exe, value):
        died = self.die(exe, value)
        snapshot, said = self.analyze(died.core, exe=exe)
        if not value & PRIVATE:
            self.assertIn("coredump_filter", said)
            # With private pages of files come the variables, and nothing they point to.
            self.assertEqual(self.codes(snapshot) - {"unverified-binary"},
                             {"no-goroutines" if value & 0x04 else "no-variables-in-core"})
            self.assertEqual(snapshot["process"]["signal"]["name"], "SIGABRT")
            return
        self.agrees(snapshot, died.traceback)
        # Without ELF headers there is no build id: the variables tell.
        self.assertNotIn("unverified-binary", self.codes(snapshot))
        self.assertTrue(snapshot["capture"]["complete"])

    def test_coredump_filter(self):
        self.each("filter", FILTERS, self.check_filter)

    def test_wrong_executable_without_build_ids(self):
        """No ELF headers in the core (bit 4 of the filter): other builds of the same source."""
        died = self.die(self.made.exe, 0x23)
        self.agrees(self.analyze(died.core, exe=self.made.exe)[0], died.traceback)
        for flags in ("trimpath", "stripped", "pie"):
            try:
                other = crash.crash(crash.Case("rich", "panic", flags=flags)).exe
            except crash.Skip as reason:
                self.skipTest(str(reason))
            _, said = self.analyze(died.core, exe=other, status=1)
            self.assertIn("are not those of", said)
            self.assertIn("--exe", said)

    def test_sorted_by_size(self):
        with sysctl(SORT_VMA, 1):
            for exe in (self.made.exe, self.pie.exe):
                died = self.die(exe)
                loads = corefile.CoreFile(died.core).loads
                self.assertEqual([row.file_size for row in loads],
                                 sorted(row.file_size for row in loads))
                self.agrees(self.analyze(died.core)[0], died.traceback)
                self.cut_anywhere(died)

    def cut_anywhere(self, died):
        """More and more of the core cut off, at the ends of its segments and in the middle of them."""
        ends = {row.offset + row.file_size for row in corefile.CoreFile(died.core).loads}
        ends |= {row.offset + row.file_size // 2 for row in corefile.CoreFile(died.core).loads}
        before = None
        for end in sorted(ends, reverse=True)[1:]:
            os.truncate(died.core, end)
            snapshot, _ = self.analyze(died.core)
            self.assertIn("truncated-core", self.codes(snapshot))
            agreed = self.partly_agrees(snapshot, died.traceback)
            self.assertTrue(before is None or agreed <= before, (end, agreed, before))
            before = agreed

    def check_limit(self, exe, limit):
        """The number of goroutines in which a core of so many bytes and the runtime agree."""
        died = self.die(exe, limit=limit)
        snapshot, _ = self.analyze(died.core)
        if snapshot["capture"]["complete"]:
            self.agrees(snapshot, died.traceback)
            return 0
        self.assertIn("truncated-core", self.codes(snapshot))
        self.assertEqual(snapshot["process"]["signal"]["name"], "SIGABRT")
        kind = snapshot["crash"]["kind"]
        self.assertIn(kind, ("panic", None))
        self.assertEqual(kind is None and bool(snapshot["goroutines"]),
                         "unknown-crash" in self.codes(snapshot))
        return self.partly_agrees(snapshot, died.traceback)

    def test_limit_on_size(self):
        agreed = []
        self.each("limit", LIMITS, lambda exe, limit: agreed.append(self.check_limit(exe, limit)))
        self.assertGreater(max(agreed), 5)

    def test_full_disk(self):
        if os.geteuid() != 0:
            self.skipTest("only root can mount a small disk")
        disk = tempfile.mkdtemp(dir=self.directory)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=700k", "none", disk],
                                 capture_output=True, check=False)
        if mounted.returncode:
            self.skipTest(f"no disk can be mounted: {mounted.stderr.decode().strip()}")
        try:
            with unittest.mock.patch.object(self, "directory", disk):
                died = self.die(self.made.exe)
            snapshot, _ = self.analyze(died.core)
            self.assertIn("truncated-core", self.codes(snapshot))
            self.partly_agrees(snapshot, died.traceback)
            # And a disk that has no room for what a core unpacks to.
            packed = os.path.join(self.directory, "core.gz")
            with gzip.open(packed, "wb", compresslevel=1) as out, open(self.made.core, "rb") as core:
                shutil.copyfileobj(core, out)
            os.unlink(died.core)
            output = os.path.join(self.directory, "snapshot.json")
            subprocess.run([str(CORESNAP), "analyze", "--exe", str(self.made.exe), "-o", output, packed],
                           check=True, timeout=SECONDS, env={**os.environ, "TMPDIR": disk})
            with open(output, encoding="utf-8") as file:
                snapshot = json.load(file)
            self.assertLessEqual({"unpack-no-room", "truncated-core"}, self.codes(snapshot))
            self.partly_agrees(snapshot, gotrace.parse(self.made.stderr))
        finally:
            subprocess.run(["umount", disk], check=True)

    def test_sparse_copy(self):
        died = self.die(self.made.exe)
        dense = os.path.join(self.directory, "dense")
        subprocess.run(["cp", "--sparse=never", str(died.core), dense], check=True)
        sparse = corefile.copy(died.core, os.path.join(self.directory, "sparse"))
        self.assertLess(os.stat(sparse.path).st_blocks * 512, os.path.getsize(dense) / 2)
        for path in (dense, sparse.path):
            self.agrees(self.analyze(path)[0], died.traceback)

    def test_zeros_in_place_of_pages(self):
        """A disk that lost pages: what stands on them is missing or cut, and nothing else is wrong."""
        died = self.die(self.made.exe)
        whole, _ = self.analyze(died.core)
        copy = corefile.copy(died.core, os.path.join(self.directory, "copy"))
        stacks = {int(row["stack_range"]["high"], 16) - 1 & -corefile.PAGE
                  for row in whole["goroutines"] if row["stack_range"] and not row["system"]}
        for address in sorted(stacks):
            at = copy.offset_of(address)
            with open(copy.path, "rb") as file:
                file.seek(at)
                page = file.read(corefile.PAGE)
            copy.zero(at, at + corefile.PAGE)
            snapshot, _ = self.analyze(copy.path)
            copy.write(at, page)
            result = agree.compare(snapshot, died.traceback)
            # A page holds two stacks of the smallest size, and the g of somebody else at the most.
            self.assertLessEqual(len(result.disagreements), 4, (hex(address), result.disagreements))
            self.assertTrue(result.disagreements, hex(address))
            self.assertTrue(self.codes(snapshot) & {"incomplete-stack", "unreadable-goroutine"},
                            self.codes(snapshot))

    def test_dropped_notes(self):
        for exe in (self.made.exe, self.pie.exe):
            died = self.die(exe)
            for names in (["FILE"], ["AUXV"], ["PRPSINFO"], ["SIGINFO"], ["FILE", "AUXV"],
                          ["FILE", "AUXV", "PRPSINFO", "SIGINFO"]):
                with self.subTest(exe=str(exe), names=names):
                    copy = corefile.copy(died.core, os.path.join(self.directory, "copy"))
                    copy.drop_notes(*names)
                    is_named = not {"FILE", "AUXV"} <= set(names)
                    snapshot, said = self.analyze(copy.path, exe=None if is_named else exe)
                    self.assertEqual(said, "")
                    self.agrees(snapshot, died.traceback)
                    self.assertNotIn("unverified-binary", self.codes(snapshot))
                    self.assertEqual(snapshot["process"]["signal"]["number"], 6)
                    self.assertEqual(snapshot["process"]["signal"]["code"],
                                     None if "SIGINFO" in names else -6)
                    self.assertEqual(snapshot["process"]["pid"] is None, "PRPSINFO" in names)
                    self.assertEqual(snapshot["process"]["uid"] is None,
                                     {"PRPSINFO", "AUXV"} <= set(names))
                    if not is_named:
                        snapshot, said = self.analyze(copy.path)
                        self.assertIn("does not name it", said)
                        self.assertIn(snapshot["binary"]["go_build_id"], said)

    def test_executable_gone_or_replaced(self):
        for exe in (self.made.exe, self.pie.exe):
            for value, what in ((0x33, "gone"), (0x33, "another"), (0x33, "no Go"), (0x37, "gone"),
                                (0x37, "another"), (0x37, "no Go")):
                with self.subTest(exe=str(exe), filter=hex(value), what=what):
                    program = os.path.join(self.directory, "program")
                    shutil.copy(exe, program)
                    died = self.die(program, value)
                    os.unlink(program)
                    if what != "gone":
                        other = self.pie.exe if exe == self.made.exe else self.made.exe
                        shutil.copy(other if what == "another" else "/bin/true", program)
                    self.check_without_executable(died, bool(value & 0x04), what, program)

    def check_without_executable(self, died, has_code, what, program):
        snapshot, said = self.analyze(died.core)
        code = "no-executable" if what == "gone" else "wrong-binary"
        self.assertIn(code, self.codes(snapshot))
        row = next(row for row in snapshot["diagnostics"] if row["code"] == code)
        for text in (program, snapshot["binary"]["go_build_id"], "--exe"):
            self.assertIn(text, row["message"])
        self.assertEqual(snapshot["binary"]["main"]["path"], "example.com/rich")
        self.assertTrue(snapshot["binary"]["go_version"].startswith("go1."))
        if has_code:
            self.assertIn("executable-in-core", self.codes(snapshot))
            self.agrees(snapshot, died.traceback)
            return
        self.assertIn(row["message"], said)
        self.assertIsNone(snapshot["binary"]["has_dwarf"])
        self.assertIsNone(snapshot["crash"]["kind"])
        self.assertEqual(snapshot["process"]["signal"]["name"], "SIGABRT")
        self.assertGreater(len(snapshot["threads"]), 1)
        self.assertRegex(snapshot["threads"][0]["registers"]["pc"], "^0x")

    def test_many_segments(self):
        """More than 65535 program headers: their number is in section 0 (PN_XNUM)."""
        source = os.path.join(self.directory, "source")
        os.mkdir(source)
        for name, text in (("main.go", MANY_SEGMENTS), ("go.mod", "module example.com/m\n\ngo 1.21\n")):
            with open(os.path.join(source, name), "w", encoding="ascii") as file:
                file.write(text)
        program = os.path.join(source, "program")
        subprocess.run(["go", "build", "-o", program, "."], cwd=source, check=True, timeout=300,
                       env={**os.environ, "GOFLAGS": "-buildvcs=false", "GOTOOLCHAIN": "local"})
        with sysctl(MAX_MAP_COUNT, 200000):
            died = self.die(program)
        with open(died.core, "rb") as file:
            self.assertEqual(struct.unpack_from("<H", file.read(64), 56)[0], 0xffff)
        snapshot, _ = self.analyze(died.core)
        self.agrees(snapshot, died.traceback)
        # Section 0 is the last of the file: without it the notes tell where the headers end.
        os.truncate(died.core, os.path.getsize(died.core) - 1)
        snapshot, _ = self.analyze(died.core)
        self.assertIn("truncated-core", self.codes(snapshot))
        self.agrees(snapshot, died.traceback)

    def build(self, command, name, env=()):
        """Builds OTHER with another compiler; skips where that is not to be had."""
        source = tempfile.mkdtemp(dir=self.directory)
        for file, text in (("main.go", OTHER), ("go.mod", "module example.com/other\n\ngo 1.17\n")):
            with open(os.path.join(source, file), "w", encoding="ascii") as out:
                out.write(text)
        program = os.path.join(source, name)
        try:
            done = subprocess.run([*command, "-o", program], cwd=source, capture_output=True, check=False,
                                  timeout=300, env={**os.environ, **dict(env)})
        except OSError as error:
            self.skipTest(f"{command[0]}: {error}")
        if done.returncode:
            self.skipTest(f"{' '.join(command)}: {done.stderr.decode().strip()[-200:]}")
        return program

    def check_named(self, program, code, *words):
        """A minimal snapshot, and one line that names what built the program."""
        died = self.die(program)
        snapshot, said = self.analyze(died.core)
        self.assertEqual(self.codes(snapshot), {code})
        for word in words:
            self.assertIn(word, said)
        self.assertIsNone(snapshot["goroutines_total"])
        self.assertEqual(snapshot["process"]["executable"], os.path.realpath(program))
        self.assertGreater(len(snapshot["threads"]), 0)
        return snapshot

    def test_go_before_1_18(self):
        env = {"GOENV": "off", "GOFLAGS": "", "GOTOOLCHAIN": "go1.17.13", "CGO_ENABLED": "0"}
        for flags in ([], ["-ldflags=-s -w"], ["-buildmode=pie"]):
            program = self.build(["go", "build", *flags], "old", env)
            snapshot = self.check_named(program, "go-too-old", "go1.17.13", "Go 1.18")
            self.assertEqual(snapshot["binary"]["go_version"], "go1.17.13")
            self.assertIsNotNone(snapshot["binary"]["go_build_id"])

    def test_gccgo(self):
        compiler = next(filter(shutil.which, ("gccgo", "gccgo-12", "gccgo-13", "gccgo-14")), None)
        if not compiler:
            self.skipTest("no gccgo here")
        for flags in ([], ["-static-libgo"]):
            program = self.build([compiler, *flags, "main.go"], "other")
            self.check_named(program, "binary-not-go", "was built by gccgo")
            crash.strip(program)
            self.check_named(program, "binary-not-go", "was built by gccgo")

    def test_devel_toolchain(self):
        """A version that no table has, in a program without DWARF: the nearest layout, proven."""
        try:
            made = crash.crash(crash.Case("rich", "panic", flags="stripped"))
        except crash.Skip as reason:
            self.skipTest(str(reason))
        version = crash.go_version("local").rpartition(".")[0]  # "go1.26"
        program = os.path.join(self.directory, "devel")
        with open(made.exe, "rb") as file:
            content = bytearray(file.read())
        at = content.index(b"\xff Go buildinf:\x08\x02") + 32
        text = f"devel {version}-0123456789".encode()
        content[at:at + len(text) + 2] = bytes([len(text)]) + text + b"\0"  # and no modules
        with open(program, "wb") as file:
            file.write(content)
        os.chmod(program, 0o755)
        died = self.die(program)
        snapshot, _ = self.analyze(died.core)
        self.assertEqual(snapshot["runtime"]["layout"], "guessed")
        self.assertTrue(snapshot["runtime"]["layout_from"].startswith(version))
        self.assertEqual(agree.compare(snapshot, died.traceback).disagreements, [])

    def test_gcore(self):
        if not shutil.which("gcore"):
            self.skipTest("no gcore here (gdb)")
        # Each takes a gigabyte and seconds.
        for exe in (self.made.exe, self.pie.exe) if IS_LONG else (self.pie.exe,):
            with self.subTest(exe=str(exe)):
                self.check_gcore(exe)

    def check_gcore(self, exe):
        directory = pathlib.Path(tempfile.mkdtemp(dir=self.directory))
        with open(directory / "stderr", "wb") as err:
            process = subprocess.Popen([str(exe), "wait"], cwd=directory, stdout=subprocess.PIPE,
                                       stderr=err, env={"GOTRACEBACK": "system"},
                                       preexec_fn=lambda: signal.signal(signal.SIGQUIT, signal.SIG_DFL))
            try:
                while process.stdout.readline() not in (b"ready\n", b""):
                    pass
                time.sleep(crash.SETTLE_SECONDS)
                dumped = subprocess.run(["gcore", "-o", str(directory / "core"), str(process.pid)],
                                        capture_output=True, check=False, timeout=SECONDS)
                process.send_signal(signal.SIGQUIT)
                process.wait(SECONDS)
            finally:
                process.kill()
                process.wait()
                process.stdout.close()
        core = directory / f"core.{process.pid}"
        if not core.exists():
            self.skipTest(f"gcore may not: {dumped.stderr.decode().strip()[-200:]}")
        snapshot, said = self.analyze(core)
        self.assertEqual(said, "")
        self.assertIn("live-core", self.codes(snapshot))
        self.assertEqual((snapshot["crash"]["kind"], snapshot["process"]["signal"]), ("none", None))
        self.assertIsNone(snapshot["crash"]["goroutine"])
        self.assertEqual(len(snapshot["crash"]["blamed"]), 1)
        self.assertEqual({row["signal"] for row in snapshot["threads"]}, {None})
        result = agree.compare(snapshot, Died(exe, directory).traceback)
        # What still ran when it was dumped was stopped by the later SIGQUIT.
        self.assertEqual([row for row in result.disagreements
                          if row[1] != "state [runnable], ours [running]"], [])
        self.assertGreater(result.agreed, 20)
        os.unlink(core)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""A real core, cut and damaged: whatever is missing or wrong in it, `coresnap analyze` ends with a
valid snapshot that says so, or with one line; never by a signal, and never late.

  - cut at every edge of a segment and at every page that is not a hole (every DAMAGED_STRIDE-th), as
    the kernel orders segments and as core_sort_vma=1 does; cut at every byte of its headers and notes;
  - the same with zeros to the old end, as a disk leaves it that lost what came later;
  - every byte of ELF header, program headers and notes changed, one at a time;
  - words of the runtime's memory overwritten at random: zeros, ones, large numbers, pointers to
    themselves and to one another (DAMAGED_PATCHES runs, seeded: the same each time).

Each run keeps within 5 s of CPU and 256 MB of memory; the last line says what the worst one took. BUILD
names the directory of the programs. `make check-damaged` makes many more of them (DAMAGED_LONG), on
every processor: some 30,000, a quarter of an hour of one.
"""
import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import committed  # noqa: E402
import corefile  # noqa: E402
import crash  # noqa: E402
import schema  # noqa: E402

CORESNAP = pathlib.Path(os.environ.get("BUILD", "build")).resolve() / "coresnap"
IS_LONG = bool(os.environ.get("DAMAGED_LONG"))
STRIDE = int(os.environ.get("DAMAGED_STRIDE", "1"))
BYTES = 1 if IS_LONG else 97  # every so many of the headers' bytes; a prime
PATCHES = int(os.environ.get("DAMAGED_PATCHES", "300"))
PAGE = 4096
IS_SANITIZED = "asan" in CORESNAP.parts
CPU_SECONDS, MEMORY = 5, 256 << 20  # for one run
WORKERS = len(os.sched_getaffinity(0)) if IS_LONG else 1


def smallest():
    """The committed crash whose core is smallest."""
    return min((case for case in committed.crashes() if not case.is_patch),
               key=lambda case: case.core.stat().st_size)


class Worst:
    """How many runs there were, and the most that one of them took."""

    def __init__(self):
        self.lock = threading.Lock()
        self.runs, self.answers, self.seconds, self.memory = 0, 0, 0.0, 0

    def add(self, usage, answered):
        with self.lock:
            self.runs += 1
            self.answers += answered
            self.seconds = max(self.seconds, usage.ru_utime + usage.ru_stime)
            self.memory = max(self.memory, usage.ru_maxrss * 1024)

    def __str__(self):
        return (f"{self.runs} runs, {self.answers} snapshots and {self.runs - self.answers} lines of error; "
                f"at the most {self.seconds:.2f} s of CPU and {self.memory >> 20} MB")


class Damaged(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        try:
            cls.made = smallest().unpack()
        except (crash.Skip, ValueError) as reason:
            print(f"skipped: {reason}")
            sys.exit(77)
        cls.directory = tempfile.mkdtemp(prefix="coresnap-damaged-")
        os.chmod(cls.directory, 0o755)
        cls.core = os.path.join(cls.directory, "core")
        cls.worst = Worst()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.directory)
        print(cls.worst)

    def setUp(self):
        self.file = corefile.copy(self.made.core, self.core)

    def analyze(self, what, output="json", core=None):
        """Runs it and checks what holds for every input; the snapshot, or None."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = subprocess.Popen([str(CORESNAP), "analyze", "--format", output, "--exe",
                                        str(self.made.exe), core or self.core], stdout=out, stderr=err)
            _, status, usage = os.wait4(process.pid, 0)  # with those of its worker
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            written, said = out.read(), err.read().decode()
        self.worst.add(usage, process.returncode == 0)
        self.assertLess(usage.ru_utime + usage.ru_stime, CPU_SECONDS, what)
        if not IS_SANITIZED:
            self.assertLess(usage.ru_maxrss * 1024, MEMORY, what)
        if process.returncode:
            self.assertEqual(process.returncode, 1, (what, said))
            lines = said.splitlines()
            self.assertEqual(len(lines), 1, (what, lines))
            self.assertNotIn("signal", lines[0], what)
            return None
        if output != "json":
            return None
        snapshot = json.loads(written)
        codes = {row["code"] for row in snapshot["diagnostics"]}
        self.assertNotIn("analysis-failed", codes, what)
        return snapshot

    def share(self, items, work):
        """work(core, its items, in order) on every processor, each with a core of its own to damage."""
        cores = [corefile.copy(self.core, f"{self.core}.{n}").path for n in range(WORKERS)]
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            done = [pool.submit(work, core, items[n::WORKERS]) for n, core in enumerate(cores)]
            return [one.result() for one in done]

    def test_whole(self):
        snapshot = self.analyze("whole")
        self.assertEqual(schema.check(snapshot), [])
        self.assertGreater(len(snapshot["goroutines"]), 0)

    def cuts(self, stride, has_notes=True):
        """Where to cut: edges of segments, pages, the bytes of the headers and, unless they lie as in
        another test's core, those of the notes."""
        edges = {row.offset for row in self.file.loads}
        edges |= {row.offset + row.file_size for row in self.file.loads}
        notes, end = self.file.notes_range
        headers = set(range(0, notes, BYTES)) | set(range(notes, end, BYTES if has_notes else 97))
        cuts = edges | set(self.file.pages()[::stride]) | headers | {0, 1, 63, 64, 100, PAGE - 1}
        return sorted((cut for cut in cuts if cut < self.file.size), reverse=True)

    def cut(self, cuts):
        """One file, cut shorter and shorter."""
        def work(core, cuts):
            analysed = 0
            for cut in cuts:
                os.truncate(core, cut)
                snapshot = self.analyze(f"cut at {cut}", core=core)
                if snapshot:
                    analysed += 1
                    self.assertFalse(snapshot["capture"]["complete"], cut)
                    self.assertIn("truncated-core", {row["code"] for row in snapshot["diagnostics"]}, cut)
            return analysed

        self.assertGreater(sum(self.share(cuts, work)), 10)

    def test_cut(self):
        self.cut(self.cuts(STRIDE))

    def test_cut_sorted(self):
        whole = self.analyze("whole")
        self.file = corefile.sort(self.made.core, self.core)
        again = self.analyze("sorted")
        self.assertEqual(again["goroutines"], whole["goroutines"])
        self.cut(self.cuts(STRIDE if IS_LONG else 20 * STRIDE, has_notes=False))

    def test_zeros_to_the_end(self):
        def work(core, cuts):
            for cut in cuts:
                os.truncate(core, cut)
                os.truncate(core, self.file.size)
                self.analyze(f"zeros from {cut}", core=core)

        self.share(self.cuts(STRIDE if IS_LONG else 20 * STRIDE, has_notes=False), work)

    def changes(self):
        """(offset, byte) of what test_changed_headers writes: in the contents of notes, which are mostly
        registers, one value for each byte, else two."""
        with open(self.core, "rb") as core:
            data = core.read(self.file.notes_range[1])
        contents = set()
        for _, _, _, at, size in self.file.notes():
            contents.update(range(at, at + size))
        changes = []
        for at in range(0, len(data), BYTES):
            values = (data[at] ^ 1, 0xff) if IS_LONG else (data[at] ^ 0xff, 0)
            if at in contents and IS_LONG:
                values = (values[at % 2],)
            changes += [(at, value) for value in dict.fromkeys(values) if value != data[at]]
        return changes

    def test_changed_headers(self):
        def work(path, changes):
            with open(path, "r+b", buffering=0) as core:
                for at, value in changes:
                    core.seek(at)
                    byte = core.read(1)
                    core.seek(at)
                    core.write(bytes([value]))
                    self.analyze(f"byte {at} = {value}", ("json", "text")[at // 2 % 2], path)
                    core.seek(at)
                    core.write(byte)

        self.share(self.changes(), work)

    def test_overwritten(self):
        address_of = {}
        for offset in self.file.pages():
            for row in self.file.loads:
                if row.offset <= offset < row.offset + row.file_size:
                    address_of[offset] = row.address + offset - row.offset
        self.share(range(PATCHES), lambda core, runs: self.overwrite(core, runs, address_of))

    def overwrite(self, path, runs, address_of):
        places = sorted(address_of)
        with open(path, "r+b") as core:
            for n in runs:
                rng = random.Random(20261121 + n)
                saved = []
                for _ in range(rng.choice((1, 10, 100, 1000))):
                    page = rng.choice(places)
                    at = page + rng.randrange(0, PAGE, 8)
                    own = address_of[page] + at - page
                    other = address_of[rng.choice(places)] + rng.randrange(0, PAGE, 8)
                    core.seek(at)
                    saved.append((at, core.read(8)))
                    word = rng.choice((0, 1, 2**64 - 1, 2**63 - 1, 2**63, 2**31, own, own - 8, other,
                                       other, rng.getrandbits(64)))
                    core.seek(at)
                    core.write(struct.pack("<Q", word % 2**64))
                core.flush()
                self.analyze(f"patches {n}", ("json", "text", "summary")[n % 3], path)
                for at, word in reversed(saved):
                    core.seek(at)
                    core.write(word)
                core.flush()


if __name__ == "__main__":
    unittest.main()

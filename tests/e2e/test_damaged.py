#!/usr/bin/env python3
"""A real core, cut and damaged: whatever is missing or wrong in it, `coresnap analyze` ends with a
valid snapshot that says so, or with one line; never by a signal, and never late.

  - cut at every edge of a segment and at every page that is not a hole (every DAMAGED_STRIDE-th), as
    the kernel orders segments and as core_sort_vma=1 does; cut at every byte of its headers and notes;
  - the same with zeros to the old end, as a disk leaves it that lost what came later;
  - every byte of ELF header, program headers and notes changed, one at a time;
  - words of the runtime's memory overwritten at random: zeros, ones, large numbers, pointers to
    themselves and to one another (DAMAGED_PATCHES runs, seeded: the same each time).

Each run keeps within 5 s of CPU and 256 MB of memory. BUILD names the directory of the programs.
`make check-damaged` makes many more of them (DAMAGED_LONG).
"""
import json
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
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


def smallest():
    """The committed crash whose core is smallest."""
    return min((case for case in committed.crashes() if not case.is_patch),
               key=lambda case: case.core.stat().st_size)


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

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.directory)

    def setUp(self):
        self.file = corefile.copy(self.made.core, self.core)

    def analyze(self, what, output="json"):
        """Runs it and checks what holds for every input; the snapshot, or None."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = subprocess.Popen([str(CORESNAP), "analyze", "--format", output, "--exe",
                                        str(self.made.exe), self.core], stdout=out, stderr=err)
            _, status, usage = os.wait4(process.pid, 0)  # with those of its worker
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            written, said = out.read(), err.read().decode()
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

    def test_whole(self):
        snapshot = self.analyze("whole")
        self.assertEqual(schema.check(snapshot), [])
        self.assertGreater(len(snapshot["goroutines"]), 0)

    def cuts(self, stride):
        """Where to cut: edges of segments, pages, and the bytes of the headers and notes."""
        edges = {row.offset for row in self.file.loads}
        edges |= {row.offset + row.file_size for row in self.file.loads}
        headers = range(0, self.file.notes_range[1], BYTES)
        cuts = edges | set(self.file.pages()[::stride]) | set(headers) | {0, 1, 63, 64, 100, PAGE - 1}
        return sorted((cut for cut in cuts if cut < self.file.size), reverse=True)

    def cut(self, stride):
        """One file, cut shorter and shorter."""
        analysed = 0
        for cut in self.cuts(stride):
            os.truncate(self.core, cut)
            snapshot = self.analyze(f"cut at {cut}")
            if snapshot:
                analysed += 1
                self.assertFalse(snapshot["capture"]["complete"], cut)
                self.assertIn("truncated-core", {row["code"] for row in snapshot["diagnostics"]}, cut)
        self.assertGreater(analysed, 10)

    def test_cut(self):
        self.cut(STRIDE)

    def test_cut_sorted(self):
        whole = self.analyze("whole")
        self.file = corefile.sort(self.made.core, self.core)
        again = self.analyze("sorted")
        self.assertEqual(again["goroutines"], whole["goroutines"])
        self.cut(STRIDE if IS_LONG else 20 * STRIDE)

    def test_zeros_to_the_end(self):
        for cut in self.cuts(STRIDE if IS_LONG else 20 * STRIDE):
            os.truncate(self.core, cut)
            os.truncate(self.core, self.file.size)
            self.analyze(f"zeros from {cut}")

    def test_changed_headers(self):
        with open(self.core, "r+b", buffering=0) as core:
            for at in range(0, self.file.notes_range[1], BYTES):
                core.seek(at)
                byte = core.read(1)[0]
                for value in {0xff, byte ^ 1} if IS_LONG else {byte ^ 0xff, 0}:
                    if value != byte:
                        core.seek(at)
                        core.write(bytes([value]))
                        self.analyze(f"byte {at} = {value}", ("json", "text")[at % 2])
                core.seek(at)
                core.write(bytes([byte]))

    def test_overwritten(self):
        rng = random.Random(20261121)
        address_of = {}
        for offset in self.file.pages():
            for row in self.file.loads:
                if row.offset <= offset < row.offset + row.file_size:
                    address_of[offset] = row.address + offset - row.offset
        places = sorted(address_of)
        with open(self.core, "r+b") as core:
            for n in range(PATCHES):
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
                self.analyze(f"patches {n}", ("json", "text", "summary")[n % 3])
                for at, word in reversed(saved):
                    core.seek(at)
                    core.write(word)
                core.flush()


if __name__ == "__main__":
    unittest.main()

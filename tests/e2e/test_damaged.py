#!/usr/bin/env python3
"""A real core, cut and damaged: whatever is missing or wrong in it, `coresnap analyze` ends with a
valid snapshot that says so, or with one line; never by a signal, and never late.

  - cut at every edge of a segment and at every page that is not a hole (every DAMAGED_STRIDE-th);
  - words of the runtime's memory overwritten at random: zeros, ones, large numbers, pointers to
    themselves and to one another (DAMAGED_PATCHES runs, seeded: the same each time).

BUILD names the directory of the programs. `make check-damaged` makes many more of them.
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
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import committed  # noqa: E402
import crash  # noqa: E402
import schema  # noqa: E402

CORESNAP = pathlib.Path(os.environ.get("BUILD", "build")).resolve() / "coresnap"
STRIDE = int(os.environ.get("DAMAGED_STRIDE", "1"))
PATCHES = int(os.environ.get("DAMAGED_PATCHES", "300"))
PAGE = 4096
SLOW = 20  # seconds for one run; a whole one takes a tenth of one
PT_LOAD = 1


def smallest():
    """The committed crash whose core is smallest."""
    return min((case for case in committed.crashes() if not case.is_patch),
               key=lambda case: case.core.stat().st_size)


def segments(path):
    """(address, offset, size) of each PT_LOAD that has bytes in the file."""
    with open(path, "rb") as core:
        header = core.read(64)
        offset, = struct.unpack_from("<Q", header, 32)
        size, count = struct.unpack_from("<HH", header, 54)
        core.seek(offset)
        table = core.read(size * count)
    rows = [struct.unpack_from("<IIQQQQQQ", table, size * i) for i in range(count)]
    return [(row[3], row[2], row[5]) for row in rows if row[0] == PT_LOAD and row[5]]


def pages(path):
    """Offsets of the pages that are not holes."""
    found, at = [], 0
    with open(path, "rb") as core:
        end = os.fstat(core.fileno()).st_size
        while at < end:
            try:
                start = os.lseek(core.fileno(), at, os.SEEK_DATA)
            except OSError:
                break
            at = os.lseek(core.fileno(), start, os.SEEK_HOLE)
            found += range(start - start % PAGE, at, PAGE)
    return found


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
        subprocess.run(["cp", "--sparse=always", str(self.made.core), self.core], check=True)
        os.chmod(self.core, 0o644)

    def analyze(self, what, output="json"):
        """Runs it and checks what holds for every input; the snapshot, or None."""
        began = time.monotonic()
        done = subprocess.run([str(CORESNAP), "analyze", "--format", output, "--exe",
                               str(self.made.exe), self.core], capture_output=True, check=False,
                              timeout=10 * SLOW)
        self.assertLess(time.monotonic() - began, SLOW, what)
        if done.returncode:
            self.assertEqual(done.returncode, 1, (what, done.stderr))
            lines = done.stderr.decode().splitlines()
            self.assertEqual(len(lines), 1, (what, lines))
            self.assertNotIn("signal", lines[0], what)
            return None
        if output != "json":
            return None
        snapshot = json.loads(done.stdout)
        codes = {row["code"] for row in snapshot["diagnostics"]}
        self.assertNotIn("analysis-failed", codes, what)
        return snapshot

    def test_whole(self):
        snapshot = self.analyze("whole")
        self.assertEqual(schema.check(snapshot), [])
        self.assertGreater(len(snapshot["goroutines"]), 0)

    def test_cut(self):
        edges = {offset for _, offset, _ in segments(self.core)}
        edges |= {offset + size for _, offset, size in segments(self.core)}
        # One file, cut shorter and shorter.
        cuts = edges | set(pages(self.core)[::STRIDE]) | {0, 1, 63, 64, 100, PAGE - 1}
        size = os.path.getsize(self.core)
        analysed = 0
        for cut in sorted((cut for cut in cuts if cut < size), reverse=True):
            os.truncate(self.core, cut)
            snapshot = self.analyze(f"cut at {cut}")
            if snapshot:
                analysed += 1
                self.assertFalse(snapshot["capture"]["complete"], cut)
                self.assertIn("truncated-core", {row["code"] for row in snapshot["diagnostics"]}, cut)
        self.assertGreater(analysed, 10)

    def test_overwritten(self):
        rng = random.Random(20261121)
        places = pages(self.core)
        ranges = segments(self.core)
        address_of = {}
        for offset in places:
            for address, start, size in ranges:
                if start <= offset < start + size:
                    address_of[offset] = address + offset - start
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

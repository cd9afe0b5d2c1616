"""The crashes that lie in testdata/crashes, compressed: the suite's ground where there is no Go.

A directory a release, go1.24.9-amd64/, with PROGRAM.zst (the executable) and for each of its runs
PROGRAM-RUN.core.zst (or .core.patch.zst, which needs the executable to unpack), .stderr.zst (the
runtime's traceback), .stdout (the program's truth) and .meta.json. crashes() lists them as cases with
the face of crash.Case; unpack() gives a crash.Crash below build/crashes/committed. tools/make-crashes
makes them.
"""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import crash

COMMITTED = crash.ROOT / "testdata" / "crashes"
UNPACKED = crash.CACHE / "committed"


class Committed:
    """One committed crash, named by its .meta.json."""

    slow = False

    def __init__(self, meta):
        self.meta = pathlib.Path(meta)
        known = json.loads(self.meta.read_text())
        self.program, self.run, self.release = known["program"], known["run"], known["go_version"]
        self.stem = self.meta.name[:-len(".meta.json")]
        self.arch, self.is_stripped = known.get("arch", "amd64"), known["flags"] == "small"
        self.name = f"{self.program}/{self.run}{'' if self.arch == 'amd64' else ' ' + self.arch} (committed)"
        patch = self.meta.parent / f"{self.stem}.core.patch.zst"
        self.is_patch = patch.exists()
        self.core = patch if self.is_patch else self.meta.parent / f"{self.stem}.core.zst"

    def unpack(self):
        target = UNPACKED / self.meta.parent.name / self.stem
        parts = {self.program: self.meta.parent / f"{self.program}.zst", "core": self.core,
                 "stderr": self.meta.parent / f"{self.stem}.stderr.zst"}
        newest = max(path.stat().st_mtime for path in [self.meta, *parts.values()])
        if (target / "meta.json").exists() and (target / "meta.json").stat().st_mtime >= newest:
            return crash.Crash(self, target)
        if not shutil.which("zstd"):
            raise crash.Skip("no zstd to unpack the committed crashes with")
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = pathlib.Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
        try:
            for name, path in parts.items():  # the executable first
                base = [f"--patch-from={fresh / self.program}"] if self.is_patch and name == "core" else []
                subprocess.run(["zstd", "-dqf", "--sparse", "--long=27", *base, str(path), "-o",
                                str(fresh / name)], check=True)
            (fresh / self.program).chmod(0o755)
            shutil.copyfile(self.meta.parent / f"{self.stem}.stdout", fresh / "stdout")
            shutil.copyfile(self.meta, fresh / "meta.json")
            shutil.rmtree(target, ignore_errors=True)
            os.replace(fresh, target)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        return crash.Crash(self, target)


def crashes():
    return [Committed(meta) for meta in sorted(COMMITTED.glob("go*/*.meta.json"))]

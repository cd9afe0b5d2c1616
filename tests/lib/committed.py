"""The crashes that lie in testdata/crashes, compressed: the suite's ground where there is no Go.

crashes() lists them as cases with the face of crash.Case; unpack() gives a crash.Crash below
build/crashes/committed. tools/make-crashes makes them.
"""
import pathlib
import shutil
import subprocess
import tempfile

import crash

COMMITTED = crash.ROOT / "testdata" / "crashes"
UNPACKED = crash.CACHE / "committed"


class Committed:
    """One directory testdata/crashes/goVERSION-ARCH/NAME: *.zst of executable, core, stderr; stdout."""

    slow = False

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.program = self.directory.name.split("+")[0]
        self.release = self.directory.parent.name.split("-")[0]
        self.name = f"{self.directory.name} (committed)"

    def unpack(self):
        target = UNPACKED / self.directory.parent.name / self.directory.name
        files = sorted(self.directory.iterdir())
        newest = max(f.stat().st_mtime for f in files)
        if (target / "meta.json").exists() and (target / "meta.json").stat().st_mtime >= newest:
            return crash.Crash(self, target)
        if not shutil.which("zstd"):
            raise crash.Skip("no zstd to unpack the committed crashes with")
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = pathlib.Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
        for path in files:
            if path.suffix == ".zst":
                subprocess.run(["zstd", "-dqf", "--sparse", "--long=27", str(path), "-o",
                                str(fresh / path.stem)], check=True)
            elif path.name != "meta.json":
                shutil.copy(path, fresh)
        (fresh / self.program).chmod(0o755)
        shutil.copyfile(self.directory / "meta.json", fresh / "meta.json")
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
        return crash.Crash(self, target)


def crashes():
    return [Committed(d) for d in sorted(COMMITTED.glob("go*/*/")) if (d / "meta.json").exists()]

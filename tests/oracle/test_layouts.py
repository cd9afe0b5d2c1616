#!/usr/bin/env python3
"""Holds layout_table.def against DWARF: of a probe built with the Go on the path, of the probes that
tools/make-layouts kept, and of the executables of testdata/crashes, which were not built for it. `make
check-matrix` builds a probe with each toolchain that is on the machine."""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import committed  # noqa: E402
import crash  # noqa: E402


def main():
    try:
        executables = sorted({case.unpack().exe for case in committed.crashes() if not case.is_stripped})
    except crash.Skip as reason:
        print(f"without testdata/crashes: {reason}")
        executables = []
    return subprocess.run([crash.ROOT / "tools" / "make-layouts", "--check", *executables],
                          check=False).returncode


sys.exit(main())

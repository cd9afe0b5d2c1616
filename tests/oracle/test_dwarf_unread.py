#!/usr/bin/env python3
"""With a table that has exactly the release no DWARF is read: executables whose DWARF is garbage, or
zeros, give the same bytes as whole ones.

The committed crashes and the local release's. That the garbage would be noticed is shown too: an
executable whose version no table has must not come out the same. ORACLE_RELEASES as in
test_traceback.py.
"""
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lib"))
import committed  # noqa: E402
import crash  # noqa: E402

COMMAND = ROOT / os.environ.get("BUILD", "build") / "coresnap"
FORMATS = ("json", "text")


def sections(data):
    """(name, file offset, size) of every section that has bytes in an ELF64 file."""
    table, = struct.unpack_from("<Q", data, 40)
    row_size, count, names_index = struct.unpack_from("<HHH", data, 58)
    rows = [struct.unpack_from("<IIQQQQ", data, table + i * row_size) for i in range(count)]
    names = rows[names_index][4]
    for name, kind, _, _, offset, size in rows:
        end = data.index(b"\0", names + name)
        if kind != 8:  # SHT_NOBITS
            yield data[names + name:end].decode(), offset, size


def spoil(exe, target, byte):
    """A copy with every .debug_* and .zdebug_* section overwritten; how many bytes that are."""
    data, spoiled = bytearray(exe.read_bytes()), 0
    for name, offset, size in list(sections(data)):
        if name.startswith((".debug_", ".zdebug_")):
            data[offset:offset + size] = bytes([byte]) * size
            spoiled += size
    target.write_bytes(data)
    return spoiled


def forget_release(exe, target):
    """A copy that says it was built with a release that nobody has measured."""
    data = exe.read_bytes()
    at = data.index(b"\xff Go buildinf:")
    size, version = data[at + 32], bytes(data[at + 33:at + 33 + data[at + 32]])
    if not version.startswith(b"go1."):
        return False
    other = (b"go1.99.9" + b" " * size)[:size]
    target.write_bytes(data[:at + 33] + other + data[at + 33 + size:])
    return True


def analyze(exe, core, form):
    done = subprocess.run([COMMAND, "analyze", "--exe", exe, "--format", form, core], capture_output=True,
                          timeout=120, check=False)
    return done.stdout if done.returncode == 0 else b"status %d: " % done.returncode + done.stderr


def check(made, directory):
    """[problems] of one crash, and the bytes of DWARF that were overwritten."""
    copy, wrong, spoiled = directory / made.exe.name, [], 0
    for form in FORMATS:
        whole = analyze(made.exe, made.core, form)
        for byte in (0xff, 0):
            spoiled = spoil(made.exe, copy, byte)
            if analyze(copy, made.core, form) != whole:
                wrong.append(f"{form}: another output with a DWARF of {byte:#x}")
    return wrong, spoiled


def is_noticed(made, directory):
    """Whether the garbage is found where DWARF is needed: with a version that no table has."""
    unknown, spoiled = directory / "unknown", directory / made.exe.name
    if not forget_release(made.exe, unknown):
        return None
    spoil(unknown, spoiled, 0xff)
    return analyze(unknown, made.core, "json") != analyze(spoiled, made.core, "json")


def all_crashes():
    releases = os.environ.get("ORACLE_RELEASES", "local").split()
    found = []
    for case in [*committed.crashes(), *crash.cases(releases, ("rich", "demo"), all_flags=False)]:
        try:
            found.append((case, case.unpack() if isinstance(case, committed.Committed) else crash.crash(case)))
        except crash.Skip as skip:
            print(f"skipped: {case.name}: {skip}")
    return found


def main():
    fine, noticed, count = True, set(), 0
    with tempfile.TemporaryDirectory() as name:
        for case, made in all_crashes():
            wrong, spoiled = check(made, pathlib.Path(name))
            count += spoiled > 0
            noticed.add(is_noticed(made, pathlib.Path(name)))
            print(f"{case.release:<11} {case.name:<28} {spoiled} bytes of DWARF  {'NO' if wrong else 'ok'}")
            for line in wrong:
                print(f"    {line}")
                fine = False
    if count == 0:
        print("no executable with DWARF: nothing was tested")
        return 77
    if True not in noticed or False in noticed:
        print("garbage in the DWARF is not noticed where it is read: nothing was tested")
        fine = False
    return 0 if fine else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except crash.Skip as reason:
        print(reason)
        sys.exit(77)

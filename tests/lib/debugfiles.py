"""Takes executables apart as distributions do, and gives them a Go release that nobody has measured.

An unknown release makes coresnap ask for DWARF: with a known one it needs none.
"""
import pathlib
import shutil
import subprocess

import crash

UNKNOWN_MINOR = "99"


def binutils(*command):
    """Runs strip, objcopy or the like."""
    if not shutil.which(command[0]):
        raise crash.Skip(f"no {command[0]} on this machine (binutils)")
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise crash.Failed(f"{' '.join(str(word) for word in command)}: {done.stderr.strip()}")


def unknown_release(exe, release, target):
    """A copy of `exe` at `target` that says it was built by a release of minor version 99."""
    release = release.removeprefix("go")
    major, _, patch = release.split(".")
    other = f"{major}.{UNKNOWN_MINOR}.{patch}"
    data = pathlib.Path(exe).read_bytes()
    assert len(other) == len(release) and b"go" + release.encode() in data
    target.write_bytes(data.replace(b"go" + release.encode(), b"go" + other.encode()))
    target.chmod(0o755)
    return target


def split(exe, stripped, debug, link=True, options=(), arch="amd64"):
    """Leaves in `stripped` what runs and in `debug` what debuggers read."""
    objcopy = crash.CROSS_PREFIXES[arch] + "objcopy"
    stripped.parent.mkdir(parents=True, exist_ok=True)
    debug.parent.mkdir(parents=True, exist_ok=True)
    binutils(objcopy, "--only-keep-debug", *options, exe, debug)
    binutils(objcopy, "--strip-all", exe, stripped)
    if link:
        binutils(objcopy, f"--add-gnu-debuglink={debug}", stripped)


def at_path(core, known_path, new_path, target):
    """A copy of `core` at `target` whose executable lay at `new_path`."""
    old, new = known_path.encode(), str(new_path).encode()
    assert new.startswith(b"/") and len(new) <= len(old), "no room for the path"
    new = b"/" * (len(old) - len(new)) + new
    subprocess.run(["cp", "--sparse=always", str(core), str(target)], check=True)
    with open(target, "r+b") as file:
        data = file.read()
        at = data.find(old + b"\0")
        if at < 0:
            raise crash.Failed(f"{core} does not hold the path {known_path}")
        while at >= 0:
            file.seek(at)
            file.write(new)
            at = data.find(old + b"\0", at + 1)
    return target

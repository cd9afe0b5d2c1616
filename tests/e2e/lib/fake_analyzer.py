#!/usr/bin/python3 -I
"""Stands in for `coresnap` where a test is about the daemon: same command line, no ELF.

A "core" is a text file: `CORE <crash> <build id> <executable path, quoted, or -> [behaviour]`, an
"executable" is `\\x7fELF <build id>`. Behaviours: fail, hang, garbage, big, slow. What it ran is appended to the
file `runs` beside it.
"""
import hashlib
import json
import os
import sys
import time
import urllib.parse


def words(path):
    with open(path, "rb") as file:
        text = file.read(4096).decode("latin-1")
    return text.split()


def identify(path):
    parts = words(path)
    answer = {"file": path, "kind": "unknown", "error": path + ": not a core"}
    if parts and parts[0] == "CORE":
        answer = {"kind": "core", "executable": None if parts[3] == "-" else urllib.parse.unquote(parts[3]),
                  "go_build_id": None if parts[2] == "-" else parts[2], "gnu_build_id": None,
                  "signal": 6, "pid": 7}
    elif parts and parts[0] == "\x7fELF":
        answer = {"kind": "executable", "go_build_id": parts[1], "gnu_build_id": None}
    print(json.dumps(answer))
    return 0 if answer["kind"] != "unknown" else 1


def analyze(arguments):
    options = {}
    while arguments[0].startswith("--"):
        takes_value = arguments[0] != "--no-debuginfod"
        options[arguments[0]] = arguments[1] if takes_value else ""
        arguments = arguments[1 + takes_value:]
    executable, seconds = options.get("--exe"), int(options["--time-limit"])
    if (executable is None) != (seconds == 0) or "--no-debuginfod" not in options:
        return 2
    parts = words(arguments[0])
    behaviour = parts[4] if len(parts) > 4 else ""
    with open(os.path.join(os.path.dirname(os.path.realpath(__file__)), "runs"), "a") as runs:
        runs.write(parts[1] + "\n")
    if executable and words(executable)[1] != parts[2]:
        print("coresnap: %s: wrong executable" % arguments[0], file=sys.stderr)
        return 1
    if behaviour == "fail":
        print("coresnap: %s: bytes contradict each other" % arguments[0], file=sys.stderr)
        return 1
    if behaviour == "hang":
        time.sleep(60)
    if behaviour == "slow":
        time.sleep(2)
    if behaviour == "garbage":
        print('{"id": "../../../etc/passwd"}')
        return 0
    snapshot = {
        "schema": "coresnap.snapshot/1",
        "id": hashlib.sha256(parts[1].encode()).hexdigest()[:32],
        "attributes": {"id": "not this", "title": "nor this"},
        "process": {"pid": 7, "executable": "/usr/bin/app", "args": ["id", "title"],
                    "signal": {"number": 6, "name": "SIGABRT"}},
        "binary": {"go_version": "go1.26.8"},
        "crash": {"title": "panic: \"boom\" in main.handler"},
        "goroutines_total": 51,
        "diagnostics": [] if executable else [{"code": "no-executable"}],
    }
    if behaviour == "big":
        snapshot["filler"] = os.urandom(1 << 20).hex()
    json.dump(snapshot, sys.stdout)
    return 0


if sys.argv[1] == "identify":
    sys.exit(identify(sys.argv[3]))
sys.exit(analyze(sys.argv[2:]))

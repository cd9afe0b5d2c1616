#!/usr/bin/env python3
"""`coresnap explain` and `coresnap diff` on snapshots as they are, changed, compressed, damaged and made
up, and beside what `analyze` wrote: explain must make the keys that the snapshot has. Needs no Go: the
crashes are those of testdata/crashes.
"""
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import committed  # noqa: E402

CORESNAP = pathlib.Path(os.environ.get("BUILD", "build")).resolve() / "coresnap"
DAMAGES = 120
failures = []


def wrong(text):
    failures.append(text)
    print(f"wrong: {text}")


def run(*args, want=None):
    done = subprocess.run([str(CORESNAP), *map(str, args)], capture_output=True, timeout=60, check=False)
    if want is not None and done.returncode != want:
        wrong(f"{' '.join(map(str, args))}: status {done.returncode}, not {want}: {done.stderr.decode(errors='replace')}")
    return done


def refused(args, words, status):
    """One clear line, and nothing on standard output."""
    done = run(*args, want=status)
    lines = done.stderr.decode(errors="replace").splitlines()
    if done.stdout or len(lines) != 1 or words not in lines[0]:
        wrong(f"{' '.join(map(str, args))}: {done.stdout[:80]!r}, {lines}, not a line with {words!r}")


def check_explain(work, name, snapshot):
    """The keys anew are those of the snapshot, for every committed crash, plain and compressed."""
    path = work / "one.json"
    path.write_text(json.dumps(snapshot))
    text = run("explain", path, want=0).stdout.decode()
    told = json.loads(run("explain", "--json", path, want=0).stdout)
    for key, row in told["keys"].items():
        if row["key"] != snapshot["crash"]["grouping"][key] or row["in_snapshot"] != row["key"]:
            wrong(f"{name}: {key} is {row['key']}, the snapshot has {snapshot['crash']['grouping'][key]}")
        if row["key"] not in text or "the snapshot has" in text:
            wrong(f"{name}: text does not say {key}")
    listed = told["keys"]["default"]["parts"][1:]
    counting = [frame["key"] for frame in told["frames"] if frame["counts"]]
    if sorted(set(listed)) != sorted(set(counting)):
        wrong(f"{name}: {listed} are in the default key, {counting} count")
    for frame in told["frames"]:
        if not frame["why"] or (frame["counts"] and frame["function"] != frame["key"] and not frame["rules"]):
            wrong(f"{name}: nothing tells why {frame}")
    if shutil.which("zstd"):
        subprocess.run(["zstd", "-q", "-f", path, "-o", work / "one.zst"], check=True)
        if run("explain", work / "one.zst", want=0).stdout.decode() != text:
            wrong(f"{name}: compressed it is explained otherwise")
    snapshot["crash"]["grouping"].update(version=1, default="0" * 32)
    path.write_text(json.dumps(snapshot))
    text = run("explain", path, want=0).stdout.decode()
    if "version 1" not in text or "the snapshot has " + "0" * 32 not in text:
        wrong(f"{name}: keys of another version are not told apart")


def check_diff(work, snapshot):
    one, two = work / "a.json", work / "b.json"
    one.write_text(json.dumps(snapshot))
    two.write_text(json.dumps(snapshot, indent=2))
    done = run("diff", one, two, want=0)
    if done.stdout:
        wrong(f"two that are equal differ: {done.stdout[:200]!r}")
    if not json.loads(run("diff", "--json", one, two, want=0).stdout)["same"]:
        wrong("two that are equal are not the same in JSON")

    changed = json.loads(json.dumps(snapshot))
    group = changed["groups"][0]
    group["count"] += 1000
    group["wait_max_ns"] = 90 * 10**9
    gone = changed["groups"].pop()
    changed["goroutines_total"] += 1000 - gone["count"]
    changed["scheduler"]["global_queue_total"] += 7
    changed["gc"]["cycles"] += 3
    changed["channels"].append({"address": "0x10", "element_type": "main.Job", "length": 5, "capacity": 8,
                                "send_queue_total": 2, "receive_queue_total": 0})
    two.write_text(json.dumps(changed))
    told = json.loads(run("diff", "--json", one, two, want=1).stdout)
    groups = [(row["a"], row["b"]) for row in told["groups"]]
    if groups != [(snapshot["groups"][0]["count"], group["count"]), (gone["count"], None)]:
        wrong(f"groups that differ: {groups}")
    if told["groups"][0]["wait_max_ns"]["b"] != 90 * 10**9:
        wrong(f"longest wait: {told['groups'][0]['wait_max_ns']}")
    queues = {row["name"]: (row["a"], row["b"]) for row in told["queues"]}
    before = snapshot["scheduler"]["global_queue_total"]
    if queues != {"run queue of all processors": (before, before + 7), "chan main.Job at 0x10: elements": (None, 5),
                  "chan main.Job at 0x10: senders": (None, 2), "chan main.Job at 0x10: receivers": (None, 0)}:
        wrong(f"queues that differ: {queues}")
    numbers = {row["name"]: row["b"] - row["a"] for row in told["numbers"]}
    if numbers != {"goroutines_total": 1000 - gone["count"], "gc.cycles": 3}:
        wrong(f"numbers that differ: {numbers}")
    text = run("diff", one, two, want=1).stdout.decode()
    for words in ("(+1000)", "→ none", "gc.cycles", "90.0s", "run queue of all processors"):
        if words not in text:
            wrong(f"the text lacks {words!r}")
    back = json.loads(run("diff", "--json", two, one, want=1).stdout)
    if [(row["b"], row["a"]) for row in back["groups"]] != groups:
        wrong("the other way round is not the other way round")

    changed["process"]["pid"] += 1
    two.write_text(json.dumps(changed))
    queues = [row["name"] for row in json.loads(run("diff", "--json", one, two, want=1).stdout)["queues"]]
    if "channels of main.Job, capacity 8: elements" not in queues:
        wrong(f"channels of two processes: {queues}")
    changed["binary"]["main"]["path"] = "example.com/\x1b[31mother"
    two.write_text(json.dumps(changed))
    refused(("diff", one, two), "two programs", 2)
    if b"\x1b" in run("diff", one, two).stderr + run("diff", "--force", one, two, want=1).stdout:
        wrong("a control character comes through")


def check_bad_compression(work):
    if not shutil.which("zstd"):
        return
    subprocess.run(["zstd", "-q", "-f", work / "a.json", "-o", work / "good.zst"], check=True)
    whole = (work / "good.zst").read_bytes()
    (work / "bad").write_bytes(whole[:len(whole) // 2])
    refused(("explain", work / "bad"), "is cut off", 1)
    (work / "bad").write_bytes(whole[:100] + bytes(100) + whole[200:])
    done = run("explain", work / "bad", want=1)
    if done.stderr.count(b"\n") != 1 or b"killed" in done.stderr:
        wrong(f"damaged zstd: {done.stderr!r}")
    bomb = subprocess.run("head -c 1200000000 /dev/zero | zstd -q", shell=True, capture_output=True, check=True)
    (work / "bad").write_bytes(bomb.stdout)
    refused(("diff", work / "a.json", work / "bad"), "more than 1 GiB", 2)


def check_bad_input(work, core, snapshot):
    one = work / "a.json"
    good = json.dumps(snapshot)
    one.write_text(good)
    bad = {"": "is empty", "{": "is no snapshot", "[]": "not a JSON object", "{}": "no member 'schema'",
           '{"schema": "coresnap.snapshot/9"}': "does not know", '{"schema": 7}': "does not know",
           '{"schema": "coresnap.snapshot/1"}': "crash"}
    for text, words in bad.items():
        (work / "bad").write_text(text)
        refused(("explain", work / "bad"), words, 1)
        if text.endswith('/1"}'):
            words = "does not say which program"
        refused(("diff", one, work / "bad"), words, 2)
    refused(("explain", core), "'coresnap analyze' makes a snapshot", 1)
    refused(("diff", one, core), "'coresnap analyze' makes a snapshot", 2)
    refused(("explain", work), "directory", 1)
    refused(("diff", one, work / "none"), "No such file", 2)
    for args in (("explain",), ("explain", one, one), ("diff", one), ("diff", one, one, one), ("diff", "--json"),
                 ("explain", "--no-such"), ("diff", "--no-such", one, one), ("explain", "-o")):
        done = run(*args, want=2)
        if done.stdout or b"Try 'coresnap" not in done.stderr:
            wrong(f"{args}: {done.stderr!r}")
    # Wherever a value is of another kind, there is an answer or one line.
    numbers = random.Random(7)
    replacements = ["null", "-1", "9223372036854775807", '"x"', "[]", "{}", "true", "1e308", '[{"type":"t","n":1}]']
    for _ in range(DAMAGES):
        document = json.loads(good)
        place, key = document, None
        while isinstance(place, (dict, list)) and place and (key is None or numbers.random() < 0.8):
            parent = place
            key = numbers.choice(list(place) if isinstance(place, dict) else range(len(place)))
            place = place[key]
        parent[key] = json.loads(numbers.choice(replacements))
        (work / "bad").write_text(json.dumps(document))
        for args in (("explain", work / "bad"), ("diff", "--force", one, work / "bad")):
            done = run(*args)
            if done.returncode not in (0, 1, 2) or b"killed" in done.stderr or done.stderr.count(b"\n") > 1:
                wrong(f"{args[0]} of {str(place)[:60]!r} at {key!r} replaced by {parent[key]!r}: "
                      f"{done.returncode} {done.stderr!r}")


def main():
    crashes = committed.crashes()
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        for number, case in enumerate(crashes):
            made = case.unpack()
            snapshot = json.loads(run("analyze", "--exe", made.exe, made.core, want=0).stdout)
            if number == 0:
                check_diff(work, snapshot)
                check_bad_input(work, made.core, json.loads(run("analyze", "--variables", "none", "--exe", made.exe,
                                                                made.core, want=0).stdout))
                check_bad_compression(work)
            check_explain(work, case.name, snapshot)
        if "asan" in CORESNAP.parts:
            run("explain", "--no-sandbox", work / "one.json", want=0)
            run("diff", "--no-sandbox", work / "one.json", work / "a.json")
        done = run("explain", "-o", work / "out", work / "one.json", want=0)
        if done.stdout or not (work / "out").read_text():
            wrong("-o writes elsewhere")
    print(f"{len(crashes)} snapshots explained, {DAMAGES} damaged ones read, {len(failures)} wrong")
    return 1 if failures or not crashes else 0


if __name__ == "__main__":
    sys.exit(main())

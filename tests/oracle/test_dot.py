#!/usr/bin/env python3
"""`--format dot` beside the JSON of the same crash, and drawn by graphviz's dot: every goroutine with an
edge is in a box, those of deadlocks in one each, and every edge is an arrow. Where there is no dot it is
read as text only, which is said. Releases as in test_traceback.py.
"""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import crash  # noqa: E402

CORESNAP = pathlib.Path(os.environ.get("BUILD", "build")).resolve() / "coresnap"
# Hangs with and without edges, and a crash that is none.
CASES = (("hangs", "abba"), ("hangs", "philosophers"), ("hangs", "together"), ("hangs", "lock-twice"),
         ("hangs", "nil-channel"), ("bugs", "deadlock"), ("bugs", "hang"))


def analyze(made, *options):
    done = subprocess.run([str(CORESNAP), "analyze", "--variables", "none", "--exe", str(made.exe), *options,
                           str(made.core)], capture_output=True, check=False, timeout=120)
    if done.returncode != 0:
        raise crash.Failed(done.stderr.decode(errors="replace").strip()[-500:])
    return done.stdout.decode()


def expected(snapshot):
    """(boxes, arrows) that the graph must have: sets of names, and of pairs of them."""
    dead = {one for cycle in snapshot["blocking"]["deadlocks"] for one in cycle}
    groups = {}
    for row in snapshot["goroutines"]:
        groups.setdefault((row["stack"], row["status"], row["wait_reason"]), []).append(row["id"])
    name = {}
    for members in groups.values():
        for one in members:
            name[one] = f"g{one}" if one in dead or len(members) == 1 else f"group of {members}"
    arrows = {(name[edge["from"]], name[edge["to"]]) for edge in snapshot["blocking"]["edges"]}
    return {end for pair in arrows for end in pair}, arrows


def parsed(text):
    """The same of what `dot -Tplain` says, or of the graph's own lines."""
    boxes = [shlex.split(line)[1] for line in text.splitlines() if line.startswith("node ")]
    arrows = [tuple(shlex.split(line)[1:3]) for line in text.splitlines() if line.startswith("edge ")]
    return boxes, arrows


def plain(text):
    """The graph's own lines in the form of -Tplain."""
    out = re.sub(r"(?m)^  (g\w+) \[label=.*$", r"node \1", text)
    return re.sub(r"(?m)^  (g\w+) -> (g\w+) \[.*$", r"edge \1 \2", out)


def check(made, has_dot):
    snapshot, text = json.loads(analyze(made)), analyze(made, "--format", "dot")
    boxes, arrows = expected(snapshot)
    wrong = []
    forms = {"text": plain(text)}
    if has_dot:
        for form in ("plain", "svg"):
            done = subprocess.run(["dot", "-T" + form], input=text.encode(), capture_output=True, check=False, timeout=60)
            if done.returncode != 0 or done.stderr:
                wrong.append(f"dot -T{form}: {done.stderr.decode(errors='replace').strip()}")
            elif form == "plain":
                forms["dot"] = done.stdout.decode()
    for form, drawn in forms.items():
        got_boxes, got_arrows = parsed(drawn)
        if len(got_boxes) != len(boxes) or len(got_arrows) != len(arrows):
            wrong.append(f"{form}: {len(got_boxes)} boxes and {len(got_arrows)} arrows, not {len(boxes)} and {len(arrows)}")
        alone = {box for box in boxes if " " not in box}
        if not alone <= set(got_boxes):
            wrong.append(f"{form}: no box {sorted(alone - set(got_boxes))}")
        lines = {pair for pair in arrows if pair[0] in alone and pair[1] in alone}
        if not lines <= set(got_arrows):
            wrong.append(f"{form}: no arrow {sorted(lines - set(got_arrows))}")
    red = len(re.findall(r"(?m)^  g\d+ \[.*color=red", text))
    dead = {one for cycle in snapshot["blocking"]["deadlocks"] for one in cycle}
    if red != len(dead):
        wrong.append(f"{red} red boxes, {len(dead)} goroutines in deadlocks")
    if not arrows and "nobody is known to wait" not in text:
        wrong.append("an empty graph does not say so")
    return wrong, len(boxes), len(arrows)


def main():
    has_dot, failed, tried, drawn = shutil.which("dot") is not None, 0, 0, 0
    if not has_dot:
        print("no graphviz here: the graphs are read as text, not drawn (make deps installs it)")
    for release in os.environ.get("ORACLE_RELEASES", "local").split():
        for program, run in CASES:
            try:
                made = crash.crash(crash.Case(program, run, release))
                wrong, boxes, arrows = check(made, has_dot)
            except crash.Skip as skip:
                print(f"skipped: {skip}")
                continue
            tried += 1
            drawn += arrows
            print(f"{crash.go_version(release):<11} {program}/{run:<16} {boxes} boxes, {arrows} arrows  {'NO' if wrong else 'ok'}")
            for line in wrong:
                print(f"    {line}")
            failed += bool(wrong)
    if not tried:
        return 77
    if not drawn:
        print("no graph had an arrow")
    return 1 if failed or not drawn else 0


if __name__ == "__main__":
    sys.exit(main())

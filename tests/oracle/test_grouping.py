#!/usr/bin/env python3
"""Each bug of testdata/programs/bugs has one fingerprint, the same for every Go release and build, and
no two bugs share one. ORACLE_RELEASES ("1.18.10 1.26.8") names the releases, GROUPING_BUILDS the builds;
without them this machine's Go, built by default, stripped and without optimisation. Arguments name
the bugs to try instead of all. What a release or build is known to change stands in KNOWN.
"""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import crash  # noqa: E402

CORESNAP = pathlib.Path(os.environ.get("BUILD", "build")).resolve() / "coresnap"
SECONDS = 120


def output_of(*command):
    done = subprocess.run([str(CORESNAP), *command], capture_output=True, timeout=SECONDS, check=False)
    if done.returncode != 0:
        raise crash.Failed(f"{command[0]}: status {done.returncode}: {done.stderr.decode(errors='replace').strip()[-300:]}")
    return done.stdout


def look(case):
    """(case, crash object of its snapshot, keys of the frames that count, problem, skip)."""
    try:
        made = crash.crash(case)
        snapshot = json.loads(output_of("analyze", "--variables", "none", "--exe", str(made.exe), str(made.core)))
    except crash.Skip as skip:
        return case, None, None, None, str(skip)
    except (crash.Failed, subprocess.TimeoutExpired, ValueError) as error:
        return case, None, None, str(error), None
    found = snapshot["crash"]
    row = next((row for row in snapshot["goroutines"] if [row["id"]] == found["blamed"][:1]), None)
    frames = [snapshot["frames"][i] for i in snapshot["stacks"][row["stack"]]] if row else []
    keys = [(frame["key"], frame["in_app"], frame["function"]) for frame in frames]
    return case, found, keys, None, None


def main():
    releases = os.environ.get("ORACLE_RELEASES", "local").split()
    builds = os.environ.get("GROUPING_BUILDS", "default stripped noopt").split()
    spec = crash.read_spec("bugs")
    only = sys.argv[1:] or list(spec["runs"])
    try:
        cases = [crash.Case("bugs", run, release, build) for release in releases for build in builds for run in only
                 if crash.release_number(release) >= tuple(spec["runs"][run].get("since", (0,)))]
    except crash.Skip as skip:
        print(f"no bugs: {skip}")
        return 77
    results, skipped, wrong = {}, set(), 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for case, found, keys, problem, skip in pool.map(look, cases):
            where = f"{crash.go_version(case.release)} {case.flags}"
            if skip:
                skipped.add(skip)
            elif problem:
                print(f"{where} {case.run}: {problem}")
                wrong += 1
            else:
                results.setdefault(case.run, {}).setdefault(found["fingerprint"], []).append((where, found, keys))
    wrong += report(results)
    for case in cases:
        if case.run == "hang" and case.flags == "default":
            lines = check_groups(case)
            wrong += len(lines)
            print("\n".join(lines), end="\n" if lines else "")
    for reason in sorted(skipped):
        print(f"skipped: {reason}")
    if not results and not wrong:
        return 77
    return 1 if wrong else 0


def check_groups(case):
    """The groups of a hang: which one is unlike the others, and where each order puts it."""
    try:
        made = crash.crash(case)
    except crash.Skip:
        return []
    what = ("--exe", str(made.exe), "--variables", "none", str(made.core))
    groups = json.loads(output_of("analyze", *what))["groups"]
    wrong = []
    large, odd = groups[0], [group for group in groups if group["unlike"]]
    if large["count"] != 49 or large["wait_reason"] != "chan receive" or large["unlike"]:
        wrong.append(f"the largest group is {large}")
    if [(group["count"], group["unlike"], group["wait_reason"]) for group in odd] != [(1, 49, "chan send (nil chan)")]:
        wrong.append(f"unlike the others: {odd}")
    for order, first in (("rarest", "1 × chan send"), ("largest", "49 × chan receive")):
        text = output_of("analyze", "--format", "summary", "--sort", order, *what).decode()
        line = next(line for line in text.splitlines() if " × " in line)
        if text.splitlines().index(line) < text.splitlines().index(
                next(line for line in text.splitlines() if "look here first: chan receive" in line)):
            wrong.append("whom to look at first does not stand first")
        if not line.startswith(first):
            wrong.append(f"--sort {order} begins with {line!r}")
    plain, sorted_ = (sorted(output_of("analyze", "--format", "text", *order, *what).split(b"\n\n"))
                      for order in ((), ("--sort", "rarest")))
    if [part.strip() for part in plain] != [part.strip() for part in sorted_]:
        wrong.append("text: another order shows other goroutines")
    return [f"{crash.go_version(case.release)} hang: {line}" for line in wrong]


def report(results):
    """Prints what was found; how many bugs are wrong."""
    wrong, crashes, owners = 0, 0, {}
    for run, prints in sorted(results.items()):
        crashes += sum(len(places) for places in prints.values())
        if len(prints) > 1:
            wrong += 1
            print(f"{run}: {len(prints)} fingerprints")
            for text, places in prints.items():
                where, found, keys = places[0]
                print(f"    {text[:8]} {', '.join(place[0] for place in places)}: {found['title']} "
                      f"{[value.get('dynamic_type') for value in found['values']]}")
                if "-v" in os.environ.get("GROUPING_FLAGS", ""):
                    for key in keys[:24]:
                        print(f"        {'*' if key[1] else ' '} {key[0]:<40} {key[2]}")
        for text, places in prints.items():
            owners.setdefault(text, set()).add(run)
    for runs in owners.values():
        if len(runs) > 1:
            wrong += 1
            print(f"one fingerprint for {', '.join(sorted(runs))}")
    whole = sum(len(prints) == 1 for prints in results.values())
    print(f"{whole} of {len(results)} bugs have one fingerprint each, {crashes} crashes, "
          f"{sum(len(runs) > 1 for runs in owners.values())} false merges")
    return wrong


if __name__ == "__main__":
    sys.exit(main())

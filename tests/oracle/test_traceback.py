#!/usr/bin/env python3
"""Holds `coresnap analyze` against what the Go runtime printed at the same crash.

Every program of testdata/programs is built and crashed (found again under build/crashes), with the
machine's Go or the releases in ORACLE_RELEASES ("1.21.13 1.24.9 …"); the committed crashes of
testdata/crashes come too, Go or not. Each must agree in all of its goroutines, keep to the
snapshot's document, come out the same twice, and say the same as JSON and as text.
Programs that hold secrets are left out: what is hidden cannot agree.
ORACLE_PROGRAMS names the programs to try instead of all; ORACLE_FULL=1 also tries the builds and
crashes that are left to check-matrix.
"""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import agree  # noqa: E402
import committed  # noqa: E402
import crash  # noqa: E402
import gotrace  # noqa: E402
import schema  # noqa: E402

CORESNAP = pathlib.Path(os.environ.get("BUILD", "build")).resolve() / "coresnap"
ANALYZE_SECONDS = 120
SHOWN = 3  # disagreements that are printed in full, per crash


def analyze(made, *options):
    """The output of one analysis; raises Failed with its own words where there is none."""
    done = subprocess.run([str(CORESNAP), "analyze", "--exe", str(made.exe), *options, str(made.core)],
                          capture_output=True, timeout=ANALYZE_SECONDS, check=False)
    if done.returncode != 0:
        raise crash.Failed(f"analyze {' '.join(options)}: status {done.returncode}: "
                           f"{done.stderr.decode(errors='replace').strip()[-500:]}")
    return done.stdout


def text_problems(made, snapshot, traceback, result):
    """Our text at its four levels beside the JSON, and beside the runtime's own lines."""
    wrong = []
    levels = {}
    for level in ("crash", "system", "all", "single"):
        output = analyze(made, "--format", "text", "--traceback", level).decode("utf-8", "surrogateescape")
        levels[level] = gotrace.parse(output)
        if levels[level].unparsed:
            wrong.append(f"text {level}: no Go tool reads the line {levels[level].unparsed[0]!r}")
    for level in ("crash", "system"):
        wrong += [f"text {level}: {line}" for line in agree.same_goroutines(snapshot, levels[level])]
    wrong += [f"text: {line}" for line in agree.headers_differ(traceback, levels["crash"])]
    wrong += [f"arguments: {line}" for line in
              agree.arguments_differ(traceback, levels["crash"], result, agree.is_old(snapshot))]
    wrong += [f"addresses: {line}" for line in
              agree.addresses_differ(traceback, levels["system"], result)]
    if traceback.kind == "panic":
        wrong += level_problems(snapshot, levels)
    for level, text in levels.items():
        if text.kind != traceback.kind or not agree.same_message(text.message, traceback.message):
            wrong.append(f"text {level}: is about {text.kind} {text.message!r}")
    return wrong


def level_problems(snapshot, levels):
    """Who is shown at the levels all and single. Only a panic minds them: a fatal error or signal
    shows everyone, with the runtime's own (go1.26 runtime1.go gotraceback)."""
    wrong = []
    system = {row["id"] for row in snapshot["goroutines"] if row["system"]}
    users = set(levels["crash"].by_id()) - system
    if set(levels["all"].by_id()) != users:
        wrong.append(f"text all: shows {sorted(set(levels['all'].by_id()) ^ users)[:5]} wrongly")
    wanted = snapshot["crash"]["goroutine"]
    single = set(levels["single"].by_id())
    if wanted is not None and single != {wanted}:
        wrong.append(f"text single: shows {sorted(single)[:5]}, not {wanted}")
    return wrong


def truth_problems(made, snapshot):
    """What the program said of its own crash."""
    wrong = []
    for name in ("crash.kind", "crash.message", "crash.goroutine", "crash.thread", "crash.blamed"):
        if name not in made.truth:
            continue
        want, got = made.truth[name], snapshot["crash"][name.split(".")[1]]
        if want != got and not (name == "crash.message" and agree.same_message(got, want)):
            wrong.append(f"{name}: the program says {want!r}, ours {got!r}")
    return wrong


def check_crash(made):
    """(Comparison, [problems]) of one crash."""
    output = analyze(made)
    snapshot = json.loads(output)
    traceback = gotrace.parse(made.stderr)
    problems = schema.check(snapshot)
    if problems:
        return None, problems
    result = agree.compare(snapshot, traceback)
    problems += agree.crash_differs(snapshot, traceback)
    problems += agree.threads_differ(snapshot, traceback)
    problems += truth_problems(made, snapshot)
    problems += text_problems(made, snapshot, traceback, result)
    if analyze(made) != output:
        problems.append("two runs wrote different bytes")
    if "asan" in CORESNAP.parts:
        analyze(made, "--no-sandbox")  # LeakSanitizer sees nothing from within the sandbox
    return result, problems


def try_case(case):
    """(release, name, Comparison or None, [problems], reason of a skip or None)."""
    release = "?"
    try:
        release = crash.go_version(case.release) if isinstance(case, crash.Case) else case.release
        made = crash.crash(case) if isinstance(case, crash.Case) else case.unpack()
        return (release, case.name, *check_crash(made), None)
    except crash.Skip as skip:
        return release, case.name, None, [], str(skip)
    except (crash.Failed, subprocess.TimeoutExpired, ValueError, KeyError, TypeError,
            IndexError) as error:
        return release, case.name, None, [f"{type(error).__name__}: {error}"], None


def all_cases(skipped):
    releases = os.environ.get("ORACLE_RELEASES", "local").split()
    only = os.environ.get("ORACLE_PROGRAMS", "").split()
    cases = [] if only else committed.crashes()
    try:
        cases += [case for case in crash.cases(releases, only, full="ORACLE_FULL" in os.environ)
                  if not case.silent and not case.spec.get("secret")]
    except crash.Skip as skip:
        print(f"only the committed crashes: {skip}")
        skipped[str(skip)] = 1
    # Those that take a minute of waiting begin first.
    return sorted(cases, key=lambda case: not case.slow)


def report(release, name, result, problems):
    """Prints one row and what is wrong with it; returns these lines where not all is well."""
    agreed = result is not None and result.agreed == result.goroutines
    counts = (result.goroutines, result.agreed, result.frames) if result else ("-", "-", "-")
    rules = " ".join(f"{rule}:{n}" for rule, n in sorted(result.rules.items())) if result else ""
    fine = agreed and not problems
    lines = [f"{release:<11} {name:<34} {counts[0]:>6} {counts[1]:>6} {counts[2]:>7}  "
             f"{'ok' if fine else 'NO'}  {rules}"]
    lines += [f"    goroutine {number}: {wrong}"
              for number, wrong in (result.disagreements[:SHOWN] if result else [])]
    lines += [f"    {problem}" for problem in problems[:SHOWN * 2]]
    print("\n".join(lines), flush=True)
    return [] if fine else lines


class Totals:
    """What was compared in all, for people who read a run's last lines."""

    def __init__(self):
        self.releases, self.builds, self.kinds, self.combinations = set(), set(), set(), set()
        self.goroutines, self.agreed, self.frames, self.addresses, self.rules = 0, 0, 0, 0, {}

    def add(self, release, case, result):
        kind, build = f"{case.program}/{case.run}", getattr(case, "flags", "default")
        self.releases.add(release)
        self.builds.add(build)
        self.kinds.add(kind)
        self.combinations.add((release, build, kind))
        self.goroutines += result.goroutines
        self.agreed += result.agreed
        self.frames += result.frames
        self.addresses += result.addresses
        for rule, count in result.rules.items():
            self.rules[rule] = self.rules.get(rule, 0) + count

    def print(self):
        for rule, count in sorted(self.rules.items()):
            print(f"rule {rule} ({count}): {agree.RULES[rule]}")
        print(f"{len(self.combinations)} combinations of {len(self.releases)} releases, {len(self.builds)} "
              f"builds and {len(self.kinds)} crashes")
        print(f"fp, sp and pc of {self.addresses} frames, function, file and line of {self.frames}")
        print(f"{self.agreed} of {self.goroutines} goroutines agree in everything")


def main():
    if not CORESNAP.exists():
        print(f"no {CORESNAP}: run make first")
        return 1
    wrong, skipped, totals = [], {}, Totals()
    cases = all_cases(skipped)
    print(f"{'release':<11} {'program':<34} {'gorout':>6} {'agreed':>6} {'frames':>7}")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for case, (release, name, result, problems, skip) in zip(cases, pool.map(try_case, cases)):
            if skip:
                skipped[skip] = skipped.get(skip, 0) + 1
                continue
            wrong += report(release, name, result, problems)
            if result:
                totals.add(release, case, result)
    for reason, count in skipped.items():
        print(f"skipped {count}: {reason}")
    totals.print()
    wrong += agree.rules_grown(totals.rules, totals.goroutines)
    if wrong:  # again, where the reader of a long output looks
        print("what does not agree:", *wrong, sep="\n")
    if totals.goroutines == 0:
        print("nothing was compared")
        return 77 if skipped and not wrong else 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""The main of an oracle that tries each crash of one program and prints a row for it."""
import concurrent.futures
import os
import sys
import unittest

import crash

SHOWN = 12  # problems that are printed of one crash


def main(program, try_case, unit, nothing):
    """Exit status of an oracle. try_case(case) gives (case, [problems], how much was compared, reason of a
    skip or None); `unit` names what was compared; `nothing` is said where no crash can be made. First come
    the unit tests of the calling module."""
    if not unittest.main(argv=sys.argv[:1], verbosity=0, exit=False).result.wasSuccessful():
        return 1
    releases = os.environ.get("ORACLE_RELEASES", "local").split()
    fine, total, skipped = True, 0, set()
    try:
        cases = list(crash.cases(releases, (program,)))
    except crash.Skip as skip:
        print(f"{nothing}: {skip}")
        return 77
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for case, wrong, count, skip in pool.map(try_case, cases):
            total += count
            if skip:
                skipped.add(skip)
                continue
            print(f"{crash.go_version(case.release):<11} {case.name:<28} {count} {unit}  "
                  f"{'NO' if wrong else 'ok'}")
            for line in wrong[:SHOWN]:
                print(f"    {line}")
            fine = fine and not wrong
    for reason in sorted(skipped):
        print(f"skipped: {reason}")
    if total == 0 and fine:
        return 77
    return 0 if fine else 1

#!/usr/bin/env python3
"""Sums up the test suites that check.sh ran, and decides whether all is well.

Usage: summarize-tests.py SUITES.tsv

Each line of SUITES.tsv is `name <tab> exit status <tab> report`, the report being
a JUnit XML file as lit, pytest and GoogleTest write it, or `-` for a suite that is
one test, passed where its exit status is 0. A suite that ends badly without a
failed test in its report (it crashed, or never ran) counts as one failure.

Prints a line a suite, the failed tests, the reasons of the skipped ones, and last
`N passed, N failed` or `N passed, N failed, N skipped`. Exits with 1 where a test
failed or where there was none.
"""

import collections
import dataclasses
import sys
import xml.etree.ElementTree as ElementTree


@dataclasses.dataclass
class Outcome:
    """What one suite came to; the lists hold names and reasons."""

    passed: int = 0
    failed: list = dataclasses.field(default_factory=list)
    skipped: list = dataclasses.field(default_factory=list)


def read_case(case, outcome):
    """Counts one <testcase> element; lit reports also what a filter left out."""
    skipped = case.find("skipped")
    if skipped is not None and skipped.get("message", "").startswith("Test not selected"):
        return
    if case.find("failure") is not None or case.find("error") is not None:
        outcome.failed.append(f"{case.get('classname', '')} {case.get('name', '')}".strip())
    elif skipped is not None:
        outcome.skipped.append((skipped.get("message") or skipped.text or "no reason").strip())
    elif case.get("status") == "notrun":
        outcome.skipped.append("disabled in the source")  # GoogleTest's DISABLED_
    else:
        outcome.passed += 1


def read_suite(status, report):
    """Returns the outcome of a suite that ended with `status`."""
    outcome = Outcome()
    if report == "-":
        if status == 0:
            outcome.passed = 1
        else:
            outcome.failed.append(f"exit status {status}")
        return outcome
    try:
        for case in ElementTree.parse(report).iter("testcase"):
            read_case(case, outcome)
    except (OSError, ElementTree.ParseError) as error:
        outcome.failed.append(f"no report (exit status {status}): {error}")
        return outcome
    if status != 0 and not outcome.failed:
        outcome.failed.append(f"exit status {status} without a failed test")
    return outcome


def main(argv):
    if len(argv) != 2:
        sys.exit(__doc__)
    passed, failed, skipped = 0, 0, 0
    with open(argv[1], encoding="utf-8") as suites:
        for line in suites:
            name, status, report = line.rstrip("\n").split("\t")
            outcome = read_suite(int(status), report)
            passed += outcome.passed
            failed += len(outcome.failed)
            skipped += len(outcome.skipped)
            print(f"{name}: {outcome.passed} passed, {len(outcome.failed)} failed, "
                  f"{len(outcome.skipped)} skipped")
            for test in outcome.failed:
                print(f"  failed: {test}")
            for reason, count in collections.Counter(outcome.skipped).items():
                print(f"  skipped {count}: {reason}")
    if passed + failed + skipped == 0:
        print("no test ran")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))

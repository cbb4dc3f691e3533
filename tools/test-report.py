#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""test-report.py REPORT: what a ctest JUnit report says, for tools/test, one fact a line:

passed<TAB>COUNT, failed<TAB>NAME, skipped<TAB>NAME<TAB>REASON (the test's own line with "SKIPPED").
"""
import sys
import xml.etree.ElementTree


def reason(case):
    """The text after SKIPPED in what the test printed; a GoogleTest prints its reason above that line."""
    lines = (case.findtext("system-out") or "").splitlines()
    for number, line in enumerate(lines):
        if line.startswith("SKIPPED: "):
            return line[len("SKIPPED: "):]
        if ": Skipped" in line and number + 1 < len(lines):
            return lines[number + 1]
    return "no reason given"


def is_skipped(case):
    """By the test's own will. A test whose program is missing is "skipped", too, for ctest; here it failed."""
    skipped = case.find("skipped")
    return skipped is not None and skipped.get("message", "").startswith("SKIP_")


def main():
    passed = 0
    for case in xml.etree.ElementTree.parse(sys.argv[1]).getroot().iter("testcase"):
        if case.get("status") == "run":
            passed += 1
        elif is_skipped(case):
            print(f"skipped\t{case.get('name')}\t{reason(case)}")
        else:
            print(f"failed\t{case.get('name')}")
    print(f"passed\t{passed}")


main()

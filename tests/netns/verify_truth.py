#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""verify_truth.py FOLDER: is what `xdplb verify` said true? Ends with 1 when not.

Of FOLDER: verify.json, the report; ways, lines "SERVER WAY ADDRESS MAC"; pages, lines "SERVER VIPA NAME" of what a client got;
answers, lines "VIPA MAC" of who answered ARP or ND for it. A row with a fault must be one whose page does not come or whose server answers for
the VIPA; a row without must be the contrary, and its fault must be told. Prints a line a row.
"""
import json
import pathlib
import sys


def lines(path):
    return [line.split() for line in path.read_text(encoding="utf-8").splitlines()]


def main():
    folder = pathlib.Path(sys.argv[1])
    report = json.loads((folder / "verify.json").read_text(encoding="utf-8"))
    ways = {name: (way, address, mac) for name, way, address, mac in lines(folder / "ways")}
    pages = {(line[0], line[1]): line[2:] == [line[0]] for line in lines(folder / "pages")}
    answers = {tuple(line) for line in lines(folder / "answers")}
    rows = {(row["server"], row["vipa"]): row for row in report["servers"]}
    told = {fault["object"].split("/")[-1] for fault in report["faults"] if fault["severity"] == "fault"}
    wrong = 0
    if set(rows) != set(pages):
        print(f"rows are {sorted(rows)}, expected {sorted(pages)}")
        wrong += 1
    for (server, vipa), gets_page in sorted(pages.items()):
        way, _, mac = ways[server]
        answers_for_it = (vipa, mac) in answers
        steps = rows.get((server, vipa), {}).get("steps", {})
        says_fault = "fault" in steps.values()
        is_true = says_fault == (not gets_page or answers_for_it) and (not says_fault or server in told)
        wrong += not is_true
        truth = ("page" if gets_page else "no page") + (", answers for the VIPA" if answers_for_it else "")
        print(f"{'ok   ' if is_true else 'WRONG'} {server} {way} {vipa}: {truth}; verify: {' '.join(f'{k}={v}' for k, v in steps.items())}")
    if wrong:
        print(json.dumps(report["faults"], indent=1))
    sys.exit(1 if wrong else 0)


main()

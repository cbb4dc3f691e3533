#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""fault_codes.py check|verify FILE EXIT: the codes in a report of `xdplb-server check` or `xdplb verify`, which ended with EXIT.

Prints the faults' codes, sorted, each once, or "clean", and " / " and those of warnings when there are any. Ends with 1 and says why on
stdout when the report is not as it must be: it contradicts its exit code, or a fault lacks a field.
"""
import json
import sys

FIELDS = {"code": str, "object": str, "text": str, "remedy": str, "severity": str}


def complaints(kind, report, code):
    faults = [x for x in report["faults"] if x["severity"] == "fault"]
    if report["ok"] != (not faults):
        yield f"ok is {report['ok']} with {len(faults)} faults"
    if code != (1 if faults else 0):
        yield f"exit code {code} with {len(faults)} faults"
    for fault in report["faults"]:
        for field, kind_of in (FIELDS | ({"curable": bool} if kind == "check" else {})).items():
            if not isinstance(fault.get(field), kind_of):
                yield f"{field} of {fault} is no {kind_of.__name__}"
        if fault["severity"] not in ("fault", "warning"):
            yield f"severity {fault['severity']}"
        if not fault["text"] or "\n" in fault["text"] + fault["remedy"]:
            yield f"text or remedy of {fault}"
        if fault.get("curable") and not fault["remedy"]:
            yield f"curable and without a remedy: {fault}"


def main():
    kind, path, code = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with open(path, encoding="utf-8") as file:
        try:
            report = json.load(file)
        except ValueError:
            sys.exit(1)
    codes = {severity: sorted({x["code"] for x in report["faults"] if x["severity"] == severity}) for severity in ("fault", "warning")}
    text = " ".join(codes["fault"]) or "clean"
    if codes["warning"]:
        text += " / " + " ".join(codes["warning"])
    wrong = list(complaints(kind, report, code))
    print(text if not wrong else f"{text}; {'; '.join(wrong)}")


main()

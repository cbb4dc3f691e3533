#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""advisor_table.py TABLE: which rows are not true of the document of `xdplb -j advisor list` on stdin.

A row is PATH HEALTH CODE: every check of PATH, a port or a server, has that health, and its last result's code is matched whole by
the regular expression CODE. Prints the rows that are not, with what there is.
"""
import json
import re
import sys


def checks_of(document, path):
    for port in document:
        for check in port["checks"]:
            if path in (port["port"], check["server"]):
                yield check


def main():
    document = json.load(sys.stdin)
    with open(sys.argv[1], encoding="utf-8") as file:
        rows = [line.split() for line in file if line.strip()]
    for path, health, code in rows:
        found = list(checks_of(document, path))
        if not found:
            print(f"{path}: no check")
        for check in found:
            if check["health"] != health or not re.fullmatch(code, check["code"]):
                print(f"{path} to {check['destination']}: {check['health']} {check['code']} \"{check['text']}\", expected {health} {code}")


if __name__ == "__main__":
    main()

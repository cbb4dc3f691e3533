#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""port_path.py FILE PORT "to|from MAC"...: whether such frames pass PORT and no other port, from now on; see port_traffic.py for FILE.

Waits up to 15 s for five frames each of IPv4 and IPv6. Exit code 1, and what was seen on standard error, when that is not so.
"""
import json
import sys
import time

ENOUGH = 5
WAIT_S = 15


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def main():
    path, port, *ends = sys.argv[1:]
    start = time.time()
    while (before := read(path))["t"] <= start:
        if time.time() > start + WAIT_S:
            sys.exit(f"{path} is not written any more")
        time.sleep(0.02)
    wanted = {f"{port} {direction} {family} {mac}" for direction, mac in (end.split() for end in ends) for family in ("v4", "v6")}
    deadline = time.time() + WAIT_S
    while True:
        counts = read(path)["counts"]
        grown = {key: count - before["counts"].get(key, 0) for key, count in counts.items()}
        grown = {key: count for key, count in grown.items() if count and key.split(" ", 1)[1] in {one.split(" ", 1)[1] for one in wanted}}
        if set(grown) - wanted:
            sys.exit(f"seen elsewhere, too: {grown}")
        if all(grown.get(key, 0) >= ENOUGH for key in wanted):
            return
        if time.time() > deadline:
            sys.exit(f"not seen often enough: {grown}")
        time.sleep(0.05)


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""claim_runs.py FILE ADDRESS: who claimed ADDRESS when, by what neighbour_capture.py wrote to FILE.

One line a run of claiming frames by one MAC, in order of time: MAC, frames, first and last in seconds since the epoch. Two owners at
one time are many short runs.
"""
import itertools
import json
import sys

from neighbour_frames import claims


def main():
    path, address = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        heard = [json.loads(line) for line in file if line.endswith("\n")]
    wanted = sorted((frame for frame in heard if frame["ip"] == address and claims(frame)), key=lambda frame: frame["t"])
    for mac, run in itertools.groupby(wanted, key=lambda frame: frame["mac"]):
        times = [frame["t"] for frame in run]
        print(mac, len(times), f"{times[0]:.6f} {times[-1]:.6f}")


main()

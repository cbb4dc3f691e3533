#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""pacing.py CAPTURE START PORT FIRST LAST: how the announcements of the VIPAs FIRST to LAST left by PORT after START.

CAPTURE is a file of neighbour_capture.py, START a time in seconds since the epoch. Prints
  {announced, first_ms, all_first_ms, out_of_turn, frames, excess, elsewhere}
announced: how many VIPAs were. first_ms, all_first_ms: when the first one was, and when each had been, in ms after START.
out_of_turn: VIPAs announced a second time before each one's first request and reply had left. excess: by how many frames the
busiest moment was above 50 at once and 200 a second (answers count, so nobody should ask). elsewhere: claims by other ports after
the first one by this.
"""
import ipaddress
import json
import sys

from neighbour_frames import claims

RATE, BURST = 200, 50


def excess(times):
    """Of a bucket that holds BURST frames and gets RATE a second: how deep in debt it would have been."""
    level, last, deepest = float(BURST), None, 0.0
    for time in times:
        level = min(BURST, level + RATE * (time - last if last else 0)) - 1
        last, deepest = time, min(deepest, level)
    return round(-deepest, 1)


def main():
    path, start, port, first, last = sys.argv[1:]
    start = float(start)
    wanted = {str(ipaddress.ip_address(number)) for number in
              range(int(ipaddress.ip_address(first)), int(ipaddress.ip_address(last)) + 1)}
    with open(path, encoding="utf-8") as file:
        frames = [json.loads(line) for line in file if line.endswith("\n")]
    frames = sorted((f for f in frames if f["t"] >= start and f["ip"] in wanted and claims(f)), key=lambda f: f["t"])
    seen, out_of_turn, all_first = {}, set(), None
    own = [f for f in frames if f["port"] == port]
    for frame in own:
        kinds = seen.setdefault(frame["ip"], set())
        pairs_are_out = len(seen) == len(wanted) and all({"announce", "announce_reply"} <= one for one in seen.values())
        if frame["kind"] in kinds and frame["kind"].startswith("announce") and not pairs_are_out:
            out_of_turn.add(frame["ip"])
        kinds.add(frame["kind"])
        if len(seen) == len(wanted) and all_first is None:
            all_first = frame["t"]
    print(json.dumps({
        "announced": len(seen),
        "first_ms": round((own[0]["t"] - start) * 1000, 1) if own else None,
        "all_first_ms": round((all_first - start) * 1000, 1) if all_first else None,
        "out_of_turn": len(out_of_turn),
        "frames": len(own),
        "excess": excess([f["t"] for f in own]),
        "elsewhere": sum(1 for f in frames if f["port"] != port and own and f["t"] > own[0]["t"]),
    }))


main()

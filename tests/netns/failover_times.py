#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""failover_times.py VIPA COUNT PORT...: how long from a pulled cable to the first announcement on the wire.

Runs in the switch's namespace. Takes the port of the adapter that owns the VIPA down, COUNT times in turn, waits for the first
announcement by another port, puts the cable back, and goes on. The first PORT owns it at the start, and failback has to be manual.
Prints {count, median_ms, worst_ms, owner, times_ms}; owner is the port that announced last. The time counts from before the system
call that takes the port down to the kernel's stamp of the frame, so it contains what that call does before the cable is dead.
"""
import fcntl
import json
import select
import socket
import statistics
import struct
import sys
import time

from neighbour_frames import Ear

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
WAIT_S = 20
# Between two failovers, so that one is measured at a time.
REST_S = 0.1


def set_up(control, port, is_up):
    name = port.encode().ljust(16, b"\0")
    flags = struct.unpack_from("16xh", fcntl.ioctl(control, SIOCGIFFLAGS, name + bytes(24)))[0]
    flags = flags | IFF_UP if is_up else flags & ~IFF_UP
    before = time.time()
    fcntl.ioctl(control, SIOCSIFFLAGS, name + struct.pack("h22x", flags))
    return before


def announced(ears, vipa, deadline):
    """The first announcement of the VIPA."""
    while (left := deadline - time.time()) > 0:
        for ear in select.select(ears, [], [], left)[0]:
            for frame in ear.frames():
                if frame["kind"] in ("announce", "advertisement") and frame["ip"] == vipa:
                    return frame
    return None


def main():
    vipa, count, *ports = sys.argv[1:]
    control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    times = []
    owner = ports[0]
    for number in range(int(count)):
        ears = [Ear(port) for port in ports if port != owner]
        start = set_up(control, owner, False)
        frame = announced(ears, vipa, start + WAIT_S)
        if frame is None:
            sys.exit(f"failover {number}: nobody announced {vipa} within {WAIT_S} s after {owner} went down")
        times.append(round((frame["t"] - start) * 1000, 3))
        set_up(control, owner, True)
        owner = frame["port"]
        time.sleep(REST_S)
    median = round(statistics.median(times), 3)
    print(json.dumps({"count": len(times), "median_ms": median, "worst_ms": max(times), "owner": owner, "times_ms": times}))


if __name__ == "__main__":
    main()

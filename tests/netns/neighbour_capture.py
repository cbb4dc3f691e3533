#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""neighbour_capture.py FILE INTERFACE...: one JSON line for each ARP, ND or MLD frame that enters by these interfaces.

See neighbour_frames.py for the fields; t is the time at which the kernel took it in, in seconds since the epoch. The file is
there once every interface is listened to. Ends with SIGTERM.
"""
import json
import select
import sys

from neighbour_frames import Ear


def main():
    path, *interfaces = sys.argv[1:]
    ears = [Ear(interface) for interface in interfaces]
    with open(path, "w", encoding="utf-8") as file:
        while True:
            for ear in select.select(ears, [], [])[0]:
                for frame in ear.frames():
                    file.write(json.dumps(frame) + "\n")
            file.flush()


main()

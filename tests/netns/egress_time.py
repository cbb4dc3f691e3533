#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""egress_time.py FROM TO MAC: a dispatcher's cable is pulled; how long until its frames to a server come by the other one.

Runs in the switch's namespace. Takes the port FROM down and waits for the first IP packet to the server's MAC that enters by TO.
Prints {ms, questions}: after how many ms it came, by the kernel's stamp, and how many ARP or ND questions entered by TO before it
and after the cable was pulled.
"""
import json
import select
import socket
import sys
import time

import failover_times
import neighbour_frames

WAIT_S = 20


def main():
    source, target, mac = sys.argv[1:]
    server = bytes.fromhex(mac.replace(":", ""))
    control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire = neighbour_frames.Ear(target)
    start = failover_times.set_up(control, source, False)
    questions = 0
    while select.select([wire], [], [], max(0, start + WAIT_S - time.time()))[0]:
        for data, stamp in wire.raw():
            info = neighbour_frames.parse(data)
            if stamp >= start and info and info["kind"] == "question":
                questions += 1
            if stamp >= start and data[:6] == server and data[12:14] in (b"\x08\x00", b"\x86\xdd") and info is None:
                print(json.dumps({"ms": round((stamp - start) * 1000, 3), "questions": questions}))
                return
    sys.exit(f"no packet to {mac} by {target} within {WAIT_S} s after {source} went down")


main()

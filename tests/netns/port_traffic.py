#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""port_traffic.py FILE ADDRESS,ADDRESS... PORT...: which switch ports the TCP segments of these addresses pass.

FILE is replaced as a whole ten times a second: {"t": SECONDS, "counts": {"PORT to|from v4|v6 MAC": frames}}. `to`: the switch sends
it out there, to one of the addresses; MAC sent it. `from`: it came in there, from one of the addresses; MAC is to get it.
t: everything before it is counted.
"""
import collections
import json
import os
import select
import socket
import sys
import time

from neighbour_frames import ETH_ALL, mac_text


class Port:
    """Counts on one port."""

    def __init__(self, name, addresses, counts):
        self.name = name
        self.addresses = addresses
        self.counts = counts
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.bind((name, ETH_ALL))
        self.socket.setblocking(False)

    def fileno(self):
        return self.socket.fileno()

    def count(self, frame, is_outgoing):
        family = {b"\x08\x00": "v4", b"\x86\xdd": "v6"}.get(frame[12:14])
        if family is None or len(frame) < 54 or frame[23 if family == "v4" else 20] != socket.IPPROTO_TCP:
            return
        source, destination = (frame[26:30], frame[30:34]) if family == "v4" else (frame[22:38], frame[38:54])
        if is_outgoing and destination in self.addresses:
            self.counts[f"{self.name} to {family} {mac_text(frame[6:12])}"] += 1
        if not is_outgoing and source in self.addresses:
            self.counts[f"{self.name} from {family} {mac_text(frame[:6])}"] += 1

    def drain(self):
        while True:
            try:
                frame, address = self.socket.recvfrom(64)
            except OSError:  # nothing more, or the port went down
                return
            self.count(frame, address[2] == socket.PACKET_OUTGOING)


def main():
    path, addresses, *names = sys.argv[1:]
    raw = {socket.inet_pton(socket.AF_INET6 if ":" in one else socket.AF_INET, one) for one in addresses.split(",")}
    counts = collections.Counter()
    ports = [Port(name, raw, counts) for name in names]
    due = 0
    while True:
        now = time.time()
        for port in select.select(ports, [], [], max(0, due - now))[0]:
            port.drain()
        now = time.time()
        if now < due:
            continue
        for port in ports:
            port.drain()
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump({"t": now, "counts": counts}, file)
        os.replace(path + ".new", path)
        due = now + 0.1


main()

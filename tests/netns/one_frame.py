#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""one_frame.py [OPTIONS] DISPATCHER_MAC DESTINATION SERVER...: one TCP SYN from this namespace's eth0, and where it comes out.

Prints one JSON list, an entry for each SERVER (a network namespace) that got the frame: {server, tags, ttl, whole}.
tags: [TPID, TCI] from the outermost in. whole: everything behind the tags is as it was sent, but for the TTL and, in IPv4,
a right header checksum.
"""
import argparse
import json
import select
import struct
import time

import frames


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--from-mac", default="02:00:00:00:0c:01")
    parser.add_argument("--source")
    parser.add_argument("--source-port", type=int, default=20000)
    parser.add_argument("--port", type=int, default=80)
    parser.add_argument("--ttl", type=int, default=64)
    parser.add_argument("--tag", type=lambda text: tuple(int(part, 0) for part in text.split(":")), action="append", default=[])
    parser.add_argument("--wait", type=float, default=3)
    parser.add_argument("mac")
    parser.add_argument("destination")
    parser.add_argument("servers", nargs="+")
    return parser.parse_args()


def with_ttl(packet, ttl):
    """The IP packet with another TTL and a right checksum."""
    if packet[0] >> 4 == 6:
        return packet[:7] + bytes([ttl]) + packet[8:]
    header = packet[:8] + bytes([ttl]) + packet[9:10] + b"\0\0" + packet[12:20]
    return header[:10] + struct.pack("!H", frames.checksum(header)) + header[12:] + packet[20:]


def describe(seen, sent, server):
    tags, at = [], 12
    while struct.unpack_from("!H", seen, at)[0] in (0x8100, 0x88A8):
        tags.append(list(struct.unpack_from("!HH", seen, at)))
        at += 4
    packet = seen[at + 2:at + 2 + len(sent)]
    ttl = packet[7] if packet[0] >> 4 == 6 else packet[8]
    return {"server": server.rsplit("-", 1)[1], "tags": tags, "ttl": ttl, "whole": packet == with_ttl(sent, ttl)}


def main():
    options = arguments()
    source = options.source or ("2001:db8:3::7" if ":" in options.destination else "203.0.113.7")
    wires = {frames.open_wire("eth0", name): name for name in options.servers}
    protocol, payload = frames.segment("tcp", options.source_port, options.port)
    bare = frames.ip_frame(options.mac, options.from_mac, source, options.destination, protocol, payload)[14:]
    sent = with_ttl(bare, options.ttl)
    ether_type = 0x86DD if ":" in options.destination else 0x0800
    frames.open_wire("eth0").send(frames.ethernet(options.mac, options.from_mac, ether_type, sent, options.tag))
    found, deadline = [], time.monotonic() + options.wait
    while (left := deadline - time.monotonic()) > 0:
        for wire in select.select(list(wires), [], [], left)[0]:
            seen = frames.receive(wire)
            if seen and payload in seen:
                found.append(describe(seen, sent, wires[wire]))
                deadline = min(deadline, time.monotonic() + 0.3)
    print(json.dumps(found))


if __name__ == "__main__":
    main()

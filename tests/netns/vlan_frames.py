#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""vlan_frames.py DISPATCHER_MAC ADDRESS CLIENT_NAMESPACE SERVER_NAMESPACE...: tagged frames through the dispatcher.

Sends TCP SYNs for ADDRESS, port 80, without a tag, with an 802.1Q tag and with two (802.1ad outside), from the
client's eth0 and watches eth0 of the servers. Each frame must come out at exactly one server: the same tags, the same
bytes after the two MACs, destination MAC that of the server, source MAC the dispatcher's.
"""
import select
import sys
import time

import frames

TAGS = {
    "no tag": (),
    "802.1Q": ((0x8100, 100),),
    "802.1Q with priority": ((0x8100, 5 << 13 | 101),),
    "QinQ": ((0x88A8, 200), (0x8100, 100)),
}


def travel(client, servers, frame):
    """Where `frame` came out: [(server's name, frame)], collected until half a second after the first."""
    client.send(frame)
    found, deadline = [], time.monotonic() + 3
    while (left := deadline - time.monotonic()) > 0:
        for wire in select.select(list(servers), [], [], left)[0]:
            seen = frames.receive(wire)
            # The payload after MACs and tags is unique by its ports.
            if seen and seen[-40:] == frame[-40:]:
                found.append((servers[wire], seen))
                deadline = min(deadline, time.monotonic() + 0.5)
    return found


def main():
    dispatcher, address, client_namespace, *names = sys.argv[1:]
    client = frames.open_wire("eth0", client_namespace)
    servers = {frames.open_wire("eth0", name): name for name in names}
    macs = {servers[wire]: frames.mac_text(wire.getsockname()[4]) for wire in servers}
    source = "2001:db8:3::7" if ":" in address else "203.0.113.7"
    failed = 0
    for number, (description, tags) in enumerate(TAGS.items()):
        protocol, payload = frames.segment("tcp", 20000 + number, 80)
        frame = frames.ip_frame(dispatcher, "02:00:00:00:0c:01", source, address, protocol, payload, tags)
        found = travel(client, servers, frame)
        expected = [frames.mac_bytes(macs[name]) + frames.mac_bytes(dispatcher) + frame[12:] for name, _ in found]
        if len(found) == 1 and found[0][1] == expected[0]:
            print(f"ok: {description}: whole frame right at {found[0][0].rsplit('-', 1)[1]}")
            continue
        failed += 1
        print(f"FAILED: {description}: sent {frame.hex()}")
        for name, seen in found:
            print(f"  at {name}: {seen.hex()}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

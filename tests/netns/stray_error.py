#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""stray_error.py DISPATCHER_MAC VIPA SOURCE: an ICMP "host unreachable" to VIPA that tells of a packet VIPA never sent."""
import struct
import sys

import frames


def main():
    mac, vipa, source = sys.argv[1:]
    inner = frames.ipv4("192.0.2.99", "203.0.113.9", 17, frames.udp(4000, 5000))
    message = struct.pack("!BBHI", 3, 1, 0, 0) + inner[:28]
    message = message[:2] + struct.pack("!H", frames.checksum(message)) + message[4:]
    frames.open_wire("eth0").send(frames.ip_frame(mac, frames.interface_mac("eth0"), source, vipa, 1, message))


if __name__ == "__main__":
    main()

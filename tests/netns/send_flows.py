#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""send_flows.py INTERFACE DISPATCHER_MAC ADDRESS PORT tcp|udp COUNT: one frame each of COUNT different flows."""
import sys

import frames


def main():
    interface, mac, address, port, protocol, count = sys.argv[1:]
    source_mac = frames.interface_mac(interface)
    wire = frames.open_wire(interface)
    for number in range(int(count)):
        # 50,000 ports of each of as many clients as it takes.
        client = f"203.0.113.{1 + number // 50000}" if ":" not in address else f"2001:db8:3::{1 + number // 50000:x}"
        next_header, payload = frames.segment(protocol, 10000 + number % 50000, int(port))
        wire.send(frames.ip_frame(mac, source_mac, client, address, next_header, payload))


if __name__ == "__main__":
    main()

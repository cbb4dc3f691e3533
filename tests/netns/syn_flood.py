#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""syn_flood.py DISPATCHER_MAC ADDRESS PORT COUNT RATE: COUNT SYNs of as many clients from eth0 of this namespace, RATE a second."""
import sys
import time

import frames


def main():
    mac, address, port, count, rate = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
    wire, own = frames.open_wire("eth0"), frames.interface_mac("eth0")
    started = time.monotonic()
    for number in range(count):
        client = f"2001:db8:3::{number + 1:x}" if ":" in address else f"198.51.100.{1 + number % 200}"
        wire.send(frames.ip_frame(mac, own, client, address, 6, frames.tcp_syn(1024 + number % 60000, port)))
        if number % 50 == 49:
            time.sleep(max(0.0, started + (number + 1) / rate - time.monotonic()))


if __name__ == "__main__":
    main()

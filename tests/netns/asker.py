#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""asker.py [--every SECONDS] [--probes] [--unicast MAC] INTERFACE OWN,ADDRESS...: asks the LAN who has each ADDRESS, as the host OWN, until
it is ended.

Ten times a second when not said otherwise; with --probes also in the name of nobody, as detection of duplicate addresses asks; with
--unicast all of it to one machine as well. Whoever captures the answers knows at any moment who gives them.
"""
import argparse
import time

import frames
from neighbour_probe import arp_request, solicitation


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=float, default=0.1)
    parser.add_argument("--probes", action="store_true")
    parser.add_argument("--unicast")
    parser.add_argument("interface")
    parser.add_argument("pairs", nargs="+")
    return parser.parse_args()


def questions(mac, pairs, *to):
    return [solicitation(mac, own, address, *to) if ":" in address else arp_request(mac, own, address, *to) for own, address in pairs]


def main():
    options = arguments()
    mac = frames.interface_mac(options.interface)
    wire = frames.open_wire(options.interface)
    pairs = [pair.split(",") for pair in options.pairs]
    if options.probes:
        pairs += [["::" if ":" in address else "0.0.0.0", address] for _, address in pairs]
    asked = questions(mac, pairs)
    if options.unicast:
        asked += questions(mac, pairs, options.unicast)
    while True:
        for frame in asked:
            wire.send(frame)
        time.sleep(options.every)


main()

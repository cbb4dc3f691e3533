#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""asker.py INTERFACE OWN,ADDRESS...: asks the LAN ten times a second who has each ADDRESS, as the host OWN, until it is ended.

Whoever captures the answers knows at any moment who gives them.
"""
import sys
import time

import frames
from neighbour_probe import arp_request, solicitation


def main():
    interface, *pairs = sys.argv[1:]
    mac = frames.interface_mac(interface)
    wire = frames.open_wire(interface)
    questions = []
    for own, address in (pair.split(",") for pair in pairs):
        questions.append(solicitation(mac, own, address) if ":" in address else arp_request(mac, own, address))
    while True:
        for question in questions:
            wire.send(question)
        time.sleep(0.1)


main()

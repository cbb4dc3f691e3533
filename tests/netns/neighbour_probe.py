#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""neighbour_probe.py INTERFACE OWN_ADDRESS ADDRESS: asks the LAN who has ADDRESS, by ARP or neighbour solicitation.

Prints the MAC in each answer to us, one a line, that comes within a second: all of them, so that a second one shows.
Announcements to everybody are no answers.
"""
import ipaddress
import select
import struct
import sys
import time

import frames


def arp_request(mac, own, address, to="ff:ff:ff:ff:ff:ff"):
    own_bytes, target = ipaddress.ip_address(own).packed, ipaddress.ip_address(address).packed
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + frames.mac_bytes(mac) + own_bytes + bytes(6) + target
    return frames.ethernet(to, mac, 0x0806, body)


def solicitation(mac, own, address, to=None):
    """To the group, or to the MAC `to` alone. As duplicate address detection asks when OWN is "::": without the option that names a MAC."""
    target = ipaddress.ip_address(address).packed
    group = target if to else ipaddress.ip_address("ff02::1:ff00:0").packed[:13] + target[13:]
    body = struct.pack("!BBHI", 135, 0, 0, 0) + target
    if own != "::":
        body += b"\x01\x01" + frames.mac_bytes(mac)
    pseudo = ipaddress.ip_address(own).packed + group + struct.pack("!II", len(body), 58)
    body = body[:2] + struct.pack("!H", frames.checksum(pseudo + body)) + body[4:]
    packet = frames.ipv6(own, str(ipaddress.ip_address(group)), 58, body, hop_limit=255)
    return frames.ethernet(to or "33:33:" + frames.mac_text(group[12:]), mac, 0x86DD, packet)


def answer_mac(frame, address):
    """The MAC that `frame` gives for ADDRESS, or None when it is not an answer."""
    target = ipaddress.ip_address(address).packed
    if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\x00\x02" and frame[28:32] == target:
        return frames.mac_text(frame[22:28])
    if frame[12:14] == b"\x86\xdd" and frame[20] == 58 and frame[54] == 136 and frame[62:78] == target:
        option = frame[78:86]
        return frames.mac_text(option[2:8]) if option[:2] == b"\x02\x01" else "no-option"
    return None


def main():
    interface, own, address = sys.argv[1:]
    mac = frames.interface_mac(interface)
    wire = frames.open_wire(interface)
    wire.send(solicitation(mac, own, address) if ":" in address else arp_request(mac, own, address))
    deadline = time.monotonic() + 1
    while (left := deadline - time.monotonic()) > 0:
        if select.select([wire], [], [], left)[0]:
            frame = frames.receive(wire)
            answer = frame and frame[:6] == frames.mac_bytes(mac) and answer_mac(frame, address)
            if answer:
                print(answer, flush=True)


if __name__ == "__main__":
    main()

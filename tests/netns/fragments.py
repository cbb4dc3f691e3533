#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""fragments.py DISPATCHER_MAC ADDRESS PORT SOURCE COUNT ORDER: datagrams in three fragments each, from eth0 of this namespace.

ORDER names the fragments in the order in which they are sent: 012, 021 or 210. SOURCE is the client's address on eth0. Prints the server
that answered each datagram, one a line; a datagram without an answer within a second has no line.
"""
import ipaddress
import os
import socket
import struct
import sys

import frames

PIECE = 1200  # a multiple of 8


def udp_datagram(source, destination, source_port, port, data):
    """With a right checksum: a server's kernel puts it together and gives it to the service."""
    length = 8 + len(data)
    header = struct.pack("!HHHH", source_port, port, length, 0)
    addresses = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    pseudo = addresses + (struct.pack("!IHBB", length, 0, 0, 17) if ":" in source else struct.pack("!BBH", 0, 17, length))
    return header[:6] + struct.pack("!H", frames.checksum(pseudo + header + data) or 0xFFFF) + data


def packet_of(source, destination, number, offset, more, data):
    if ":" in source:
        fragment = struct.pack("!BBHI", 17, 0, offset | more, number)
        return frames.ipv6(source, destination, 44, fragment + data)
    packet = frames.ipv4(source, destination, 17, data)
    header = packet[:4] + struct.pack("!HH", number & 0xFFFF, more << 13 | offset >> 3) + packet[8:10] + b"\0\0" + packet[12:20]
    return header[:10] + struct.pack("!H", frames.checksum(header)) + header[12:] + packet[20:]


def main():
    mac, address, port, source, count, order = sys.argv[1:]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    wire, own = frames.open_wire("eth0"), frames.interface_mac("eth0")
    ether_type = 0x86DD if ":" in address else 0x0800
    # Identifications that no earlier run has used: the dispatcher remembers them for half a minute.
    first = os.getpid() * 64
    for number in range(first, first + int(count)):
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.bind((source, 0))
            sock.connect((address, int(port)))
            sock.settimeout(1)
            datagram = udp_datagram(source, address, sock.getsockname()[1], int(port), bytes(range(256)) * 12)
            for piece in map(int, order):
                data = datagram[piece * PIECE:(piece + 1) * PIECE]
                packet = packet_of(source, address, number & 0xFFFFFFFF, piece * PIECE, int(piece < 2), data)
                wire.send(frames.ethernet(mac, own, ether_type, packet))
            try:
                print(sock.recv(2048).decode(), flush=True)
            except OSError:
                pass


if __name__ == "__main__":
    main()

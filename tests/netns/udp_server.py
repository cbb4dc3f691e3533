#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""udp_server.py NAME PORT ADDRESS...: answers every datagram with NAME, from the address it was asked on."""
import selectors
import socket
import sys


def main():
    name, port, addresses = sys.argv[1].encode(), int(sys.argv[2]), sys.argv[3:]
    selector = selectors.DefaultSelector()
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.bind((address, port))
        selector.register(sock, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            _, client = key.fileobj.recvfrom(2048)
            key.fileobj.sendto(name, client)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""udp_client.py ADDRESS PORT COUNT [BYTES]: COUNT datagrams from as many new sockets; prints each answer, one a line.

A connected socket takes an answer only from the address and port it asked. Exit 1 when one is missing.
"""
import socket
import sys


def main():
    address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    question = b"who are you".ljust(int(sys.argv[4]) if len(sys.argv) > 4 else 0)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    lost = 0
    while count > 0 and lost < 5:
        # 200 at a time: more would overrun the receive buffers, fewer would wait for each round trip.
        batch = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(min(count, 200))]
        for sock in batch:
            sock.settimeout(1)
            sock.connect((address, port))
            sock.send(question)
        for sock in batch:
            try:
                print(sock.recv(2048).decode())
            except OSError:
                lost += 1
            sock.close()
        count -= len(batch)
    sys.exit(1 if lost else 0)


if __name__ == "__main__":
    main()

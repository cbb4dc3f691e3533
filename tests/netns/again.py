#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""again.py ADDRESS PORT GATE: asks for /name, waits until the file GATE is there, and asks again on the same connection.

Prints what came each time: the server's name, "reset" or "none" (nothing within three seconds).
"""
import os
import socket
import sys
import time

GIVE_UP_S = 120


def ask(sock):
    try:
        sock.sendall(b"GET /name HTTP/1.1\r\nHost: test\r\n\r\n")
        answer = b""
        while not answer.endswith(b"\n") or b"\r\n\r\n" not in answer or answer.endswith(b"\r\n\r\n"):
            chunk = sock.recv(65536)
            if not chunk:
                return "closed"
            answer += chunk
        return answer.decode().split("\r\n\r\n", 1)[1].strip()
    except socket.timeout:
        return "none"
    except ConnectionError:
        return "reset"


def main():
    address, port, gate = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    with socket.create_connection((address, port), timeout=3) as sock:
        print(ask(sock), flush=True)
        deadline = time.monotonic() + GIVE_UP_S
        while not os.path.exists(gate):
            if time.monotonic() > deadline:
                sys.exit("the gate did not open")
            time.sleep(0.02)
        print(ask(sock), flush=True)


if __name__ == "__main__":
    main()

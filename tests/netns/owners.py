#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""owners.py tcp|udp ADDRESS PORT CLIENT...: which server answers each client, one line "CLIENT NAME" each.

CLIENT is a local address, or a local port or a range of them (40000-40099) of one socket each. A client without an
answer within two seconds is "CLIENT none", a refused or reset one "CLIENT reset". tcp asks for /name.
"""
import socket
import sys


def expand(words):
    for word in words:
        first, dash, last = word.partition("-")
        if not dash or not first.isdigit():
            yield word
            continue
        yield from (str(port) for port in range(int(first), int(last) + 1))


def ask(protocol, address, port, client):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("", int(client)) if client.isdigit() else (client, 0))
        sock.settimeout(2)
        try:
            sock.connect((address, port))
            if protocol == "udp":
                sock.send(b"who are you")
                return sock.recv(2048).decode()
            sock.sendall(b"GET /name HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
            answer = b""
            while chunk := sock.recv(65536):
                answer += chunk
            return answer.decode().split("\r\n\r\n", 1)[1].strip()
        except socket.timeout:
            return "none"
        except ConnectionError:
            return "reset"


def main():
    protocol, address, port, *clients = sys.argv[1:]
    for client in expand(clients):
        print(client, ask(protocol, address, int(port), client))


if __name__ == "__main__":
    main()

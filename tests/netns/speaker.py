#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""speaker.py ADDRESS DESTINATION...: sends datagrams from ADDRESS to each DESTINATION all the time, until it is ended.

While ADDRESS is none of this host's it waits for it. The destinations need not be there: what is wanted is how the kernel asks for them.
"""
import socket
import sys
import time


def speak(source, destinations):
    with socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((source, 0))
        sock.setblocking(False)
        while True:
            for destination in destinations:
                try:
                    sock.sendto(b"hello", (destination, 9))
                except BlockingIOError:
                    pass
                time.sleep(0.0005)


def main():
    source, *destinations = sys.argv[1:]
    while True:
        try:
            speak(source, destinations)
        except OSError:
            time.sleep(0.0005)


main()

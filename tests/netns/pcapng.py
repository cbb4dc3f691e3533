#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""pcapng.py FILE: reads a pcapng file and prints {interfaces: [...], packets: [{interface, length, captured, comment, ethertype}]}.

Reads what the specification calls Section Header, Interface Description and Enhanced Packet Blocks, and ends with an error when
a length, an alignment or the order of blocks is wrong.
"""
import json
import struct
import sys

OPTION_COMMENT = 1
OPTION_INTERFACE_NAME = 2


def options(data):
    at, found = 0, {}
    while at < len(data):
        code, length = struct.unpack_from("<HH", data, at)
        if code == 0:
            return found
        found[code] = data[at + 4:at + 4 + length].decode() if code in (OPTION_COMMENT, OPTION_INTERFACE_NAME) else None
        at += 4 + (length + 3) // 4 * 4
    return found


def blocks(data):
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if length % 4 or length < 12 or struct.unpack_from("<I", data, at + length - 4)[0] != length:
            sys.exit(f"block at {at}: its lengths do not agree")
        yield kind, data[at + 8:at + length - 4]
        at += length


def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    result = {"interfaces": [], "packets": []}
    for number, (kind, body) in enumerate(blocks(data)):
        if (number == 0) != (kind == 0x0A0D0D0A):
            sys.exit("it does not begin with the one Section Header Block")
        if number == 0 and struct.unpack_from("<IHH", body) != (0x1A2B3C4D, 1, 0):
            sys.exit("not version 1.0 in this byte order")
        if kind == 1:
            if struct.unpack_from("<H", body)[0] != 1:
                sys.exit("an interface that is no Ethernet")
            result["interfaces"].append(options(body[8:])[OPTION_INTERFACE_NAME])
        if kind == 6:
            interface, _, _, captured, length = struct.unpack_from("<IIIII", body)
            frame, rest = body[20:20 + captured], body[20 + (captured + 3) // 4 * 4:]
            result["packets"].append({"interface": result["interfaces"][interface], "length": length, "captured": captured,
                                      "comment": options(rest).get(OPTION_COMMENT),
                                      "ethertype": struct.unpack_from("!H", frame, 12)[0]})
    print(json.dumps(result))


if __name__ == "__main__":
    main()

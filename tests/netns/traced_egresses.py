#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""traced_egresses.py PINNED_MAP INCLUDE_DIR: how many ways out packets pass are in use, and of these how many have the trace's flag.

Reads the map `tables` as the program does, sizes and flag from xdplb/maps.h.
"""
import ctypes
import mmap
import os
import platform
import re
import struct
import sys

BPF_OBJ_GET = 7
SYS_BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]


def open_pinned(path):
    name = ctypes.create_string_buffer(path.encode())
    attributes = ctypes.create_string_buffer(struct.pack("<QII", ctypes.addressof(name), 0, 0), 16)
    descriptor = ctypes.CDLL(None, use_errno=True).syscall(SYS_BPF, BPF_OBJ_GET, attributes, 16)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), path)
    return descriptor


def main():
    with open(os.path.join(sys.argv[2], "xdplb", "maps.h"), encoding="utf-8") as file:
        header = file.read()
    settings = int(re.search(r"XDPLB_SIZE\(struct xdplb_settings, (\d+)\)", header)[1])
    egress = int(re.search(r"XDPLB_SIZE\(struct xdplb_egress, (\d+)\)", header)[1])
    count = int(re.search(r"XDPLB_MAX_EGRESSES = (\d+)", header)[1])
    flag = int(re.search(r"XDPLB_EGRESS_TRACED (\d+)u", header)[1])
    with mmap.mmap(open_pinned(sys.argv[1]), settings + count * egress, prot=mmap.PROT_READ) as tables:
        ways = [struct.unpack_from("<IHH", tables, settings + i * egress + 8) for i in range(count)]
    used = [flags for ifindex, _, flags in ways if ifindex]
    print(len(used), sum(1 for flags in used if flags & flag))


if __name__ == "__main__":
    main()

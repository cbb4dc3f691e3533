#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""rogue.py INTERFACE FORM ADDRESS [OPTIONS]: one ARP or ND frame about ADDRESS from this interface; prints when it left.

FORM, with the fields that the options replace:
  question        ARP request of --ip for ADDRESS; for IPv6 a solicitation to the group, with the source's MAC
  probe           RFC 5227 probe; for IPv6 the solicitation from :: of duplicate address detection
  announce        ARP request that says ADDRESS is here; for IPv6 the advertisement to ff02::1 with O
  announce-reply  the same as a broadcast ARP reply

Options of every form: --dst and --src of the Ethernet header, --mac that the packet names (default: --src), --cut BYTES of the
frame, --count N, --tag VLAN. Of ARP: --op --hlen --plen --htype --ptype --spa --tha --tpa. Of ND: --source --to (addresses), --hops,
--code, --flags (R 128, S 64, O 32), --no-option, --bad-checksum. See neighbour_frames.py for how such frames are read.
"""
import argparse
import ipaddress
import struct
import time

import frames

BROADCAST = "ff:ff:ff:ff:ff:ff"
ZERO_MAC = "00:00:00:00:00:00"
ALL_HOSTS = "ff02::1"
OVERRIDE = 0x20


def number(text):
    return int(text, 0)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("interface")
    parser.add_argument("form", choices=["question", "probe", "announce", "announce-reply"])
    parser.add_argument("address")
    for name in ("--dst", "--src", "--mac", "--ip", "--spa", "--tha", "--tpa", "--source", "--to"):
        parser.add_argument(name)
    for name in ("--op", "--hlen", "--plen", "--htype", "--ptype", "--flags", "--cut", "--tag"):
        parser.add_argument(name, type=number)
    parser.add_argument("--hops", type=number, default=255)
    parser.add_argument("--code", type=number, default=0)
    parser.add_argument("--count", type=number, default=1)
    parser.add_argument("--no-option", action="store_true")
    parser.add_argument("--bad-checksum", action="store_true")
    return parser.parse_args()


def either(value, default):
    return default if value is None else value


def packed(text):
    return ipaddress.ip_address(text).packed


def solicited_group(address):
    return str(ipaddress.ip_address(packed("ff02::1:ff00:0")[:13] + packed(address)[13:]))


def group_mac(group):
    return "33:33:" + frames.mac_text(packed(group)[12:])


def arp(options):
    """(destination MAC, ether type, packet)"""
    address = options.address
    operation = 2 if options.form == "announce-reply" else 1
    sender = {"question": options.ip, "probe": "0.0.0.0"}.get(options.form, address)
    target_mac = options.mac if operation == 2 else ZERO_MAC
    head = struct.pack("!HHBBH", either(options.htype, 1), either(options.ptype, 0x0800), either(options.hlen, 6),
                       either(options.plen, 4), either(options.op, operation))
    body = frames.mac_bytes(options.mac) + packed(either(options.spa, sender))
    body += frames.mac_bytes(either(options.tha, target_mac)) + packed(either(options.tpa, address))
    return BROADCAST, 0x0806, (head + body).ljust(46, b"\0")


def nd(options):
    """(destination MAC, ether type, packet)"""
    is_claim = options.form == "announce"
    is_probe = options.form == "probe"
    source = either(options.source, options.address if is_claim else "::" if is_probe else options.ip)
    group = either(options.to, ALL_HOSTS if is_claim else solicited_group(options.address))
    flags = either(options.flags, OVERRIDE if is_claim else 0)
    body = struct.pack("!BBHI", 136 if is_claim else 135, options.code, 0, flags << 24) + packed(options.address)
    if not options.no_option and not is_probe:
        body += struct.pack("!BB", 2 if is_claim else 1, 1) + frames.mac_bytes(options.mac)
    pseudo = packed(source) + packed(group) + struct.pack("!II", len(body), 58)
    checksum = frames.checksum(pseudo + body) ^ (0x0101 if options.bad_checksum else 0)
    body = body[:2] + struct.pack("!H", checksum) + body[4:]
    destination = group_mac(group) if ipaddress.ip_address(group).is_multicast else BROADCAST
    return destination, 0x86DD, frames.ipv6(source, group, 58, body, hop_limit=options.hops)


def main():
    options = arguments()
    own = frames.interface_mac(options.interface)
    options.src = either(options.src, own)
    options.mac = either(options.mac, options.src)
    destination, ether_type, packet = nd(options) if ":" in options.address else arp(options)
    tags = [(0x8100, options.tag)] if options.tag is not None else []
    frame = frames.ethernet(either(options.dst, destination), options.src, ether_type, packet, tags)
    wire = frames.open_wire(options.interface)
    for _ in range(options.count):
        print(f"{time.time():.6f}", flush=True)
        wire.send(frame[:either(options.cut, len(frame))])


main()

# SPDX-License-Identifier: GPL-2.0-only
"""Frames as bytes: questions of ARP and ND to send, and what a capture of QEMU (pcap) has of answers."""
import ipaddress
import socket
import struct
from dataclasses import dataclass

BROADCAST = bytes.fromhex("ffffffffffff")
ARP = 0x0806
IPV6 = 0x86DD
ICMPV6 = 58
SOLICITATION = 135
ADVERTISEMENT = 136


@dataclass(frozen=True)
class Neighbor:
    """What one frame says about who has an address."""

    kind: str  # "request" or "answer"; of ARP or ND
    source_mac: str  # of the frame
    sender: str  # the address it calls its own; ND answers: the target. "" in a probe
    target: str  # the address that is asked for


def packed(address):
    return ipaddress.ip_address(address).packed


def arp_request(mac, sender, target):
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac + packed(sender) + bytes(6) + packed(target)
    return (BROADCAST + mac + struct.pack("!H", ARP) + body).ljust(60, b"\0")


def neighbor_solicitation(mac, sender, target):
    last = packed(target)[-3:]
    group = packed("ff02::1:ff00:0")[:13] + last
    message = struct.pack("!BBHI", SOLICITATION, 0, 0, 0) + packed(target) + bytes([1, 1]) + mac
    pseudo = packed(sender) + group + struct.pack("!II", len(message), ICMPV6)
    message = message[:2] + struct.pack("!H", checksum(pseudo + message)) + message[4:]
    header = struct.pack("!IHBB", 6 << 28, len(message), ICMPV6, 255) + packed(sender) + group
    return bytes.fromhex("3333ff") + last + mac + struct.pack("!H", IPV6) + header + message


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def mac_text(mac):
    return ":".join(f"{byte:02x}" for byte in mac)


def neighbor_of(frame):
    """The Neighbor a frame is, or None."""
    kind = int.from_bytes(frame[12:14], "big")
    source = mac_text(frame[6:12])
    if kind == ARP and len(frame) >= 42:
        sender, target = (socket.inet_ntoa(frame[at:at + 4]) for at in (28, 38))
        is_request = frame[20:22] == b"\0\1"
        return Neighbor("request" if is_request else "answer", source, "" if sender == "0.0.0.0" else sender, target)
    if kind == IPV6 and len(frame) >= 78 and frame[20] == ICMPV6 and frame[54] in (SOLICITATION, ADVERTISEMENT):
        about = socket.inet_ntop(socket.AF_INET6, frame[62:78])
        if frame[54] == ADVERTISEMENT:
            return Neighbor("answer", source, about, "")
        sender = socket.inet_ntop(socket.AF_INET6, frame[22:38])
        return Neighbor("request", source, "" if sender == "::" else sender, about)
    return None


def frames_of(capture):
    """The frames of a pcap file that QEMU may still be writing to."""
    data = capture.read_bytes()
    at = 24
    while at + 16 <= len(data):
        length = struct.unpack_from("=I", data, at + 8)[0]
        if at + 16 + length > len(data):
            return
        yield data[at + 16:at + 16 + length]
        at += 16 + length


def neighbors_of(captures):
    return [said for capture in captures for said in map(neighbor_of, frames_of(capture)) if said]

# SPDX-License-Identifier: GPL-2.0-only
"""ARP, neighbour discovery and MLD frames as dictionaries, and a socket that hears them. For the tests of who owns a VIPA.

parse(frame) gives None for other traffic, else {kind, mac, ip, target, dst, src}: `mac` and `ip` are whom the frame speaks for
(sender of ARP, target of an advertisement), `target` whom it asks for, dst and src the Ethernet addresses.
kind: probe (RFC 5227, or DAD), question, announce (request, sender = target), announce_reply (broadcast reply), answer (unicast
reply or solicited advertisement), advertisement (to ff02::1), refresh (unicast announcement), mld. `vlan` is there for a tagged one.
"""
import socket
import struct
import time

import frames

ETH_ALL = 3
PACKET_IGNORE_OUTGOING = 23
SO_TIMESTAMPNS = 35
ZERO = "00:00:00:00:00:00"


def mac_text(raw):
    return ":".join(f"{byte:02x}" for byte in raw)


def is_group(mac):
    return int(mac[:2], 16) & 1 == 1


def parse_arp(frame, info):
    hardware, protocol, hlen, plen, operation = struct.unpack_from("!HHBBH", frame, 14)
    if (hardware, protocol, hlen, plen) != (1, 0x0800, 6, 4) or len(frame) < 42:
        return None
    sender = socket.inet_ntop(socket.AF_INET, frame[28:32])
    target = socket.inet_ntop(socket.AF_INET, frame[38:42])
    info.update(mac=mac_text(frame[22:28]), ip=sender, target=target, target_mac=mac_text(frame[32:38]), op=operation)
    if operation == 1:
        info["kind"] = "probe" if sender == "0.0.0.0" else "announce" if sender == target else "question"
    else:
        info["kind"] = "announce_reply" if sender == target else "answer"
    if info["kind"].startswith("announce") and not is_group(info["dst"]):
        info["kind"] = "refresh"
    return info


def option_mac(options, wanted):
    while len(options) >= 8 and options[1]:
        if options[0] == wanted:
            return mac_text(options[2:8])
        options = options[options[1] * 8 :]
    return None


def parse_icmp6(frame, info):
    next_header, hops = frame[20], frame[21]
    source, destination = (socket.inet_ntop(socket.AF_INET6, frame[i : i + 16]) for i in (22, 38))
    body = frame[54:]
    if next_header == 0:  # hop-by-hop with router alert: MLD
        body = frame[54 + 8 * (frame[55] + 1) :]
        if body[:1] and body[0] in (131, 143):
            groups = []
            if body[0] == 143:
                offset = 8
                for _ in range(struct.unpack_from("!H", body, 6)[0]):
                    groups.append(socket.inet_ntop(socket.AF_INET6, body[offset + 4 : offset + 20]))
                    offset += 20 + 16 * struct.unpack_from("!H", body, offset + 2)[0]
            info.update(kind="mld", groups=groups, ip=source, target=None, mac=info["src"])
            return info
        return None
    if next_header != 58 or len(body) < 24 or body[0] not in (135, 136):
        return None
    target = socket.inet_ntop(socket.AF_INET6, body[8:24])
    info.update(hops=hops, source=source, destination=destination)
    if body[0] == 135:
        info.update(kind="probe" if source == "::" else "question", target=target, ip=source, mac=option_mac(body[24:], 1) or info["src"])
        return info
    flags = body[4]
    info.update(ip=target, target=target, mac=option_mac(body[24:], 2), router=bool(flags & 0x80), solicited=bool(flags & 0x40), override=bool(flags & 0x20))
    group = destination == "ff02::1"
    info["kind"] = "answer" if flags & 0x40 else "advertisement" if group else "refresh"
    return info


def parse(frame):
    if len(frame) < 42:
        return None
    info = {"dst": mac_text(frame[:6]), "src": mac_text(frame[6:12]), "bytes": len(frame)}
    kind = struct.unpack_from("!H", frame, 12)[0]
    if kind == 0x8100:
        info["vlan"] = struct.unpack_from("!H", frame, 14)[0] & 0xFFF
        frame = frame[:12] + frame[16:]
        kind = struct.unpack_from("!H", frame, 12)[0]
    if kind == 0x0806:
        return parse_arp(frame, info)
    if kind == 0x86DD and len(frame) >= 62:
        return parse_icmp6(frame, info)
    return None


def claims(info):
    """Says that `mac` has `ip`: whoever hears it believes it."""
    return info["kind"] in ("announce", "announce_reply", "answer", "advertisement", "refresh") or (
        info["kind"] == "question" and info["ip"] not in ("0.0.0.0", "::")
    )


class Ear:
    """Hears what enters by one interface, with the time at which the kernel took it in."""

    def __init__(self, interface):
        self.interface = interface
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.setsockopt(frames.SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.socket.setsockopt(frames.SOL_PACKET, frames.PACKET_AUXDATA, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind((interface, ETH_ALL))
        self.socket.setblocking(False)

    def fileno(self):
        return self.socket.fileno()

    def raw(self):
        """(frame with its tag, seconds since the epoch) of what waits, oldest first."""
        while True:
            try:
                data, ancillary, _, _ = self.socket.recvmsg(2048, 256)
            except (BlockingIOError, OSError):
                return
            stamp = time.time()
            for level, kind, value in ancillary:
                if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                    seconds, nanoseconds = struct.unpack("qq", value[:16])
                    stamp = seconds + nanoseconds / 1e9
            yield frames.with_tag(data, ancillary), stamp

    def frames(self):
        """Those of raw() that parse() knows, with their stamp as t, and the interface as port."""
        for data, stamp in self.raw():
            info = parse(data)
            if info:
                info.update(t=stamp, port=self.interface)
                yield info

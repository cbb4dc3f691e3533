# SPDX-License-Identifier: GPL-2.0-only
"""Raw Ethernet frames for the tests of this folder: building, sending and receiving them whole, tags included."""
import ctypes
import ipaddress
import os
import socket
import struct

ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_AUXDATA = 8
TP_STATUS_VLAN_VALID = 1 << 4
TP_STATUS_VLAN_TPID_VALID = 1 << 6
CLONE_NEWNET = 0x40000000


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def mac_text(data):
    return ":".join(f"{byte:02x}" for byte in data)


def ethernet(destination, source, ether_type, payload, tags=()):
    """tags: (TPID, VLAN id) from the outermost inwards."""
    header = mac_bytes(destination) + mac_bytes(source)
    for tpid, vlan in tags:
        header += struct.pack("!HH", tpid, vlan)
    return header + struct.pack("!H", ether_type) + payload


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(source, destination, protocol, payload):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0x4000, 64, protocol, 0,
                         ipaddress.ip_address(source).packed, ipaddress.ip_address(destination).packed)
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def ipv6(source, destination, protocol, payload, hop_limit=64):
    return struct.pack("!IHBB", 0x60000000, len(payload), protocol, hop_limit) + \
        ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed + payload


def tcp_syn(source_port, destination_port):
    """Its checksum is wrong on purpose: a server's kernel drops it in silence, the dispatcher does not look at it."""
    return struct.pack("!HHIIBBHHH", source_port, destination_port, 1, 0, 5 << 4, 2, 65535, 0xDEAD, 0)


def udp(source_port, destination_port, data=b""):
    """Its checksum is wrong on purpose, as that of tcp_syn."""
    return struct.pack("!HHHH", source_port, destination_port, 8 + len(data), 0xDEAD) + data


def segment(protocol, source_port, destination_port):
    """(IP protocol number, TCP SYN or UDP datagram)."""
    if protocol == "udp":
        return 17, udp(source_port, destination_port)
    return 6, tcp_syn(source_port, destination_port)


def ip_frame(destination_mac, source_mac, source, destination, protocol, payload, tags=()):
    """IPv4 or IPv6, as the addresses are."""
    if ":" in destination:
        return ethernet(destination_mac, source_mac, 0x86DD, ipv6(source, destination, protocol, payload), tags)
    return ethernet(destination_mac, source_mac, 0x0800, ipv4(source, destination, protocol, payload), tags)


def interface_mac(name):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((name, 0))
        return mac_text(sock.getsockname()[4])


def open_wire(interface, namespace=None):
    """A packet socket on `interface` of this or a named network namespace."""
    home = None
    libc = ctypes.CDLL(None, use_errno=True)
    if namespace:
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        other = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
        if libc.setns(other, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"enter {namespace}")
        os.close(other)
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    sock.bind((interface, ETH_P_ALL))
    if home is not None:
        libc.setns(home, CLONE_NEWNET)
        os.close(home)
    return sock


def with_tag(data, ancillary):
    """The frame with the outer tag that the kernel took out put back; for a socket with PACKET_AUXDATA."""
    for level, kind, value in ancillary:
        if level != SOL_PACKET or kind != PACKET_AUXDATA:
            continue
        status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", value[:20])
        if status & TP_STATUS_VLAN_VALID:
            tpid = tpid if status & TP_STATUS_VLAN_TPID_VALID else 0x8100
            return data[:12] + struct.pack("!HH", tpid, tci) + data[12:]
    return data


def receive(sock):
    """One frame that came in, with the outer tag that the kernel took out put back; None for one going out."""
    data, ancillary, _, address = sock.recvmsg(65536, 256)
    return None if address[2] == socket.PACKET_OUTGOING else with_tag(data, ancillary)

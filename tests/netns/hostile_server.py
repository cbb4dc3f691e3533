#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""hostile_server.py FOLDER PORT=BEHAVIOUR...: services that do what a probe must get over. Prints "ready" when all listen.

Each listens with IPv4 and IPv6. BEHAVIOUR is a coroutine tcp_BEHAVIOUR below, or, for UDP at the addresses of $VIPAS, a function
dns_NAME, written udp:NAME; besides

full      never accepts, and its backlog is full
tls:NAME  HTTP over TLS with the certificate FOLDER/NAME.pem and key FOLDER/NAME.key
"""
import asyncio
import os
import socket
import ssl
import struct
import sys

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfine\n"
HUGE = 100 << 20
RED = b"\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J \x1bPq#0\x1b\\ \x00\x7f\xc2\x9b \xe2\x80\xae back"


def reset(writer):
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def until_gone(reader):
    while await reader.read(65536):
        pass


async def pour(writer, head, chunk):
    """So many bytes, as fast as they are taken."""
    writer.write(head)
    for _ in range(HUGE // len(chunk)):
        writer.write(chunk)
        await writer.drain()


async def drip(writer, text):
    for byte in text:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1)


# ---- silence


async def tcp_hang(reader, _):
    await until_gone(reader)


async def tcp_half(reader, writer):
    writer.write_eof()
    await until_gone(reader)


async def tcp_reset(_, writer):
    reset(writer)


async def tcp_reset_asked(reader, writer):
    await reader.read(1)
    reset(writer)


# ---- HTTP


async def tcp_fine(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(OK)


async def tcp_slow(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(0.5)
    writer.write(OK)


async def tcp_drip(_, writer):
    await drip(writer, OK)


async def tcp_garbage(_, writer):
    # Never a greeting, a line or a status by chance.
    writer.write(bytes(byte | 0x80 for byte in os.urandom(4096)))


async def tcp_cut(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfine")


async def tcp_busy(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")


async def tcp_red_status(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 503 " + RED + b"\r\nX: " + RED + b"\r\nContent-Length: 0\r\n\r\n")


async def tcp_red_body(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(RED) + RED)


async def tcp_interim(_, writer):
    await pour(writer, b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 100)


async def tcp_huge_body(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    await pour(writer, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % HUGE, b"x" * 65536)


async def tcp_huge_header(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    await pour(writer, b"HTTP/1.1 200 OK\r\n", b"X: yyyyyyyyyyyy\r\n" * 4096)


async def tcp_huge_chunks(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    await pour(writer, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1;" + b"e" * 60 + b"\r\nx\r\n")


# ---- lines


async def tcp_greeting_hang(reader, writer):
    writer.write(b"220 mail.example.com\r\n")
    await until_gone(reader)


async def tcp_drip_line(_, writer):
    await drip(writer, b"220 mail.example.com ESMTP\r\n")


async def tcp_refusing(_, writer):
    writer.write(b"554 no service here\r\n")


async def tcp_red_greeting(reader, writer):
    writer.write(b"220 " + RED + b"\r\n")
    await reader.readline()
    writer.write(b"250 " + RED + b"\r\n")
    await reader.readline()
    writer.write(b"221 Bye\r\n")


async def tcp_red_agent(_, writer):
    writer.write(b"down#" + RED + b"\n")


async def tcp_talker(_, writer):
    await pour(writer, b"", b"220-" + b"more " * 800 + b"\r\n")


async def tcp_huge_line(_, writer):
    await pour(writer, b"", b"x" * 65536)


# ---- DNS over TCP: a length, then a message


async def tcp_dns_promise(reader, writer):
    writer.write(b"\xff\xff\0\0")
    await until_gone(reader)


async def tcp_dns_garbage(reader, writer):
    await reader.read(512)
    writer.write(b"\x00\x40" + bytes(0xFF for _ in range(64)))


# ---- DNS over UDP: the answers to one datagram


def dns_silent(_):
    return []


def dns_garbage(query):
    return [query[:2] + bytes(0xFF for _ in range(50))]


def dns_short(query):
    return [query[:5]]


def dns_wrong_id(query):
    return [bytes([query[0] ^ 1]) + query[1:2] + b"\x84\x00" + query[4:]]


def dns_failing(query):
    return [query[:2] + b"\x84\x02" + query[4:]]


def dns_loop(query):
    # One answer whose name points to itself.
    return [query[:2] + b"\x84\x00\0\1\0\1\0\0\0\0" + query[12:] + b"\xc0" + bytes([len(query)]) + b"\0\1\0\1\0\0\0\0\0\4abcd"]


def listeners(kind, port):
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        sock = socket.socket(family, kind)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
        yield sock


def fill(sock, kept):
    """The connections that nobody accepts; the kernel drops what comes after them."""
    sock.listen(0)
    for _ in range(4):
        guest = socket.socket(sock.family, socket.SOCK_STREAM)
        guest.setblocking(False)
        guest.connect_ex(("::1" if sock.family == socket.AF_INET6 else "127.0.0.1", sock.getsockname()[1]))
        kept.append(guest)
    kept.append(sock)


def serving(behaviour):
    async def serve(reader, writer):
        try:
            await behaviour(reader, writer)
            await writer.drain()
            writer.close()
        except (OSError, EOFError, asyncio.IncompleteReadError):
            writer.transport.abort()

    return serve


class Answers(asyncio.DatagramProtocol):
    def __init__(self, behaviour):
        self.behaviour = behaviour

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        for answer in self.behaviour(data):
            self.transport.sendto(answer, addr)


async def listen(folder, port, name, kept):
    loop = asyncio.get_running_loop()
    if name.startswith("udp:"):
        answers = globals()["dns_" + name[4:]]
        for address in os.environ["VIPAS"].split():
            await loop.create_datagram_endpoint(lambda: Answers(answers), local_addr=(address, port))
        return
    context = None
    if name.startswith("tls:"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{folder}/{name[4:]}.pem", f"{folder}/{name[4:]}.key")
        name = "fine"
    for sock in listeners(socket.SOCK_STREAM, port):
        if name == "full":
            fill(sock, kept)
        else:
            await asyncio.start_server(serving(globals()["tcp_" + name]), sock=sock, backlog=256, ssl=context)


async def main():
    kept = []
    # A client that ends a handshake is no news.
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    for word in sys.argv[2:]:
        port, name = word.split("=", 1)
        await listen(sys.argv[1], int(port), name, kept)
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""timeouts_server.py NAME PORT: busy downloads, and how many retransmission timeouts each of them has had.

/stream is that of stream_server.py, but with twenty lines every 10 ms, so that something is always on its way. /timeouts gives
{connections: [{peer, timeouts}]} of the streams that run: tcpi_total_rto of each socket, which Linux has since 6.7. Before, it
is the counter TCPTimeouts of the whole namespace, which is never smaller.
"""
import asyncio
import json
import socket
import struct
import sys

# struct tcp_info of linux/tcp.h.
TOTAL_RTO = 240
LINES, PAUSE_S = 20, 0.01
STREAMS = {}


def namespace_timeouts():
    with open("/proc/net/netstat", encoding="utf-8") as file:
        names, values = (line.split() for line in file if line.startswith("TcpExt:"))
    return int(dict(zip(names, values))["TCPTimeouts"])


def timeouts(sock):
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return struct.unpack_from("H", info, TOTAL_RTO)[0] if len(info) > TOTAL_RTO else namespace_timeouts()


def report():
    connections = [{"peer": peer[0], "timeouts": timeouts(sock)} for peer, sock in STREAMS.items()]
    return json.dumps({"connections": connections}) + "\n"


async def stream(name, reader, writer):
    peer = writer.get_extra_info("peername")
    STREAMS[peer] = writer.get_extra_info("socket")
    count = 0
    closed = asyncio.ensure_future(reader.read())
    try:
        while not closed.done():
            writer.write("".join(f"{name} {number:08d}\n" for number in range(count, count + LINES)).encode())
            count += LINES
            await writer.drain()
            await asyncio.wait([closed], timeout=PAUSE_S)
        writer.write(f"{name} end {count}\n".encode())
    finally:
        del STREAMS[peer]


async def serve(name, reader, writer):
    try:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
        writer.write(f"HTTP/1.1 200 OK\r\nX-Server: {name}\r\nConnection: close\r\n\r\n".encode())
        if path == b"/stream":
            await stream(name, reader, writer)
        else:
            writer.write(report().encode() if path == b"/timeouts" else f"{name}\n".encode())
        await writer.drain()
        writer.close()
    except (OSError, EOFError):
        writer.transport.abort()


async def main():
    name, port = sys.argv[1], int(sys.argv[2])
    for address in ("0.0.0.0", "::"):
        await asyncio.start_server(lambda r, w: serve(name, r, w), address, port, backlog=1024)
    await asyncio.Event().wait()


asyncio.run(main())

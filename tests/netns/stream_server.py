#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""stream_server.py NAME PORT [ADDRESS...]: a web server, of every address when none is said, whose /stream ends when the client says so.

/stream sends numbered lines "NAME 00000042", four a second, until the client closes its half; then "NAME end 43" and
no more. So a test ends its downloads when it likes and still knows that each came whole. Every other path answers with
NAME alone.
"""
import asyncio
import sys


async def stream(name, reader, writer):
    count = 0
    closed = asyncio.ensure_future(reader.read())
    while not closed.done():
        writer.write(f"{name} {count:08d}\n".encode())
        count += 1
        await writer.drain()
        await asyncio.wait([closed], timeout=0.25)
    writer.write(f"{name} end {count}\n".encode())


async def serve(name, reader, writer):
    try:
        request = await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nX-Server: {name}\r\nConnection: close\r\n"
        if request.split(b" ")[1] == b"/stream":
            writer.write((head + "\r\n").encode())
            await stream(name, reader, writer)
        else:
            writer.write(f"{head}Content-Length: {len(name) + 1}\r\n\r\n{name}\n".encode())
        await writer.drain()
        writer.close()
    except (OSError, EOFError):
        writer.transport.abort()


async def main():
    name, port = sys.argv[1], int(sys.argv[2])
    for address in sys.argv[3:] or ("0.0.0.0", "::"):
        await asyncio.start_server(lambda r, w: serve(name, r, w), address, port, backlog=1024)
    await asyncio.Event().wait()


asyncio.run(main())

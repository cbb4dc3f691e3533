#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""agent_server.py WORDS LOG PORT: an agent in the manner of HAProxy's: says the line of the file WORDS to everybody who comes.

LOG gets the local address of each connection.
"""
import asyncio
import sys


async def main():
    words, log, port = sys.argv[1], sys.argv[2], int(sys.argv[3])

    async def serve(_, writer):
        try:
            with open(log, "a", encoding="utf-8") as file:
                print(writer.get_extra_info("sockname")[0], file=file)
            with open(words, "rb") as file:
                writer.write(file.read())
            await writer.drain()
            writer.close()
        except OSError:
            writer.transport.abort()

    for address in ("0.0.0.0", "::"):
        await asyncio.start_server(serve, address, port)
    await asyncio.Event().wait()


asyncio.run(main())

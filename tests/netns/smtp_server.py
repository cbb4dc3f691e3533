#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""smtp_server.py LOG PORT: a real SMTP server (aiosmtpd). LOG gets the local address and the last command of each connection."""
import asyncio
import sys

from aiosmtpd.smtp import SMTP


class Handler:
    def __init__(self, log):
        self.log = log

    async def handle_QUIT(self, server, _session, _envelope):
        with open(self.log, "a", encoding="utf-8") as file:
            print(server.transport.get_extra_info("sockname")[0], "QUIT", file=file)
        return "221 Bye"


async def main():
    handler, port = Handler(sys.argv[1]), int(sys.argv[2])
    for address in ("0.0.0.0", "::"):
        await asyncio.get_running_loop().create_server(
            lambda: SMTP(handler, hostname="mail.example.com"), address, port)
    await asyncio.Event().wait()


asyncio.run(main())

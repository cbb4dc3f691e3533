#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""arrivals.py FILE URL...: opens a new HTTP connection every 10 ms, to the URLs in turn, whatever becomes of those before.

FILE gets a line for each that ended: BEGAN ENDED WHAT, times as seconds since 1970; WHAT is the answer of one line, or "failed" and
why. BEGAN is when the first packet was sent. SIGTERM ends it when the last connection has ended.
"""
import asyncio
import itertools
import signal
import sys
import time
import urllib.parse

EVERY_S = 0.01
PATIENCE_S = 5


async def ask(url):
    reader, writer = await asyncio.open_connection(url.hostname, url.port or 80)
    try:
        writer.write(f"GET {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n\r\n".encode())
        head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
        if not head.startswith("HTTP/1.1 200 ") or not body.endswith("\n"):
            raise ValueError("half an answer")
        return body.strip()
    finally:
        writer.close()


async def visit(url, file):
    began = time.time()
    try:
        what = await asyncio.wait_for(ask(url), PATIENCE_S)
    except (OSError, ValueError, asyncio.TimeoutError) as error:
        what = f"failed {type(error).__name__}"
    print(f"{began:.4f} {time.time():.4f} {what}", file=file, flush=True)


async def main():
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    tasks = set()
    at = time.monotonic()
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        for url in itertools.cycle([urllib.parse.urlsplit(url) for url in sys.argv[2:]]):
            if ended.is_set():
                break
            task = asyncio.ensure_future(visit(url, file))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            # A machine too busy for that rate opens fewer, not many at once.
            at = max(at + EVERY_S, time.monotonic())
            await asyncio.sleep(at - time.monotonic())
        while tasks:
            await asyncio.wait(tasks)


asyncio.run(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Opens new HTTP connections all the time, whatever becomes of those before, and says ten times a second how they fared.

visitors.py --report FILE [--every SECONDS] URL...: one connection to each URL every so often. FILE is replaced as a whole:
  {asked, answered, failed, waiting, slowest_s, names: {ANSWER: count}, reasons, done}
failed: refused, reset, or without the whole answer within --patience seconds. SIGTERM ends the asking; the program ends when the last
connection has its answer.
"""
import argparse
import asyncio
import collections
import contextlib
import json
import os
import signal
import time
import urllib.parse


class Visitors:
    """The connections so far, and the report on them."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.names = collections.Counter()
        self.reasons = collections.Counter()
        self.asked = 0
        self.slowest_s = 0.0
        self.tasks = set()
        self.ended = asyncio.Event()

    async def ask(self, url):
        reader, writer = await asyncio.open_connection(url.hostname, url.port or 80)
        try:
            writer.write(f"GET {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n\r\n".encode())
            head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
            if not head.startswith("HTTP/1.1 200 ") or not body.endswith("\n"):
                raise ValueError("half an answer")
            return body.strip()
        finally:
            writer.close()

    async def visit(self, url):
        start = time.monotonic()
        try:
            self.names[await asyncio.wait_for(self.ask(url), self.arguments.patience)] += 1
            self.slowest_s = max(self.slowest_s, time.monotonic() - start)
        except (OSError, ValueError, asyncio.TimeoutError) as error:
            self.reasons[f"{url.hostname}: {str(error) or type(error).__name__}"] += 1

    async def open_all(self):
        urls = [urllib.parse.urlsplit(url) for url in self.arguments.urls]
        while not self.ended.is_set():
            for url in urls:
                task = asyncio.ensure_future(self.visit(url))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
                self.asked += 1
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.ended.wait(), self.arguments.every)
        while self.tasks:
            await asyncio.wait(self.tasks)

    def report(self, is_done):
        answered, failed = sum(self.names.values()), sum(self.reasons.values())
        report = {"asked": self.asked, "answered": answered, "failed": failed, "waiting": self.asked - answered - failed,
                  "slowest_s": round(self.slowest_s, 3), "names": self.names, "reasons": self.reasons, "done": is_done}
        path = self.arguments.report
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(report, file)
        os.replace(path + ".new", path)

    async def run(self):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.ended.set)
        opening = asyncio.ensure_future(self.open_all())
        while not opening.done():
            self.report(False)
            await asyncio.wait([opening], timeout=0.1)
        opening.result()
        self.report(True)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--report", required=True)
    parser.add_argument("--every", type=float, default=0.1)
    parser.add_argument("--patience", type=float, default=40)
    parser.add_argument("urls", nargs="+")
    await Visitors(parser.parse_args()).run()


asyncio.run(main())

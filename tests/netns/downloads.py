#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Holds many slow HTTP downloads and says, ten times a second, how they are.

downloads.py --report FILE --count N URL...: N downloads over the URLs in turn. FILE is replaced as a whole:
  {alive, broken, moved, whole, bytes, marks, pause_s, servers: {NAME: {alive, broken, moved, whole}}}
broken: reset, closed, never connected, or with a line that is not the next one of its server. moved: got bytes since
the last SIGUSR1, which adds one to marks. SIGUSR2 ends the downloads whose servers FILE.end names, or `all`; whole: ended
with every line there, and the program ends with the last one. Only /stream of stream_server.py has lines and can be ended.
pause_s: the longest time that one of them waited for bytes.
"""
import argparse
import asyncio
import json
import os
import signal
import time
import urllib.parse


class Download:
    """One connection; `server` is the X-Server header of its answer."""

    def __init__(self, url):
        self.url = urllib.parse.urlsplit(url)
        self.server = None
        self.bytes = 0
        self.marked = 0
        self.broken = None
        self.whole = False
        self.writer = None
        self.last = None
        self.pause_s = 0.0

    def took(self, size):
        """New bytes came, or (size 0) none did up to now."""
        now = time.monotonic()
        if self.last is not None:
            self.pause_s = max(self.pause_s, now - self.last)
        if size:
            self.bytes += size
            self.last = now

    async def run(self):
        try:
            reader, self.writer = await asyncio.open_connection(self.url.hostname, self.url.port or 80)
            host = self.url.netloc
            self.writer.write(f"GET {self.url.path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            for line in head.decode().split("\r\n"):
                if line.lower().startswith("x-server:"):
                    self.server = line.split(":", 1)[1].strip()
            await (self.read_lines(reader) if self.url.path == "/stream" else self.read_bytes(reader))
        except (OSError, EOFError, ValueError) as error:
            self.broken = str(error) or type(error).__name__

    async def read_bytes(self, reader):
        while chunk := await reader.read(65536):
            self.took(len(chunk))
        raise ConnectionError("closed by the server")

    async def read_lines(self, reader):
        count = 0
        while line := (await reader.readline()).decode():
            self.took(len(line))
            if line == f"{self.server} end {count}\n":
                self.whole = True
                self.writer.close()
                return
            if line != f"{self.server} {count:08d}\n":
                raise ValueError(f"line {count} of {self.server} is {line!r}")
            count += 1
        raise ConnectionError("closed by the server")

    def end(self):
        if self.writer and not self.broken and not self.whole:
            self.writer.write_eof()


class Watch:
    """The downloads together, and the report on them."""

    def __init__(self, downloads, path):
        self.downloads = downloads
        self.path = path
        self.marks = 0

    def mark(self):
        for download in self.downloads:
            download.marked = download.bytes
        self.marks += 1

    def end(self):
        with open(self.path + ".end", encoding="utf-8") as file:
            names = file.read().split()
        for download in self.downloads:
            if "all" in names or download.server in names:
                download.end()

    def report(self):
        total = {"alive": 0, "broken": 0, "moved": 0, "whole": 0}
        servers = {}
        for download in self.downloads:
            if not download.whole and not download.broken:
                download.took(0)
            counts = [total]
            if download.server:
                counts.append(servers.setdefault(download.server, dict.fromkeys(total, 0)))
            for count in counts:
                count["alive"] += download.server is not None and download.broken is None and not download.whole
                count["broken"] += download.broken is not None
                count["moved"] += download.broken is None and download.bytes > download.marked
                count["whole"] += download.whole
        reasons = sorted({d.broken for d in self.downloads if d.broken})
        size = sum(d.bytes for d in self.downloads)
        pause_s = round(max(d.pause_s for d in self.downloads), 3)
        return {**total, "bytes": size, "marks": self.marks, "pause_s": pause_s, "servers": servers, "reasons": reasons}

    async def run(self):
        while True:
            report = self.report()
            with open(self.path + ".new", "w", encoding="utf-8") as file:
                json.dump(report, file)
            os.replace(self.path + ".new", self.path)
            if report["whole"] == len(self.downloads):
                return
            await asyncio.sleep(0.1)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--report", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("urls", nargs="+")
    arguments = parser.parse_args()
    downloads = [Download(arguments.urls[i % len(arguments.urls)]) for i in range(arguments.count)]
    watch = Watch(downloads, arguments.report)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, watch.mark)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, watch.end)
    await asyncio.gather(watch.run(), *(download.run() for download in downloads))


asyncio.run(main())

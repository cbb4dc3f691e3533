#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dialogue.py FILE URL...: one connection to each URL, on which it asks and is answered ten times a second, until it is ended.

FILE is replaced as a whole: {alive, broken, said, pause_s, pause, reasons}. said: answers in all; pause_s: the longest time that a question
waited for its answer, pause: where and since when (seconds since the epoch) that was. Both sides send data all the time; the server must keep the connection (nginx does).
"""
import asyncio
import json
import os
import sys
import time
import urllib.parse


class Dialogue:
    """One connection."""

    def __init__(self, url):
        self.url = urllib.parse.urlsplit(url)
        self.said = 0
        self.pause_s = 0.0
        self.pause_at = 0.0
        self.broken = None

    async def run(self):
        try:
            reader, writer = await asyncio.open_connection(self.url.hostname, self.url.port or 80)
            while True:
                start = time.monotonic()
                writer.write(f"GET {self.url.path} HTTP/1.1\r\nHost: {self.url.netloc}\r\n\r\n".encode())
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                size = int(head.partition("content-length:")[2].split("\r\n")[0])
                await reader.readexactly(size)
                self.said += 1
                if (pause := time.monotonic() - start) > self.pause_s:
                    self.pause_s, self.pause_at = pause, time.time() - pause
                await asyncio.sleep(0.1)
        except (OSError, EOFError, ValueError) as error:
            self.broken = str(error) or type(error).__name__


async def main():
    path, *urls = sys.argv[1:]
    dialogues = [Dialogue(url) for url in urls]
    running = [asyncio.ensure_future(dialogue.run()) for dialogue in dialogues]
    while running:
        worst = max(dialogues, key=lambda dialogue: dialogue.pause_s)
        reasons = [dialogue.broken for dialogue in dialogues if dialogue.broken]
        report = {"alive": len(dialogues) - len(reasons), "broken": len(reasons), "said": sum(d.said for d in dialogues),
                  "pause_s": round(worst.pause_s, 3), "pause": f"{worst.url.hostname} {worst.pause_at:.3f}", "reasons": reasons}
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(report, file)
        os.replace(path + ".new", path)
        await asyncio.sleep(0.1)


asyncio.run(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dialogue.py FILE URL...: one connection to each URL, on which it asks and is answered ten times a second, until it is ended.

FILE is replaced as a whole: {alive, broken, moved, marks, said, pause_s, pause, reasons}. moved: had an answer since the last SIGUSR1, which adds
one to marks; said: answers in all; pause_s: the longest time that a question waited for its answer, pause: where and since when (seconds
since the epoch) that was. Both sides send data all the time; the server must keep the connection (nginx does).
"""
import asyncio
import json
import os
import signal
import sys
import time
import urllib.parse


class Dialogue:
    """One connection."""

    def __init__(self, url):
        self.url = urllib.parse.urlsplit(url)
        self.said = 0
        self.marked = 0
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


class Watch:
    """The connections together, and the report on them."""

    def __init__(self, dialogues, path):
        self.dialogues = dialogues
        self.path = path
        self.marks = 0

    def mark(self):
        for dialogue in self.dialogues:
            dialogue.marked = dialogue.said
        self.marks += 1

    def report(self):
        reasons = [dialogue.broken for dialogue in self.dialogues if dialogue.broken]
        worst = max(self.dialogues, key=lambda dialogue: dialogue.pause_s)
        return {"alive": len(self.dialogues) - len(reasons), "broken": len(reasons),
                "moved": sum(not d.broken and d.said > d.marked for d in self.dialogues), "marks": self.marks,
                "said": sum(d.said for d in self.dialogues), "pause_s": round(worst.pause_s, 3),
                "pause": f"{worst.url.hostname} {worst.pause_at:.3f}", "reasons": reasons}

    async def run(self):
        while True:
            with open(self.path + ".new", "w", encoding="utf-8") as file:
                json.dump(self.report(), file)
            os.replace(self.path + ".new", self.path)
            await asyncio.sleep(0.1)


async def main():
    path, *urls = sys.argv[1:]
    dialogues = [Dialogue(url) for url in urls]
    watch = Watch(dialogues, path)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, watch.mark)
    await asyncio.gather(watch.run(), *(dialogue.run() for dialogue in dialogues))


asyncio.run(main())

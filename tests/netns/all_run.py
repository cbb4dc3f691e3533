#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""all_run.py FILE:PID...: whether every connection of these programs gets new bytes from now on, and none is broken.

FILE is a report of downloads.py or dialogue.py, PID that program's. Waits up to 15 s after the last of them marked the time. Prints
how many run; exit code 1, and the report that is not so on standard error, when one does not.
"""
import json
import os
import signal
import sys
import time

MARK_S = 20
MOVE_S = 15


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def wait(path, claim, seconds, complaint):
    deadline = time.monotonic() + seconds
    while not claim(report := read(path)):
        if time.monotonic() > deadline:
            sys.exit(f"{os.path.basename(path)}: {complaint}: {json.dumps(report)}")
        time.sleep(0.05)
    return report


def main():
    pairs = [(path, int(pid)) for path, pid in (word.rsplit(":", 1) for word in sys.argv[1:])]
    before = {path: read(path)["marks"] for path, _ in pairs}
    for _, pid in pairs:
        os.kill(pid, signal.SIGUSR1)
    for path, _ in pairs:
        wait(path, lambda report, path=path: report["marks"] > before[path], MARK_S, "the program does not answer")
    deadline = time.monotonic() + MOVE_S
    running = 0
    for path, _ in pairs:
        left = max(0, deadline - time.monotonic())
        running += wait(path, lambda report: report["moved"] >= report["alive"] and report["broken"] == 0, left, "not all run")["alive"]
    print(running)


main()

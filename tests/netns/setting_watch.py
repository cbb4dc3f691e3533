#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""setting_watch.py FILE SETTING...: one JSON line a change of these files below /proc/sys, as soon as it can be read, until it is ended.

{setting, value, was_until, since}: seconds since the epoch at which the old value was read for the last time, and the new one for the
first. The first line of a setting has no old value: was_until is null. Looks all the time: it takes a whole processor.
"""
import json
import sys
import time


def main():
    path, *settings = sys.argv[1:]
    sources = {name: open(f"/proc/sys/{name}", encoding="ascii") for name in settings}
    last = {}
    with open(path, "w", encoding="utf-8", buffering=1) as file:
        while True:
            for name, source in sources.items():
                before = time.time()
                source.seek(0)
                value = int(source.read())
                old = last.get(name, (None, None))
                if old[0] != value:
                    file.write(json.dumps({"setting": name, "value": value, "was_until": old[1], "since": time.time()}) + "\n")
                last[name] = value, before


main()

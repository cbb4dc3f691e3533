#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""kill_after.py MICROSECONDS COMMAND...: runs the command and kills it so long after its start. Prints "killed", or its exit code when it
was through before. What it says is lost."""
import subprocess
import sys
import time


def main():
    command = subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(int(sys.argv[1]) / 1e6)
    command.kill()
    code = command.wait()
    print("killed" if code == -9 else code)


main()

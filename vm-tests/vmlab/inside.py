# SPDX-License-Identifier: GPL-2.0-only
"""Process 1 of one scenario's namespaces: plays it; when this process ends, so does everything it started.

Its argument is a Setting as JSON. Exit codes: 0 passed, 77 skipped, 1 failed.
"""
import os
import sys
import threading
import traceback

from .catalog import load_scenarios
from .lab import Lab, Setting
from .words import Failure, Skip, command_output, say


def end_with_the_runner(read_end):
    """The runner holds the other end of this pipe: when it is gone, so is the scenario."""
    os.read(read_end, 1)
    os._exit(1)


def play(setting):
    scenario = load_scenarios()[setting.scenario]
    command_output("mount", "-t", "tmpfs", "tmpfs", setting.scratch)
    command_output("mount", "-t", "sysfs", "sysfs", "/sys")  # of this network namespace
    # virtiofsd locks a file here that it names after the path of its socket, which other runs have as well.
    command_output("mkdir", "-p", "/run/virtiofsd")
    command_output("mount", "-t", "tmpfs", "tmpfs", "/run/virtiofsd")
    command_output("ip", "link", "set", "lo", "up")
    lab = Lab(setting)
    try:
        scenario.play(lab)
        return 0
    except Skip as skip:
        say(f"SKIPPED: {skip}")
        return 77
    except Failure as failure:
        say(f"FAILED: {failure}")
        return 1
    except Exception:
        say(f"FAILED: {traceback.format_exc()}")
        return 1
    finally:
        if setting.keep:
            talk_to(lab.guests)
        lab.close()


def talk_to(guests):
    """--keep: lines "GUEST COMMAND" from whoever looks on."""
    say(f"guests stay until the end of input: type 'GUEST COMMAND', where GUEST is one of {', '.join(guests)}")
    for line in sys.stdin:
        name, _, command = line.strip().partition(" ")
        if name not in guests:
            say(f"no guest '{name}'")
            continue
        try:
            done = guests[name].run(command)
            say(f"{done.output}---- {done.code}")
        except Failure as failure:
            say(str(failure))


def main():
    threading.Thread(target=end_with_the_runner, args=(int(sys.argv[2]),), daemon=True).start()
    code = play(Setting.from_json(sys.argv[1]))
    sys.stdout.flush()
    os._exit(code)


main()

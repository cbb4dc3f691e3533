# SPDX-License-Identifier: GPL-2.0-only
"""Runs scenarios, each in network, mount and process namespaces of its own that end with it, and tells how it went."""
import os
import selectors
import subprocess
import sys
import time
from dataclasses import dataclass, field

from .matrix import notes_in
from .words import say


@dataclass
class Result:
    scenario: str
    kernel: str  # version
    accelerator: str
    verdict: str = "failed"  # passed, failed, skipped
    seconds: float = 0.0
    reason: str = ""
    notes: dict = field(default_factory=dict)  # see matrix.py


@dataclass
class Running:
    setting: object
    process: subprocess.Popen
    lifeline: int  # its end ends the scenario
    log: object
    started: float = field(default_factory=time.monotonic)
    last: str = ""


def start(setting):
    """The scenario as process 1 of new namespaces, in a session of its own: Ctrl-C is for the runner alone."""
    read_end, write_end = os.pipe()
    command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child", "--",
               sys.executable, "-m", "vmlab.inside", setting.to_json(), str(read_end)]
    process = subprocess.Popen(command, stdin=None if setting.keep else subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               pass_fds=[read_end], start_new_session=True)
    os.close(read_end)
    return Running(setting, process, write_end, open(setting.logs / "scenario.log", "w", encoding="utf-8"))


def tell(running, line, has_names):
    running.last = line
    passed = time.monotonic() - running.started
    running.log.write(f"{passed:6.1f} {line}\n")
    running.log.flush()
    name = f"{running.setting.scenario}: " if has_names else ""
    say(f"{passed:6.1f} s  {name}{line}")


def finish(running):
    """The scenario has closed its output: it is at its end."""
    code = running.process.wait()
    os.close(running.lifeline)
    running.log.close()
    result = Result(running.setting.scenario, running.setting.kernel.version, running.setting.accelerator,
                    seconds=time.monotonic() - running.started, notes=notes_in(running.setting.logs))
    if code == 0:
        result.verdict = "passed"
    elif code == 77:
        result.verdict, result.reason = "skipped", running.last.removeprefix("SKIPPED: ")
    else:
        result.reason = str(running.setting.logs)
    return result


def run_all(settings, jobs):
    """Plays scenarios, `jobs` at a time, and returns their results in the order they ended."""
    waiting, results = list(settings), []
    has_names = jobs > 1
    selector = selectors.DefaultSelector()
    buffers = {}
    try:
        while waiting or buffers:
            while waiting and len(buffers) < jobs:
                running = start(waiting.pop(0))
                say(f"\n---- {running.setting.scenario} on {running.setting.kernel.version} ({running.setting.accelerator})")
                selector.register(running.process.stdout, selectors.EVENT_READ, running)
                buffers[running.process.pid] = b""
            for key, _ in selector.select(timeout=1):
                running = key.data
                data = os.read(key.fd, 65536)
                *lines, buffers[running.process.pid] = (buffers[running.process.pid] + data).split(b"\n")
                for line in lines:
                    tell(running, line.decode(errors="replace"), has_names)
                if not data:
                    selector.unregister(key.fileobj)
                    del buffers[running.process.pid]
                    results.append(finish(running))
                    say(f"---- {results[-1].verdict} after {results[-1].seconds:.0f} s")
            for key in list(selector.get_map().values()):
                # One that hangs in spite of all its deadlines.
                limit = key.data.setting.limit_seconds
                if not key.data.setting.keep and time.monotonic() - key.data.started > limit:
                    tell(key.data, f"FAILED: not over after {limit} s", has_names)
                    key.data.process.kill()
    finally:
        for key in list(selector.get_map().values()):
            key.data.process.kill()
            key.data.process.wait()
    return results

# SPDX-License-Identifier: GPL-2.0-only
"""The host's side of guest/agent: commands for a guest over a virtio serial port."""
import base64
import socket
import time
from dataclasses import dataclass

from .words import Failure


@dataclass(frozen=True)
class Done:
    code: int  # of the command; 137 when it was killed for taking too long
    output: str  # stdout and stderr


class AgentSilent(Exception):
    """No answer within the time that was given."""


class Agent:
    """alive: called while waiting; it raises when the guest cannot answer any more."""

    def __init__(self, path, log, alive):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.log = open(log, "a", encoding="utf-8")
        self.alive = alive
        self.buffer = b""
        self.number = 0

    def wait_for_boot(self, seconds):
        """Until the guest says hello."""
        deadline = time.monotonic() + seconds
        while self.line(deadline).split()[:1] != ["HELLO"]:
            pass
        self.log.write("---- boot\n")
        self.log.flush()

    def run(self, script, seconds):
        self.number += 1
        text = base64.b64encode(script.encode()).decode()
        self.socket.sendall(f"{self.number} {seconds} {text}\n".encode())
        # The guest's own limit comes first; under load it may be late.
        deadline = time.monotonic() + seconds + 20
        while True:
            words = self.line(deadline).split()
            if words[:1] == ["HELLO"]:
                raise Failure(f"the guest booted again while it ran: {script}")
            if words[:2] == ["DONE", str(self.number)]:
                break
        done = Done(int(words[2]), self.take(int(words[3]), deadline).decode(errors="replace"))
        self.log.write(f"# {script}\n{done.output}---- {done.code}\n")
        self.log.flush()
        return done

    def line(self, deadline):
        while b"\n" not in self.buffer:
            self.receive(deadline)
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.decode(errors="replace")

    def take(self, count, deadline):
        while len(self.buffer) < count:
            self.receive(deadline)
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def receive(self, deadline):
        self.socket.settimeout(1)
        while True:
            self.alive()
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                if time.monotonic() > deadline:
                    raise AgentSilent() from None
                continue
            if not data:
                raise Failure("QEMU closed the agent's socket")
            self.buffer += data
            return

# SPDX-License-Identifier: GPL-2.0-only
"""QMP: the machine from outside, for what no guest is asked about (cables, power)."""
import json
import socket

from .words import Failure


class Qmp:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(str(path))
        self.stream = self.socket.makefile("r")
        self.message()  # the greeting
        self.ask("qmp_capabilities")

    def message(self):
        line = self.stream.readline()
        if not line:
            raise Failure("QEMU closed its QMP socket")
        return json.loads(line)

    def ask(self, command, **arguments):
        """Runs a command and returns its answer; events that come in between are dropped."""
        request = {"execute": command, "arguments": arguments} if arguments else {"execute": command}
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        while True:
            answer = self.message()
            if "error" in answer:
                raise Failure(f"QMP {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

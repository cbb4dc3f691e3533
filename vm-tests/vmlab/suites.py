# SPDX-License-Identifier: GPL-2.0-only
"""The project's own test programs and scripts, run in a guest that has this host's files."""
import pathlib
import re
import time
import xml.etree.ElementTree
from dataclasses import dataclass, field

from .words import Failure, say, wait_until

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDER = "/tmp/suites"  # of a guest
SKIPPED = 77
SHOWN_LINES = 40  # of what a failing test said


@dataclass
class Tally:
    """How tests went."""

    passed: list = field(default_factory=list)
    failed: dict = field(default_factory=dict)  # name: what it said
    skipped: dict = field(default_factory=dict)  # name: why

    def add(self, other):
        self.passed += other.passed
        self.failed.update(other.failed)
        self.skipped.update(other.skipped)

    def counts(self):
        return f"{len(self.passed)} passed, {len(self.failed)} failed, {len(self.skipped)} skipped"

    def leave_out(self, reasons):
        """reasons: {what was not even tried: why}."""
        self.skipped.update({name: f"left out: {why}" for name, why in reasons.items()})

    def conclude(self):
        """Tells what was skipped, and raises when something failed."""
        for name, why in self.skipped.items():
            say(f"skipped {name}: {why}")
        if self.failed:
            said = "\n".join(f"{name}:\n{last_lines(text)}" for name, text in self.failed.items())
            raise Failure(f"{len(self.failed)} of {len(self.failed) + len(self.passed)} failed: {', '.join(self.failed)}\n{said}")
        if not self.passed:
            raise Failure("not one test ran")


def last_lines(text):
    return "\n".join(f"  {line}" for line in text.strip().splitlines()[-SHOWN_LINES:])


# $1 name, $2 seconds: .code is there when all else is.
RUN = f"""cd {FOLDER} && timeout -k 10 $2 bash $1.command >$1.log 2>&1 </dev/null
echo $? >$1.end
mv $1.end $1.code"""


def run_commands(guest, commands, jobs, seconds):
    """commands: {name: shell command}. Runs them in the guest, `jobs` at a time, each for at most so many seconds; yields
    (name, exit code, seconds, what it said) as they end; what they said is kept as NAME.log."""
    guest.sh(f"mkdir -p {FOLDER}; printf '%s\n' '{RUN}' >{FOLDER}/run")
    waiting, started = list(commands), {}
    while waiting or started:
        while waiting and len(started) < jobs:
            name = waiting.pop(0)
            started[name] = time.monotonic()
            guest.sh(f"cd {FOLDER}; printf '%s\n' '{commands[name]}' >{name}.command; setsid sh run {name} {seconds} >/dev/null 2>&1 &")
        ended = wait_until(f"one of {', '.join(started)} ends", seconds + 60, lambda: codes(guest), pause=0.5)
        for name, code in ended.items():
            said = guest.run(f"cd {FOLDER}; rm {name}.code; cat {name}.log").output
            (guest.lab.logs / f"{name}.log").write_text(said)
            yield name, code, time.monotonic() - started.pop(name), said


def codes(guest):
    """{name: exit code} of the commands that have ended."""
    said = guest.run(f"cd {FOLDER}; grep -H . *.code 2>/dev/null").output
    return {name: int(code) for name, code in re.findall(r"^(\S+)\.code:(\d+)$", said, re.M)}


def run_programs(guest, programs, jobs=2, environment="", leave_out=None, seconds=600):
    """GoogleTest programs, all tests of one in one process; NAME/K/N is the part K of N of one. leave_out: {"PROGRAM PATTERN": why}."""
    leave_out = leave_out or {}
    tally = Tally()
    commands = {program.replace("/", "-"): program_command(guest, program, environment, leave_out) for program in programs}
    for name, code, took, said in run_commands(guest, commands, jobs, seconds):
        report = guest.run(f"cat {FOLDER}/{name}.xml")
        part = tally_of_report(report.output, name) if report.code == 0 else Tally(failed={name: f"no report\n{said}"})
        if code != 0 and not part.failed:
            part.failed[name] = f"ended with {code}\n{said}"
        say(f"{name}: {part.counts()}, {took:.0f} s")
        tally.add(part)
    tally.leave_out(leave_out)
    return tally


def program_command(guest, program, environment, leave_out):
    name, *shard = program.split("/")
    patterns = [what.split()[1] for what in leave_out if what.split()[0] == name]
    words = [environment, *(f"GTEST_SHARD_INDEX={int(shard[0]) - 1} GTEST_TOTAL_SHARDS={shard[1]}" for _ in shard[:1]),
             str(guest.lab.programs / name), "--gtest_color=no", f"--gtest_output=xml:{FOLDER}/{program.replace('/', '-')}.xml",
             *(f'"--gtest_filter=-{":".join(patterns)}"' for _ in patterns[:1])]
    return " ".join(words)


def tally_of_report(report, program):
    """From GoogleTest's own XML."""
    tally = Tally()
    for case in xml.etree.ElementTree.fromstring(report).iter("testcase"):
        name = f"{program} {case.get('classname')}.{case.get('name')}"
        failures = [failure.get("message", "") for failure in case.iter("failure")]
        skipped = case.find("skipped")
        if failures:
            tally.failed[name] = "\n".join(failures)
        elif skipped is not None:
            # The first line says where in the source.
            tally.skipped[name] = " ".join((skipped.text or skipped.get("message", "")).split("\n", 1)[-1].split())
        elif case.get("result") == "completed":
            tally.passed.append(name)
    return tally


def run_scripts(guest, scripts, jobs=2, seconds=300):
    """Scripts of tests/netns by name."""
    # A compiler takes long under emulation.
    guest.sh(f"""mkdir -p {FOLDER}; cd {FOLDER}
        compiler=$(command -v clang-16 || command -v clang-14)
        $compiler -O2 -g -target bpf -I/usr/include/$(uname -m)-linux-gnu -c {ROOT}/tests/netns/pass.bpf.c -o pass.o""", seconds=120)
    environment = f"XDPLB_PASS_OBJECT={FOLDER}/pass.o XDPLB_BIN={guest.lab.programs} XDPLB_BUILD={guest.lab.programs.parent}"
    tally = Tally()
    commands = {script: f"{environment} {ROOT}/tests/netns/{script}.sh" for script in scripts}
    for script, code, took, said in run_commands(guest, commands, jobs, seconds):
        part = tally_of_script(script, code, said)
        say(f"{script}: {'passed' if part.passed else part.skipped.get(script) or f'FAILED with {code}'}, {took:.0f} s")
        tally.add(part)
    return tally


def tally_of_script(script, code, said):
    if code == 0:
        return Tally(passed=[script])
    if code == SKIPPED:
        return Tally(skipped={script: (re.findall(r"^SKIPPED: (.*)$", said, re.M) or ["no reason given"])[-1]})
    return Tally(failed={script: said})


def all_scripts():
    return sorted(file.stem for file in (ROOT / "tests/netns").glob("*.sh") if not file.stem.startswith("lib"))

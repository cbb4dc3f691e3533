# SPDX-License-Identifier: GPL-2.0-only
"""What every module of the laboratory says and waits with."""
import subprocess
import sys
import time


class Failure(Exception):
    """A scenario's claim does not hold; the text says which one and what was seen."""


class Skip(Exception):
    """This machine or kernel lacks what the scenario is about; the text says what."""


def say(text):
    """A line for whoever looks on, at once."""
    print(text, flush=True)


def step(text):
    say(f"== {text}")


def ok(text):
    say(f"ok: {text}")


def expect(claim, holds, seen=""):
    """One claim of a scenario: told when it holds, else the scenario ends."""
    if not holds:
        raise Failure(f"{claim}: {seen}" if str(seen) else claim)
    ok(claim)


def expect_equal(claim, wanted, seen):
    if wanted != seen:
        raise Failure(f"{claim}:\n  expected {wanted!r}\n  saw      {seen!r}")
    ok(f"{claim}: {seen}")


def wait_until(what, seconds, condition, pause=0.05):
    """Polls until condition() is true and returns what it returned."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise Failure(f"{what}: not within {seconds} s")
        time.sleep(pause)


def command_output(*command, **options):
    """What a command of this host printed; one that fails takes its own words along."""
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise Failure(f"'{' '.join(map(str, command))}' ended with {done.returncode}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def warn(text):
    print(f"vm-tests: {text}", file=sys.stderr, flush=True)

# SPDX-License-Identifier: GPL-2.0-only
"""Which scenarios there are: every function in scenarios/*.py that calls itself one."""
import importlib
import pathlib
import sys
from collections.abc import Callable
from dataclasses import dataclass

DEFAULT_KERNEL = "generic"
# Those beside the default are skipped where apt does not offer them.
EVERY_KERNEL = (DEFAULT_KERNEL, "cloud", "linux-image-6.12-amd64")
FOLDER = pathlib.Path(__file__).parent.parent / "scenarios"
SCENARIOS = {}


@dataclass(frozen=True)
class Scenario:
    name: str
    about: str  # one line
    needs_debian: bool
    kernels: tuple  # those it is played on when none is named
    only_when_named: bool
    is_quick: bool  # for --quick, on the first of its kernels
    limit_seconds: int  # of wall time: far above what it takes
    play: Callable  # of a Lab


def scenario(name, about, needs_debian=False, kernels=(DEFAULT_KERNEL,), only_when_named=False, is_quick=True,
             limit_seconds=900):
    """Marks a function of a Lab as a scenario."""
    def mark(play):
        SCENARIOS[name] = Scenario(name, about, needs_debian, kernels, only_when_named,
                                  is_quick and not only_when_named, limit_seconds, play)
        return play
    return mark


def load_scenarios():
    sys.path.insert(0, str(FOLDER))
    for file in sorted(FOLDER.glob("*.py")):
        importlib.import_module(file.stem)
    return SCENARIOS

# SPDX-License-Identifier: GPL-2.0-only
"""Which scenarios there are: every function in scenarios/*.py that calls itself one."""
import importlib
import pathlib
import sys
from collections.abc import Callable
from dataclasses import dataclass

FOLDER = pathlib.Path(__file__).parent.parent / "scenarios"
SCENARIOS = {}


@dataclass(frozen=True)
class Scenario:
    name: str
    about: str  # one line
    needs_debian: bool
    play: Callable  # of a Lab


def scenario(name, about, needs_debian=False):
    """Marks a function of a Lab as a scenario."""
    def mark(play):
        SCENARIOS[name] = Scenario(name, about, needs_debian, play)
        return play
    return mark


def load_scenarios():
    sys.path.insert(0, str(FOLDER))
    for file in sorted(FOLDER.glob("*.py")):
        importlib.import_module(file.stem)
    return SCENARIOS

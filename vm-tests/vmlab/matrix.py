# SPDX-License-Identifier: GPL-2.0-only
"""The table of docs/testing.md: which kernel and driver, in which mode, what passed, what was skipped and why."""
import json

from .catalog import SCENARIOS
from .words import Failure

BEGIN = "<!-- written by vm-tests/run --matrix: begin -->"
END = "<!-- written by vm-tests/run --matrix: end -->"
HEAD = ["kernel", "scenario", "driver", "mode", "what passed", "what was skipped, and why"]
FILE = "notes.json"


class Notes:
    """What a scenario tells the table, kept in its log folder. It may be added to at any time."""

    def __init__(self, folder):
        self.file = folder / FILE
        self.facts = {"driver": [], "mode": [], "passed": [], "skipped": {}}

    def add(self, driver=None, mode=None, passed=None, skipped=None):
        """driver, mode, passed: a text; skipped: {what: why}."""
        for name, text in (("driver", driver), ("mode", mode), ("passed", passed)):
            if text and text not in self.facts[name]:
                self.facts[name].append(text)
        self.facts["skipped"].update(skipped or {})
        self.file.write_text(json.dumps(self.facts, indent=1) + "\n")


def notes_in(folder):
    """What a scenario has noted; {} when nothing."""
    file = folder / FILE
    return json.loads(file.read_text()) if file.exists() else {}


def row(result):
    facts = result.notes
    passed = "; ".join(facts.get("passed", [])) or SCENARIOS[result.scenario].about
    skipped = [f"{what}: {why}" for what, why in facts.get("skipped", {}).items()]
    if result.verdict == "failed":
        passed = "**failed**"
    elif result.verdict == "skipped":
        passed, skipped = "-", [result.reason]
    cells = [result.kernel, f"`{result.scenario}`", *(", ".join(facts.get(name, [])) or "-" for name in ("driver", "mode")), passed,
             "; ".join(skipped)]
    return line(cells)


def line(cells):
    return f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |"


def old_rows(text):
    """{(kernel, scenario): row} of a table that was written before."""
    rows = [one for one in text.splitlines() if one.startswith("| ")][1:]
    return {tuple(cell.strip() for cell in one.split("|")[1:3]): one for one in rows}


def table(rows):
    """Kernel after kernel, each with its scenarios in the order they were played."""
    kernels = list(dict.fromkeys(kernel for kernel, _ in rows))
    ordered = [one for kernel in kernels for (of, _), one in rows.items() if of == kernel]
    return "\n".join([line(HEAD), "|---" * len(HEAD) + "|", *ordered])


def write_matrix(file, results, keeps_others):
    """Puts the table of this run between the marks in a document. keeps_others: it was not a run of everything, so the rows of
    what it did not play stay."""
    text = file.read_text()
    before, begin, rest = text.partition(BEGIN)
    between, end, after = rest.partition(END)
    if not begin or not end:
        raise Failure(f"{file} has no lines '{BEGIN}' and '{END}'")
    rows = old_rows(between) if keeps_others else {}
    rows.update({(result.kernel, f"`{result.scenario}`"): row(result) for result in results})
    file.write_text(f"{before}{BEGIN}\n\n{table(rows)}\n\n{END}{after}")

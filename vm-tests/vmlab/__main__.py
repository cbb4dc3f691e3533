# SPDX-License-Identifier: GPL-2.0-only
"""vm-tests/run, after it has installed and built what this needs."""
import argparse
import contextlib
import fcntl
import os
import pathlib
import shutil
import signal
import sys
from collections import Counter

from .accelerator import choose_accelerator
from .catalog import DEFAULT_KERNEL, EVERY_KERNEL, load_scenarios
from .images import build_initramfs, debian_root, forget_unfinished
from .kernels import find_kernel
from .lab import Setting
from .matrix import write_matrix
from .runner import Result, run_all
from .words import Failure, Skip, say, step, warn

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build/vm-tests"
PROGRAMS = ROOT / "build/release/bin"
CACHE = pathlib.Path(os.environ.get("XDPLB_VM_CACHE", "/var/cache/xdplb-vm"))
# In every scenario's own mount namespace a tmpfs; short, for the paths of sockets.
SCRATCH = pathlib.Path("/run/xdplb-vm-tests")


def parse_arguments(scenarios):
    parser = argparse.ArgumentParser(prog="vm-tests/run", description="Boots virtual machines under QEMU and plays scenarios on them.")
    parser.add_argument("scenario", nargs="*", help="default: all but those that --list says to be named")
    parser.add_argument("--kernel", action="append", metavar="K",
                        help="generic, cloud, a package of apt's, a folder with boot/ and lib/modules/, or BZIMAGE,MODULES; again for more; "
                             "default: for each scenario those that --list tells")
    parser.add_argument("--quick", action="store_true",
                        help="leaves out what takes long and shows little that others do not; each scenario on its first kernel")
    parser.add_argument("--accelerator", choices=["kvm", "tcg"], help="default: what a probe guest boots under")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="scenarios at a time, default 1")
    parser.add_argument("--keep", action="store_true", help="at the end of a scenario its guests stay and take commands")
    parser.add_argument("--list", action="store_true", help="tells which scenarios there are")
    parser.add_argument("--report", type=pathlib.Path, metavar="FILE", help="results, one a line, for tools/test")
    parser.add_argument("--matrix", type=pathlib.Path, metavar="FILE",
                        help="writes the table of this run between the marks in FILE: docs/testing.md")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.scenario if name not in scenarios]
    if unknown:
        parser.error(f"no scenario '{unknown[0]}': {', '.join(scenarios)}")
    if arguments.keep and (arguments.jobs > 1 or len(arguments.scenario) != 1):
        parser.error("--keep is for one scenario")
    return arguments


def prepare(kernel_word, chosen, accelerator, keep):
    """The settings of all scenarios on one kernel."""
    step(f"kernel {kernel_word}")
    kernel = find_kernel(kernel_word, CACHE)
    images = BUILD / "images"
    images.mkdir(parents=True, exist_ok=True)
    programs = [PROGRAMS / name for name in ("xdplb", "xdplbd", "xdplb-server") if (PROGRAMS / name).exists()]
    # Debian's static busybox has a wget that crashes where there is no name service, and an ip that knows no XDP; its
    # shell takes its own ip unless that one is called by its path.
    programs += [pathlib.Path("/usr/bin/curl"), pathlib.Path("/usr/bin/ip")]
    initramfs = build_initramfs(kernel, programs, {}, images)
    accelerator = accelerator or choose_accelerator(kernel, initramfs, CACHE)
    say(f"   {kernel.version}, accelerator {accelerator}, initramfs {initramfs.stat().st_size >> 20} MB")
    for scenario in chosen:
        disk = debian_root(CACHE) if scenario.needs_debian else None
        logs = BUILD / f"{scenario.name}-{kernel.version}"
        shutil.rmtree(logs, ignore_errors=True)
        logs.mkdir(parents=True)
        yield Setting(scenario.name, kernel, initramfs, accelerator, logs, SCRATCH, PROGRAMS, disk, keep,
                      scenario.limit_seconds)


@contextlib.contextmanager
def lock(folder, waits):
    """For one run at a time. The lock ends with the process that holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
        except BlockingIOError:
            sys.exit(f"vm-tests/run: another run works in {folder}: wait until it has ended")
        yield


def prepare_all(pairs, arguments):
    """pairs: see plan(). Returns (settings, results of the kernels that are not to be had)."""
    settings, results = [], []
    with lock(CACHE, waits=True):
        forget_unfinished(CACHE)
        for word, chosen in pairs:
            try:
                settings += prepare(word, chosen, arguments.accelerator, arguments.keep)
            except Failure as failure:
                warn(failure)
                results += [Result(scenario.name, word, "-", reason="no images") for scenario in chosen]
            except Skip as skip:
                # Who named a kernel wants it.
                verdict = "failed" if arguments.kernel or word == DEFAULT_KERNEL else "skipped"
                results += [Result(scenario.name, word, "-", verdict, reason=str(skip)) for scenario in chosen]
    return settings, results


def tell_results(results):
    say(f"\n{'scenario':<20} {'kernel':<28} {'accel':<6} {'result':<8} {'seconds':>7}")
    for result in results:
        reason = f"  {result.reason}" if result.reason else ""
        say(f"{result.scenario:<20} {result.kernel:<28} {result.accelerator:<6} {result.verdict:<8} {result.seconds:>7.0f}{reason}")
    counts = Counter(result.verdict for result in results)
    say(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")


def write_report(file, results):
    lines = [f"passed\t{sum(result.verdict == 'passed' for result in results)}"]
    lines += [f"{result.verdict}\tvm.{result.scenario} on {result.kernel}\t{result.reason}" for result in results if result.verdict != "passed"]
    file.write_text("\n".join(lines) + "\n")


def plan(arguments, scenarios):
    """Which scenarios on which kernel, as pairs (kernel's word, scenarios)."""
    chosen = [scenarios[name] for name in arguments.scenario] or [one for one in scenarios.values() if not one.only_when_named]
    if arguments.quick:
        chosen = [one for one in chosen if one.is_quick]
    words = arguments.kernel or EVERY_KERNEL
    kernels = {one.name: one.kernels[:1] if arguments.quick else one.kernels for one in chosen}
    pairs = [(word, [one for one in chosen if arguments.kernel or word in kernels[one.name]]) for word in words]
    return [(word, wanted) for word, wanted in pairs if wanted]


def run(arguments, scenarios):
    SCRATCH.mkdir(exist_ok=True)
    settings, results = prepare_all(plan(arguments, scenarios), arguments)
    results += run_all(settings, arguments.jobs)
    tell_results(results)
    if arguments.report:
        write_report(arguments.report, results)
    if arguments.matrix:
        write_matrix(arguments.matrix, results, bool(arguments.scenario or arguments.kernel or arguments.quick))
    return 0 if results and all(result.verdict != "failed" for result in results) else 1


def main():
    scenarios = load_scenarios()
    arguments = parse_arguments(scenarios)
    if arguments.list:
        for scenario in scenarios.values():
            where = "only when named" if scenario.only_when_named else ", ".join(scenario.kernels)
            where += "" if scenario.is_quick or scenario.only_when_named else "; not with --quick"
            say(f"{scenario.name:<20} {scenario.about} ({where})")
        return 0
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    try:
        with lock(BUILD, waits=False):
            return run(arguments, scenarios)
    except KeyboardInterrupt:
        warn("interrupted")
        return 130


sys.exit(main())

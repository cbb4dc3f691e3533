# SPDX-License-Identifier: GPL-2.0-only
"""The project's own suites on another kernel than this host's."""
import re

from vmlab.catalog import DEFAULT_KERNEL, EVERY_KERNEL, scenario
from vmlab.suites import all_scripts, run_programs, run_scripts
from vmlab.words import expect, say, step

VERIFIER_LOG = "/tmp/verifier.log"
# Random frames and walks are fewer than on a host.
FEWER = "XDPLB_MUTATIONS=10000 XDPLB_WALKS=1"
SLOW = {"prog_run Ports.EveryLineOfAThousandClustersIsFound": "every line is looked up by a run of its own, for minutes under emulation"}
# What user space makes of the tables is asked of one kernel.
USER_SPACE = {"kernel_dataplane FlowSweepTest.*": f"asked of the kernel {DEFAULT_KERNEL} only"}

# They ask this kernel, or lean on what it does.
KERNEL_UNITS = ["unit_host", "unit_server_net", "unit_vipa", "unit_advisors_net", "unit_daemon", "unit_net", "unit_dataplane", "unit_abi",
                "unit_base"]
OTHER_UNITS = ["unit_model", "unit_control", "unit_server", "unit_advisors", "unit_verify", "unit_doctor", "unit_support", "unit_cli"]
TOO_MUCH_DATA = {"unit_host ChildProcess.OfMuchOutputTheFirstPartIsKept": "emulation is slower than the time limit of the child"}
# Hundreds of namespaces, and of runs of `ip` and `nft`.
MINUTES = {name: "takes minutes under emulation: units-all" for name in [
    "unit_host Monitor.*", "unit_host Probes.*", "unit_host Prober.*", "unit_host Local.*", "unit_host Routes.*", "unit_host Sockets.*",
    "unit_server_net SetupUndo.*", "unit_server_net Setup/BrokenServers.*", "unit_server_net Of/Remedy.*", "unit_vipa Service.*",
    "unit_vipa Sharing.*"]}

# Each proves an area of its own; together they fit into three minutes of emulation.
FLOWS = ["dsr_tcp", "fragments", "chain", "foreign_xdp", "unload_leaves_nothing"]
VIPAS = ["vipa_bond", "vipa_vlan", "vipa_mld"]
SERVERS = ["two_nics", "user_exits", "install"]
# Of tests/netns: what netns-all does not try.
ONLY_ON_A_HOST = {
    "advisor_scale": "measures the processor time of the daemon",
    "egress_failover": "measures times of a failover",
    "vipa_failover": "measures times of a failover",
    "vipa_many": "measures times of 500 failovers",
}


def boot_host_guest(lab, memory_mb):
    guest = lab.host_guest("guest", memory_mb=memory_mb, cpus=2)
    guest.start().wait_for_boot()
    return guest


def note(lab, tally, what, more=""):
    skipped = {name.split(" ")[-1]: why for name, why in tally.skipped.items()}
    lab.note(passed=f"{len(tally.passed)} {what}{more}", skipped=skipped)


def keep_verifier_log(lab, guest):
    """As a file of this kernel's; returns how many instructions the verifier walked, 0 when it refused the program."""
    log = guest.run(f"cat {VERIFIER_LOG}").output
    (lab.logs / "verifier.log").write_text(log)
    walked = re.search(r"processed (\d+) insns", log)
    return int(walked[1]) if walked else 0


@scenario("prog_run", "the program on single frames by BPF_PROG_RUN, and its tables, as this kernel runs them; the verifier's log is kept",
          kernels=EVERY_KERNEL)
def prog_run(lab):
    guest = boot_host_guest(lab, memory_mb=2048)
    step("prog_run, kernel_dataplane")
    tally = run_programs(guest, ["kernel_dataplane/1/2", "prog_run/1/2", "prog_run/2/2", "kernel_dataplane/2/2"],
                         environment=f"{FEWER} XDPLB_VERIFIER_LOG={VERIFIER_LOG}",
                         leave_out=SLOW if lab.kernel.name == DEFAULT_KERNEL else SLOW | USER_SPACE)
    walked = keep_verifier_log(lab, guest)
    lab.note(mode="BPF_PROG_RUN")
    note(lab, tally, "tests", f", {walked:,} instructions verified")
    tally.conclude()
    expect(f"the verifier's log is kept, it walked {walked:,} instructions", walked > 0, lab.logs / "verifier.log")


def play_units(lab, programs, left_out, seconds):
    guest = boot_host_guest(lab, memory_mb=2048)
    step(f"{len(programs)} programs of unit tests")
    tally = run_programs(guest, programs, leave_out=left_out, seconds=seconds)
    note(lab, tally, "tests")
    tally.conclude()


@scenario("units", "the unit tests that ask the kernel, but for those that take minutes", is_quick=False)
def units(lab):
    play_units(lab, KERNEL_UNITS, TOO_MUCH_DATA | MINUTES, seconds=800)


@scenario("units-all", "every unit test; most of an hour under emulation", only_when_named=True, limit_seconds=3 * 3600)
def units_all(lab):
    play_units(lab, KERNEL_UNITS + OTHER_UNITS, TOO_MUCH_DATA, seconds=3600)


def play_scripts(lab, scripts, jobs=2, left_out=None, seconds=600):
    guest = boot_host_guest(lab, memory_mb=3072)
    step(f"{len(scripts)} scripts of tests/netns")
    tally = run_scripts(guest, scripts, jobs, seconds)
    tally.leave_out(left_out or {})
    lab.note(driver="veth", mode="native", skipped=tally.skipped, passed=", ".join(f"`{name}`" for name in sorted(tally.passed)))
    tally.conclude()


@scenario("netns-flows", "namespace tests: flows through the dispatcher, libxdp's dispatcher, a foreign program, unload", is_quick=False)
def netns_flows(lab):
    play_scripts(lab, FLOWS)


@scenario("netns-vipa", "namespace tests: who owns a VIPA, with bond and VLAN interfaces")
def netns_vipa(lab):
    play_scripts(lab, VIPAS, jobs=3)


@scenario("netns-hosts", "namespace tests: two NICs, scripts of the operator, installation", is_quick=False)
def netns_hosts(lab):
    play_scripts(lab, SERVERS)


@scenario("netns-all", "every namespace test; hours under emulation", only_when_named=True, limit_seconds=6 * 3600)
def netns_all(lab):
    play_scripts(lab, [name for name in all_scripts() if name not in ONLY_ON_A_HOST], jobs=3, left_out=ONLY_ON_A_HOST, seconds=1500)

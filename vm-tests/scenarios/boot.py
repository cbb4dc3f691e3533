# SPDX-License-Identifier: GPL-2.0-only
"""Guests are there, quickly."""
import os
import pathlib
import time

from vmlab.catalog import scenario
from vmlab.words import expect, expect_equal, say, step

READY_SECONDS = 15  # of processor time, so that a busy host is no failure; under emulation


def processor_seconds(pid):
    """Of a process, its own and the kernel's for it."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@scenario("boot", "an initramfs guest is ready within seconds, runs commands, loses its cable and gets it back")
def boot(lab):
    lab.note(driver="virtio-net")
    lan = lab.lan("lan", "192.0.2.1/24")
    guest = lab.guest("guest")
    guest.cable(lan, "02:00:00:00:00:21")
    step("boots")
    started = time.monotonic()
    guest.start().wait_for_boot()
    say(f"ready after {time.monotonic() - started:.1f} s")
    seconds = processor_seconds(guest.process.pid)
    expect(f"that took {seconds:.1f} s of a processor, at most {READY_SECONDS}", seconds <= READY_SECONDS)
    expect_equal("its kernel", lab.kernel.version, guest.sh("uname -r").strip())
    expect_equal("exit code of a command", 3, guest.run("exit 3").code)
    step("cable")
    guest.sh("modprobe virtio_net; ip link set eth0 up; ip address add 192.0.2.21/24 dev eth0")
    guest.wait("the host answers", "ping -c 1 -W 1 192.0.2.1")
    guest.set_cable(0, False)
    guest.wait("eth0 has no carrier", "[ $(cat /sys/class/net/eth0/carrier) = 0 ]")
    guest.set_cable(0, True)
    guest.wait("the host answers again", "ping -c 1 -W 1 192.0.2.1")

# SPDX-License-Identifier: GPL-2.0-only
"""One virtual machine: its QEMU process, console, agent and cables."""
import contextlib
import pathlib
import subprocess
from dataclasses import dataclass

from .agent import Agent, AgentSilent, Done
from .qmp import Qmp
from .words import Failure, ok, say, wait_until

VIRTIOFSD = "/usr/lib/qemu/virtiofsd"
BOOT_SECONDS = 180
# Page table isolation alone would double the time that anything takes under emulation. The kernel's own test of the timer
# takes a busy host for a broken machine, and panics.
KERNEL_LINE = "console=ttyS0 net.ifnames=0 mitigations=off 8250.nr_uarts=1 audit=0 no_timer_check"
LAST_LINES = 25


@dataclass(frozen=True)
class Cable:
    tap: str
    mac: str
    driver: str
    options: str
    queues: int
    has_offload: bool

    def words(self, number):
        """For QEMU."""
        # Without vnet_hdr no offload: what leaves the guest is what a wire would carry.
        netdev = f"tap,id=net{number},ifname={self.tap},script=no,downscript=no,vnet_hdr={'on' if self.has_offload else 'off'}"
        device = f"{self.driver},netdev=net{number},id=nic{number},mac={self.mac},romfile={self.options}"
        if self.queues > 1:
            netdev += f",queues={self.queues}"
            device += f",mq=on,vectors={2 * self.queues + 2}"
        return ["-netdev", netdev, "-device", device]

    def is_heard_at_tap(self):
        """QEMU's own filter-dump takes one queue, and no header of virtio's."""
        return self.queues > 1 or self.has_offload


class Guest:
    """lab: the laboratory it stands in; name: unique there. Set up `cables` and `disks`, then start()."""

    def __init__(self, lab, name, kernel_line="", memory_mb=512, cpus=1):
        self.lab = lab
        self.name = name
        self.kernel_line = kernel_line
        self.memory_mb = memory_mb
        self.cpus = cpus
        self.cables = []
        self.disks = []  # (file, format, read only)
        self.shares_host_files = False
        self.file_server = None
        self.ears = []
        self.console = lab.logs / f"{name}.console"
        self.boots = 0
        self.process = self.agent = self.qmp = None

    def cable(self, lan, mac, driver="virtio-net-pci", options="", queues=1, has_offload=False):
        """A NIC plugged into a LAN; in the guest they are eth0, eth1 ... in the order of calls. All frames are captured.

        queues: pairs of queues that the guest may use; more than one is virtio-net's.
        has_offload: frames may pass between guests longer than a wire takes and without checksums, as hypervisors have it."""
        self.cables.append(Cable(lan.tap(f"{self.name}-eth{len(self.cables)}", queues), mac, driver, options, queues, has_offload))

    def captures(self, number):
        """The files with all frames of a NIC, oldest first: one for each time the guest was switched on."""
        return [self.capture(number, boot) for boot in range(1, self.boots + 1)]

    def capture(self, number, boot):
        return self.lab.logs / f"{self.name}-eth{number}.{boot}.pcap"

    def command(self):
        lab, scratch = self.lab, self.lab.scratch
        words = ["qemu-system-x86_64", "-name", self.name, "-accel", lab.accelerator, "-cpu", lab.cpu, "-smp", str(self.cpus),
                 "-m", str(self.memory_mb), "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
                 "-kernel", str(lab.kernel.image), "-initrd", str(lab.initramfs),
                 "-append", f"{KERNEL_LINE} {self.kernel_line}".strip(),
                 "-chardev", f"file,id=console,path={self.console},append=on", "-serial", "chardev:console",
                 "-qmp", f"unix:{scratch / self.name}.qmp,server=on,wait=off",
                 "-device", "virtio-rng-pci", "-device", "virtio-serial-pci",
                 "-chardev", f"socket,id=agent,path={scratch / self.name}.agent,server=on,wait=off",
                 "-device", "virtserialport,chardev=agent,name=agent"]
        for number, cable in enumerate(self.cables):
            words += cable.words(number)
            if not cable.is_heard_at_tap():
                words += ["-object", f"filter-dump,id=dump{number},netdev=net{number},file={self.capture(number, self.boots)}"]
        for number, (file, kind, is_read_only) in enumerate(self.disks):
            words += ["-drive", f"file={file},format={kind},if=none,id=disk{number},readonly={'on' if is_read_only else 'off'},cache=unsafe",
                      "-device", f"virtio-blk-pci,drive=disk{number}"]
        if self.shares_host_files:
            # The file server reads and writes the guest's memory.
            words += ["-object", f"memory-backend-memfd,id=memory,size={self.memory_mb}M,share=on", "-numa", "node,memdev=memory",
                      "-chardev", f"socket,id=files,path={self.file_socket()}", "-device", "vhost-user-fs-pci,chardev=files,tag=host"]
        return words

    def hear_taps(self):
        """Captures what QEMU cannot; the captures of an earlier boot end."""
        while self.ears:
            self.ears.pop().terminate()
        for number, cable in enumerate(self.cables):
            if not cable.is_heard_at_tap():
                continue
            file = self.capture(number, self.boots)
            self.ears.append(subprocess.Popen(["tcpdump", "-i", cable.tap, "-p", "-U", "-Z", "root", "-B", "16384", "-w", str(file)],
                                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            wait_until(f"{self.name}: tcpdump listens", 20, lambda: file.exists() and file.stat().st_size > 0)

    def file_socket(self):
        return self.lab.scratch / f"{self.name}.files"

    def serve_files(self):
        """virtiofsd ends with the QEMU that it serves."""
        log = open(self.lab.logs / f"{self.name}.virtiofsd", "w", encoding="utf-8")
        self.file_socket().unlink(missing_ok=True)
        self.file_server = subprocess.Popen([VIRTIOFSD, f"--socket-path={self.file_socket()}", "-o", "source=/", "-o", "cache=always",
                                             "-o", "sandbox=chroot", "-o", "allow_direct_io"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        wait_until(f"{self.name}: virtiofsd listens", 20, self.file_socket().exists)

    def start(self):
        """Switches it on; wait_for_boot() says when it is there."""
        self.boots += 1
        if self.shares_host_files:
            self.serve_files()
        self.hear_taps()
        errors = self.lab.logs / f"{self.name}.qemu"
        with open(errors, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        agent = pathlib.Path(f"{self.lab.scratch / self.name}.agent")
        wait_until(f"{self.name}: QEMU is up", 20, lambda: self.alive() or self.accepts(agent))
        self.qmp = Qmp(f"{self.lab.scratch / self.name}.qmp")
        return self

    def accepts(self, path):
        with contextlib.suppress(OSError):
            self.agent = Agent(path, self.lab.logs / f"{self.name}.commands", self.alive)
            return True
        return False

    def wait_for_boot(self, seconds=BOOT_SECONDS):
        try:
            self.agent.wait_for_boot(seconds)
        except AgentSilent:
            raise Failure(f"{self.name} has not booted within {seconds} s\n{self.last_lines()}") from None
        say(f"{self.name} is up")

    def alive(self):
        """Raises when nothing can come from this guest any more."""
        if self.process.poll() is not None:
            errors = (self.lab.logs / f"{self.name}.qemu").read_text()
            raise Failure(f"{self.name}: QEMU ended with {self.process.returncode}: {errors}\n{self.last_lines()}")
        if self.console.exists() and b"Kernel panic" in self.console.read_bytes():
            raise Failure(f"{self.name}: kernel panic\n{self.last_lines()}")

    def last_lines(self):
        if not self.console.exists():
            return ""
        lines = self.console.read_text(errors="replace").splitlines()[-LAST_LINES:]
        return "\n".join(f"  {self.name}| {line}" for line in lines)

    def run(self, script, seconds=60) -> Done:
        """Runs a shell script in the guest, whatever comes of it."""
        try:
            return self.agent.run(script, seconds)
        except AgentSilent:
            raise Failure(f"{self.name} is silent on: {script}\n{self.last_lines()}") from None

    def sh(self, script, seconds=60):
        """Runs a shell script that must succeed; returns what it printed."""
        done = self.run(script, seconds)
        if done.code != 0:
            raise Failure(f"{self.name}: '{script}' ended with {done.code}:\n{done.output}{self.last_lines()}")
        return done.output

    def wait(self, what, script, seconds=30):
        """Until the script succeeds in the guest."""
        try:
            wait_until(what, seconds, lambda: self.run(script).code == 0, pause=0.2)
            ok(what)
        except Failure as failure:
            raise Failure(f"{failure}; '{script}' says:\n{self.run(script).output}{self.last_lines()}") from None

    def reboot(self, command="systemctl reboot"):
        """The guest goes down in its own way and comes up from firmware, kernel and disk. Returns when it is there again.

        QEMU ends at the reset and is started anew: emulation slows to a crawl where the new kernel is written over
        pages whose old code QEMU has translated (7.2: minutes in the kernel's first copy of itself)."""
        # The answer leaves before the machine goes.
        self.sh(f"(sleep 0.2; {command}) >/dev/null 2>&1 &")
        wait_until(f"{self.name}: gone down", 120, lambda: self.process.poll() is not None)
        self.start()
        self.wait_for_boot()

    def set_cable(self, number, is_plugged):
        self.qmp.ask("set_link", name=f"net{number}", up=is_plugged)

    def kill(self):
        """The power cord."""
        self.process.kill()
        self.process.wait()

# SPDX-License-Identifier: GPL-2.0-only
"""The laboratory of one scenario: its LANs and guests. It lives in namespaces that end with it (see runner.py)."""
import json
import pathlib
from dataclasses import dataclass

from .guest import Guest
from .images import build_parcel
from .kernels import Kernel, module_files
from .lan import Lan
from .matrix import Notes
from .words import Skip, command_output


@dataclass
class Setting:
    """What the runner has prepared for a scenario; it travels as JSON."""

    scenario: str
    kernel: Kernel
    initramfs: pathlib.Path
    accelerator: str
    logs: pathlib.Path  # everything that is kept
    scratch: pathlib.Path  # a tmpfs of the scenario's own
    programs: pathlib.Path  # build/release/bin
    disk: pathlib.Path | None  # the Debian root, for scenarios that asked for it
    keep: bool
    limit_seconds: int

    def to_json(self):
        plain = dict(vars(self), kernel={name: str(value) for name, value in vars(self.kernel).items()})
        return json.dumps(plain, default=str)

    @staticmethod
    def from_json(text):
        plain = json.loads(text)
        plain["kernel"] = Kernel(plain["kernel"]["name"], plain["kernel"]["version"], pathlib.Path(plain["kernel"]["image"]),
                                 pathlib.Path(plain["kernel"]["modules"]))
        for name in ("initramfs", "logs", "scratch", "programs"):
            plain[name] = pathlib.Path(plain[name])
        plain["disk"] = plain["disk"] and pathlib.Path(plain["disk"])
        return Setting(**plain)


class Lab:
    def __init__(self, setting):
        self.kernel = setting.kernel
        self.initramfs = setting.initramfs
        self.accelerator = setting.accelerator
        # Emulation is at its fastest with few features.
        self.cpu = "host" if setting.accelerator == "kvm" else "Nehalem"
        self.logs = setting.logs
        self.scratch = setting.scratch
        self.programs = setting.programs
        self.disk = setting.disk
        self.guests = {}
        self.notes = Notes(self.logs)

    def note(self, **facts):
        """For the table of docs/testing.md: driver=, mode=, passed= (texts), skipped= ({what: why})."""
        self.notes.add(**facts)

    def lan(self, name, *addresses):
        """A LAN with this host on it, at these addresses."""
        return Lan(name, addresses)

    def guest(self, name, **options):
        """A guest that lives in its initramfs. Plug its cables in, then start()."""
        self.guests[name] = Guest(self, name, **options)
        return self.guests[name]

    def debian(self, name, programs, files, services=(), masked=(), **options):
        """A guest with a Debian root of its own: a copy on write of the common one, with programs of ours in
        /usr/local/bin and files {path: text} laid over it at its first boot; services are enabled, masked ones never start."""
        guest = self.guest(name, kernel_line="root=/dev/vda systemd.show_status=false", **options)
        overlay = self.scratch / f"{name}.qcow2"
        command_output("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", self.disk, overlay)
        links = {f"etc/systemd/system/multi-user.target.wants/{service}": f"/lib/systemd/system/{service}" for service in services}
        links |= {f"etc/systemd/system/{service}": "/dev/null" for service in masked}
        parcel = build_parcel(self.kernel, self.disk, [self.programs / program for program in programs], files, links,
                              self.scratch / f"{name}.parcel")
        guest.disks = [(overlay, "qcow2", False), (parcel, "raw", True)]
        return guest

    def host_guest(self, name, **options):
        """A guest with the files of this host: the same paths, programs and libraries, read only; what it writes is kept in
        its own memory and gone with it. All modules of its kernel are there."""
        if not module_files(self.kernel, ["virtiofs", "overlay"]):
            raise Skip(f"{self.kernel.version} has no virtiofs")
        guest = self.guest(name, kernel_line=f"root=host modules={self.kernel.modules}", **options)
        guest.shares_host_files = True
        return guest

    def close(self):
        for guest in self.guests.values():
            if guest.process:
                guest.kill()

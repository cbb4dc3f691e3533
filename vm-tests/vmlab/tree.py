# SPDX-License-Identifier: GPL-2.0-only
"""A folder that becomes a guest's files: an initramfs (cpio) or what is laid over a guest's disk (tar)."""
import pathlib
import re
import shutil
import subprocess

from .kernels import module_files
from .words import Failure, command_output

GUEST_FOLDER = pathlib.Path(__file__).parent.parent / "guest"
TOOLS = "usr/local/lib/vm-tests"  # in the guest: busybox and the agent


class Tree:
    """Paths are relative to the guest's root; a tree is made anew each time."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def place(self, path):
        place = self.folder / str(path).lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def write(self, path, content, mode=0o644):
        place = self.place(path)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
        place.chmod(mode)

    def copy(self, source, path):
        shutil.copy2(pathlib.Path(source).resolve(), self.place(path))

    def link(self, path, target):
        self.place(path).symlink_to(target)

    def folders(self, *paths):
        for path in paths:
            (self.folder / path.lstrip("/")).mkdir(parents=True, exist_ok=True)

    def busybox(self, has_links=True):
        """busybox and the agent; has_links: every applet under its own name."""
        self.copy("/bin/busybox", f"{TOOLS}/busybox")
        self.copy(GUEST_FOLDER / "agent", f"{TOOLS}/agent")
        if has_links:
            for applet in command_output("/bin/busybox", "--list-full").split():
                self.link(applet, f"/{TOOLS}/busybox")

    def program(self, source, path, missing_libraries=None):
        """A program of ours without its debug information, and its libraries. missing_libraries: a test of a library's
        path in the guest; those it denies are there already."""
        source = pathlib.Path(source)
        if not source.exists():
            raise Failure(f"{source} is missing: vm-tests/run builds it")
        place = self.place(path)
        place.unlink(missing_ok=True)
        command_output("strip", "-o", place, source)
        for library in libraries_of(source):
            if missing_libraries is None or missing_libraries(library):
                self.library(library)

    def library(self, path):
        if not (self.folder / path.lstrip("/")).exists():
            self.copy(path, path)

    def modules(self, kernel, names, below="lib/modules"):
        """The modules with what they need, as modprobe wants to find them."""
        top = f"{below}/{kernel.version}"
        for path, content in module_files(kernel, names).items():
            self.write(f"{top}/{path}", content)
        for listing in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
            if (kernel.modules / listing).exists():
                self.copy(kernel.modules / listing, f"{top}/{listing}")
        # depmod looks in lib/modules, wherever that is in the guest.
        command_output("depmod", "-b", self.folder / below.removesuffix("lib/modules"), kernel.version)

    def to_cpio(self, archive):
        listing = subprocess.run(["find", ".", "-mindepth", "1", "-print0"], cwd=self.folder, check=True, capture_output=True).stdout
        with open(archive, "wb") as output:
            done = subprocess.run(["cpio", "--null", "--quiet", "-o", "-H", "newc", "-R", "0:0"], cwd=self.folder,
                                  input=listing, stdout=output, stderr=subprocess.PIPE)
        if done.returncode != 0:
            raise Failure(f"cpio: {done.stderr.decode().strip()}")

    def to_tar(self, archive):
        command_output("tar", "-c", "-f", archive, "--owner=0", "--group=0", "--numeric-owner", "-C", self.folder, ".")


def libraries_of(program):
    """The shared libraries of a program, the loader among them, by the paths it would find them at."""
    return re.findall(r"(/\S+) \(0x[0-9a-f]+\)", command_output("ldd", program))

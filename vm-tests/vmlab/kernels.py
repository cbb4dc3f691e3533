# SPDX-License-Identifier: GPL-2.0-only
"""Kernels out of Debian's packages: downloaded by apt-get, unpacked into the cache, never installed."""
import lzma
import pathlib
import re
import shutil
import tempfile
from dataclasses import dataclass

from .words import Failure, Skip, command_output

# Words for packages that follow the newest kernel of a kind.
PACKAGES = {"generic": "linux-image-amd64", "cloud": "linux-image-cloud-amd64"}


@dataclass(frozen=True)
class Kernel:
    name: str  # as the user called it
    version: str  # "6.1.0-56-amd64"
    image: pathlib.Path  # bzImage
    modules: pathlib.Path  # .../lib/modules/VERSION, with modules.dep


def find_kernel(word, cache):
    """generic, cloud, another package of apt's, a folder with boot/vmlinuz-V and lib/modules/V, or BZIMAGE,MODULES."""
    if "," in word:
        image, modules = (pathlib.Path(part) for part in word.split(",", 1))
        return Kernel(modules.name, modules.name, image, modules)
    if pathlib.Path(word).is_dir():
        return unpacked(word, pathlib.Path(word))
    return unpacked(word, from_package(PACKAGES.get(word, word), cache / "kernels"))


def unpacked(word, folder):
    """The one kernel below folder."""
    images = sorted(folder.glob("boot/vmlinuz-*"))
    if len(images) != 1:
        raise Failure(f"kernel {word}: {folder}/boot has {len(images)} vmlinuz-*, expected one")
    version = images[0].name.removeprefix("vmlinuz-")
    return Kernel(word, version, images[0], folder / "lib/modules" / version)


def from_package(package, cache):
    """Where the package's kernel is unpacked. Without a mirror in reach, one that was unpacked before does."""
    cache.mkdir(parents=True, exist_ok=True)
    try:
        name, version = real_package(package)
        folder = cache / f"{name}_{version.replace(':', '%3a')}"
        if not folder.is_dir():
            download(name, version, folder)
        return folder
    except (Failure, Skip):
        older = [found for found in cache.iterdir() if re.fullmatch(unpacked_names(package), found.name)]
        if not older:
            raise
        return max(older, key=lambda found: found.stat().st_mtime)


def unpacked_names(package):
    """A pattern for folders of what linux-image-[6.12-]FLAVOUR depended on at some time: linux-image-6.12.117+deb12-FLAVOUR_..."""
    series, flavour = re.fullmatch(r"(?:linux-image-)?(?:([0-9][0-9.]*)-)?(.*)", package).groups()
    return rf"linux-image-{re.escape(series) + r'[.+a-z0-9]*' if series else '[0-9.-]+'}-{re.escape(flavour)}_.*"


def real_package(package):
    """Name and version of the package that has the kernel: `package` itself, or what it depends on."""
    try:
        text = command_output("apt-cache", "show", "--no-all-versions", package)
    except Failure:
        raise Skip(f"apt does not offer {package}") from None
    fields = dict(re.findall(r"^([A-Z][A-Za-z-]*): (.*)$", text, re.M))
    depends = re.search(r"(linux-image-[0-9][^ ,]*) \(= ([^)]+)\)", fields.get("Depends", ""))
    return depends.groups() if depends else (fields["Package"], fields["Version"])


def download(name, version, folder):
    """Into a new folder beside, renamed when all of it is there."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="unpacking-") as scratch:
        command_output("apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", f"{name}={version}", cwd=scratch)
        package = next(pathlib.Path(scratch).glob("*.deb"))
        tree = pathlib.Path(scratch) / "tree"
        command_output("dpkg-deb", "-x", package, tree)
        # Newer packages have everything below /usr.
        if (tree / "usr/lib/modules").is_dir():
            shutil.move(tree / "usr/lib/modules", tree / "lib/modules")
        kernel = unpacked(name, tree)
        command_output("depmod", "-b", tree, kernel.version)
        tree.rename(folder)


def module_files(kernel, names):
    """The files of these modules and of all they depend on, as {path below kernel.modules: bytes, uncompressed}; what
    is built in or unknown to this kernel is left out."""
    dependencies = {}
    for line in (kernel.modules / "modules.dep").read_text().splitlines():
        path, _, others = line.partition(":")
        dependencies[path] = others.split()
    by_name = {module_name(path): path for path in dependencies}
    wanted = {by_name[name] for name in map(module_name, names) if name in by_name}
    for path in list(wanted):
        wanted.update(dependencies[path])
    return {path.removesuffix(".xz"): module_bytes(kernel.modules / path) for path in sorted(wanted)}


def module_name(path):
    return re.sub(r"\.ko(\.xz)?$", "", path.rsplit("/", 1)[-1]).replace("-", "_")


def module_bytes(path):
    return lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()

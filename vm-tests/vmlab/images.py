# SPDX-License-Identifier: GPL-2.0-only
"""What guests boot from: an initramfs for each kernel, and a Debian root whose copies start from the same disk."""
import hashlib
import pathlib
import shutil
import tempfile

from .tree import GUEST_FOLDER, TOOLS, Tree
from .words import command_output, step

# Loaded before anything else happens.
BOOT_MODULES = ["virtio_pci", "virtio_console", "virtio_blk", "virtio_rng", "crc32c_generic", "crc32c_intel", "ext4",
                "virtiofs", "overlay"]
# There for modprobe and udev.
MODULES = ["virtio_net", "e1000e", "veth", "dummy", "bridge", "bonding", "8021q", "macvlan", "ipvlan", "tun", "ip_vs", "ip_vs_wlc",
           "ip_vs_wrr", "ip_vs_mh", "nf_tables", "nft_ct", "nft_nat", "nft_chain_nat", "nft_compat", "nf_conntrack", "sch_ingress",
           "sch_netem", "cls_bpf", "cls_matchall", "act_mirred", "act_gact", "ifb", "veth", "ipv6", "af_packet", "inet_diag",
           "tcp_diag", "udp_diag", "rtc-cmos", "efivarfs", "autofs4", "unix"]

DEBIAN_PACKAGES = ["systemd", "systemd-sysv", "udev", "dbus", "ifupdown", "iproute2", "iputils-ping", "procps", "kmod", "nftables"]
DEBIAN_SUITE = "bookworm"
# Services that have nothing to do for a test and take their time under emulation.
MASKED = ["apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "e2scrub_reap.service",
          "fstrim.timer", "getty@tty1.service", "serial-getty@ttyS0.service", "systemd-journal-flush.service", "systemd-random-seed.service",
          "systemd-logind.service", "systemd-pstore.service", "systemd-update-utmp.service", "systemd-hwdb-update.service",
          "dev-hugepages.mount", "dev-mqueue.mount", "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "sys-kernel-config.mount",
          "sys-fs-fuse-connections.mount", "proc-sys-fs-binfmt_misc.automount",
          *(f"modprobe@{module}.service" for module in ("configfs", "dm_mod", "drm", "efi_pstore", "fuse", "loop"))]
AGENT_UNIT = f"""[Unit]
Description=vm-tests agent
DefaultDependencies=no
After=systemd-remount-fs.service
[Service]
ExecStart=/{TOOLS}/agent
Restart=always
RestartSec=0
# What a command leaves running is its own business.
KillMode=process
StandardInput=null
[Install]
WantedBy=sysinit.target
"""


def build_initramfs(kernel, programs, files, folder):
    """An initramfs with the modules of a kernel, the project's programs as /usr/local/bin/NAME, and files {path: host's file}.
    Returns its path."""
    tree = Tree(folder / f"initramfs-{kernel.version}")
    tree.folders("proc", "sys", "dev", "run", "tmp", "etc", "root", "usr/local/bin")
    tree.busybox()
    tree.copy(GUEST_FOLDER / "init", "init")
    tree.modules(kernel, BOOT_MODULES + MODULES)
    tree.write("etc/modules", "\n".join(BOOT_MODULES) + "\n")
    tree.write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
    tree.write("etc/group", "root:x:0:\nnogroup:x:65534:\n")
    for program in programs:
        tree.program(program, f"usr/local/bin/{program.name}")
    for path, source in files.items():
        tree.copy(source, path)
    archive = folder / f"initramfs-{kernel.version}.cpio"
    tree.to_cpio(archive)
    return archive


def debian_root(cache):
    """The disk (ext4, read only for all) with a minimal Debian: made when the recipe changes. Beside it, in NAME.files,
    is what it contains."""
    recipe = "\n".join([DEBIAN_SUITE, *DEBIAN_PACKAGES, "layout 2"])
    disk = cache / f"debian-{DEBIAN_SUITE}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}.ext4"
    if disk.exists() and disk.with_suffix(".files").exists():
        return disk
    step(f"making a Debian root of packages, once: {disk}")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="debootstrap-") as scratch:
        root = pathlib.Path(scratch) / "root"
        # It mounts things below its root; so they end with it.
        command_output("unshare", "--mount", "--", "debootstrap", "--variant=minbase", f"--include={','.join(DEBIAN_PACKAGES)}", DEBIAN_SUITE, root)
        trim(root)
        files = command_output("find", root, "-printf", "/%P\n")
        unfinished = pathlib.Path(scratch) / "disk"
        command_output("mkfs.ext4", "-q", "-F", "-L", "root", "-d", root, unfinished, "1G")
        disk.with_suffix(".files").write_text(files)
        unfinished.rename(disk)
    return disk


def forget_unfinished(cache):
    """What a run that was killed was making. For one run at a time."""
    for pattern in ("debootstrap-*", "kernels/unpacking-*"):
        for folder in cache.glob(pattern):
            shutil.rmtree(folder)


def trim(root):
    """Leaves out what no test reads, and what would make guests wait or differ."""
    for useless in ("usr/share/doc", "usr/share/locale", "usr/share/man", "usr/share/info", "var/lib/apt/lists", "var/cache/apt"):
        command_output("find", root / useless, "-mindepth", "1", "-delete")
    (root / "etc/fstab").write_text("/dev/vda / ext4 defaults 0 1\n")
    (root / "etc/hostname").write_text("guest\n")
    # Else systemd takes each first boot for one that needs presets.
    (root / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")


def build_parcel(kernel, disk, programs, files, links, folder):
    """What a guest lays over its Debian root at its first boot: modules, agent, programs, files {path: text} and symbolic
    links {path: target}."""
    present = set(disk.with_suffix(".files").read_text().splitlines())
    tree = Tree(folder)
    tree.busybox(has_links=False)
    # /lib is a symbolic link there.
    tree.modules(kernel, BOOT_MODULES + MODULES, below="usr/lib/modules")
    for program in programs:
        tree.program(program, f"usr/local/bin/{program.name}", lambda library: f"/usr{library}" not in present and library not in present)
    move_libraries(tree.folder)
    tree.write("etc/systemd/system/vm-agent.service", AGENT_UNIT)
    tree.link("etc/systemd/system/sysinit.target.wants/vm-agent.service", "/etc/systemd/system/vm-agent.service")
    for path, text in files.items():
        tree.write(path, text)
    for unit in MASKED:
        tree.link(f"etc/systemd/system/{unit}", "/dev/null")
    for path, target in links.items():
        tree.link(path, target)
    archive = folder.with_suffix(".tar")
    tree.to_tar(archive)
    return archive


def move_libraries(root):
    """A folder /lib or /lib64 of ours would replace the root's symbolic link."""
    for name in ("lib", "lib64"):
        if (root / name).is_dir():
            command_output("cp", "-a", f"{root / name}/.", root / "usr" / name)
            command_output("rm", "-r", root / name)

# SPDX-License-Identifier: GPL-2.0-only
"""KVM where it works, emulation (TCG) elsewhere: a /dev/kvm that opens may still hang its guests."""
import os
import pathlib
import subprocess
import tempfile

PROBE_SECONDS = 10
READY = b"Run /init as init process"


def choose_accelerator(kernel, initramfs, cache):
    """"kvm" or "tcg", by a probe guest that is remembered until this host boots again."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    known = cache / "accelerator"
    if known.exists() and known.read_text().startswith(boot):
        return known.read_text().split()[1]
    answer = "kvm" if boots_under_kvm(kernel, initramfs) else "tcg"
    cache.mkdir(parents=True, exist_ok=True)
    known.write_text(f"{boot} {answer}\n")
    return answer


def boots_under_kvm(kernel, initramfs):
    """Whether a guest reaches its init within seconds."""
    with tempfile.NamedTemporaryFile() as console:
        probe = ["qemu-system-x86_64", "-accel", "kvm", "-cpu", "host", "-m", "512", "-nodefaults", "-display", "none", "-no-reboot",
                 "-kernel", str(kernel.image), "-initrd", str(initramfs), "-append", "console=ttyS0 panic=-1",
                 "-chardev", f"file,id=console,path={console.name}", "-serial", "chardev:console"]
        guest = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *probe], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        try:
            guest.wait(PROBE_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            guest.kill()
            guest.wait()
        return READY in pathlib.Path(console.name).read_bytes()

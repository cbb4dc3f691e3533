# SPDX-License-Identifier: GPL-2.0-only
"""Client, dispatcher and servers as machines of their own on one LAN, their NICs driven by a real driver."""
import re
from collections import Counter

VIPA4, VIPA6 = "192.0.2.10", "2001:db8:1::10"
PAGES = 40
# name: (host part of its addresses and MAC)
HOSTS = {"dispatcher": 2, "s1": 21, "s2": 22, "client": 100}

MODULES = {"virtio-net-pci": "virtio_net", "e1000e": "e1000e"}


def mac_of(name):
    return f"02:00:00:00:00:{HOSTS[name]:02x}"


def boot_hosts(lab, whole=(), nic=None, has_offload=False):
    """All of them at once, with their addresses.

    whole: names of those that have the files of this host
    nic: of the dispatcher, options of Guest.cable()
    has_offload: of every cable"""
    lan = lab.lan("lan")
    for name in HOSTS:
        # XDP wants queues of its own for what it sends.
        is_dispatcher = name == "dispatcher"
        make = lab.host_guest if name in whole else lab.guest
        guest = make(name, memory_mb=1024 if is_dispatcher else 320, cpus=2 if is_dispatcher else 1)
        guest.cable(lan, mac_of(name), has_offload=has_offload, **(nic or {} if is_dispatcher else {}))
        guest.start()
    for name, number in HOSTS.items():
        guest = lab.guests[name]
        guest.wait_for_boot()
        guest.sh(f"""modprobe {MODULES[guest.cables[0].driver]}
            sysctl -w net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.eth0.accept_dad=0 >/dev/null
            ip address add 192.0.2.{number}/24 dev eth0
            ip address add 2001:db8:1::{number}/64 dev eth0
            ip link set eth0 up""")


def serve(guest):
    """A page with the server's name, at the VIPAs, which it is silent about."""
    guest.sh(f"""
        sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 >/dev/null
        ip address add {VIPA4}/32 dev lo
        ip address add {VIPA6}/128 dev lo
        mkdir -p /tmp/www && echo {guest.name} >/tmp/www/name && head -c 8388608 /dev/zero >/tmp/www/big
        setsid /usr/local/lib/vm-tests/busybox httpd -f -p '[::]:80' -h /tmp/www >/dev/null 2>&1 &""")
    guest.wait(f"{guest.name} serves", f"curl -gsf -m 2 http://{VIPA4}/name http://[{VIPA6}]/name")


def pages(client, address):
    """Who answered how many of PAGES new connections."""
    urls = f"http://{address}/name " * PAGES
    # One process: starting another takes longer than the page.
    said = client.sh(f"curl -gsf -m 5 -H 'Connection: close' {urls} || true", seconds=120).split()
    return Counter(said + ["lost"] * (PAGES - len(said)))


def complaints(dispatcher):
    """What doctor tells of eth0 that is not as it should be."""
    return re.findall(r"^(?:warn|fail) .* eth0: .*", dispatcher.run("xdplb -q doctor eth0", seconds=90).output, re.M)

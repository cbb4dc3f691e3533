# SPDX-License-Identifier: GPL-2.0-only
"""Client, dispatcher and servers as machines of their own on one LAN, their NICs driven by a real driver."""
from collections import Counter

from vmlab.catalog import scenario
from vmlab.frames import frames_of, mac_text
from vmlab.words import expect, expect_equal, step

VIPA4, VIPA6 = "192.0.2.10", "2001:db8:1::10"
PAGES = 40
# name: (host part of its addresses and MAC)
HOSTS = {"dispatcher": 2, "s1": 21, "s2": 22, "client": 100}


def mac_of(name):
    return f"02:00:00:00:00:{HOSTS[name]:02x}"


def boot_hosts(lab):
    """All of them at once, with their addresses."""
    lan = lab.lan("lan")
    for name in HOSTS:
        # XDP wants queues of its own for what it sends.
        is_dispatcher = name == "dispatcher"
        guest = lab.guest(name, memory_mb=1024 if is_dispatcher else 320, cpus=2 if is_dispatcher else 1)
        guest.cable(lan, mac_of(name))
        guest.start()
    for name, number in HOSTS.items():
        guest = lab.guests[name]
        guest.wait_for_boot()
        guest.sh(f"""modprobe virtio_net
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
        setsid httpd -f -p '[::]:80' -h /tmp/www >/dev/null 2>&1 &""")
    guest.wait(f"{guest.name} serves", f"curl -gsf -m 2 http://{VIPA4}/name http://[{VIPA6}]/name")


def pages(client, address):
    """Who answered how many of PAGES new connections."""
    said = client.sh(f"for i in $(seq {PAGES}); do curl -gsf -m 5 'http://{address}/name' || echo lost; done", seconds=120)
    return Counter(said.split())


def answers_through(guest):
    """Frames with a VIPA as the source that entered the guest's NIC: answers that took the way through it."""
    sources = {bytes([192, 0, 2, 10])}
    return [mac_text(frame[6:12]) for file in guest.captures(0) for frame in frames_of(file)
            if frame[12:14] == b"\x08\x00" and frame[23] == 6 and frame[26:30] in sources and mac_text(frame[0:6]) == mac_of(guest.name)]


@scenario("native", "client, dispatcher and two servers as four machines: virtio-net's own XDP hook, pages and a download over IPv4 and IPv6")
def native(lab):
    step("four machines boot")
    boot_hosts(lab)
    dispatcher, client = lab.guests["dispatcher"], lab.guests["client"]
    for name in ("s1", "s2"):
        serve(lab.guests[name])
    step("xdplb load")
    said = dispatcher.sh("xdplb load eth0", seconds=90)
    link = dispatcher.sh("xdplb -j status")
    expect("eth0 has a program", "prog/xdp" in dispatcher.sh("/usr/local/bin/ip -d link show eth0"))
    expect("the driver's own hook was had", '"native"' in link, f"{said}\n{link}")
    dispatcher.sh(f"""xdplb cluster add web {VIPA4} {VIPA6}
        xdplb port add web/80
        xdplb server add web/80 192.0.2.21 --name s1
        xdplb server add web/80 192.0.2.22 --name s2""", seconds=90)
    step("traffic")
    for address in (VIPA4, f"[{VIPA6}]"):
        client.wait(f"a first page from {address}", f"curl -gsf -m 2 'http://{address}/name'")
        seen = pages(client, address)
        expect_equal(f"pages from {address} that were lost", 0, seen["lost"])
        expect(f"{address}: s1 answered {seen['s1']}, s2 {seen['s2']}", seen["s1"] > 0 and seen["s2"] > 0)
        size = client.sh(f"curl -gsf -m 60 'http://{address}/big' | wc -c", seconds=90).strip()
        expect_equal(f"bytes of a download from {address}", "8388608", size)
    expect_equal("answers that took the way through the dispatcher", [], answers_through(dispatcher))
    step("xdplb unload")
    dispatcher.sh("xdplb unload", seconds=60)
    expect_equal("pins that are left", "", dispatcher.sh("find /sys/fs/bpf/xdplb -mindepth 1 2>/dev/null || true").strip())
    expect_equal("programs that are left", "", dispatcher.sh("/usr/local/bin/ip -d link show eth0 | grep xdp || true").strip())

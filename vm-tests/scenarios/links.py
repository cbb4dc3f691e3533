# SPDX-License-Identifier: GPL-2.0-only
"""A dispatcher whose LAN is a VLAN, a bond or a bridge."""
import json
from collections import Counter

from vmlab.catalog import scenario
from vmlab.frames import frames_of
from vmlab.traffic import Download, all_go_on, in_url, serve
from vmlab.wire import Wire
from vmlab.words import expect, expect_equal, say, step, wait_until

VIPAS = {4: "192.0.2.10", 6: "2001:db8:1::10"}
VIPA_BYTES = bytes([192, 0, 2, 10])
PAGES = 16
# name: host part of its addresses and of its MAC
HOSTS = {"dispatcher": 2, "s1": 21, "s2": 22, "client": 100}
SERVERS = ("s1", "s2")
VLAN = 10


def mac_of(name, nic=0):
    return f"02:00:00:00:0{nic}:{HOSTS[name]:02x}"


class Farm:
    """Four machines on one LAN. `nics` are the dispatcher's: for each its driver."""

    def __init__(self, lab, nics):
        self.lan = lab.lan("lan")
        self.guests = {}
        for name in HOSTS:
            is_dispatcher = name == "dispatcher"
            guest = lab.guest(name, memory_mb=1024 if is_dispatcher else 256)
            for number, driver in enumerate(nics if is_dispatcher else ["virtio-net-pci"]):
                guest.cable(self.lan, mac_of(name, number), driver)
            self.guests[name] = guest
        self.dispatcher, self.client = self.guests["dispatcher"], self.guests["client"]
        self.wire = Wire(*(f"dispatcher-eth{number}" for number in range(len(nics))))
        for guest in self.guests.values():
            guest.start()
        for guest in self.guests.values():
            guest.wait_for_boot()
            guest.sh("""modprobe -a virtio_net e1000e 8021q bridge; modprobe bonding max_bonds=0
                sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
                for nic in /sys/class/net/eth*; do sysctl -qw net.ipv6.conf.${nic##*/}.accept_dad=0; ip link set ${nic##*/} up; done""")

    def give_addresses(self, name, interface):
        """The machine's own, on that interface and nowhere else."""
        number = HOSTS[name]
        self.guests[name].sh(f"""for nic in $(ls /sys/class/net); do [ $nic = lo ] || ip address flush dev $nic scope global; done
            ip link set {interface} up
            ip address add 192.0.2.{number}/24 dev {interface}; ip address add 2001:db8:1::{number}/64 dev {interface}""")

    def serve(self):
        for name in SERVERS:
            self.guests[name].sh(f"""sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
                ip address add {VIPAS[4]}/32 dev lo; ip address add {VIPAS[6]}/128 dev lo""")
            serve(self.guests[name], *VIPAS.values())

    def load(self, words):
        """What the command said."""
        return self.dispatcher.sh(f"xdplb load {words} 2>&1", seconds=120)

    def configure(self, options=""):
        """Cluster web with both servers."""
        self.dispatcher.sh(f"xdplb cluster add web {' '.join(VIPAS.values())}; xdplb port add web/80")
        for name in SERVERS:
            self.dispatcher.sh(f"xdplb server add web/80 192.0.2.{HOSTS[name]} --name {name} {options}")

    def show(self, vipa):
        return json.loads(self.dispatcher.sh(f"xdplb -j vipa show {vipa}"))

    def expect_owner(self, name):
        for vipa in VIPAS.values():
            wait_until(f"{name} owns {vipa}: {self.show(vipa)}", 60, lambda: self.show(vipa)["owner"] == name)

    def modes(self):
        """Of the loaded interfaces."""
        status = json.loads(self.dispatcher.run("xdplb -j status").output)
        return {one["name"]: one["mode"] for one in status["interfaces"]}

    def expect_served(self, when):
        """New connections of the client, to both servers, by both families."""
        for vipa in VIPAS.values():
            self.client.wait(f"{when}: a first page from {vipa}", f"curl -gsf -m 2 'http://{in_url(vipa)}/name'", 60)
            said = self.client.sh(f"for i in $(seq {PAGES}); do curl -gsf -m 10 'http://{in_url(vipa)}/name' || echo lost; done",
                                  seconds=200)
            seen = Counter(said.split())
            expect(f"{when}: {vipa}: of {PAGES} pages s1 sent {seen['s1']}, s2 {seen['s2']}",
                   seen["s1"] > 0 and seen["s2"] > 0 and seen["s1"] + seen["s2"] == PAGES, seen)

    def unload(self):
        self.dispatcher.sh("xdplb unload", seconds=90)
        expect_equal("programs that are left", "", self.programs())

    def programs(self):
        return self.dispatcher.sh("/usr/local/bin/ip -d link | grep prog/xdp || true").strip()

    def tags_of(self, guest, first):
        """Of IPv4 frames for or from the VIPA at a guest's first NIC, after the first so many: Counter of VLAN ids, 0: none."""
        tags = Counter()
        for frame in list(frames_of(self.guests[guest].capture(0, 1)))[first:]:
            tag, at = (int.from_bytes(frame[14:16], "big") & 0xFFF, 16) if frame[12:14] == b"\x81\x00" else (0, 12)
            if frame[at:at + 2] == b"\x08\x00" and VIPA_BYTES in (frame[at + 14:at + 18], frame[at + 18:at + 22]):
                tags[tag] += 1
        return tags

    def mark(self, guest):
        return sum(1 for _ in frames_of(self.guests[guest].capture(0, 1)))


def make_vlan(guest, nic):
    guest.sh(f"""ip link add link {nic} name {nic}.{VLAN} type vlan id {VLAN}
        sysctl -qw net.ipv6.conf.{nic}/{VLAN}.accept_dad=0; ip link set {nic}.{VLAN} up""")


@scenario("vlan", "a VLAN behind trunks of virtio-net and e1000e: the dispatcher on the sub-interface; --vlan on the trunk")
def vlan(lab):
    lab.note(driver="virtio-net, e1000e", mode="generic on the VLAN; native and generic on the trunk")
    step("four machines on VLAN 10")
    farm = Farm(lab, ["virtio-net-pci", "e1000e"])
    for name, guest in farm.guests.items():
        make_vlan(guest, "eth0")
        farm.give_addresses(name, f"eth0.{VLAN}")
    make_vlan(farm.dispatcher, "eth1")
    farm.serve()
    on_sub_interface(farm, "eth0")
    one_on_the_other(farm, "eth0", f"eth0.{VLAN}")
    farm.give_addresses("dispatcher", f"eth1.{VLAN}")
    on_sub_interface(farm, "eth1")
    step("everybody on the untagged LAN of the trunk")
    for name in farm.guests:
        farm.give_addresses(name, "eth0")
    on_trunk(farm, "eth0", "native")
    farm.give_addresses("dispatcher", "eth1")
    on_trunk(farm, "eth1", "generic")


def on_sub_interface(farm, nic):
    step(f"the dispatcher on {nic}.{VLAN}")
    since, marks = farm.wire.now(), {name: farm.mark(name) for name in ("client", "s1")}
    said = farm.load(f"{nic}.{VLAN}")
    expect_equal(f"mode, after: {said.strip()}", {f"{nic}.{VLAN}": "generic"}, farm.modes())
    farm.configure()
    farm.expect_owner(f"{nic}.{VLAN}")
    farm.expect_served(f"on {nic}.{VLAN}")
    for vipa in VIPAS.values():
        said = farm.wire.said(vipa, since)
        expect_equal(f"ports and tags of what is said for {vipa}", {(f"dispatcher-{nic}", VLAN)},
                     {(frame["port"], frame.get("vlan")) for frame in said})
    for name, mark in marks.items():
        expect_equal(f"tags of the VIPA's frames at {name}", {VLAN}, set(farm.tags_of(name, mark)))
    farm.unload()


def on_trunk(farm, nic, mode):
    """s1 is sent frames with the tag, s2 as they came; both answer without."""
    step(f"the dispatcher on the trunk {nic}: --vlan {VLAN} for s1")
    mark = {name: farm.mark(name) for name in SERVERS}
    farm.load(nic)
    expect_equal("mode", {nic: mode}, farm.modes())
    farm.configure()
    farm.dispatcher.sh(f"xdplb server set web/80/s1 --vlan {VLAN}")
    farm.expect_owner(nic)
    farm.client.sh("/usr/local/bin/ip neighbour flush all")
    farm.expect_served(f"on {nic}")
    for name, tags in (("s1", {0, VLAN}), ("s2", {0})):
        expect_equal(f"tags of the VIPA's frames at {name}, its own answers among them", tags, set(farm.tags_of(name, mark[name])))
    if mode == "generic":
        told = farm.dispatcher.run("xdplb doctor").output
        expect("doctor tells that the card takes tags out", "warn vlan_offload eth1: the card takes VLAN tags out" in told, told)
    farm.dispatcher.sh("xdplb server set web/80/s1 --vlan keep")
    farm.unload()


def one_on_the_other(farm, lower, upper):
    """Frames go from the lower one's program past the upper one's; it is refused, whatever the order."""
    step(f"{lower} and {upper}, which stands on it, are not for one dispatcher")
    for words in (f"{lower} {upper}", f"{upper} {lower}"):
        done = farm.dispatcher.run(f"xdplb load {words}", seconds=120)
        expect_equal(f"load {words}: exit code", 7, done.code)
        expect(f"it says why: {done.output.strip()}", f"{upper}: it stands on {lower}" in done.output, done.output)
    expect_equal("programs that are left", "", farm.programs())


def expect_no_second(farm, lower, upper):
    """The same when one of them is loaded already, which goes on."""
    done = farm.dispatcher.run(f"xdplb load {lower}", seconds=120)
    expect_equal(f"load {lower} while {upper} is loaded: exit code", 7, done.code)
    farm.expect_served(f"{upper} goes on")


def expect_member_alone(farm, lower, upper):
    """It may be loaded; what is missing is told."""
    step(f"{lower} alone, a member of {upper}")
    farm.load(lower)
    status = json.loads(farm.dispatcher.run("xdplb -j status").output)
    told = {problem["code"]: problem["text"] for problem in status["problems"]}
    expect_equal(f"what is told of {lower}", f"it is enslaved to {upper}", told.get("interface_down"))
    expect(f"that nobody owns the VIPAs and no server is reached is told: {sorted(told)}",
           {"vipa_silent", "server_unresolved"} <= set(told), told)
    farm.unload()


def make_bond(farm):
    farm.dispatcher.sh("""ip=/usr/local/bin/ip
        for nic in eth0 eth1; do $ip link set $nic down; done
        $ip link add bond0 type bond mode active-backup miimon 50
        sysctl -qw net.ipv6.conf.bond0.accept_dad=0
        for nic in eth0 eth1; do $ip link set $nic master bond0; done
        $ip link set bond0 up; $ip link set bond0 type bond active_slave eth0""")
    farm.give_addresses("dispatcher", "bond0")


@scenario("bond", "the dispatcher on an active-backup bond: the active member's cable is pulled, downloads and new connections go on")
def bond(lab):
    lab.note(driver="virtio-net", mode="native on bond0")
    step("four machines, the dispatcher with a bond")
    farm = Farm(lab, ["virtio-net-pci", "virtio-net-pci"])
    for name in farm.guests:
        if name != "dispatcher":
            farm.give_addresses(name, "eth0")
    make_bond(farm)
    farm.serve()
    step("xdplb load bond0")
    farm.load("bond0")
    expect_equal("mode", {"bond0": "native"}, farm.modes())
    farm.configure()
    farm.expect_owner("bond0")
    farm.expect_served("on bond0")
    downloads = [Download(farm.client, vipa, f"ipv{family}") for family, vipa in VIPAS.items()]
    for active, other in ((0, 1), (1, 0)):
        step(f"the cable of the active member eth{active} is pulled")
        since = farm.wire.now()
        farm.dispatcher.set_cable(active, False)
        for vipa in VIPAS.values():
            port = f"dispatcher-eth{other}"
            announced = wait_until(f"{vipa} is announced through eth{other}", 30, lambda: farm.wire.announced(vipa, since, port=port))
            seconds = announced[0]["t"] - since
            say(f"   {vipa}: {1000 * seconds:.0f} ms from the cable to the announcement through eth{other}; the bond looks every 50 ms")
            said = {(frame["port"], frame["mac"]) for frame in farm.wire.said(vipa, announced[0]["t"])}
            expect_equal(f"who speaks for {vipa}", {(port, mac_of("dispatcher"))}, said)
            expect_equal("its owner and moves", ("bond0", 0), (farm.show(vipa)["owner"], farm.show(vipa)["moves"]))
        all_go_on(downloads, f"through eth{other}")
        farm.expect_served(f"through eth{other}")
        farm.dispatcher.set_cable(active, True)
        farm.dispatcher.wait(f"eth{active} is a member in good health again",
                             f"grep -A1 'Interface: eth{active}' /proc/net/bonding/bond0 | grep -q 'Status: up'")
    for download in downloads:
        download.check()
    expect_no_second(farm, "eth0", "bond0")
    farm.unload()
    one_on_the_other(farm, "eth1", "bond0")
    expect_member_alone(farm, "eth0", "bond0")


@scenario("bridge", "the dispatcher's NIC is a port of a bridge: the program on the bridge, and why not on the port", is_quick=False)
def bridge(lab):
    lab.note(driver="virtio-net", mode="generic on br0")
    step("four machines, the dispatcher with a bridge")
    farm = Farm(lab, ["virtio-net-pci"])
    for name in farm.guests:
        if name != "dispatcher":
            farm.give_addresses(name, "eth0")
    farm.dispatcher.sh(f"""ip=/usr/local/bin/ip
        $ip link add br0 address {mac_of('dispatcher')} type bridge forward_delay 0
        sysctl -qw net.ipv6.conf.br0.accept_dad=0
        $ip link set eth0 master br0; $ip link set br0 up""")
    farm.give_addresses("dispatcher", "br0")
    farm.serve()
    step("xdplb load br0")
    farm.load("br0")
    expect_equal("mode", {"br0": "generic"}, farm.modes())
    farm.configure()
    farm.expect_owner("br0")
    farm.expect_served("on br0")
    downloads = [Download(farm.client, vipa, f"ipv{family}") for family, vipa in VIPAS.items()]
    all_go_on(downloads, "on br0")
    for download in downloads:
        download.check()
    expect_no_second(farm, "eth0", "br0")
    farm.unload()
    one_on_the_other(farm, "eth0", "br0")
    expect_member_alone(farm, "eth0", "br0")

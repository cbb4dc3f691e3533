# SPDX-License-Identifier: GPL-2.0-only
"""A server that owns its VIPA through three adapters on one LAN: cables are pulled and put back, its clients do not notice."""
import json

from vmlab.catalog import scenario
from vmlab.lan import Asker
from vmlab.traffic import Download, all_go_on, serve
from vmlab.wire import Wire
from vmlab.words import Failure, expect, expect_equal, say, step, wait_until

VIPAS = {4: "10.1.1.7", 6: "fd00:1::7"}
ADAPTERS = range(3)
HOST4, HOST6 = "10.1.1.1", "fd00:1::1"
HOLD, UP_DELAY = 4, 1
# From the cable to the first announcement; on an idle machine without emulation it takes 10 ms.
FAILOVER_SECONDS = 10
# What two NICs have sent comes out of the emulated machine in no order.
IN_FLIGHT_SECONDS = 0.05


def mac_of(number):
    return f"02:00:00:00:e0:0{number}"


def address_of(number, family):
    return f"10.1.1.{4 + number}" if family == 4 else f"fd00:1::{4 + number}"


class Host:
    """The host with the adapters, a client, and an ear at every cable."""

    def __init__(self, lab):
        self.lan = lab.lan("lan", f"{HOST4}/24", f"{HOST6}/64")
        self.guest = lab.guest("host")
        self.client = lab.guest("client", memory_mb=320)
        for number in ADAPTERS:
            self.guest.cable(self.lan, mac_of(number))
        self.client.cable(self.lan, "02:00:00:00:0c:01")
        self.wire = Wire(*(f"host-eth{number}" for number in ADAPTERS))
        for guest in (self.guest, self.client):
            guest.start()
        for guest in (self.guest, self.client):
            guest.wait_for_boot()
        self.give_addresses()
        self.failovers = []

    def give_addresses(self):
        lines = ["modprobe virtio_net"]
        for number in ADAPTERS:
            lines += [f"sysctl -qw net.ipv6.conf.eth{number}.accept_dad=0", f"ip link set eth{number} up"]
            lines += [f"ip address add {address_of(number, family)}/{64 if family == 6 else 24} dev eth{number}" for family in VIPAS]
        self.guest.sh("\n".join(lines))
        self.client.sh("""modprobe virtio_net; sysctl -qw net.ipv6.conf.eth0.accept_dad=0; ip link set eth0 up
            ip address add 10.1.1.100/24 dev eth0; ip address add fd00:1::100/64 dev eth0""")

    def own_vipas(self):
        """As docs/vipa.md says it for a server of several adapters."""
        self.guest.sh("setsid xdplbd >/tmp/xdplbd.log 2>&1 &")
        self.guest.wait("xdplbd answers", "xdplb -j status >/dev/null || [ $? = 1 ]", 60)
        self.guest.sh(f"xdplb set --fix-host on --up-delay {UP_DELAY}s")
        lists = (",".join(address_of(number, family) for number in ADAPTERS) for family in VIPAS)
        self.set_vipas("--local on --failback delayed", *(f"--prefer {one}" for one in lists))

    def set_vipas(self, options, *by_family):
        for number, vipa in enumerate(VIPAS.values()):
            self.guest.sh(f"xdplb vipa set {vipa} --hold {HOLD}s {options} {by_family[number] if by_family else ''}")

    def show(self, vipa):
        return json.loads(self.guest.sh(f"xdplb -j vipa show {vipa}"))

    def plug(self, number, is_in=True):
        """The time of it."""
        when = self.wire.now()
        self.guest.set_cable(number, is_in)
        return when

    def pull(self, number):
        return self.plug(number, False)

    def first_announcement(self, vipa, number, since):
        found = self.wire.announced(vipa, since, port=f"host-eth{number}")
        return found[0]["t"] if found else None

    def client_has(self, vipa):
        """The MAC in the client's neighbour table."""
        words = self.client.sh(f"/usr/local/bin/ip neighbour show {vipa}").split()
        return words[words.index("lladdr") + 1] if "lladdr" in words else ""

    def expect_owner(self, when, number, since, before=None):
        """Adapter `number` announces both VIPAs after `since`, and nobody else says to have them from then on; until then
        adapter `before` did, if any. The client learns it."""
        for vipa in VIPAS.values():
            name = f"eth{number}"
            wait_until(f"{when}: {name} announces {vipa}", 60, lambda: self.first_announcement(vipa, number, since))
            moved = self.first_announcement(vipa, number, since)
            settled = moved + IN_FLIGHT_SECONDS
            wait_until(f"{when}: {name} owns {vipa}", 30, lambda: self.show(vipa)["owner"] == name)
            wait_until(f"{when}: the client has {vipa} at {name}", 30, lambda: self.client_has(vipa) == mac_of(number))
            # The lab's host asks all the time.
            wait_until(f"{when}: {name} answers for {vipa}", 30, lambda: self.wire.pick(moved, kind="answer", ip=vipa, mac=mac_of(number)))
            early = [turn for turn in self.wire.claimants(vipa, since, settled) if before is None or turn != self.turn(before)]
            expect_equal(f"{when}: who speaks for {vipa}", [self.turn(number)], self.wire.claimants(vipa, settled))
            self.expect_none(f"{when}: nobody else spoke for {vipa} meanwhile", [turn for turn in early if turn != self.turn(number)])
            wrong = self.wire.malformed(self.wire.announced(vipa, since))
            self.expect_none(f"{when}: an announcement is not as the standards want it", wrong)

    @staticmethod
    def expect_none(claim, found):
        if found:
            raise Failure(f"{claim}: {found}")

    @staticmethod
    def turn(number):
        return (f"host-eth{number}", mac_of(number))

    def failover(self, what, number, to):
        """The cable of adapter `number` is pulled: `to` takes over."""
        step(what)
        since = self.pull(number)
        self.expect_owner(what, to, since, number)
        for vipa in VIPAS.values():
            seconds = self.first_announcement(vipa, to, since) - since
            own = self.show(vipa)["event_to_announcement_ms"]
            self.failovers.append((what, vipa, seconds, own))
            expect(f"{vipa}: {1000 * seconds:.0f} ms from the cable to the first announcement", 0 <= seconds <= FAILOVER_SECONDS)

    def expect_stays(self, when, number, since):
        """An adapter that is better is well again, and the owner is still the same."""
        for vipa in VIPAS.values():
            expect_equal(f"{when}: who spoke for {vipa}", [self.turn(number)], self.wire.claimants(vipa, since))
            expect_equal(f"{when}: owner of {vipa}", f"eth{number}", self.show(vipa)["owner"])

    def wait_healthy(self, number):
        def is_healthy():
            listed = json.loads(self.guest.sh("xdplb -j interface list"))
            return any(one["name"] == f"eth{number}" and one["state"] == "up" for one in listed)
        wait_until(f"eth{number} is healthy again", 60, is_healthy)


@scenario("vipa", "a server's VIPA on three adapters, cables fail and come back: one answers at a time, downloads go on, by ARP and ND")
def vipa(lab):
    lab.note(driver="virtio-net", mode="none: a server")
    step("a host with three adapters, and a client")
    host = Host(lab)
    host.own_vipas()
    with Asker(host.lan, [VIPAS[4]], [VIPAS[6]], HOST4, HOST6, pause=0.1, has_probes=False):
        serve(host.guest, *VIPAS.values())
        host.client.wait("the client is served", "curl -gsf -m 2 http://10.1.1.7/name http://[fd00:1::7]/name", 60)
        host.expect_owner("at the start", 0, 0)
        downloads = [Download(host.client, vipa, f"ipv{family}") for family, vipa in VIPAS.items()]
        all_go_on(downloads, "at the start")
        fail_one_by_one(host, downloads)
        nobody_is_left(host, downloads)
        come_back(host, downloads)
        policies(host, downloads)
    for download in downloads:
        download.check()
    say("from the cable to the first announcement, and of that what the daemon counts as its own (milliseconds):")
    for what, address, seconds, own in host.failovers:
        say(f"   {what:<32} {address:<10} {1000 * seconds:8.1f} {own:8.2f}")


def fail_one_by_one(host, downloads):
    host.failover("the cable of 10.1.1.4 is pulled", 0, 1)
    all_go_on(downloads, "10.1.1.4 failed")
    host.failover("and that of 10.1.1.5", 1, 2)
    all_go_on(downloads, "10.1.1.5 failed, too")


def nobody_is_left(host, downloads):
    step("and that of 10.1.1.6")
    host.pull(2)
    wait_until("it says that nobody is left", 60, lambda: {host.show(vipa)["state"] for vipa in VIPAS.values()} == {"silent"})
    expect("status tells", "vipa_silent" in host.guest.run("xdplb -j status").output)
    since = host.plug(2)
    host.expect_owner("10.1.1.6 is back, alone", 2, since)
    all_go_on(downloads, "10.1.1.6 is back, alone")


def come_back(host, downloads):
    step("10.1.1.5 comes back: delayed failback")
    since = host.plug(1)
    host.expect_owner("10.1.1.5 is back", 1, since, 2)
    for address in VIPAS.values():
        waited = host.first_announcement(address, 1, since) - since
        expect(f"{address} moved back after {waited:.1f} s, not before the hold of {HOLD} s", waited >= HOLD)
    all_go_on(downloads, "10.1.1.5 is back")
    step("10.1.1.4 comes back")
    since = host.plug(0)
    host.expect_owner("10.1.1.4 is back", 0, since, 1)
    all_go_on(downloads, "10.1.1.4 is back")


def policies(host, downloads):
    step("manual failback")
    host.set_vipas("--failback manual")
    host.failover("10.1.1.4 fails again", 0, 1)
    since = host.plug(0)
    host.wait_healthy(0)
    host.expect_stays("10.1.1.4 is back, by hand only", 1, since)
    since = host.wire.now()
    for family, address in VIPAS.items():
        host.guest.sh(f"xdplb vipa move {address} {address_of(0, family)} && xdplb vipa resume {address}")
    host.expect_owner("moved by hand", 0, since, 1)
    all_go_on(downloads, "moved by hand")
    step("immediate failback, and the second of the list fails while it is not needed")
    host.set_vipas("--failback immediate")
    since = host.pull(1)
    host.guest.wait("eth1 has failed", "ip link show eth1 | grep -q NO-CARRIER")
    host.expect_stays("10.1.1.5 fails", 0, since)
    host.failover("10.1.1.4 fails: the third takes over", 0, 2)
    all_go_on(downloads, "10.1.1.6 owns")
    since = host.plug(0)
    host.expect_owner("10.1.1.4 is back at once", 0, since, 2)
    all_go_on(downloads, "10.1.1.4 is back at once")

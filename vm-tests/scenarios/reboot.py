# SPDX-License-Identifier: GPL-2.0-only
"""A server that xdplb-server has set up is still right after a reboot, and never answered ARP for the VIPA on the way."""
from vmlab.catalog import scenario
from vmlab.frames import neighbors_of
from vmlab.lan import Asker
from vmlab.words import command_output, expect, expect_equal, step

MAC = "02:00:00:00:00:21"
OWN4, OWN6 = "192.0.2.21", "2001:db8:1::21"
HOST4, HOST6 = "192.0.2.1", "2001:db8:1::1"
VIPA4, VIPA6 = "192.0.2.10", "2001:db8:1::10"

NETWORKD = {
    "etc/systemd/network/10-eth0.network": f"""[Match]
Name=eth0
[Network]
Address={OWN4}/24
Address={OWN6}/64
Gateway={HOST4}
Gateway={HOST6}
IPv6AcceptRA=no
LinkLocalAddressing=ipv6
""",
}
IFUPDOWN = {
    "etc/network/interfaces": f"""source /etc/network/interfaces.d/*
auto lo
iface lo inet loopback
auto eth0
iface eth0 inet static
  address {OWN4}/24
  gateway {HOST4}
iface eth0 inet6 static
  address {OWN6}/64
  gateway {HOST6}
""",
}
# Where a manager is told of the alias.
PLACES = {"networkd": "/etc/systemd/network/", "ifupdown": "/etc/network/interfaces.d/"}
# All that setup may touch, as text that is the same when nothing changed.
STATE = """
ip -o address | sed 's/ *valid_lft.*//' | sort
ip route show table all | sed 's/ expires [0-9]*sec//' | sort
ip -6 route show table all | sed 's/ expires [0-9]*sec//' | sort
ip rule; ip -6 rule; ip neighbour show proxy; nft list ruleset
grep -rs . /proc/sys/net/ipv4/conf /proc/sys/net/ipv6/conf | grep -v stable_secret | sort
"""
# The folder of the record is its lock, too, and stays.
FILES = """
mkdir -p /var/lib/xdplb-server
find /etc /usr/local /var/lib/xdplb-server -mindepth 1 -type f -exec sha256sum {} + | sort
find /etc /usr/local /var/lib/xdplb-server -mindepth 1 ! -type f -printf '%p %y %l\\n' | sort
"""
RECORD = ["/var/lib/xdplb-server/"]
# systemd-networkd sets these of an interface that it has anything to do for, and leaves them at that.
LEFT_BY_NETWORKD = ["/ipv4/conf/lo/promote_secondaries:", "/ipv6/conf/lo/addr_gen_mode:"]


class Server:
    """The guest, with an ear at its NIC."""

    def __init__(self, lab, files, services, masked):
        self.lan = lab.lan("lan", f"{HOST4}/24", f"{HOST6}/64")
        self.guest = lab.debian("server", ["xdplb-server"], files, services=services, masked=masked)
        self.guest.cable(self.lan, MAC)
        self.guest.start().wait_for_boot()
        self.wait_for_network()

    def wait_for_network(self):
        self.guest.wait("its network is up", f"ip -o address show dev eth0 | grep -q {OWN4}/24 && ping -c 1 -W 1 {HOST4} && ping -c 1 -W 1 {HOST6}", 60)

    def asker(self):
        return Asker(self.lan, [OWN4, VIPA4], [OWN6, VIPA6], HOST4, HOST6)

    def exchanged(self):
        """All that was asked and said about addresses at its NIC, since it was switched on first."""
        return neighbors_of(self.guest.captures(0))

    def mark(self):
        """For what follows: see heard()."""
        return len(self.exchanged())

    def heard(self, first):
        """What the server said about addresses since a mark."""
        return [said for said in self.exchanged()[first:] if said.source_mac == MAC]

    def leaks(self, first):
        """Frames in which the server calls a VIPA its own."""
        return [said for said in self.heard(first) if said.sender in (VIPA4, VIPA6)]

    def expect_silence(self, when, first):
        """Silence proves something only where the server is asked and answers for what is its own."""
        for own, vipa in ((OWN4, VIPA4), (OWN6, VIPA6)):
            answers = [said for said in self.heard(first) if said.kind == "answer" and said.sender == own]
            expect(f"{when}: answers for its own {own}", len(answers) > 0)
            expect(f"{when}: is asked for {vipa} after its first answer", self.asked_after_answer(first, own, vipa) > 0)
        expect(f"{when}: not one frame says the VIPA is here", not self.leaks(first), self.leaks(first))

    def asked_after_answer(self, first, own, vipa):
        said = self.exchanged()[first:]
        start = next(number for number, one in enumerate(said) if one.source_mac == MAC and one.kind == "answer" and one.sender == own)
        return sum(one.kind == "request" and one.target == vipa for one in said[start:])

    def reboot(self):
        """With somebody asking all the while. Returns where the capture of this boot begins."""
        first = self.mark()
        with self.asker():
            self.guest.reboot()
            self.wait_for_network()
            self.guest.wait("systemd is done", "case $(systemctl is-system-running) in running|degraded) ;; *) false ;; esac", 90)
            self.guest.sh("ip neighbour flush all")
            self.pings()
        return first

    def pings(self):
        """Whether the VIPA answers to what is sent to the server's MAC."""
        def answers(vipa):
            command_output("ip", "neighbour", "replace", vipa, "lladdr", MAC, "dev", "lan", "nud", "permanent")
            try:
                command_output("ping", "-c", "1", "-W", "3", vipa)
                return True
            except Exception:
                return False
        return [answers(VIPA4), answers(VIPA6)]

    def xdplb_server(self, words):
        done = self.guest.run(f"xdplb-server {words}")
        return done.code, done.output


def prove_the_ear(server):
    """An alias without silence answers, and the capture has it: what is absent later would have been seen."""
    first = server.mark()
    server.guest.sh(f"ip address add {VIPA4}/32 dev lo")
    with server.asker():
        server.guest.wait("asked", f"ping -c 3 -i 0.3 {HOST4}")
    server.guest.sh(f"ip address del {VIPA4}/32 dev lo")
    expect("an alias without silence is heard", server.leaks(first))


def set_up(server, manager):
    code, output = server.xdplb_server(f"check {VIPA4} {VIPA6}")
    expect_equal("check of a host that is not set up", 1, code)
    for fault in ("alias_missing", "arp_ignore", "arp_announce"):
        expect(f"it names {fault}", fault in output, output)
    code, output = server.xdplb_server(f"setup {VIPA4} {VIPA6} --persist auto --dry-run")
    expect("--persist auto takes what runs here", PLACES[manager] in output, output)
    first = server.mark()
    with server.asker():
        code, output = server.xdplb_server(f"setup {VIPA4} {VIPA6} --persist {manager}")
        expect(f"setup --persist {manager} ends well", code == 0, output)
        server.guest.sh("ip neighbour flush all")
        expect_equal("the VIPAs answer echo requests", [True, True], server.pings())
    server.expect_silence("during setup", first)
    expect_ready(server, "after setup")


def expect_ready(server, when):
    code, output = server.xdplb_server(f"check {VIPA4} {VIPA6}")
    expect(f"{when}: check is content", code == 0, output)
    addresses = server.guest.sh("ip -o address show dev lo")
    for address in (f"{VIPA4}/32", f"{VIPA6}/128", "127.0.0.1/8", "::1/128"):
        expect(f"{when}: {address} is on lo", f" {address} " in addresses, addresses)
    sysctls = server.guest.sh("cd /proc/sys/net/ipv4/conf/all; cat arp_ignore arp_announce").split()
    expect_equal(f"{when}: arp_ignore, arp_announce", ["1", "2"], sysctls)
    expect_equal(f"{when}: both VIPAs answer echo requests", [True, True], server.pings())


def expect_same(claim, before, after, but=()):
    """Two texts have the same lines, except those with one of `but`."""
    old, new = ({line for line in text.splitlines() if not any(word in line for word in but)} for text in (before, after))
    expect(claim, old == new, f"gone: {sorted(old - new)}, new: {sorted(new - old)}")


def remove(server, state, files):
    """state, files: what was there before setup."""
    first = server.mark()
    with server.asker():
        code, output = server.xdplb_server("remove --all")
    expect("remove ends well", code == 0, output)
    expect("not one frame says the VIPA is here", not server.leaks(first), server.leaks(first))
    expect_same("addresses, routes, rules and settings are as before", state, server.guest.sh(STATE), LEFT_BY_NETWORKD)
    expect_same("files are as before, its record gone", files, server.guest.sh(FILES))


def survive(lab, manager, files, services=(), masked=()):
    step("boots a Debian with " + manager)
    server = Server(lab, files, services, masked)
    prove_the_ear(server)
    state_before, files_before = server.guest.sh(STATE), server.guest.sh(FILES)
    step("xdplb-server setup")
    set_up(server, manager)
    files_set_up = server.guest.sh(FILES)
    step("reboot")
    first = server.reboot()
    server.expect_silence("across the reboot", first)
    expect_ready(server, "after the reboot")
    code, output = server.xdplb_server(f"setup {VIPA4} {VIPA6} --persist {manager}")
    expect("a second setup ends well", code == 0, output)
    # It may note in its record that there was a boot.
    expect_same("and writes nothing", files_set_up, server.guest.sh(FILES), RECORD)
    step("xdplb-server remove")
    remove(server, state_before, files_before)
    step("reboot after remove")
    server.reboot()
    expect_same("addresses, routes, rules and settings are as before", state_before, server.guest.sh(STATE))


@scenario("reboot-networkd", "xdplb-server setup --persist networkd survives a reboot, silently, and remove leaves nothing", needs_debian=True)
def reboot_networkd(lab):
    lab.note(driver="virtio-net", mode="none: a server")
    survive(lab, "networkd", NETWORKD, services=["systemd-networkd.service"], masked=["networking.service"])


@scenario("reboot-ifupdown", "xdplb-server setup --persist ifupdown survives a reboot, silently, and remove leaves nothing", needs_debian=True)
def reboot_ifupdown(lab):
    lab.note(driver="virtio-net", mode="none: a server")
    survive(lab, "ifupdown", IFUPDOWN)

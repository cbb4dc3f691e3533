# SPDX-License-Identifier: GPL-2.0-only
"""A dispatcher under systemd that is restarted, killed and switched off; and one that is unloaded, of which nothing is left."""
import json
import pathlib
import time
from collections import Counter

from vmlab.catalog import scenario
from vmlab.traffic import Download, all_go_on, in_url, serve
from vmlab.words import expect, expect_equal, say, step, wait_until

VIPAS = {4: "192.0.2.10", 6: "2001:db8:1::10"}
# name: host part of its addresses and of its MAC
HOSTS = {"dispatcher": 2, "s1": 21, "s2": 22, "client": 100}
WEIGHTS = {"s1": 20, "s2": 10}
UNIT = "xdplbd@default"
JOURNAL = f"journalctl --no-pager -b -u {UNIT} -n 20"
UNIT_FILE = pathlib.Path(__file__).resolve().parents[2] / "packaging/xdplbd@.service"
NETWORK = """[Match]
Name=eth0
[Network]
Address=192.0.2.2/24
Address=2001:db8:1::2/64
IPv6AcceptRA=no
LinkLocalAddressing=ipv6
"""
# All that a dispatcher may touch on its host, as text that is the same when nothing is left of it.
STATE = """
ip -o address | sed 's/ *valid_lft.*//; s/ tentative//' | sort
ip -d -o link | sed 's/qdisc.*qlen//'
for family in -4 -6; do
  ip $family rule; ip $family route show table all | sed 's/ expires [0-9]*sec//' | sort; ip $family neighbour show proxy
done
ip neighbour | grep -E 'PERMANENT|managed|extern' || true
ip maddress
[ ! -x /usr/sbin/nft ] || nft list ruleset
sysctl -a 2>/dev/null | grep -E '^(net|kernel)[.]' | grep -vE 'random|stable_secret|ns_last_pid|_count |kernel.pty.nr|netdev_rss_key'
find /sys/fs/bpf -mindepth 1 | sort
find /run/xdplb -mindepth 1 2>/dev/null | sort
ls /etc /tmp | grep -i xdplb || true
ps -ef | grep '[x]dplbd' || true
"""
# The folder of all instances, the one instance's lock, and the log that `load` began.
KEPT = ["/sys/fs/bpf/xdplb", "/run/xdplb/default", "/run/xdplb/default/lock", "/run/xdplb/default/xdplbd.log"]
# Of every kind there is, by its own tool.
KERNEL_OBJECTS = "for kind in prog map link; do bpftool $kind list; done"


class Farm:
    """A dispatcher, which the scenario makes, two servers and a client on one LAN."""

    def __init__(self, lab, dispatcher):
        lan = lab.lan("lan")
        self.dispatcher = dispatcher
        self.guests = {"dispatcher": dispatcher} | {name: lab.guest(name, memory_mb=256) for name in HOSTS if name != "dispatcher"}
        self.client = self.guests["client"]
        for name, guest in self.guests.items():
            guest.cable(lan, f"02:00:00:00:00:{HOSTS[name]:02x}")
            guest.start()
        for name, guest in self.guests.items():
            guest.wait_for_boot()
            if name != "dispatcher":
                self.give_addresses(name)
        # As routers do, the client believes for ten minutes what it has learned: without a daemon nobody would answer it.
        self.client.sh("sysctl -qw net.ipv4.neigh.eth0.base_reachable_time_ms=600000 net.ipv6.neigh.eth0.base_reachable_time_ms=600000")
        for name in WEIGHTS:
            self.guests[name].sh(f"""sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
                ip address add {VIPAS[4]}/32 dev lo; ip address add {VIPAS[6]}/128 dev lo""")
            serve(self.guests[name], *VIPAS.values())

    def give_addresses(self, name):
        self.guests[name].sh(f"""modprobe virtio_net; sysctl -qw net.ipv6.conf.eth0.accept_dad=0
            ip link set eth0 up; ip address add 192.0.2.{HOSTS[name]}/24 dev eth0; ip address add 2001:db8:1::{HOSTS[name]}/64 dev eth0""")

    def configure(self):
        """The usual cluster, with an advisor, whose probes have rules and routes."""
        commands = [f"xdplb cluster add web {' '.join(VIPAS.values())}", "xdplb port add web/80 --sticky 60s"]
        commands += [f"xdplb server add web/80 192.0.2.{HOSTS[name]} --name {name} --weight {weight}" for name, weight in WEIGHTS.items()]
        commands += ["xdplb advisor set web/80 --type http --path /name --interval 2s", "xdplb set --reach 192.0.2.21,192.0.2.22"]
        self.dispatcher.sh(" && ".join(commands), seconds=90)
        self.wait_for_servers()

    def wait_for_servers(self):
        """Both are well, by their advisor."""
        def are_well():
            done = self.dispatcher.run("xdplb -j server list web/80")
            return done.code == 0 and [one["health"] for one in json.loads(done.output)] == ["up", "up"]
        wait_until("both servers are up", 90, are_well, pause=0.3)

    def expect_served(self, when, pages=8):
        for vipa in VIPAS.values():
            self.client.wait(f"{when}: a page from {vipa}", f"curl -gsf -m 3 'http://{in_url(vipa)}/name'", 60)
            said = self.client.sh(f"for i in $(seq {pages}); do curl -gsf -m 10 'http://{in_url(vipa)}/name' || echo lost; done",
                                  seconds=150)
            seen = Counter(said.split())
            expect(f"{when}: {pages} of {pages} pages came from {vipa}", seen["s1"] + seen["s2"] == pages, seen)


class Visits:
    """New connections of the client, one after the other, until end()."""

    def __init__(self, farm):
        self.client = farm.client
        self.client.sh(f"""rm -f /tmp/visits /tmp/visits.stop
            (while [ ! -e /tmp/visits.stop ]; do curl -gsf -m 20 'http://{VIPAS[4]}/name' || echo lost; sleep 0.1; done
             echo end) >/tmp/visits 2>&1 &""")

    def end(self, when):
        """None was without an answer, retransmissions allowed."""
        self.client.sh("touch /tmp/visits.stop")
        self.client.wait(f"{when}: the last connection has ended", "grep -qx end /tmp/visits", 40)
        seen = Counter(self.client.sh("cat /tmp/visits").split())
        answered = seen["s1"] + seen["s2"]
        expect(f"{when}: {answered} new connections were answered, none lost", seen["lost"] == 0 and answered > 0, seen)


def expect_same(claim, before, after):
    """All of STATE."""
    old, new = ([line for line in text.splitlines() if line not in KEPT] for text in (before, after))
    expect(claim, old == new, f"gone: {[line for line in old if line not in new]}, new: {[line for line in new if line not in old]}")


def main_pid(guest):
    return guest.sh(f"systemctl show -p MainPID --value {UNIT}").strip()


def wait_for_unit(guest, when):
    guest.wait(f"{when}: the unit is active and its daemon answers",
               f"systemctl -q is-active {UNIT} && {{ xdplb -j status >/dev/null || [ $? = 1 ]; }}", 120)


def problems(guest):
    """But for checks that came late, which an emulated machine is slow enough for."""
    codes = [problem["code"] for problem in json.loads(guest.run("xdplb -j status").output)["problems"]]
    return [code for code in codes if code != "check_late"]


def debian_farm(lab):
    """A Debian dispatcher whose network is systemd-networkd's, with xdplb as `cmake --install` leaves it."""
    step("a Debian dispatcher, two servers, a client")
    files = {"etc/systemd/network/10-eth0.network": NETWORK,
             "usr/local/lib/systemd/system/xdplbd@.service": UNIT_FILE.read_text()}
    debian = lab.debian("dispatcher", ["xdplb", "xdplbd"], files, services=["systemd-networkd.service"],
                        masked=["networking.service"], memory_mb=1024)
    farm = Farm(lab, debian)
    debian.wait("its network is up", "ip -o address show dev eth0 | grep -q 2001:db8:1::2/64 && ping -c 1 -W 1 192.0.2.21", 90)
    return farm


def enable_unit(farm):
    step("systemctl enable --now, xdplb load")
    debian = farm.dispatcher
    debian.sh(f"systemctl enable --now {UNIT} 2>&1")
    wait_for_unit(debian, "enabled")
    load_natively(debian)
    farm.configure()
    expect_equal("problems", [], problems(debian))
    farm.expect_served("as a unit")
    return [Download(farm.client, vipa, f"ipv{family}") for family, vipa in VIPAS.items()]


def load_natively(dispatcher):
    said = dispatcher.sh("xdplb load eth0 --fix-host", seconds=120)
    expect("the driver's own hook is had", "eth0: native mode" in said, said)


@scenario("unit", "xdplbd as a unit of systemd among downloads: restarted, killed, stopped, networkd restarted, disabled",
          needs_debian=True)
def unit(lab):
    lab.note(driver="virtio-net", mode="native")
    farm = debian_farm(lab)
    debian = farm.dispatcher
    before = debian.sh(STATE)
    downloads = enable_unit(farm)
    status = debian.sh(f"systemctl status --no-pager -n 0 {UNIT}")
    expect("systemctl status says that it is enabled and runs", "; enabled;" in status and "active (running)" in status, status)
    restarts(farm, downloads)
    networkd_restarts(farm, downloads)
    for download in downloads:
        download.check()
    step("unload, and the unit is disabled")
    debian.sh(f"xdplb unload && systemctl disable --now {UNIT} 2>&1", seconds=90)
    expect_same("nothing is left", before, debian.sh(STATE))


@scenario("coldstart", "a dispatcher loses its power among downloads and comes back by itself, with all that it was told",
          needs_debian=True)
def coldstart(lab):
    lab.note(driver="virtio-net", mode="native")
    farm = debian_farm(lab)
    downloads = enable_unit(farm)
    power_cut(farm, downloads)
    for download in downloads:
        download.check()


def restarts(farm, downloads):
    debian = farm.dispatcher
    for what, command in (("systemctl restart", f"systemctl restart {UNIT}"),
                          ("kill -9", f"kill -9 $(systemctl show -p MainPID --value {UNIT})")):
        step(what)
        pid, visits = main_pid(debian), Visits(farm)
        debian.sh(command, seconds=90)
        wait_until(f"{what}: another daemon", 60, lambda: main_pid(debian) not in (pid, "0"))
        wait_for_unit(debian, what)
        farm.wait_for_servers()
        all_go_on(downloads, what)
        visits.end(what)
    step("systemctl stop: forwarding goes on")
    visits = Visits(farm)
    debian.sh(f"systemctl stop {UNIT}", seconds=90)
    expect_equal("no daemon", "", debian.sh("ps -ef | grep '[x]dplbd' || true").strip())
    all_go_on(downloads, "stopped")
    farm.expect_served("stopped")
    visits.end("stopped")
    step("systemctl start")
    debian.sh(f"systemctl start {UNIT}", seconds=90)
    wait_for_unit(debian, "started")
    farm.wait_for_servers()
    all_go_on(downloads, "started")


def networkd_restarts(farm, downloads):
    """It takes rules and routes that it does not know off the interface, and its own addresses for a moment, too."""
    step("systemd-networkd is restarted")
    debian = farm.dispatcher
    debian.sh("systemctl restart systemd-networkd", seconds=90)
    debian.wait("the address is there", "ip -o address show dev eth0 | grep -q 192.0.2.2/24", 60)
    all_go_on(downloads, "networkd restarted")
    debian.wait("the rules of probes are there again", "ip rule | grep -q 'goto 5802' && ip -6 rule | grep -q 'goto 5802'", 60)
    farm.wait_for_servers()
    farm.expect_served("networkd restarted")


def power_cut(farm, downloads):
    debian = farm.dispatcher
    step("the dispatcher loses its power, among downloads and new connections")
    visits = Visits(farm)
    debian.sh("xdplb cluster set web --echo dispatcher && xdplb vipa set 192.0.2.10 --hold 77s")
    config = json.loads(debian.sh("xdplb -j config show"))
    debian.sh("xdplb vipa set 192.0.2.10 --hold 78s")
    debian.kill()
    cut = time.monotonic()
    debian.start()
    debian.wait_for_boot()
    say(f"   it booted within {time.monotonic() - cut:.0f} s")
    wait_for_unit(debian, "after the cold start")
    wait_until(f"eth0 has the program: {debian.run('xdplb status').output}{debian.run(JOURNAL).output}", 60,
               lambda: "prog/xdp" in debian.sh("ip -d link show eth0"))
    farm.client.wait("the client is served again", f"curl -gsf -m 3 'http://{VIPAS[4]}/name' 'http://{in_url(VIPAS[6])}/name'", 90)
    say(f"   {time.monotonic() - cut:.0f} s after the cut the client is served again")
    config["vipas"][0]["hold"] = "78s"
    expect("the configuration is there, with the last change before the cut", json.loads(debian.sh("xdplb -j config show")) == config,
           debian.sh("xdplb -j config show"))
    farm.wait_for_servers()
    all_go_on(downloads, "after the cold start")
    farm.expect_served("after the cold start")
    wait_until("no problems", 60, lambda: not problems(debian))
    visits.client.sh("touch /tmp/visits.stop")
    seen = Counter(visits.client.sh("cat /tmp/visits").split())
    say(f"   of the new connections meanwhile {seen['s1'] + seen['s2']} were answered, {seen['lost']} gave up after 20 s")


@scenario("unload", "xdplb unload leaves no program, map, pin, rule, route, setting or process, with the daemon alive and after kill -9")
def unload(lab):
    lab.note(driver="virtio-net", mode="native")
    step("a dispatcher with bpftool, two servers, a client")
    dispatcher = lab.host_guest("dispatcher", memory_mb=1280)
    farm = Farm(lab, dispatcher)
    farm.give_addresses("dispatcher")
    dispatcher.wait("it reaches a server", "ping -c 1 -W 1 192.0.2.21", 30)
    xdplb = lab.programs / "xdplb"
    dispatcher.sh(f"ln -s {xdplb} {xdplb}d /usr/local/bin/")
    # For --fix-host to have something to set and to put back.
    dispatcher.sh("sysctl -qw net.ipv4.conf.eth0.proxy_arp=1")
    state, objects = dispatcher.sh(STATE), dispatcher.sh(KERNEL_OBJECTS)
    for way in ("the daemon is alive", "the daemon was killed"):
        step(f"unload: {way}")
        load_natively(dispatcher)
        farm.configure()
        farm.expect_served(way)
        in_use = set((dispatcher.sh(STATE) + dispatcher.sh(KERNEL_OBJECTS)).splitlines()) - set((state + objects).splitlines())
        for trace in ("xdplb_dispatch", "name flows", "/sys/fs/bpf/xdplb/default/maps/tables", "goto 5802", "managed",
                      "net.ipv4.conf.eth0.proxy_arp = 0"):
            expect(f"the look around sees '{trace}'", any(trace in line for line in in_use), sorted(in_use))
        if way == "the daemon was killed":
            dispatcher.sh("kill -9 $(pidof xdplbd)")
            dispatcher.wait("it is dead", "! pidof xdplbd")
        dispatcher.sh("xdplb unload", seconds=90)
        dispatcher.wait("programs and maps are freed", f"[ \"$({KERNEL_OBJECTS})\" = '{objects.strip()}' ]", 30)
        expect_same(f"{way}: nothing is left", state, dispatcher.sh(STATE))

# SPDX-License-Identifier: GPL-2.0-only
"""Client, dispatcher and two servers as four machines. By the driver of its NIC the dispatcher runs in native or generic
mode; traffic must not notice."""
import hashlib
import json
import pathlib
import re
from collections import Counter
from typing import NamedTuple

from lan import HOSTS, VIPA4, VIPA6, boot_hosts, complaints, mac_of, pages, serve
from vmlab.catalog import scenario
from vmlab.frames import frames_of, mac_text, packed
from vmlab.kernels import module_files
from vmlab.words import Failure, Skip, expect, expect_equal, ok, step, wait_until

SUITE = pathlib.Path(__file__).resolve().parent.parent.parent / "tests/netns"
ADDRESSES = (VIPA4, f"[{VIPA6}]")
SERVERS = ("s1", "s2")
DATAGRAMS = 200
STREAMS = 16
# Weights are 10 and 30, so s1's share is a quarter. These are five deviations away from it, and from a half.
LEAST, MOST = 0.14, 0.37


class Farm:
    """The four machines, ready to forward."""

    def __init__(self, lab, nic, has_offload=False, megabytes=24):
        step("four machines boot")
        self.lab = lab
        self.numbers = lab.logs / "numbers"
        self.megabytes = megabytes
        size = megabytes << 20
        content = "".join(f"{number}\n" for number in range(size // 6)).encode()[:size]
        self.numbers.write_bytes(content)
        self.digest = hashlib.sha256(content).hexdigest()
        boot_hosts(lab, whole=HOSTS, nic=nic, has_offload=has_offload)
        self.dispatcher, self.client = lab.guests["dispatcher"], lab.guests["client"]
        self.dispatcher.sh(f"ln -sf {lab.programs}/xdplb {lab.programs}/xdplbd /usr/local/bin/")
        for name in SERVERS:
            self.set_up_server(lab.guests[name])

    def set_up_server(self, guest):
        serve(guest)
        guest.sh(f"""
            ln -s {self.numbers} /tmp/www/numbers
            mkdir /tmp/www/cgi-bin
            printf '#!/bin/sh\\nprintf "Content-Type: text/plain\\\\r\\\\n\\\\r\\\\n"\\nsha256sum\\n' >/tmp/www/cgi-bin/digest
            chmod +x /tmp/www/cgi-bin/digest
            setsid python3 {SUITE}/udp_server.py {guest.name} 7 {VIPA4} {VIPA6} >/dev/null 2>&1 &
            setsid python3 {SUITE}/stream_server.py {guest.name} 8080 >/dev/null 2>&1 &""")
        guest.wait(f"{guest.name} streams", f"curl -gsf -m 2 http://{VIPA4}:8080/name http://[{VIPA6}]:8080/name")
        guest.wait(f"{guest.name} answers datagrams", f"python3 {SUITE}/udp_client.py {VIPA6} 7 1")

    def load(self, words, mode):
        """xdplb load eth0 with these words; the mode is what must be had. Returns what it said."""
        step(f"xdplb load eth0 {words}".strip())
        said = self.dispatcher.sh(f"xdplb load eth0 {words}", seconds=90)
        # Generic mode is a problem that status tells, by its exit code as well.
        status = json.loads(self.dispatcher.run("xdplb -j status").output)
        expect_equal("mode that status tells", [mode], [interface["mode"] for interface in status["interfaces"]])
        link = self.dispatcher.sh("ip link show eth0")
        expect("and the kernel", {"native": " xdp qdisc ", "generic": " xdpgeneric qdisc "}[mode] in link, link)
        return said

    def configure(self):
        self.dispatcher.sh(f"""set -e
            xdplb cluster add web {VIPA4} {VIPA6}
            for port in 80 7/udp "8080 --stale-timeout 15s"; do
              xdplb port add web/$port
              xdplb server add web/${{port%% *}} 192.0.2.21 --name s1 --weight 10
              xdplb server add web/${{port%% *}} 192.0.2.22 --name s2 --weight 30
            done""", seconds=90)
        for address in ADDRESSES:
            self.client.wait(f"a first page from {address}", f"curl -gsf -m 2 'http://{address}/name'", 60)

    def exchange(self):
        """Short flows of both protocols and families, and long ones both ways."""
        step("pages and datagrams")
        names = Counter()
        for address in ADDRESSES:
            seen = pages(self.client, address)
            expect_equal(f"pages from {address} that were lost", 0, seen["lost"])
            names += seen
        for address in (VIPA4, VIPA6):
            answers = self.client.sh(f"python3 {SUITE}/udp_client.py {address} 7 {DATAGRAMS}", seconds=90).split()
            expect_equal(f"datagrams that {address} answered", DATAGRAMS, len(answers))
            names += Counter(answers)
        share = names["s1"] / names.total()
        expect(f"s1 has a quarter of the weight, and {share:.2f} of {names.total()} flows", LEAST < share < MOST, names)
        step("download and upload")
        for address in ADDRESSES:
            digest = self.client.sh(f"curl -gsf -m 110 'http://{address}/numbers' | sha256sum", seconds=120).split()[0]
            expect_equal(f"digest of {self.megabytes} MB from {address}", self.digest, digest)
            upload = f"curl -gsf -m 110 -H Expect: --data-binary @{self.numbers} 'http://{address}/cgi-bin/digest'"
            digest = self.client.sh(upload, seconds=120)
            expect_equal(f"digest of {self.megabytes} MB to {address}", self.digest, digest.split()[0])

    def remove_a_server(self):
        """s1 goes while streams of both servers run: drained, its streams go on until the client ends them, and then it is removed."""
        step("a server is drained and removed while streams run")
        urls = " ".join(f"http://{address}:8080/stream" for address in ADDRESSES)
        self.client.sh(f"""setsid python3 {SUITE}/downloads.py --report /tmp/report --count {STREAMS} {urls} >/tmp/downloads 2>&1 &
            echo $! >/tmp/pid""")
        before = self.wait_for_streams("streams run", lambda now: now["alive"] == STREAMS)
        expect("at both servers", sorted(before["servers"]) == list(SERVERS), before)
        self.dispatcher.sh("xdplb server drain web/8080/s1")
        for address in ADDRESSES:
            seen = pages(self.client, f"{address}:8080")
            expect(f"{address}: new connections are s2's", seen["s2"] > 0 and seen.total() == seen["s2"], seen)
        self.expect_streams_move("s1 drains", before["servers"])
        self.client.sh("echo s1 >/tmp/report.end; kill -USR2 $(cat /tmp/pid)")
        of_s1 = before["servers"]["s1"]["alive"]
        self.wait_for_streams("the streams of s1 end, whole", lambda now: now["whole"] == of_s1)
        self.dispatcher.sh("xdplb --timeout 100 server drain web/8080/s1 --wait", seconds=120)
        self.dispatcher.sh("xdplb server remove web/8080/s1")
        self.expect_streams_move("s1 is gone", {"s2": before["servers"]["s2"]})
        self.client.sh("echo all >/tmp/report.end; kill -USR2 $(cat /tmp/pid)")
        self.wait_for_streams("all streams end, whole", lambda now: now["whole"] == STREAMS)

    def streams(self):
        done = self.client.run("cat /tmp/report")
        return json.loads(done.output) if done.code == 0 else {"alive": 0, "broken": 0, "whole": 0, "marks": 0, "reasons": ["no report"]}

    def wait_for_streams(self, what, condition):
        def look():
            now = self.streams()
            expect_none_broken(now)
            return now if condition(now) else None
        now = wait_until(what, 60, look, pause=0.3)
        ok(what)
        return now

    def expect_streams_move(self, when, servers):
        """Each of them gets bytes from now on."""
        marks = self.streams()["marks"]
        self.client.sh("kill -USR1 $(cat /tmp/pid)")
        wanted = {name: counts["alive"] for name, counts in servers.items()}

        def move(now):
            return now["marks"] > marks and all(now["servers"][name]["moved"] >= count for name, count in wanted.items())
        self.wait_for_streams(f"{when}: streams that go on: {wanted}", move)

    def expect_direct_answers(self):
        """By the frames at every NIC: servers answered to the client's MAC, and nothing of it came to the dispatcher."""
        step("answers")
        for name in SERVERS:
            ways = ways_of_answers(self.lab.guests[name], mac_of(name))
            expect_equal(f"where {name} sent its answers", {mac_of("client")}, ways)
        expect_equal("answers at the dispatcher", set(), ways_of_answers(self.dispatcher, *map(mac_of, SERVERS)))

    def unload(self):
        step("xdplb unload")
        self.dispatcher.sh("xdplb unload", seconds=60)
        pins = self.dispatcher.sh("find /sys/fs/bpf/xdplb /sys/fs/bpf/xdp -mindepth 1 2>/dev/null || true")
        expect_equal("pins that are left", "", pins.strip())
        expect_equal("programs that are left", "", self.dispatcher.sh("ip -d link show eth0 | grep xdp || true").strip())

    def queues(self):
        """Those in use, and how many frames each gave to the program."""
        now = int(re.findall(r"^Combined:\s+(\d+)", self.dispatcher.sh("ethtool -l eth0"), re.M)[1])
        given = re.findall(r"rx(?:_queue_)?\d+_xdp_packets: (\d+)", self.dispatcher.sh("ethtool -S eth0"))
        return now, [int(count) for count in given]


def expect_none_broken(streams):
    if streams["broken"]:
        raise Failure(f"{streams['broken']} streams broke: {streams['reasons']}")


def ways_of_answers(guest, *sources):
    """The MACs that frames from a VIPA went to, of those at the guest's NIC that came from these MACs."""
    vipas = {packed(VIPA4), packed(VIPA6)}
    ways = set()
    for frame in (frame for file in guest.captures(0) for frame in frames_of(file)):
        sender = {b"\x08\x00": frame[26:30], b"\x86\xdd": frame[22:38]}.get(frame[12:14])
        if sender in vipas and mac_text(frame[6:12]) in sources:
            ways.add(mac_text(frame[0:6]))
    return ways


@scenario("native", "virtio-net with several queues, native XDP: TCP and UDP, IPv4 and IPv6, short and long flows, a server removed")
def native(lab):
    lab.note(driver="virtio-net, 4 queues", mode="native")
    farm = Farm(lab, {"queues": 4})
    expect_equal("queues before", 2, farm.queues()[0])
    farm.load("", "native")
    expect_equal("queues with one for each CPU's XDP", 4, farm.queues()[0])
    expect_equal("doctor's complaints of eth0", [], complaints(farm.dispatcher))
    farm.configure()
    farm.exchange()
    given = farm.queues()[1]
    expect(f"frames came in by more than one queue: {given}", sum(count > 0 for count in given) > 1)
    farm.remove_a_server()
    farm.expect_direct_answers()
    farm.unload()
    expect_equal("queues after", 2, farm.queues()[0])


@scenario("generic-e1000e", "e1000e has no XDP: load falls back to generic mode and says so; the same traffic")
def generic_e1000e(lab):
    lab.note(driver="e1000e", mode="generic")
    if not module_files(lab.kernel, ["e1000e"]):
        raise Skip(f"{lab.kernel.version} has no e1000e")
    farm = Farm(lab, {"driver": "e1000e"})
    refusal = farm.dispatcher.run("xdplb load eth0 --mode native", seconds=90)
    expect(f"--mode native is refused, by name: {refusal.output.strip()}", refusal.code == 1 and "eth0" in refusal.output, refusal.code)
    said = farm.load("", "generic")
    expect("load says so, and why", "generic mode" in said and "no native XDP" in said, said)
    farm.configure()
    farm.exchange()
    farm.remove_a_server()
    farm.expect_direct_answers()
    farm.unload()


@scenario("native-offload", "virtio-net with the hypervisor's offloads, native and generic: frames longer than a wire takes, no checksums", is_quick=False)
def native_offload(lab):
    lab.note(driver="virtio-net", mode="native, generic")
    farm = Farm(lab, {"queues": 4}, has_offload=True, megabytes=8)
    for words, mode in (("", "native"), ("--mode generic", "generic")):
        farm.load(words, mode)
        farm.configure()
        farm.exchange()
        farm.unload()
    sent = (frame for frame in frames_of(farm.client.captures(0)[0]) if mac_text(frame[6:12]) == mac_of("client"))
    expect("the client sent long frames", any(len(frame) > 1514 for frame in sent))
    farm.expect_direct_answers()


class Limit(NamedTuple):
    """A NIC that gets no native XDP as it is."""

    cable: dict
    fault: str  # what is done to it
    reason: str  # words of load
    check: str  # of doctor
    advice: str
    way_out: str | None  # in the guest


LIMITS = {
    "eth1": Limit({"queues": 4}, "ip link set eth1 mtu 9000", "MTU too large",
                  "mtu", "ip link set dev eth1 mtu 1500", "ip link set dev eth1 mtu 1500"),
    "eth2": Limit({"queues": 4}, "ethtool -L eth2 combined 4", "ethtool -L eth2 combined 2",
                  "queues", "ethtool -L eth2 combined 2", "ethtool -L eth2 combined 2"),
    "eth3": Limit({"queues": 4, "has_offload": True, "options": ",ctrl_guest_offloads=off"}, "true", "GRO_HW/CSUM",
                  "gro_hw", "ctrl_guest_offloads=on", None),
}


@scenario("native-limits", "virtio-net that refuses native XDP, or must not get it: load says why, the way out works")
def native_limits(lab):
    lab.note(driver="virtio-net", mode="native, generic")
    step("a dispatcher with NICs of all kinds boots")
    guest = lab.host_guest("dispatcher", memory_mb=1024, cpus=2)
    lan = lab.lan("lan")
    cables = [{}, *(limit.cable for limit in LIMITS.values()), {"queues": 4, "has_offload": True}]
    for number, cable in enumerate(cables):
        guest.cable(lan, f"02:00:00:00:00:{number:02x}", **cable)
    guest.start().wait_for_boot()
    guest.sh(f"""ln -sf {lab.programs}/xdplb {lab.programs}/xdplbd /usr/local/bin/
        modprobe virtio_net
        for number in $(seq 0 {len(cables) - 1}); do ip link set eth$number up; done""")
    for limit in LIMITS.values():
        guest.sh(limit.fault)
    step("doctor")
    told = guest.run(f"xdplb -q doctor eth0 {' '.join(LIMITS)}", seconds=120).output
    expect_advice(told, "eth0", "queues", "queues=4 for this card")
    for nic, limit in LIMITS.items():
        expect_advice(told, nic, limit.check, limit.advice)
    step("one queue for two CPUs, and offloads that can be switched off")
    for nic in ("eth0", f"eth{len(cables) - 1}"):
        expect_mode(guest, nic, "native")
    for nic, limit in LIMITS.items():
        step(f"{nic}: {limit.reason}")
        done = guest.run(f"xdplb load {nic} --mode native", seconds=90)
        is_told = f"interface {nic}" in done.output and limit.reason in done.output
        expect(f"native mode is refused: {done.output.strip()}", done.code == 1 and is_told, done.code)
        expect_mode(guest, nic, "generic", limit.reason)
        if limit.way_out:
            guest.sh(f"xdplb unload {nic}; {limit.way_out}")
            expect_mode(guest, nic, "native")
    step("a bond with such a member")
    guest.sh("""xdplb unload eth2; ethtool -L eth2 combined 4
        modprobe bonding max_bonds=0
        ip link add bond0 type bond mode active-backup
        ip link set eth2 down && ip link set eth2 master bond0 && ip link set bond0 up""")
    expect_mode(guest, "bond0", "generic", LIMITS["eth2"].reason)


def expect_mode(guest, nic, mode, reason=""):
    """That of a load without further words, which says the reason of generic mode."""
    said = guest.sh(f"xdplb load {nic}", seconds=90)
    told = [line for line in said.splitlines() if nic in line]
    expect(f"{nic} gets {mode} mode: {told}", f"{nic}: {mode} mode" in said and reason in said, said)


def expect_advice(told, nic, code, remedy):
    lines = told.splitlines()
    advice = [cure.strip() for check, cure in zip(lines, lines[1:]) if check.startswith(f"warn {code} {nic}")]
    expect(f"doctor on {code} of {nic}: {advice}", any(remedy in cure for cure in advice), told)

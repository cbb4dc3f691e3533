# SPDX-License-Identifier: GPL-2.0-only
"""Packets per second against the kernel's own balancer, IPVS in direct-routing mode, on the same kernel and the same frames."""
import json
import pathlib
import random
import socket
import statistics
import struct
import time
from collections import defaultdict

from vmlab.catalog import scenario
from vmlab.frames import checksum, packed
from vmlab.lab import module_files
from vmlab.words import Failure, Skip, command_output, expect, expect_equal, say, step

SCHEDULERS = ("ipvs-wlc", "ipvs-wrr", "ipvs-mh")
# The least ratio of packets per second, by load.
LEAST = {"one flow": 3, "64 Ki flows": 3, "new connections": 4}


def boot_dispatcher(lab, *cables):
    """Packets that the kernel puts off to ksoftirqd are handled there at once, or their sender goes on and overruns the queue."""
    if not module_files(lab.kernel, ["ip_vs"]):
        raise Skip(f"{lab.kernel.version} has no IPVS")
    guest = lab.host_guest("dispatcher", memory_mb=1024, cpus=2)
    for lan, mac in cables:
        guest.cable(lan, mac)
    guest.start().wait_for_boot()
    guest.sh("modprobe veth; for process in $(pgrep ksoftirqd); do chrt -f -p 1 $process; done")
    return guest


def tell(results, columns):
    """columns: {key of a number: title}, beside those that say what is compared."""
    say(f"{'what':<16}{'rival':<12}{'load':<16}" + "".join(f"{title:>12}" for title in columns.values()))
    for row in results:
        say(f"{row['name']:<16}{row['rival']:<12}{row['load']:<16}" + "".join(f"{row[key]:>12.3f}" for key in columns))


def keep(lab, results):
    (lab.logs / "bench.json").write_text(json.dumps(results, indent=2) + "\n")


@scenario("ipvs", "packets per second over veth: at least 3 times those of IPVS in direct-routing mode, 4 times for new connections")
def ipvs(lab):
    lab.note(driver="veth", mode="native")
    step("boots")
    guest = boot_dispatcher(lab)
    step("xdplb-bench --against-ipvs")
    done = guest.run(f"{lab.programs}/xdplb-bench --quick --against-ipvs --json", seconds=400)
    if done.code != 0:
        raise Failure(f"xdplb-bench ended with {done.code}: {done.output}")
    results = json.loads(done.output)
    keep(lab, results)
    tell(results, {"mpps": "Mpps", "rival_mpps": "rival", "reflector_mpps": "reflector", "ratio": "ratio", "cost": "above refl.",
                   "rival_cost": "rival"})
    for load, least in LEAST.items():
        for scheduler in SCHEDULERS:
            ratio = next(row["ratio"] for row in results if (row["name"], row["rival"], row["load"]) == ("xdplb", scheduler, load))
            expect(f"{load}: {ratio:.1f} times the rate of {scheduler}, at least {least}", ratio >= least)


# The host is generator and the servers in one: an emulated generator would be slower than what it measures. Clients are 198.18.0.0/15.
GUEST, GUEST_MAC = "192.0.2.2", "02:00:00:00:00:02"
ROUTER_MAC = "02:00:00:00:00:64"  # whom clients' packets come from; not the servers'
SERVERS = [f"192.0.2.{number}" for number in range(21, 25)]
VIPA, ROUTED = "192.0.2.10", "203.0.113.10"
TAP = "dispatcher-eth0"
SYN, ACK = 0x02, 0x10
FLOWS = {"one flow": 1, "64 Ki flows": 65536, "new connections": 65536}
SLICE, SLICES = 4000, 3  # packets; medians of three
# Fewer than any queue on the way takes: nothing is lost. XDP_TX has no queue but the 256 places of the driver's ring.
WINDOW = 200


def client_frame(destination, number, flags):
    """A TCP packet of client `number` with right checksums."""
    source = packed("198.18.0.0")[:2] + struct.pack("!H", number >> 8)
    segment = struct.pack("!HHIIBBHHH", 1024 + (number & 0xFF), 80, 0, 0, 5 << 4, flags, 65535, 0, 0) + bytes(8)
    pseudo = source + packed(destination) + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(segment))
    segment = segment[:16] + struct.pack("!H", checksum(pseudo + segment)) + segment[18:]
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, 64, socket.IPPROTO_TCP, 0) + source + packed(destination)
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return bytes.fromhex((GUEST_MAC + ROUTER_MAC).replace(":", "")) + b"\x08\x00" + header + segment


class Wire:
    """The LAN of the dispatcher, with the host at its other end, which sends no faster than the guest forwards."""

    def __init__(self, lan, guest):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.bind((lan.name, 0))
        self.process = guest.process.pid
        self.frames = {}

    def forwarded(self):
        """Frames that have left the guest."""
        return int(pathlib.Path(f"/sys/class/net/{TAP}/statistics/rx_packets").read_text())

    def processor_seconds(self):
        """Of all threads of the guest's QEMU."""
        threads = pathlib.Path(f"/proc/{self.process}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def frame(self, destination, number, flags):
        key = (destination, number, flags)
        if key not in self.frames:
            self.frames[key] = client_frame(*key)
        return self.frames[key]

    def send(self, frames):
        """Returns the seconds and QEMU's seconds of processor time until the guest has forwarded all of them."""
        start, sent = self.forwarded(), 0
        began, used = time.monotonic(), self.processor_seconds()
        progress, last = began, start
        while last - start < len(frames):
            while sent < len(frames) and sent - (last - start) < WINDOW:
                self.socket.send(frames[sent])
                sent += 1
            time.sleep(0.0005)
            seen, now = self.forwarded(), time.monotonic()
            if seen != last:
                last, progress = seen, now
            elif now - progress > 20:
                raise Failure(f"the guest forwarded {last - start} of {sent} frames, and no more within 20 s")
        return time.monotonic() - began, self.processor_seconds() - used


class Clients:
    """Numbers of clients: at random among those that there are, or each new."""

    def __init__(self):
        self.random = random.Random(1)
        self.new = 0

    def take(self, load):
        if load == "new connections":
            self.new += SLICE
            return [number % 65536 for number in range(self.new - SLICE, self.new)]
        return [self.random.randrange(FLOWS[load]) for _ in range(SLICE)]


def measure(wire, clients, destination, load):
    """Millions of packets per second, and microseconds of QEMU's processor time for one packet."""
    flags = SYN if load == "new connections" else ACK
    frames = [wire.frame(destination, number, flags) for number in clients.take(load)]
    seconds, processor = wire.send(frames)
    return SLICE / seconds / 1e6, processor / SLICE * 1e6


def serve(guest, scheduler):
    """A service without any connection: those of servers that are gone are deleted, but not at once."""
    servers = "\n".join(f"-a -t {VIPA}:80 -r {server}:80 -g -w 1" for server in SERVERS)
    guest.sh(f"""ipvsadm -C
        until [ $(head -n 2 /proc/net/ip_vs_conn | wc -l) = 1 ]; do sleep 0.02; done
        printf '%s\\n' '-A -t {VIPA}:80 -s {scheduler}\n{servers}' | ipvsadm -R""")


def scheduler_words(rival):
    """For ipvsadm."""
    # Maglev hashing knows the client's port only when told so.
    return "mh -b mh-port" if rival == "ipvs-mh" else rival.removeprefix("ipvs-")


def measure_stack(guest, wire, clients):
    """Plain forwarding, and IPVS with each scheduler: {(who, load): [measured]}."""
    results = defaultdict(list)
    serve(guest, "wlc")
    guest.sh("sysctl -qw net.ipv4.vs.sloppy_tcp=1")
    wire.send([wire.frame(VIPA, number, ACK) for number in range(FLOWS["64 Ki flows"])])
    guest.sh("sysctl -qw net.ipv4.vs.sloppy_tcp=0")
    for load in FLOWS:
        for rival in SCHEDULERS:
            if load != "new connections":
                guest.sh(f"ipvsadm -E -t {VIPA}:80 -s {scheduler_words(rival)}")
            for _ in range(SLICES):
                if load == "new connections":
                    serve(guest, scheduler_words(rival))
                results[(rival, load)].append(measure(wire, clients, VIPA, load))
        results[("ip-forward", load)] = [measure(wire, clients, ROUTED, load) for _ in range(SLICES)]
    return results


def measure_xdplb(guest, wire, clients):
    return {("xdplb", load): [measure(wire, clients, VIPA, load) for _ in range(SLICES)] for load in FLOWS}


def rows_of(results):
    """As xdplb-bench has them."""
    def median(who, load, place):
        return statistics.median(one[place] for one in results[(who, load)])
    for load, flows in FLOWS.items():
        for rival in ("ip-forward", *SCHEDULERS):
            yield {"name": "xdplb", "rival": rival, "load": load, "flows": flows, "driver": "virtio-net",
                   "mpps": round(median("xdplb", load, 0), 4), "rival_mpps": round(median(rival, load, 0), 4),
                   "ratio": round(median("xdplb", load, 0) / median(rival, load, 0), 3),
                   "processor_ratio": round(median(rival, load, 1) / median("xdplb", load, 1), 3)}


def ipvs_share(guest, wire):
    """How many of 50 packets went through IPVS: its own counter says so."""
    def packets():
        rows = guest.sh("tail -n +3 /proc/net/ip_vs_stats_percpu").split("\n")
        return sum(int(row.split()[2], 16) for row in rows if row.strip()[:1].isdigit())
    before = packets()
    wire.send([wire.frame(VIPA, 0, SYN)] * 50)
    return packets() - before


def load_xdplb(guest):
    guest.sh(f"ipvsadm -C; ip address del {VIPA}/32 dev lo")
    programs = guest.lab.programs
    said = guest.sh(f"{programs}/xdplb load eth0", seconds=120)
    expect("the driver's own hook was had", '"native"' in guest.sh(f"{programs}/xdplb -j status"), said)
    servers = "\n".join(f"{programs}/xdplb server add web/80 {server}" for server in SERVERS)
    guest.sh(f"""{programs}/xdplb cluster add web {VIPA}
        {programs}/xdplb port add web/80
        {servers}""", seconds=120)


@scenario("ipvs-virtio", "the same over virtio-net, as measured: packets per second, and processor time of the emulator", is_quick=False)
def ipvs_virtio(lab):
    lab.note(driver="virtio-net", mode="native")
    step("boots")
    lan = lab.lan("lan", "192.0.2.1/24", *[f"{server}/24" for server in SERVERS])
    guest = boot_dispatcher(lab, (lan, GUEST_MAC))
    # A capture of all that is sent here would be most of the work.
    guest.qmp.ask("object-del", id="dump0")
    neighbours = "\n".join(f"ip neighbour replace {server} lladdr 02:00:00:00:00:fe dev eth0 nud permanent" for server in SERVERS)
    guest.sh(f"""modprobe ip_vs conn_tab_bits=17
        modprobe -a virtio_net ip_vs_wlc ip_vs_wrr ip_vs_mh
        ip address add {GUEST}/24 dev eth0
        ip link set eth0 up
        ip route add default via {SERVERS[0]}
        {neighbours}
        sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0 net.ipv4.ip_forward=1
        sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.eth0.send_redirects=0
        sysctl -qw net.ipv4.ip_early_demux=0 net.ipv4.vs.run_estimation=0 net.ipv4.vs.conntrack=0 net.ipv4.vs.expire_nodest_conn=1
        ip address add {VIPA}/32 dev lo""")
    command_output("bridge", "fdb", "replace", GUEST_MAC, "dev", TAP, "master", "static")
    wire, clients = Wire(lan, guest), Clients()
    step("IPVS, and plain forwarding")
    results = measure_stack(guest, wire, clients)
    expect_equal("packets of 50 that IPVS forwarded", 50, ipvs_share(guest, wire))
    step("xdplb load")
    load_xdplb(guest)
    try:
        results |= measure_xdplb(guest, wire, clients)
    except Failure as failure:
        raise Failure(f"{failure}\n{guest.sh(f'{lab.programs}/xdplb status; {lab.programs}/xdplb drops')}") from None
    expect_equal("packets of 50 that IPVS forwarded", 0, ipvs_share(guest, wire))
    rows = list(rows_of(results))
    keep(lab, rows)
    tell(rows, {"mpps": "Mpps", "rival_mpps": "rival", "ratio": "ratio", "processor_ratio": "CPU ratio"})

# SPDX-License-Identifier: GPL-2.0-only
"""A LAN: a bridge in the scenario's own network namespace, with a tap for each guest's NIC and the host as one machine."""
import socket
import threading

from .frames import arp_request, neighbor_solicitation
from .words import command_output


class Lan:
    def __init__(self, name, addresses, mac="02:00:00:00:00:fe"):
        self.name = name
        self.mac = bytes.fromhex(mac.replace(":", ""))
        # A bridge without an address of its own takes one of its ports'.
        command_output("ip", "link", "add", name, "address", mac, "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
        command_output("sysctl", "-qw", f"net.ipv6.conf.{name}.accept_dad=0", f"net.ipv6.conf.{name}.accept_ra=0",
                       f"net.ipv6.conf.{name}.router_solicitations=0")
        for address in addresses:
            command_output("ip", "address", "add", address, "dev", name)
        command_output("ip", "link", "set", name, "up")

    def tap(self, name, queues=1):
        """A port; its name is returned, shortened to what the kernel takes."""
        name = name[-15:]
        command_output("ip", "tuntap", "add", "dev", name, "mode", "tap", *(["multi_queue"] if queues > 1 else []))
        command_output("sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1")
        command_output("ip", "link", "set", name, "master", self.name, "up")
        return name


class Asker:
    """Asks a LAN, over and over, who has some addresses, by ARP and ND, until the block ends. The questions come from
    `sender4` and `sender6`; ARP probes (from 0.0.0.0) go between them, unless somebody may take them for a rival's."""

    def __init__(self, lan, targets4, targets6, sender4, sender6, pause=0.02, has_probes=True):
        self.lan = lan
        self.pause = pause
        self.over = threading.Event()
        self.frames = []
        for target in targets4:
            self.frames.append(arp_request(lan.mac, sender4, target))
            if has_probes:
                self.frames.append(arp_request(lan.mac, "0.0.0.0", target))
        self.frames += [neighbor_solicitation(lan.mac, sender6, target) for target in targets6]
        self.thread = threading.Thread(target=self.ask, daemon=True)

    def __enter__(self):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.bind((self.lan.name, 0))
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.over.set()
        self.thread.join()
        self.socket.close()

    def ask(self):
        while not self.over.wait(self.pause):
            for frame in self.frames:
                self.socket.send(frame)

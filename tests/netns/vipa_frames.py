#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""vipa_frames.py FILE EXPRESSION: a Python expression over the frames that neighbour_capture.py wrote to FILE.

f is the list of all frames in the order in which they entered the switch; see neighbour_frames.py for their fields. The functions
of this file help to ask about them. Prints the value, booleans and lists as JSON.
"""
import ipaddress
import json
import sys

from neighbour_frames import ZERO, claims

BROADCAST = "ff:ff:ff:ff:ff:ff"
SHORTEST_FRAME = 60
PAIR_S = 0.2  # a reply so soon after an announcement belongs to it
f = []


def load(path):
    with open(path, encoding="utf-8") as file:
        # The last line may be half written.
        f.extend(json.loads(line) for line in file if line.endswith("\n"))
    f.sort(key=lambda frame: frame["t"])


def pick(since=0, until=float("inf"), **fields):
    """Frames with these fields, e.g. pick(kind="probe", port="dispatcher-e0", since=1.5)."""
    return [x for x in f if since <= x["t"] <= until and all(x.get(name) == value for name, value in fields.items())]


def said(ip, since=0, until=float("inf"), **fields):
    """Frames that say somebody has `ip`: announcements, answers, and questions with it as the sender."""
    return [x for x in pick(since, until, ip=ip, **fields) if claims(x)]


def announced(ip, since=0, until=float("inf"), **fields):
    """Announcements of `ip`, each once: an ARP request with its reply, or an advertisement to everybody."""
    kind = "advertisement" if ":" in ip else "announce"
    return pick(since, until, kind=kind, ip=ip, **fields)


def speakers(ip, since=0, until=float("inf")):
    """Who said to have `ip`, in the order in which they began: [[port, mac]...]."""
    found = []
    for frame in said(ip, since, until):
        if [frame["port"], frame["mac"]] not in found:
            found.append([frame["port"], frame["mac"]])
    return found


def times(frames, since=None):
    """Seconds from the first frame, or from `since`."""
    start = since if since is not None else frames[0]["t"] if frames else 0
    return [round(x["t"] - start, 3) for x in frames]


def gaps(frames):
    return [round(b["t"] - a["t"], 3) for a, b in zip(frames, frames[1:])]


def near(seen, wanted, tolerance):
    """Both lists are as long, and no number is off by more than `tolerance`."""
    return len(seen) == len(wanted) and all(abs(a - b) <= tolerance for a, b in zip(seen, wanted))


def has_reply(frame):
    """The announcement is followed by the same claim as a reply; in IPv6 there is none."""
    return frame["kind"] == "advertisement" or any(
        x["kind"] == "announce_reply" and x["ip"] == frame["ip"] and x["mac"] == frame["mac"] and x["port"] == frame["port"]
        and 0 <= x["t"] - frame["t"] <= PAIR_S for x in f)


def solicited(ip):
    """(group, Ethernet address of the group)"""
    low = ipaddress.ip_address(ip).packed[13:]
    group = ipaddress.ip_address(ipaddress.ip_address("ff02::1:ff00:0").packed[:13] + low)
    return str(group), "33:33:ff:" + low.hex(":")


def well_formed(x):
    """The frame is as RFC 5227, RFC 826 and RFC 4861 want one of its kind, from a VIPA's owner."""
    if x["src"] != x["mac"] or x["bytes"] < SHORTEST_FRAME or "vlan" in x:
        return False
    if ":" in x["target"]:
        return well_formed_nd(x)
    return {
        "probe": lambda: x["dst"] == BROADCAST and x["op"] == 1 and x["ip"] == "0.0.0.0" and x["target_mac"] == ZERO,
        "announce": lambda: x["dst"] == BROADCAST and x["op"] == 1 and x["target_mac"] == ZERO,
        "announce_reply": lambda: x["dst"] == BROADCAST and x["op"] == 2 and x["target_mac"] == x["mac"],
        "answer": lambda: x["dst"] == x["target_mac"] and x["op"] == 2,
    }[x["kind"]]()


def well_formed_nd(x):
    if x["hops"] != 255:
        return False
    group, group_mac = solicited(x["target"])
    if x["kind"] == "probe":
        return x["destination"] == group and x["dst"] == group_mac
    # The address of a VIPA is no router.
    if x["router"] or not x["override"]:
        return False
    if x["kind"] == "advertisement":
        return x["dst"] == "33:33:00:00:00:01" and ipaddress.ip_address(x["source"]).is_link_local
    return x["kind"] == "answer" and x["source"] == x["ip"] and x["solicited"]


def main():
    path, expression = sys.argv[1:]
    load(path)
    value = eval(expression)  # the test's own words
    print(json.dumps(value) if isinstance(value, (bool, dict, list, type(None))) else value)


if __name__ == "__main__":
    main()

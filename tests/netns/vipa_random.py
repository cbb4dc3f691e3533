#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""vipa_random.py LAB XDPLB EVENTS SEED: random events for a dispatcher with the adapters e0, e1, e2, and who answered for its VIPAs.

Runs in the namespace `switch` of the laboratory LAB (lib_vipa.sh). Cables, links, addresses, a reach target that one adapter does
not reach, and what an operator says change in random order; four hosts ask all the time who has the VIPAs. At the end everything
is whole again. Then the frames that entered the switch are judged:
  - claims of a port after another's begin with an announcement; a question has one answer
  - a VIPA out of service, an adapter out of service, and one whose listed address is gone are mute
  - no longer than 2 s without an answer while one and the same adapter could have given it (3.5 s when it was silent for ten
    seconds or an operator took it back: then others are asked first)
Prints one JSON object, and before it each violation with what happened around it. Exit 1 when there are any.
"""
import json
import random
import select
import socket
import subprocess
import sys
import threading
import time

import failover_times
import frames
import vipa_claims
from neighbour_frames import Ear
from neighbour_probe import arp_request, solicitation
from vipa_claims import Question, Span

VIPAS = ("10.1.1.7", "fd00:1::7")
# The first and the third are listed by address, so its loss is their failure. Of both families.
LISTED = ({0: "10.1.1.4", 1: "e1", 2: "10.1.1.6"}, {0: "fd00:1::4", 1: "e1", 2: "fd00:1::6"})
PREFIX = ("10.1.1.{}/24", "fd00:1::{}/64")
ASK_EVERY_S = 0.02
ASKERS = [(f"02:00:00:00:aa:0{i}", (f"10.1.1.20{i}", f"fd00:1::20{i}")) for i in range(4)]
SILENCE_S, SILENCE_AFTER_PROBES_S, LONG_SILENCE_S = 2.0, 3.5, 10.0
# Until a reach target that answers again has been asked again.
REACH_S = 2.0
PROBES_S = SILENCE_AFTER_PROBES_S - SILENCE_S
# The daemon hears of a lost address when the kernel tells.
TOLD_S = 1.0


class Listener(threading.Thread):
    """Asks, and keeps all that the dispatcher says on the wire."""

    def __init__(self, lab):
        super().__init__(daemon=True)
        self.ears = [Ear(f"dispatcher-e{i}") for i in range(3)]
        self.wire = frames.open_wire("eth0", f"{lab}-client")
        self.heard = []
        self.questions = ([], [])
        self.ended = threading.Event()
        self.failure = None

    def ask(self, number):
        mac, own = ASKERS[number % len(ASKERS)]
        for family, build in enumerate((arp_request, solicitation)):
            self.questions[family].append(Question(time.time(), mac))
            self.wire.send(build(mac, own[family], VIPAS[family]))

    def run(self):
        try:
            self.listen()
        except Exception as error:  # told by end(): a test that heard nothing has proven nothing
            self.failure = error

    def listen(self):
        due, number = time.time(), 0
        while not self.ended.is_set():
            for ear in select.select(self.ears, [], [], max(0, due - time.time()))[0]:
                self.heard.extend(ear.frames())
            if time.time() >= due:
                self.ask(number)
                number += 1
                due = time.time() + ASK_EVERY_S

    def end(self):
        # The answers to the last questions.
        time.sleep(0.5)
        self.ended.set()
        self.join()
        if self.failure:
            raise self.failure


class World:
    """What is broken. Everything that can be broken and mended is a pair (kind, number of the adapter or family)."""

    def __init__(self, lab, program, seed):
        self.lab = lab
        self.program = program
        self.random = random.Random(seed)
        self.control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.broken = {}   # pair: when its breaking began
        self.spans = {}    # pair: times in which it could hinder an answer
        self.mute = {}     # pair: times in which it must
        self.muted = {}
        self.order = [[0, 1, 2], [0, 1, 2]]
        self.log = []
        self.refused = 0

    def run(self, *words, may_fail=False):
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode and (not may_fail or done.stderr.count("\n") != 1):
            sys.exit(f"'{' '.join(words)}': exit code {done.returncode}: {done.stderr}")
        return done.returncode

    def xdplb(self, *words, may_fail=False):
        code = self.run("nsenter", f"--net=/run/netns/{self.lab}-dispatcher", self.program, "-q", *words, may_fail=may_fail)
        self.refused += code != 0
        return code

    def change(self, kind, number, breaks):
        adapter = f"e{number}"
        if kind == "cable":
            failover_times.set_up(self.control, f"dispatcher-{adapter}", not breaks)
        elif kind == "link":
            self.run("ip", "-n", f"{self.lab}-dispatcher", "link", "set", adapter, "down" if breaks else "up")
        elif kind in ("address0", "address1"):
            address = PREFIX[int(kind[-1])].format(4 + number)
            self.run("ip", "-n", f"{self.lab}-dispatcher", "address", "del" if breaks else "add", address, "dev", adapter)
        elif kind == "reach":
            # Ports that are isolated do not hear each other; the gateway, which is the target, is one.
            self.run("bridge", "link", "set", "dev", f"dispatcher-{adapter}", "isolated", "on" if breaks else "off")
        elif kind == "disabled":
            self.xdplb("interface", "disable" if breaks else "enable", adapter)
        else:
            self.xdplb("vipa", "deactivate" if breaks else "reactivate", VIPAS[number])

    def toggle(self, kind, number):
        pair, begin = (kind, number), time.time()
        breaks = pair not in self.broken
        self.log.append((begin, f"{kind} {number} {'breaks' if breaks else 'is whole'}"))
        if not breaks and pair in self.muted:
            self.mute.setdefault(pair, []).append(Span(self.muted.pop(pair), begin))
        self.change(kind, number, breaks)
        end = time.time()
        if breaks:
            self.broken[pair] = begin
            if kind in ("disabled", "vipa") or kind.startswith("address"):
                self.muted[pair] = end + (TOLD_S if kind.startswith("address") else 0.02)
        else:
            later = {"reach": REACH_S, "vipa": PROBES_S}.get(kind, 0)
            self.spans.setdefault(pair, []).append(Span(self.broken.pop(pair), end + later))

    def operator(self, word):
        family = self.random.randrange(2)
        vipa, listed = VIPAS[family], LISTED[family]
        if word == "move":
            words = ["vipa", "move", vipa, listed[self.random.randrange(3)]]
        elif word == "resume":
            words = ["vipa", "resume", vipa]
        elif word == "order":
            self.random.shuffle(self.order[family])
            words = ["vipa", "set", vipa, "--prefer", ",".join(listed[i] for i in self.order[family])]
        elif word == "failback":
            policy = self.random.choice(("immediate", "delayed", "manual"))
            words = ["vipa", "set", vipa, "--failback", policy, "--hold", f"{self.random.randrange(3)}s"]
        else:
            words = ["set", "--up-delay", f"{self.random.randrange(3)}s"]
        self.log.append((time.time(), " ".join(words)))
        self.xdplb(*words, may_fail=word == "move")

    def event(self):
        kinds = {"cable": 34, "link": 12, "address": 12, "reach": 6, "disabled": 8, "vipa": 3,
                 "move": 9, "resume": 4, "order": 6, "failback": 4, "delay": 2}
        kind = self.random.choices(list(kinds), list(kinds.values()))[0]
        # The first of a list is the owner more often than not.
        number = self.random.choice((self.order[0][0], self.order[1][0], self.random.randrange(3)))
        if kind in ("move", "resume", "order", "failback", "delay"):
            self.operator(kind)
            return
        if self.random.random() < 0.3 and (out := [pair for pair in self.broken if pair[0] == "vipa"]):
            self.toggle(*out[0])
            return
        kind, number = {"address": (f"address{self.random.randrange(2)}", number), "vipa": ("vipa", number % 2)}.get(kind, (kind, number))
        hurt = {pair[1] for pair in self.broken if pair[0] != "vipa"} | {number}
        # Mostly something is whole, sometimes nothing.
        if (kind, number) not in self.broken and self.random.random() < max(len(self.broken) / 6, 0.75 * (len(hurt) > 2)):
            kind, number = self.random.choice(sorted(self.broken))
        self.toggle(kind, number)

    def mend(self):
        for pair in sorted(self.broken):
            self.toggle(*pair)
        for family, vipa in enumerate(VIPAS):
            self.xdplb("vipa", "resume", vipa)
            self.xdplb("vipa", "set", vipa, "--failback", "immediate", "--prefer", ",".join(LISTED[family][i] for i in range(3)))
        self.xdplb("set", "--up-delay", "0s")


def lost_frames(world):
    """A port whose cable or link was gone for less than a second, and a daemon that only heard that it is back: the announcement of the
    moment between is lost, and not missed."""
    def lost(port, moment):
        return any(moment - 1 < span.begin and span.end < moment for kind in ("cable", "link")
                   for span in world.spans.get((kind, int(port[-1])), ()))
    return lost


def hindrances(world, family, number):
    """When this adapter could not answer for the VIPA of the family."""
    kinds = [("cable", number), ("link", number), ("reach", number), ("disabled", number), ("vipa", family)]
    if number != 1:
        kinds.append((f"address{family}", number))
    return [span for kind in kinds for span in world.spans.get(kind, ())]


def judge(world, listener, family):
    """(violations as (time, text), numbers)"""
    questions = listener.questions[family]
    heard = vipa_claims.of(listener.heard, VIPAS[family])
    answers = vipa_claims.answers_to(questions, heard)
    found = [(f["t"], f"{f['kind']} by {f['port']} without an announcement before it")
             for f in vipa_claims.two_owners(heard, lost_frames(world))]
    found += [(q.t, "a question with two answers") for q in vipa_claims.answered_twice(questions, answers, heard)]
    for (kind, number), spans in world.mute.items():
        port = None if kind == "vipa" else f"dispatcher-e{number}"
        if kind == "disabled" or (kind, number) == ("vipa", family) or (kind == f"address{family}" and number != 1):
            found += [(f["t"], f"{f['kind']} by {f['port']} while it must be mute: {kind} {number}")
                      for f in vipa_claims.claims_within(heard, spans, port)]
    worst = 0.0
    for silence in vipa_claims.silences(questions, answers):
        clear, begin = max(vipa_claims.longest_clear(silence, hindrances(world, family, number)) for number in range(3))
        limit = SILENCE_AFTER_PROBES_S if begin - silence.begin > LONG_SILENCE_S - 1 else SILENCE_S
        if limit == SILENCE_S:
            worst = max(worst, clear)
        if clear > limit:
            found.append((begin, f"nobody answered for {clear:.2f} s though an adapter could"))
    ports = [f["port"] for f in heard]
    numbers = {"questions": len(questions), "answered": sum(1 for a in answers if a), "claims": len(heard),
               "moves": sum(1 for a, b in zip(ports, ports[1:]) if a != b), "longest_silence_s": round(worst, 3)}
    return found, numbers


def tell(world, listener, family, moment, text):
    print(f"VIOLATION of {VIPAS[family]} at {moment:.6f}: {text}")
    around = [(at, what) for at, what in world.log if moment - 3 < at < moment + 1]
    around += [(f["t"], f"  {f['port']} {f['kind']} to {f['dst']}")
               for f in vipa_claims.of(listener.heard, VIPAS[family]) if abs(f["t"] - moment) < 0.1]
    for at, what in sorted(around):
        print(f"  {at - moment:+.6f} {what}")


def main():
    lab, program, events, seed = sys.argv[1:]
    world, listener = World(lab, program, seed), Listener(lab)
    listener.start()
    for _ in range(int(events)):
        world.event()
        # Mostly close together; now and then there is time for a failed reach target or a hold.
        time.sleep(world.random.uniform(1.5, 4) if world.random.random() < 0.02 else min(0.5, world.random.expovariate(9)))
    world.mend()
    listener.end()
    results = [judge(world, listener, family) for family in range(2)]
    for family, (found, _) in enumerate(results):
        for moment, text in sorted(found)[:5]:
            tell(world, listener, family, moment, text)
    violations = sum(len(found) for found, _ in results)
    print(json.dumps({"events": int(events), "seed": seed, "violations": violations, "refused_commands": world.refused,
                      "v4": results[0][1], "v6": results[1][1]}))
    sys.exit(1 if violations else 0)


main()

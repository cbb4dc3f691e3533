# SPDX-License-Identifier: GPL-2.0-only
"""What guests say about addresses, port by port, with one clock: the frames of ARP, ND and MLD that enter a LAN's taps.

Frames and the words about them are those of the namespace tests (tests/netns/neighbour_frames.py and vipa_frames.py).
"""
import pathlib
import select
import sys
import threading
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "tests/netns"))
import neighbour_frames  # noqa: E402
import vipa_claims  # noqa: E402
import vipa_frames  # noqa: E402


class Wire:
    """Listens from its making on, until the scenario ends. The methods of asking are those of vipa_frames."""

    def __init__(self, *ports):
        self.frames = []
        self.ears = [neighbour_frames.Ear(port) for port in ports]
        # The functions of vipa_frames are about this list. Only whole frames are appended, so that it may be read at any time.
        vipa_frames.f = self.frames
        self.said, self.announced, self.pick = vipa_frames.said, vipa_frames.announced, vipa_frames.pick
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            for ear in select.select(self.ears, [], [])[0]:
                self.frames.extend(ear.frames())

    @staticmethod
    def now():
        """The time as frames have it."""
        return time.time()

    def claimants(self, ip, since=0, until=float("inf")):
        """Who said to have `ip`, in turns: [(port, MAC)...], neighbours in the list differ."""
        turns = []
        for frame in vipa_claims.of(self.frames, ip):
            one = (frame["port"], frame["mac"])
            if since <= frame["t"] <= until and turns[-1:] != [one]:
                turns.append(one)
        return turns

    @staticmethod
    def malformed(frames):
        """Those that are not as RFC 5227, 826 and 4861 want them; an announcement of ARP has its reply behind it."""
        def is_wrong(frame):
            wants_reply = frame["kind"] in ("announce", "advertisement")
            return not vipa_frames.well_formed(frame) or (wants_reply and not vipa_frames.has_reply(frame))
        return [frame for frame in frames if is_wrong(frame)]

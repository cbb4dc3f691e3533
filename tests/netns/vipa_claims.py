# SPDX-License-Identifier: GPL-2.0-only
"""Judges what was heard of one VIPA on a LAN: who claimed it, which questions were answered. For vipa_random.py.

Frames are those of neighbour_frames.py in the order of their kernel time stamps. A Span is a time in which something was not as it
should be, its end None while it lasts.
"""
import collections

from neighbour_frames import claims

Span = collections.namedtuple("Span", "begin end")
Question = collections.namedtuple("Question", "t asker")


def of(frames, address):
    return sorted((frame for frame in frames if frame["ip"] == address and claims(frame)), key=lambda frame: frame["t"])


def two_owners(heard, lost):
    """Claims of one port after those of another that do not begin with an announcement: two answer in the same turn.

    lost(port, time): the port's announcement may have got lost just before.
    """
    found, owner = [], None
    for frame in heard:
        is_announcement = frame["kind"] in ("announce", "advertisement")
        if owner in (None, frame["port"]) or is_announcement or lost(frame["port"], frame["t"]):
            owner = frame["port"]
        else:
            found.append(frame)
    return found


def claims_within(heard, spans, port=None):
    """Claims, of one port or any, in times when there should be none."""
    return [frame for frame in heard if port in (None, frame["port"])
            and any(span.begin < frame["t"] and (span.end is None or frame["t"] < span.end) for span in spans)]


def answers_to(questions, heard):
    """For each question its answers: those to its asker before it asks again."""
    events = [(question.t, 0, question) for question in questions]
    events += [(frame["t"], 1, frame) for frame in heard if frame["kind"] == "answer"]
    waiting, answers = {}, []
    for _, is_answer, event in sorted(events, key=lambda one: one[:2]):
        if not is_answer:
            answers.append([])
            waiting[event.asker] = answers[-1]
        elif event["dst"] in waiting:
            waiting[event["dst"]].append(event)
    return answers


def answered_twice(questions, answers, heard, quiet_s=5):
    """Questions with more than one answer. After a move askers are told without having asked; those times do not count."""
    moves = [after["t"] for before, after in zip(heard, heard[1:]) if before["port"] != after["port"] or after["t"] - before["t"] > 0.2]
    if heard:
        moves.append(heard[0]["t"])
    return [question for question, found in zip(questions, answers)
            if len(found) > 1 and not any(0 <= found[-1]["t"] - move < quiet_s for move in moves)]


def silences(questions, answers):
    """From a question without an answer to the next with one, or to the last one."""
    found, begin = [], None
    for question, answer in zip(questions, answers):
        if answer and begin is not None:
            found.append(Span(begin, question.t))
            begin = None
        elif not answer and begin is None:
            begin = question.t
    return found + [Span(begin, questions[-1].t)] if begin is not None else found


def longest_clear(silence, spans):
    """(seconds, begin): the longest time within the silence that none of the spans touches."""
    longest, begin = (0.0, silence.begin), silence.begin
    for span in sorted(spans):
        if span.end is not None and span.end <= begin:
            continue
        if span.begin >= silence.end:
            break
        longest = max(longest, (span.begin - begin, begin))
        begin = span.end if span.end is not None else silence.end
    return max(longest, (silence.end - begin, begin))

"""From a journal to the state that it leads to: all of it, or up to a moment.

    found = recover("journal", Capacity(...))
    found.state.live_orders(found.prefix), found.summary["verdict"]

Reads only; nothing is sent, and nothing but a checkpoint that is asked for is written.
"""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass
from typing import Any

from dataplane.errors import DataplaneError
from dataplane.journal import Journal, segment_names
from dataplane.recover import State
from dataplane.segment import Segment

CHECKPOINT = re.compile(r"checkpoint-(\d{12,})\.tpc")
CHECKPOINTS_KEPT = 2
INSTRUMENTS = 65_536
END = (1 << 64) - 1
LAST_NS = (1 << 63) - 1


@dataclass(frozen=True)
class Capacity:
    """How large the tables are; a checkpoint serves only the capacity that it was made with."""

    orders: int
    executions: int
    instruments: int = INSTRUMENTS


@dataclass
class Recovered:
    """What a journal leads to."""

    state: State
    summary: dict[str, Any]  # as of Journal.summary(): of what was read
    prefix: str  # of every ClOrdID
    checkpoint: str | None  # where reading began; None: at the first record
    passed_over: list[str]  # checkpoints of no use, in words
    stopped: bool  # a limit was met before the end
    segment: Segment | None  # the last one read


def capacity_of(directory: str) -> tuple[Capacity, Journal]:
    """Read the whole journal once; return what its events need, and the journal, verified."""
    journal = Journal(directory)
    journal.verify()
    return Capacity(journal.user_ref_num_max + 1, journal.executions + 1), journal


def checkpoints(directory: str) -> list[str]:
    """Return the paths of the checkpoints, the newest first."""
    found = [match for name in os.listdir(directory) if (match := CHECKPOINT.fullmatch(name))]
    found.sort(key=lambda match: int(match[1]), reverse=True)
    return [os.path.join(directory, match[0]) for match in found]


def recover(
    directory: str,
    capacity: Capacity,
    *,
    until_sequence: int = END,
    until_time_ns: int = LAST_NS,
    from_checkpoint: bool = True,
) -> Recovered:
    """Apply the journal's records, from the last checkpoint that can be used."""
    segment_names(directory)  # says what is wrong where there is none
    state = State(capacity.orders, capacity.executions, capacity.instruments)
    passed_over: list[str] = []
    for path in checkpoints(directory) if from_checkpoint else ():
        try:
            start, place = state.load(path)
        except DataplaneError as error:
            passed_over.append(str(error))
            continue
        journal = Journal(directory, start)
        found = run(journal, state, place, until_sequence, until_time_ns)
        if found is not None:
            found.checkpoint, found.passed_over = path, passed_over
            return found
        passed_over.append(f"checkpoint: {path}: of another journal")
        state = State(capacity.orders, capacity.executions, capacity.instruments)
    journal = Journal(directory)
    if journal.dropped.segments:
        raise DataplaneError(
            errno.EINVAL,
            f"journal: {directory}: its first {journal.dropped.segments} segments were dropped;"
            " what is left leads to no state of its orders; name another directory",
        )
    whole = run(journal, state, None, until_sequence, until_time_ns)
    assert whole is not None
    whole.passed_over = passed_over
    return whole


def run(
    journal: Journal,
    state: State,
    place: tuple[int, int, int, int, int, int] | None,
    until_sequence: int,
    until_time_ns: int,
) -> Recovered | None:
    """Apply what follows a checkpoint's place; None when the place is not of this journal."""
    stopped, last = False, None
    for segment in journal.segments():
        if place is not None and not segment.resume(*place):
            return None
        place, last = None, segment
        stopped = state.apply(segment, until_sequence, until_time_ns)
        if stopped:
            break
    if place is not None:
        return None
    return Recovered(state, journal.summary(), journal.cl_ord_id_prefix, None, [], stopped, last)


def save_checkpoint(directory: str, found: Recovered) -> str | None:
    """Write where the recovered state stands; drop all but the newest ones. None: no records."""
    if found.segment is None or found.state.sequence == 0:
        return None
    found.state.save(directory, found.segment)
    paths = checkpoints(directory)
    for path in paths[CHECKPOINTS_KEPT:]:
        os.unlink(path)
    return paths[0]

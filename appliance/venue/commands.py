"""What a running venue can be told, one line each: by a scenario, a schedule or the control socket.

``fault alice late 50ms``, ``halt TPLN``, ``line a loss=200000``; with several venues
``NAME: COMMAND``, else the first is meant. docs/venue.md lists them.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from appliance.errors import CommandError
from appliance.venue.messages import NANOS_PER_PRICE, PRICE_SCALE, duration_ns, split, whole
from appliance.venue.venues import Venue
from dataplane.exchange import FAULTS, SESSIONS, SHORT_SALES

LINES = {"a": 0, "b": 1}
TIMED_FAULTS = ("stop_reading", "late", "silent")
LINE_COUNTS = ("loss", "reorder", "duplicate")


def execute(venues: dict[str, Venue], line: str, now_ns: int) -> str:
    """Do what a line says; what it answers, a line too."""
    name, colon, rest = line.partition(": ")
    if colon and name in venues:
        return execute_at(venues[name], rest, now_ns)
    return execute_at(next(iter(venues.values())), line, now_ns)


def execute_at(venue: Venue, line: str, now_ns: int) -> str:
    """Do what a line says to one venue."""
    request = split(line)
    if request.verb not in COMMANDS:
        known = ", ".join(COMMANDS)
        raise CommandError(f"{request.verb!r} is no command; known: {known}")
    return COMMANDS[request.verb](venue, request.words, request.named, now_ns)


def word(words: list[str], at: int, what: str) -> str:
    """Return a word by its place, or say what is missing."""
    if at >= len(words):
        raise CommandError(f"{what}: missing; write it as word {at + 1} behind the command")
    return words[at]


def fault(venue: Venue, words: list[str], named: dict[str, str], now_ns: int) -> str:
    """``fault USER|all NAME [VALUE]``"""
    account = venue.account(word(words, 0, "user"))
    name = word(words, 1, "fault")
    if name not in FAULTS:
        raise CommandError(f"fault: {name!r} is none; known: {', '.join(FAULTS)}")
    text = words[2] if len(words) > 2 else "0" if name not in TIMED_FAULTS else "0s"
    value = duration_ns(text, name) if name in TIMED_FAULTS else whole(text, name)
    venue.exchange.set_fault(name, value, now_ns, account)
    return "ok"


def session(venue: Venue, words: list[str], named: dict[str, str], now_ns: int) -> str:
    """``session SYMBOL|all NAME``"""
    instrument = venue.instrument(word(words, 0, "symbol"))
    name = word(words, 1, "session")
    if name not in SESSIONS:
        raise CommandError(f"session: {name!r} is none; known: {', '.join(SESSIONS)}")
    venue.exchange.set_session(name, now_ns, instrument)
    return "ok"


def halt(venue: Venue, words: list[str], named: dict[str, str], now_ns: int) -> str:
    """``halt SYMBOL|all``"""
    return session(venue, [word(words, 0, "symbol"), "halted"], named, now_ns)


def resume(venue: Venue, words: list[str], named: dict[str, str], now_ns: int) -> str:
    """``resume SYMBOL|all``"""
    return session(venue, [word(words, 0, "symbol"), "continuous"], named, now_ns)


def freeze(venue: Venue, words: list[str], named: dict[str, str], now_ns: int) -> str:
    """``freeze SYMBOL|all``"""
    venue.exchange.freeze(venue.instrument(word(words, 0, "symbol")))
    return "ok"


def short_sale(venue: Venue, words: list[str], named: dict[str, str], now_ns: int) -> str:
    """``short_sale SYMBOL|all STATE``"""
    instrument = venue.instrument(word(words, 0, "symbol"))
    state = word(words, 1, "state")
    if state not in SHORT_SALES:
        raise CommandError(f"state: {state!r} is none; known: {', '.join(SHORT_SALES)}")
    venue.exchange.set_short_sale(state, now_ns, instrument)
    return "ok"


def line(venue: Venue, words: list[str], named: dict[str, str], now_ns: int) -> str:
    """``line a|b [loss=PPM] [reorder=PPM] [duplicate=PPM] [delay=TIME] [seed=N]``"""
    name = word(words, 0, "line")
    if name not in LINES:
        raise CommandError(f"line: {name!r} is neither a nor b")
    unknown = named.keys() - {*LINE_COUNTS, "delay", "seed"}
    if unknown:
        raise CommandError(f"line: {min(unknown)!r} is not known; give loss, reorder, duplicate, "
                           "delay or seed")  # fmt: skip
    counts = {f"{key}_ppm": whole(named.get(key, "0"), key) for key in LINE_COUNTS}
    venue.exchange.set_line(
        LINES[name],
        seed=whole(named.get("seed", "1"), "seed"),
        delay_ns=duration_ns(named.get("delay", "0s"), "delay"),
        **counts,
    )
    return "ok"


def break_trade(venue: Venue, words: list[str], named: dict[str, str], now_ns: int) -> str:
    """``break MATCH_NUMBER [REASON]``"""
    number = whole(word(words, 0, "match number"), "match number")
    reason = words[1] if len(words) > 1 else "E"
    if not venue.exchange.break_trade(number, now_ns, reason):
        raise CommandError(f"match number: {number} is no trade that can still be broken")
    return "ok"


def end(venue: Venue, words: list[str], named: dict[str, str], now_ns: int) -> str:
    """``end``"""
    venue.exchange.end(now_ns)
    return "ok"


def stats(venue: Venue, words: list[str], named: dict[str, str], now_ns: int) -> str:
    """``stats``"""
    return json.dumps(venue.exchange.stats())


def touch(venue: Venue, words: list[str], named: dict[str, str], now_ns: int) -> str:
    """``touch SYMBOL``"""
    instrument = venue.instrument(word(words, 0, "symbol"))
    if instrument is None:
        raise CommandError("symbol: 'all' has no touch; give one symbol")
    scale = NANOS_PER_PRICE * PRICE_SCALE
    prices = ["none" if price is None else str(price / scale)
              for price in venue.exchange.touch(instrument)]  # fmt: skip
    return " ".join(prices)


Command = Callable[[Venue, list[str], dict[str, str], int], str]
COMMANDS: dict[str, Command] = {
    "fault": fault,
    "session": session,
    "halt": halt,
    "resume": resume,
    "freeze": freeze,
    "short_sale": short_sale,
    "line": line,
    "break": break_trade,
    "end": end,
    "stats": stats,
    "touch": touch,
}

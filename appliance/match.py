"""``tickplane match``: orders in, one a line of JSON; what became of them out, one a line.

A line is a request (see docs/matching.md). A request that cannot be read gets a ``bad`` line with
what is wrong and where; an order that the engine refuses a ``rejected`` one; both go on. The exit
status is 0 when every line could be read, 1 when some could not.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

from appliance.match_words import NANOS, RequestError, read_request, tell
from dataplane.errors import DataplaneError
from dataplane.match import NONE, Matcher, Report

LINE_MAX = 65_536
CENT = NANOS // 100
LIMITS = {"instruments": 64, "participants": 256, "orders": 1 << 20, "terms": 1 << 16}
LEVELS = 1 << 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument("file", metavar="FILE", help="requests, one a line; - is standard input")
    parser.add_argument("--seed", type=int, default=0, help="of the random refresh of reserves")


class Venue:
    """A matching engine whose orders, participants and instruments have names."""

    def __init__(self, seed: int) -> None:
        self._engine = Matcher(levels=LEVELS, seed=seed & (2**64 - 1), **LIMITS)
        self._ids: dict[str, int] = {}  # name of an order -> the engine's number
        self._names: dict[int, str] = {}
        self._participants: dict[str, int] = {}
        self._instruments: list[str] = []
        self._now_ns = 0

    def ask(self, request: Any) -> list[dict[str, Any]]:
        """Return what a request causes, or raise RequestError."""
        do, values = read_request(request)
        now_ns = values.pop("now_ns", self._now_ns)
        if now_ns < self._now_ns:
            raise RequestError(f"time_ns: {now_ns} is before {self._now_ns}; time goes on")
        if do == "instrument":
            self._add_instrument(values.pop("instrument"), values)
            return []
        reports = getattr(self, f"_{do}")(values, now_ns)
        self._now_ns = now_ns
        return [tell(report, self._names, self._instruments) for report in reports]

    def _add_instrument(self, name: str, values: dict[str, Any]) -> None:
        if name in self._instruments:
            raise RequestError(f"instrument: {name!r} is there already")
        tick = values.setdefault("tick", CENT)
        values.setdefault("price_max", 1_000_000 * tick)
        try:
            self._engine.add_instrument(**values)
        except DataplaneError as error:
            raise RequestError(str(error)) from None
        self._instruments.append(name)

    def _instrument(self, values: dict[str, Any]) -> int:
        """Return the number of the instrument named; the first when none is."""
        if not self._instruments:
            self._add_instrument("X", {})
        name = values.pop("instrument", self._instruments[0])
        if name not in self._instruments:
            raise RequestError(
                f"instrument: {name!r} is not one of {', '.join(self._instruments)}; begin with "
                f'{{"do": "instrument", "instrument": "{name}"}}'
            )
        return self._instruments.index(name)

    def _participant(self, name: str) -> int:
        if name not in self._participants:
            try:
                self._participants[name] = self._engine.add_participant()
            except DataplaneError as error:
                raise RequestError(f"participant: {name!r}: {error}") from None
        return self._participants[name]

    def _number(self, name: str) -> int:
        """Return the number of an order of that name, a new one for a new name."""
        number = self._ids.setdefault(name, len(self._ids) + 1)
        self._names[number] = name
        return number

    # ---- requests ----

    def _new(self, values: dict[str, Any], now_ns: int) -> list[Report]:
        flags = 0
        for bit, name in enumerate(("hidden", "post_only", "all_or_none")):
            flags |= values.pop(name, False) << bit
        instrument = self._instrument(values)
        group = values.pop("group_id", None)
        values["group_order_id"] = self._number(group) if group is not None else 0
        return self._engine.new(
            self._number(values.pop("id")), values.pop("side"), values.pop("qty"),
            values.pop("price", None), participant=self._participant(values.pop("participant")),
            instrument=instrument, flags=flags, now_ns=now_ns, **values)  # fmt: skip

    def _replace(self, values: dict[str, Any], now_ns: int) -> list[Report]:
        new_name = values.pop("new_id", None)
        return self._engine.replace(
            self._number(values.pop("id")), values.pop("qty"), values.pop("price", None),
            new_order_id=self._number(new_name) if new_name is not None else 0, now_ns=now_ns,
            **values)  # fmt: skip

    def _cancel(self, values: dict[str, Any], now_ns: int) -> list[Report]:
        return self._engine.cancel(
            self._number(values["id"]), values.get("leaves_qty", 0), now_ns=now_ns
        )

    def _mass_cancel(self, values: dict[str, Any], now_ns: int) -> list[Report]:
        who = values.get("participant")
        return self._engine.mass_cancel(
            participant=NONE if who is None else self._participant(who),
            instrument=self._instrument(values) if "instrument" in values else NONE,
            side=values.get("side", 0), now_ns=now_ns)  # fmt: skip

    def _session(self, values: dict[str, Any], now_ns: int) -> list[Report]:
        instrument = self._instrument(values)
        return self._engine.set_session(values["session"], instrument=instrument, now_ns=now_ns)

    def _quote(self, values: dict[str, Any], now_ns: int) -> list[Report]:
        instrument = self._instrument(values)
        return self._engine.quote(
            values.get("bid"), values.get("ask"), instrument=instrument, now_ns=now_ns
        )

    def _time(self, _values: dict[str, Any], now_ns: int) -> list[Report]:
        return self._engine.advance(now_ns=now_ns)


def parse(line: bytes) -> Any:
    """Return a line's JSON, or raise RequestError."""
    if len(line) > LINE_MAX:
        raise RequestError(f"a line of {len(line)} bytes; at most {LINE_MAX}")
    try:
        return json.loads(line)
    except RecursionError:
        raise RequestError("not JSON: too deep") from None
    except ValueError as error:
        raise RequestError(f"not JSON: {str(error).lower()}") from None


def answers(lines: Iterator[bytes], venue: Venue) -> Iterator[dict[str, Any]]:
    """Yield what every line causes; empty lines and lines that begin with # are left out."""
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith(b"#"):
            continue
        try:
            yield from venue.ask(parse(line))
        except RequestError as error:
            yield {"report": "bad", "line": number, "words": str(error)}


def read_lines(path: str) -> Iterator[bytes]:
    """Yield the lines of a file, as they come; never more of one than would be taken."""
    try:
        with sys.stdin.buffer if path == "-" else open(path, "rb") as file:
            while line := file.readline(LINE_MAX + 1):
                while len(line) > LINE_MAX and not line.endswith(b"\n"):
                    rest = file.readline(LINE_MAX)
                    if not rest or rest.endswith(b"\n"):
                        break
                yield line
    except OSError as error:
        raise DataplaneError(
            error.errno or 1, f"{path}: {error.strerror}; give a file of requests"
        ) from None


def run(args: argparse.Namespace) -> int:
    """Answer every line."""
    has_bad = False
    for answer in answers(read_lines(args.file), Venue(args.seed)):
        print(json.dumps(answer), flush=args.file == "-")
        has_bad |= answer["report"] == "bad"
    return 1 if has_bad else 0

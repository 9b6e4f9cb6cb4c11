"""Moments as people write them: nanoseconds, a date with time, or a time of day."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

from appliance.errors import CommandError

SECOND_NS = 1_000_000_000
MOMENT = re.compile(r"(?:(\d{4})-(\d{2})-(\d{2})[T ])?(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(Z)?")


def parse_time(option: str, text: str, timezone: str, near_ns: int | None) -> int:
    """Return nanoseconds since the epoch; a time of day is that of the day of ``near_ns``."""
    if timezone not in available_timezones():
        raise CommandError(f"--timezone: {timezone!r} is no time zone; write one, like UTC")
    if text.isascii() and text.isdigit():
        return int(text)
    match = MOMENT.fullmatch(text)
    if match is None:
        raise CommandError(
            f"{option}: {text!r} is no time; write nanoseconds, 10:31:07.123456789, or"
            " 2026-01-02T10:31:07.123456789"
        )
    zone = UTC if match[8] else ZoneInfo(timezone)
    near = datetime.fromtimestamp((near_ns or 0) // SECOND_NS, zone)
    year, month, day = (
        (int(match[1]), int(match[2]), int(match[3]))
        if match[1]
        else (near.year, near.month, near.day)
    )
    hour, minute, second = int(match[4]), int(match[5]), int(match[6])
    try:
        whole = datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError as error:
        raise CommandError(f"{option}: {text!r}: {error}; write a time that there is") from None
    return int(whole.timestamp()) * SECOND_NS + int((match[7] or "").ljust(9, "0"))

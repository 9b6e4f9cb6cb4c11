"""What is left of a journal's first segments once they were dropped: `dropped.json`.

Readers begin behind them. The file is also an extract (`tickplane journal proof --check`): it
shows the records that named instruments, each proven by its path to a signed root. `tickplane
journal drop` writes it; docs/journal.md has the format.
"""

from __future__ import annotations

import base64
import errno
import json
import os
from dataclasses import dataclass, field
from typing import Any

from dataplane.errors import DataplaneError
from dataplane.segment import decode_record

NAME = "dropped.json"
FORMAT = 1
NO_HASH = bytes(32)


@dataclass(frozen=True)
class Dropped:
    """How far a journal was dropped."""

    segments: int = 0  # so many, from the first
    sequence_last: int = 0  # number of their last record
    chained: bytes = NO_HASH  # root of all of them
    parts: list[dict[str, Any]] = field(default_factory=list)  # of an extract: named instruments

    def symbols(self) -> dict[int, str]:
        """Return the names of instruments as they were behind them, by index."""
        names: dict[int, str] = {}
        for part in self.parts:
            for each in part["records"]:
                decode_record(base64.b64decode(each["record"]), "", names)
        return names

    def content(self) -> dict[str, Any]:
        """Return what the file holds."""
        return {
            "format": FORMAT,
            "dropped": {
                "segments": self.segments,
                "sequence_last": self.sequence_last,
                "chained": self.chained.hex(),
            },
            "segments": self.parts,
        }


def load(directory: str) -> Dropped:
    """Return how far the journal was dropped; nothing where it was not."""
    path = os.path.join(directory, NAME)
    try:
        with open(path, encoding="utf-8") as file:
            return parse(json.load(file))
    except (FileNotFoundError, NotADirectoryError):
        return Dropped()
    except OSError as error:
        raise DataplaneError(error.errno or errno.EIO, f"journal: {path}: {error}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataplaneError(
            errno.EBADMSG, f"journal: {path}: {error}; it is not what tickplane journal drop writes"
        ) from None


def parse(content: Any) -> Dropped:
    """Return the content of a file; raise ValueError, KeyError or TypeError when it is none."""
    if content["format"] != FORMAT:
        raise ValueError(f"format {content['format']}, not {FORMAT}")
    counts = content["dropped"]
    found = Dropped(
        int(counts["segments"]),
        int(counts["sequence_last"]),
        bytes.fromhex(counts["chained"]),
        list(content["segments"]),
    )
    if found.segments < 1 or found.sequence_last < 1 or len(found.chained) != len(NO_HASH):
        raise ValueError("counts or a hash that no journal has")
    found.symbols()  # they can be read
    return found

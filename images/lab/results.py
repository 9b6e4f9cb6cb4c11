"""The results of the lab: a line of JSON each, from both sides of a guest, and their summary."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("LAB_FOLDER", "build/lab")).resolve()
SHARE = FOLDER / "share"


def note(name: str, holds: bool, figure: str) -> None:
    """Add a result."""
    with (SHARE / "results").open("a") as file:
        file.write(json.dumps({"name": name, "holds": holds, "figure": figure}) + "\n")


def read(line: str) -> dict[str, Any]:
    """Return a result; a line that is none is one that does not hold."""
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        return {"name": "a line of results", "holds": False, "figure": line}
    return found


def summary() -> int:
    """Print every result; 0 when everything held."""
    results = [read(line) for line in (SHARE / "results").read_text().splitlines()]
    failed = [one for one in results if not one["holds"]]
    print(f"\nlab: summary; {SHARE} has what was seen, {FOLDER}/log everything")
    for one in results:
        print(f"  {'ok  ' if one['holds'] else 'FAIL'} {one['name']}: {one['figure']}")
    verdict = "all held" if not failed else f"{len(failed)} did not hold"
    print(f"lab: {len(results)} checks, {verdict}")
    return int(bool(failed) or not results)


if __name__ == "__main__":
    sys.exit(summary())

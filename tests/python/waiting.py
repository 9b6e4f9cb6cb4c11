"""Waiting for an event itself, with a limit that only a fault reaches."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")
LIMIT_S = 240  # of a machine that is busy with other things


def wait_until(
    look: Callable[[], Answer],
    *,
    process: subprocess.Popen[str] | subprocess.Popen[bytes] | None = None,
    seconds: float = LIMIT_S,
) -> Answer:
    """Return the first true answer of ``look``; fail at the limit, or when the process ends."""
    until = time.monotonic() + seconds
    while not (found := look()):
        assert process is None or process.poll() is None, f"ended: {process.returncode}"
        assert time.monotonic() < until, f"not seen within {seconds} s"
        time.sleep(0.01)
    return found

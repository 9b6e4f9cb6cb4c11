"""The core of the engine's thread, and its memory, as ``cpu`` of the configuration asks.

Set before the engine is made, so that its memory is touched first where it will be used; put back
at the end. What the machine does not give is said in one line and is no reason not to run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from appliance.config import CpuConfig
from dataplane import cpu
from dataplane.errors import DataplaneError


@contextmanager
def engine_core(config: CpuConfig) -> Iterator[None]:
    """Pin the calling thread and lock the process's memory, as asked, for as long as it lasts."""
    before = os.sched_getaffinity(0)
    warnings = pin(config.engine) if config.engine is not None else []
    is_locked = False
    if config.lock_memory:
        try:
            cpu.lock_memory()
            is_locked = True
        except DataplaneError as error:
            warnings.append(str(error))
    for warning in warnings:
        print(f"tickplane: {warning}", file=sys.stderr)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
        if is_locked:
            cpu.unlock_memory()


def pin(core: int) -> list[str]:
    """Pin the calling thread; return what is not as it should be, a line each."""
    try:
        cpu.pin(core)
    except DataplaneError as error:
        return [f"{error}; going on unpinned"]
    isolated, nohz_full = cpu.isolation(core)
    missing = [
        f"{parameter}={core}"
        for parameter, is_set in (("isolcpus", isolated), ("nohz_full", nohz_full))
        if not is_set
    ]
    if not missing:
        return []
    return [
        f"cpu: {core}: others may run there too; "
        f"add {' '.join(missing)} to the kernel's command line"
    ]

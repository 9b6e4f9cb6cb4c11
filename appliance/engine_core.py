"""The core of the engine's thread, and its memory, as ``cpu`` of the configuration asks.

Set before the engine is made, so that its memory is touched first where it will be used; put back
at the end. What the machine does not give is said in one line and is no reason not to run.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

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


def say_where_memory_lies(config: CpuConfig, region_path: str) -> None:
    """Say so when the kernel laid pages of the region on another node than the engine's core."""
    nodes = Path(f"/sys/devices/system/cpu/cpu{config.engine}").glob("node[0-9]*")
    node = next((int(path.name.removeprefix("node")) for path in nodes), None)
    try:
        with open("/proc/self/numa_maps") as maps:
            elsewhere, total = pages_elsewhere(maps, region_path, node)
    except OSError:
        return  # a kernel without nodes has one place only
    if node is not None and elsewhere:
        print(
            f"tickplane: cpu: {config.engine}: {elsewhere} of {total} pages of {region_path} lie "
            f"on another node than {node}; free memory there",
            file=sys.stderr,
        )


def pages_elsewhere(maps: Iterable[str], path: str, node: int | None) -> tuple[int, int]:
    """Return how many pages of a mapped file lie on other nodes, and how many there are."""
    elsewhere = total = 0
    for line in maps:
        if f"file={path} " in line:
            counts = {int(on): int(count) for on, count in re.findall(r"\bN(\d+)=(\d+)", line)}
            total += sum(counts.values())
            elsewhere += sum(count for on, count in counts.items() if on != node)
    return elsewhere, total

"""Nothing grows under full load: memory, descriptors, packet buffers of exchange and appliance.

``scripts/soak.sh leak`` is the long form: ten minutes over each kind of port.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from waiting import LIMIT_S, wait_until

from dataplane.errors import DataplaneError
from dataplane.page import Page
from dataplane.port_kind import kinds
from dataplane.region import Region

SECONDS = float(os.environ.get("TICKPLANE_LEAK_SECONDS", "6"))
PORTS = os.environ.get("TICKPLANE_LEAK_PORTS", "uring").split()
WARM_ORDERS = 2000
LOOK_S = 0.1
SLACK_KIB = 512  # of a process: less than a byte an order, of ten minutes at a thousand a second
FOLDER = "demo"


class Sample(NamedTuple):
    """What a process has, in KiB and in pieces."""

    anonymous: int
    file: int
    shared: int
    descriptors: int


def children(pid: int) -> list[int]:
    """Return all processes below one."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    found = [int(word) for word in path.read_text().split()] if path.exists() else []
    return found + [one for child in found for one in children(child)]


def process_of(pid: int, verb: str) -> int | None:
    """Return the process below ``pid`` that is at work on a verb."""
    for child in children(pid):
        words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        if words[1:5] == [b"-P", b"-m", b"appliance", verb.encode()]:
            return child
    return None


def sample(pid: int) -> Sample:
    text = Path(f"/proc/{pid}/status").read_text()
    names = ("RssAnon", "RssFile", "RssShmem")
    kib = [int(re.search(rf"{name}:\s+(\d+)", text).group(1)) for name in names]
    return Sample(*kib, len(os.listdir(f"/proc/{pid}/fd")))


def orders_sent(run: int) -> int:
    try:
        with Region.attach(next(Path("/dev/shm").glob(f"tickplane-*-{run}"))) as region:
            return region.counters()["orders_sent"]
    except (DataplaneError, StopIteration):
        return 0


def buffers_used(run: int) -> int:
    with Page.attach(next(Path("/dev/shm").glob(f"tickplane-*-{run}"))) as page:
        return sum(port["buffers_used"] for port in page.ports())


def growth(values: list[int]) -> int:
    """Return by how much the last quarter is above the first at least: up and down is none."""
    quarter = max(len(values) // 4, 1)
    return max(min(values[-quarter:]) - max(values[:quarter]), 0)


def watch(run: int, venue: int, tape: Path) -> dict[str, list[int]]:
    """Return what grew or did not, by name, over SECONDS of load."""
    series: dict[str, list[int]] = {}
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        rows = {f"run {name}": value for name, value in sample(run)._asdict().items()}
        rows |= {f"venue {name}": value for name, value in sample(venue)._asdict().items()}
        rows["buffers"] = buffers_used(run)
        rows["tape"] = tape.stat().st_size // 1024
        for name, value in rows.items():
            series.setdefault(name, []).append(value)
        time.sleep(LOOK_S)
    return series


def leaks(series: dict[str, list[int]]) -> dict[str, int]:
    """Return what grew although nothing needs it to."""
    # An exchange keeps its day, to send it again: less than what it writes to its tape.
    allowed = {"venue anonymous": series["tape"][-1] - series["tape"][0]}
    grown = {name: growth(values) for name, values in series.items() if name != "tape"}
    exact = ("run descriptors", "venue descriptors", "buffers")
    return {
        name: value
        for name, value in grown.items()
        if value > (0 if name in exact else SLACK_KIB + allowed.get(name, 0))
    }


def test_what_only_grows_is_told_from_what_goes_up_and_down():
    steady = {"run anonymous": [100, 900, 400, 100] * 5, "tape": [0, 5000] * 10}
    assert leaks(steady) == {}
    rising = list(range(0, 2000, 100))
    assert leaks({**steady, "run anonymous": rising}) == {"run anonymous": 1100}
    assert leaks({**steady, "venue anonymous": rising, "tape": [0, 5000]}) == {}
    assert leaks({**steady, "buffers": [3] * 10 + [4] * 10}) == {"buffers": 1}


@pytest.mark.parametrize("port", PORTS)
def test_nothing_grows_under_full_load(port, tmp_path):
    if port != "uring" and os.geteuid() != 0:
        pytest.skip("needs root: frames past the kernel")
    kind = next(kind for kind in kinds() if kind["name"] == port)
    if not kind["is_built"] or kind["problem"]:
        pytest.skip(f"needs the port {port}: see tickplane ports")
    folder = tmp_path / FOLDER
    said = tmp_path / "said"
    with said.open("w") as file:
        demo = subprocess.Popen(
            [sys.executable, "-P", "-m", "appliance", "demo", "--load", "--port", port,
             "--folder", str(folder), "--seconds", "86400"],
            stdout=file, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        run = wait_until(lambda: process_of(demo.pid, "run"), process=demo)
        wait_until(lambda: orders_sent(run) > WARM_ORDERS, process=demo)
        before = orders_sent(run)
        series = watch(run, process_of(demo.pid, "venue"), folder / "venue.tape")
        sent = orders_sent(run) - before
    finally:
        demo.terminate()
        demo.wait(timeout=LIMIT_S + SECONDS)
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{port}: {sent:,} orders in {SECONDS:.0f} s;", {
        name: (values[0], values[-1]) for name, values in series.items()
    })  # fmt: skip
    assert demo.returncode == 0, said.read_text()
    assert sent > 0
    assert leaks(series) == {}

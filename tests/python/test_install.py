"""What an installation promises: a processor that can run it, headers for those who build on it."""

from __future__ import annotations

import re
from pathlib import Path

import dataplane


def test_a_processor_that_lacks_something_is_told_apart(tmp_path: Path):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nflags\t\t: fpu avx2 bmi1 f16c fma abm\nflags\t\t: all\n")
    assert dataplane.missing_cpu_flags(str(cpuinfo)) == ["bmi2", "movbe"]


def test_a_processor_that_cannot_be_asked_is_trusted(tmp_path: Path):
    (tmp_path / "empty").write_text("")
    assert dataplane.missing_cpu_flags(str(tmp_path / "empty")) == []
    assert dataplane.missing_cpu_flags(str(tmp_path / "none")) == []


def test_the_headers_of_the_strategy_interface_are_complete():
    folder = Path(dataplane.get_include())
    waiting, seen = ["dp_strategy.h"], set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += re.findall(r'#include "([^"]+)"', (folder / name).read_text())
    assert "dp_event.h" in seen

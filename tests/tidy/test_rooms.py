"""Imports point one way: a room may use what stands before it, never what stands behind."""

from __future__ import annotations

import re

import pytest
import tree

# room -> rooms whose headers it may include
INCLUDES = {
    "core": {"core"},
    "proto": {"core", "proto"},
    "sys": {"core", "proto", "sys"},
    "ports": {"core", "proto", "sys", "ports"},
    "hooks": {"core", "proto", "sys", "ports", "hooks"},
    "sim": {"core", "proto", "sim"},
    "exchange": {"core", "proto", "exchange"},
    "server": {"core", "proto", "sys", "exchange", "server"},
    "engine": {"core", "proto", "sys", "ports", "hooks", "sim", "engine"},
    "live": {"core", "proto", "sys", "ports", "hooks", "sim", "engine", "live"},
    "bench": {
        "core",
        "proto",
        "sys",
        "ports",
        "hooks",
        "sim",
        "exchange",
        "server",
        "engine",
        "live",
        "bench",
    },
}
# No clock, no files, no threads: what the pure rooms may ask of the C library.
PURE = ("core", "proto", "sim", "exchange")
PURE_HEADERS = {
    "assert.h", "ctype.h", "errno.h", "immintrin.h", "inttypes.h", "limits.h", "nmmintrin.h",
    "stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h",
    "stdlib.h", "string.h",
}  # fmt: skip
IMPORTS = {
    "dataplane": {"dataplane"},
    "control": {"dataplane", "control"},
    "appliance": {"dataplane", "control", "appliance"},
}


def room_of_header() -> dict[str, str]:
    return {
        name.rsplit("/", 1)[1]: name.split("/")[1] for name in tree.ending(".h", under="dataplane/")
    }


@pytest.mark.parametrize("room", INCLUDES)
def test_includes_point_one_way(room: str):
    rooms = room_of_header()
    wrong = [
        f"{name}:{number}: includes {found[1]} of {rooms[found[1]]}"
        for name in tree.ending(".c", ".h", under=f"dataplane/{room}/")
        for number, line in tree.numbered(name)
        if (found := re.match(r'#include "([^"]+)"', line))
        and rooms.get(found[1]) not in INCLUDES[room]
    ]
    assert not wrong, "\n".join(wrong)


def test_every_folder_of_c_has_its_rule():
    assert {name.split("/")[1] for name in tree.ending(".c", under="dataplane/")} == set(INCLUDES)


@pytest.mark.parametrize("room", PURE)
def test_pure_rooms_ask_nothing_of_the_system(room: str):
    wrong = [
        f"{name}:{number}: includes <{found[1]}>"
        for name in tree.ending(".c", ".h", under=f"dataplane/{room}/")
        for number, line in tree.numbered(name)
        if (found := re.match(r"#include <([^>]+)>", line)) and found[1] not in PURE_HEADERS
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", IMPORTS)
def test_imports_point_one_way(package: str):
    wrong = [
        f"{name}:{number}: {line.strip()}"
        for name in tree.ending(".py", ".pyx", ".pxd", ".pyi", under=f"{package}/")
        for number, line in tree.numbered(name)
        if (found := re.match(r"\s*(?:from|c?import)\s+(\w+)", line))
        and found[1] in IMPORTS.keys() - IMPORTS[package]
    ]
    assert not wrong, "\n".join(wrong)


def test_cimports_name_their_module():
    """The build cannot see ``from dataplane cimport x``: a changed .pxd would rebuild nothing."""
    wrong = [
        f"{name}:{number}: {line.strip()}"
        for name in tree.ending(".pyx", ".pxd")
        for number, line in tree.numbered(name)
        if re.match(r"\s*from\s+(dataplane|appliance|appliance\.strategies|\.)\s+cimport\b", line)
    ]
    assert not wrong, "\n".join(wrong)

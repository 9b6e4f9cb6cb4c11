"""The row of kills: what it sees on the wire, not how fast that is."""

import json
import os
import struct

import pytest
from live_world import needs_uring

from appliance.bench import kill
from appliance.cli import main


def soup(kind, payload):
    return struct.pack(">H", 1 + len(payload)) + kind + payload


@pytest.mark.parametrize(
    ("payload", "holds"),
    [
        (b"", False),
        (soup(b"R", b""), False),
        (soup(b"U", b"X" + bytes(8)), False),
        (soup(b"U", b"O" + bytes(40)), True),
        (soup(b"U", b"X" + bytes(8)) + soup(b"U", b"U" + bytes(30)), True),
        (soup(b"U", b"O" + bytes(40))[7:], True),  # begins inside of a packet: counts
    ],
)
def test_orders_and_replaces_are_told_from_the_rest(payload, holds):
    assert kill.holds_order(payload) == holds


@needs_uring
def test_each_kill_is_seen_on_the_wire(monkeypatch, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("looking at the wire needs root")
    monkeypatch.setattr(kill, "KILLS", 3)
    path = tmp_path / "rows.json"
    assert main(["bench", "wire.kill", "--rounds", "5", "--json", str(path)]) == 0
    (row,) = json.loads(path.read_text())
    assert row["name"] == "wire.kill"
    if row["value"] is None:
        assert row["reference"]["name"] in (
            "needs two cores", "other processes always took the appliance's core"
        )  # fmt: skip
    else:
        seen = row["kill"]
        assert 0 < seen["kills"] <= 15
        assert seen["p50"] <= seen["p99"] <= seen["p999"] <= seen["worst"]

"""A card as hardware, simulated: the tests of every card, and a replay behind it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import LIMIT_S

from appliance.config import example_text
from dataplane.card import Card
from dataplane.errors import DataplaneError

ROOT = Path(__file__).parents[2]
TICKPLANE = [sys.executable, "-P", "-m", "appliance"]

pytestmark = pytest.mark.skipif(
    shutil.which("verilator") is None or shutil.which("g++") is None,
    reason="needs verilator and g++: apt-get install verilator g++",
)


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    folder = tmp_path_factory.mktemp("card")
    built = subprocess.run(
        [ROOT / "dataplane/fpga/build.sh", folder], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    return folder / "libcard.so"


@pytest.mark.parametrize(
    "name",
    [
        "hooks_test_card",
        "hooks_test_card_out",
        "hooks_test_card_alike",
        "hooks_test_card_trigger",
        "hooks_test_port_card",
    ],
)
def test_the_tests_of_every_card_hold(name, card):
    found = sorted(ROOT.glob(f"build/*/tests/{name}"), key=lambda path: path.stat().st_mtime)
    assert found, "build it: ninja -C build/checks"
    ran = subprocess.run(
        [found[-1]],
        env=os.environ | {"TICKPLANE_CARD_RTL": str(card)},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    path = tmp_path_factory.mktemp("day") / "day.pcap"
    words = ["--seed", "7", "--messages", "8000", "--symbols", "40", "--format", "pcap"]
    subprocess.run([*TICKPLANE, "generate", path, *words], check=True, timeout=LIMIT_S)
    return path


def replay(day, folder, card: str):
    """Return the report of a replay of that day behind that card."""
    config, report = folder / "card.yaml", folder / "card.json"
    text = example_text().replace("first: 100", "first: 10")
    config.write_text(text + f"\ncard: {card}\n")
    ran = subprocess.run(
        [*TICKPLANE, "replay", day, "--quiet", "--config", config, "--json", report],
        capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return json.loads(report.read_text())


@pytest.mark.parametrize("backend", ["soft", "rtl"])
def test_a_replay_behind_it_is_the_same(backend, card, day, tmp_path):
    where = f", where: {card}" if backend == "rtl" else ""
    plain, behind = (
        replay(day, tmp_path, text) for text in ("{}", f"{{backend: {backend}{where}}}")
    )
    assert plain["counters"]["tx_frames"] > 0
    for name in ("counters", "orders", "books_digest", "events_digest", "wire_digest"):
        assert behind[name] == plain[name]


@pytest.mark.parametrize("backend", ["soft", "rtl"])
def test_behind_one_that_lets_in_what_is_watched_orders_are_the_same(backend, card, day, tmp_path):
    where = f", where: {card}" if backend == "rtl" else ""
    plain, behind = (
        replay(day, tmp_path, text)
        for text in ("{}", f"{{backend: {backend}, filter: watched{where}}}")
    )
    for name in ("orders", "events_digest", "wire_digest"):
        assert behind[name] == plain[name]
    assert behind["books_digest"] != plain["books_digest"]
    seen = [report["counters"]["itch_messages"] for report in (plain, behind)]
    assert 0 < seen[1] < seen[0]


def test_its_identity_is_the_sum_of_its_sources(card):
    sources = sorted((ROOT / "dataplane/fpga").glob("*.sv"))
    expected = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).digest()
    assert Card(f"rtl:{card}", expected).identity() == expected
    with pytest.raises(DataplaneError, match="card rtl: bitstream .*: load the other one"):
        Card(f"rtl:{card}", bytes(32))


def test_a_wrong_shared_object_is_one_line(tmp_path):
    with pytest.raises(DataplaneError, match="card rtl: .*make it with dataplane/fpga/build.sh"):
        Card(f"rtl:{tmp_path}/none.so")

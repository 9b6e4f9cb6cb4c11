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

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(
    shutil.which("verilator") is None or shutil.which("g++") is None,
    reason="needs verilator and g++: apt-get install verilator g++",
)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    folder = tmp_path_factory.mktemp("card")
    built = subprocess.run(
        [ROOT / "dataplane/fpga/build.sh", folder], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    return os.environ | {"TICKPLANE_CARD_RTL": str(folder / "libcard.so")}


@pytest.mark.parametrize(
    "name",
    ["hooks_test_card", "hooks_test_card_out", "hooks_test_card_alike", "hooks_test_port_card"],
)
def test_the_tests_of_every_card_hold(name, environment):
    found = sorted(ROOT.glob(f"build/*/tests/{name}"), key=lambda path: path.stat().st_mtime)
    assert found, "build it: ninja -C build/checks"
    ran = subprocess.run(
        [found[-1]], env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_replay_behind_it_is_the_same(environment, tmp_path):
    day = tmp_path / "day.pcap"
    tickplane = [sys.executable, "-P", "-m", "appliance"]
    words = ["--seed", "7", "--messages", "5000", "--symbols", "20", "--format", "pcap"]
    subprocess.run([*tickplane, "generate", day, *words], check=True, timeout=LIMIT_S)
    found = []
    for card in ("none", "rtl"):
        config, report = tmp_path / f"{card}.yaml", tmp_path / f"{card}.json"
        config.write_text(example_text() + f"\ncard: {{backend: {card}}}\n")
        ran = subprocess.run(
            [*tickplane, "replay", day, "--quiet", "--config", config, "--json", report],
            env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        facts = json.loads(report.read_text())
        assert facts["counters"]["tx_frames"] > 0
        same = ("counters", "orders", "books_digest", "events_digest", "wire_digest")
        found.append([facts[name] for name in same])
    assert found[0] == found[1]


def test_its_identity_is_the_sum_of_its_sources(environment):
    sources = sorted((ROOT / "dataplane/fpga").glob("*.sv"))
    expected = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    words = "from dataplane.card import Card; print(Card('rtl').identity().hex())"
    said = subprocess.run(
        [sys.executable, "-c", words], env=environment, capture_output=True, text=True,
        timeout=LIMIT_S, check=True,
    )  # fmt: skip
    assert said.stdout.strip() == expected


def test_a_wrong_shared_object_is_one_line(tmp_path):
    words = "from dataplane.card import Card; Card('rtl')"
    environment = os.environ | {"TICKPLANE_CARD_RTL": str(tmp_path / "none.so")}
    ran = subprocess.run(
        [sys.executable, "-c", words], env=environment, capture_output=True, text=True,
        timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert "card rtl: " in ran.stderr
    assert "make it with dataplane/fpga/build.sh" in ran.stderr

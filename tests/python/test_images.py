"""The units of systemd: good by its own judgement, and about commands that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.cli import VERBS

UNITS = Path(__file__).parents[2] / "images" / "systemd"


def test_the_units_are_good(tmp_path, monkeypatch):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    for unit in UNITS.glob("*.service"):
        text = unit.read_text().replace("/opt/tickplane/bin/tickplane", shutil.which("true"))
        (tmp_path / unit.name).write_text(re.sub(r"^User=.*$", "User=root", text, flags=re.M))
    monkeypatch.setenv("SYSTEMD_UNIT_PATH", f"{tmp_path}:/lib/systemd/system")
    units = sorted(map(str, tmp_path.glob("*.service")))
    assert len(units) == 2
    done = subprocess.run(
        ["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_units_call_verbs_that_exist():
    text = "".join(unit.read_text() for unit in UNITS.glob("*.service"))
    called = set(re.findall(r"bin/tickplane (\w+)", text))
    assert called == {"apply", "verify", "run"}
    assert called <= set(VERBS)


def test_trading_requires_the_machine():
    text = (UNITS / "tickplane.service").read_text()
    assert "Requires=tickplane-machine.service" in text
    assert "After=tickplane-machine.service" in text

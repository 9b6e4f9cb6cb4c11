"""The units of systemd: good by its own judgement, and about commands that exist."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.cli import VERBS

IMAGES = Path(__file__).parents[2] / "images"
UNITS = IMAGES / "systemd"


def is_shell(path: Path) -> bool:
    """Say whether a file is a shell script, by its name or by its first line."""
    return path.suffix == ".sh" or path.read_bytes().startswith(
        (b"#!/bin/bash", b"#!/usr/bin/env bash")
    )


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


SLOT = IMAGES / "root" / "usr" / "sbin" / "tickplane-slot"
ENTRY = "title x\nversion {version}\noptions tickplane.slot={slot} quiet\n"


@pytest.fixture
def installed(tmp_path):
    """Return a function that runs tickplane-slot on an image with slot a good, b on trial."""
    entries = tmp_path / "loader" / "entries"
    entries.mkdir(parents=True)
    (entries / "tickplane-a.conf").write_text(ENTRY.format(slot="a", version=7))
    (entries / "tickplane-b+3.conf").write_text(ENTRY.format(slot="b", version=8))
    (tmp_path / "cmdline").write_text("quiet tickplane.slot=a console=ttyS0\n")
    (tmp_path / "words").write_text("# Written by tickplane\nisolcpus=1,3 nohz_full=1,3\n")
    where = {"ESP": tmp_path, "CMDLINE": tmp_path / "cmdline", "WORDS": tmp_path / "words"}

    def slot(*words):
        environment = os.environ | {key: str(path) for key, path in where.items()}
        done = subprocess.run(
            ["bash", SLOT, *words], env=environment, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    return slot


def entries_of(tmp_path):
    return {path.name: path.read_text() for path in (tmp_path / "loader" / "entries").iterdir()}


def test_the_slots_are_shown(installed):
    assert installed() == (
        0, "a runs   tickplane-a.conf, version 7\nb        tickplane-b+3.conf, version 8\n",
    )  # fmt: skip


def test_the_words_of_the_profile_go_into_the_running_slots_entry(installed, tmp_path):
    before = entries_of(tmp_path)
    status, said = installed("words")
    assert (status, said) == (0, "slot a: isolcpus=1,3 nohz_full=1,3; reboot\n")
    after = entries_of(tmp_path)
    assert after["tickplane-b+3.conf"] == before["tickplane-b+3.conf"]
    lines = after["tickplane-a.conf"].splitlines()
    assert "version    7" in lines
    assert lines[-1].split()[1] == "tickplane.slot=a"
    assert lines[-1].endswith("quiet isolcpus=1,3 nohz_full=1,3")


def test_back_is_newer_than_both_and_not_on_trial(installed, tmp_path):
    assert installed("back") == (0, "slot b: started from the next boot on; reboot\n")
    after = entries_of(tmp_path)
    assert sorted(after) == ["tickplane-a.conf", "tickplane-b.conf"]
    assert "version    9" in after["tickplane-b.conf"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("install", "nowhere"), "nowhere: holds no SHA256SUMS; give the folder of an image"),
        (("install",), "FOLDER of the new image"),
        (("forward",), "forward: is not one of words, install FOLDER, back"),
    ],
)
def test_what_tickplane_slot_cannot_do_is_said(words, said: str, installed, tmp_path):
    before = entries_of(tmp_path)
    status, text = installed(*words)
    assert status == 1 and said in text
    assert entries_of(tmp_path) == before


def test_a_damaged_image_is_not_installed(installed, tmp_path):
    new = tmp_path / "new"
    new.mkdir()
    (new / "initrd").write_text("half of it")
    (new / "SHA256SUMS").write_text(f"{'0' * 64}  initrd\n")
    before = entries_of(tmp_path)
    status, text = installed("install", str(new))
    assert status == 1 and "is damaged; copy it again" in text
    assert entries_of(tmp_path) == before


def test_from_the_network_there_is_no_entry_to_write(installed, tmp_path):
    (tmp_path / "cmdline").write_text("tickplane.slot=ram\n")
    assert installed("words")[0] == 1


@pytest.mark.parametrize(
    "script", [path for path in IMAGES.rglob("*") if path.is_file() and is_shell(path)]
)
def test_every_script_is_shell(script: Path):
    subprocess.run(["bash", "-n", script], check=True)


def test_trading_requires_the_machine():
    text = (UNITS / "tickplane.service").read_text()
    assert "Requires=tickplane-machine.service" in text
    assert "After=tickplane-machine.service" in text


def test_a_figure_of_several_lines_is_one_line_of_the_labs_results(tmp_path):
    steps = (IMAGES / "lab" / "image_steps.sh").read_text()
    check = steps[steps.index("check()") : steps.index("is()")]
    script = check.replace("/run/lab/results", str(tmp_path / "results"))
    said = 'initrd: FAILED\nit is "damaged" \\'
    subprocess.run(["bash", "-c", f'failed=0\n{script}\ncheck a 0 "$0"', said], check=True)
    (line,) = (tmp_path / "results").read_text().splitlines()
    assert json.loads(line) == {
        "name": "image: a", "holds": True, "figure": 'initrd: FAILED; it is "damaged" \\',
    }  # fmt: skip

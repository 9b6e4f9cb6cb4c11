"""What an order waits for: the same run whatever it is; no new order once the disk has failed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from preload import build

from appliance import config as configuration
from appliance.cli import main
from dataplane.journal import verify

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
int msync(void *memory, size_t size, int flags)
{
    static _Atomic int calls;
    int fail_from = atoi(getenv("SHIM_FAIL_FROM"));
    if (++calls < fail_from)
        return ((int (*)(void *, size_t, int))dlsym(RTLD_NEXT, "msync"))(memory, size, flags);
    errno = EIO;
    return -1;
}
"""


def config_with(folder: Path, durability: str) -> Path:
    text = configuration.example_text()
    for key in ("orders", "levels", "own_orders"):
        text = re.sub(rf"(?m)^(  {key}:) \d+", r"\1 50000", text)  # little memory starts quickly
    path = folder / f"{re.sub('[^a-z]', '', durability)}.yaml"
    path.write_text(re.sub(r"durability: memory", f"durability: {durability}", text))
    return path


@pytest.fixture(scope="module")
def session(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("durability") / "day.itch"
    assert main(["generate", str(path), "--messages", "60000", "--symbols", "30"]) == 0
    return path


def replay(session: Path, folder: Path, name: str, config: Path, **env: str) -> dict:
    report = folder / f"{name}.json"
    words = ["--config", config, "--journal", folder / name, "--pcap-out", folder / f"{name}.pcap"]
    ended = subprocess.run(
        [sys.executable, "-m", "appliance", "replay", session, *words, "--json", report, "--quiet"],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    return {**json.loads(report.read_text()), "status": ended.returncode, "stderr": ended.stderr}


def test_the_disk_changes_no_event_and_no_frame(session, tmp_path):
    config = config_with(tmp_path, "memory")
    memory = replay(session, tmp_path, "memory", config)
    fsync = replay(session, tmp_path, "fsync", config_with(tmp_path, "fsync"))
    for key in ("events_digest", "wire_digest", "orders", "risk_rejects"):
        assert memory[key] == fsync[key]
    frames = [(tmp_path / f"{name}.pcap").read_bytes() for name in ("memory", "fsync")]
    assert frames[0] == frames[1]
    assert set(fsync["journal"]["durability"].values()) == {"fsync"}
    assert memory["journal"]["does_not_survive"] == "power loss, a crash of the kernel"
    assert fsync["journal"]["does_not_survive"] == "loss of the disk"
    written_by = hashlib.sha256(config.read_bytes()).hexdigest()
    assert verify(tmp_path / "memory")["configuration"] == written_by
    assert verify(tmp_path / "memory")["build"]


@pytest.mark.parametrize("durability", ["replica", "fsync+replica"])
def test_a_replica_is_refused_in_one_line(durability, tmp_path):
    path = config_with(tmp_path, durability)
    with pytest.raises(configuration.ConfigError) as error:
        configuration.load(path)
    assert str(error.value).endswith(
        f"journal.durability: '{durability}' needs a standby, and there is none yet;"
        " use memory or fsync"
    )


def test_a_disk_that_may_only_be_read_is_said_so(session, tmp_path, small_disk, capsys):
    disk = small_disk("8m")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    words = ["replay", str(session), "--journal", str(disk / "j"), "--quiet"]
    assert main([*words, "--config", str(config_with(tmp_path, "memory"))]) == 1
    assert capsys.readouterr().err == (
        f"tickplane: journal: {disk}/j: cannot be made: Read-only file system\n"
    )


@pytest.fixture(scope="module")
def shim(tmp_path_factory) -> str:
    return build(tmp_path_factory.mktemp("shim"), SHIM)


def test_new_orders_stop_when_the_disk_has_failed(session, tmp_path, shim, capsys):
    config = config_with(tmp_path, "fsync")
    whole = replay(session, tmp_path, "whole", config)
    failed = replay(session, tmp_path, "failed", config, LD_PRELOAD=shim, SHIM_FAIL_FROM="20")
    assert failed["status"] == 1
    assert "the journal cannot be flushed to disk; no new orders" in failed["stderr"]
    assert failed["risk_rejects"]["JOURNAL_UNAVAILABLE"] > 0
    assert 0 < failed["counters"]["orders_sent"] < whole["counters"]["orders_sent"]
    # What left is the beginning of what leaves when all is well, and every order of it is recorded.
    assert failed["counters"]["tx_frames"] < whole["counters"]["tx_frames"]
    assert failed["venue"]["orders"] <= failed["counters"]["orders_sent"]
    capsys.readouterr()
    assert main(["journal", "verify", str(tmp_path / "failed")]) == 1
    assert "\ntainted: journal: " in capsys.readouterr().out

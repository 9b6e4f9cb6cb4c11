"""The emulated server boots, and its profile is applied to it; skipped where there is no QEMU."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KERNEL = ROOT / "build" / "kernel" / "package"
SECONDS = 600  # a busy machine; a quiet one takes twenty


@pytest.mark.skipif(
    shutil.which("qemu-system-x86_64") is None or not KERNEL.exists(),
    reason="no QEMU and kernel here; scripts/setup.sh lab and images/kernel.sh build/kernel",
)
def test_an_emulated_server_is_made_like_its_profile_and_back(tmp_path):
    folder = tmp_path / "lab"
    done = subprocess.run(
        [ROOT / "scripts" / "lab.sh", "smoke"],
        env=os.environ | {"LAB_SECONDS": str(SECONDS), "LAB_FOLDER": str(folder)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    assert "settings written, read back and undone" in done.stdout

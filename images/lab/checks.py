"""What the lab tried and what came of it: a line each, printed and kept for the summary."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import time
from pathlib import Path

from appliance.cli import main

SHARE = Path(os.environ["LAB_SHARE"])
RESULTS = SHARE / "results"


def check(name: str, holds: bool, figure: object = "") -> None:
    """Note whether something holds, with what was seen."""
    print(f"{'ok  ' if holds else 'FAIL'} {name}: {figure}", flush=True)
    with RESULTS.open("a") as file:
        file.write(json.dumps({"name": name, "holds": holds, "figure": str(figure)}) + "\n")


def tickplane(*words: str) -> tuple[int, str]:
    """Run a verb in this process, which spares its start; return its status and what it said."""
    said = io.StringIO()
    started = time.monotonic()
    with contextlib.redirect_stdout(said):
        status = main(list(words))
    print(f"     tickplane {' '.join(words)}: {status}, {time.monotonic() - started:.1f} s",
          flush=True)  # fmt: skip
    return status, said.getvalue()


def keep(name: str, text: str) -> None:
    """Leave a text for who looks at the lab afterwards."""
    (SHARE / name).write_text(text)


def start_keeper() -> None:
    """Start chrony, as a server has it; it has nobody to ask here."""
    tools = Path(os.environ["LAB_TOOLS"])
    library = tools / "usr/lib/x86_64-linux-gnu"
    environment = os.environ | {"LD_LIBRARY_PATH": str(library)}
    subprocess.run(
        [tools / "usr/sbin/chronyd", "-x", "-u", "root", "local stratum 10",
         "pidfile /run/chrony.pid"],
        check=True, env=environment,
    )  # fmt: skip

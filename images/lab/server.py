"""The server in the lab, seen from outside: its two boots, and an exchange on its cables.

Started by scripts/lab.sh in a network namespace of its own, where it may make taps: the cables of
the server's cards. What a boot loader does between the boots, giving the kernel the words of
/etc/default/grub.d, is done here.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import yaml
from results import FOLDER, SHARE, note

from appliance import demo, reconcile

HERE = Path(__file__).parent
CABLES = {"feed": "10.78.0.1", "orders": "10.78.1.1"}
GROUPS = {"a": "239.78.0.1:9101", "b": "239.78.0.2:9102"}
AGENTS = [
    {"kind": "market_maker", "count": 2, "interval": "100ms", "spread_ticks": 2},
    {"kind": "zero_intelligence", "count": 2, "interval": "50ms"},
]
READY_SECONDS = 60
BOOT_SECONDS = 1500  # a busy machine; a quiet one takes a third of it
TICKPLANE = [sys.executable, "-P", "-m", "appliance"]


def main(boots: list[str]) -> None:
    """Do both boots, or only the second one of a server that had its first."""
    plug_cables()
    if "first_boot" in boots:
        boot("first_boot.py", [])
    write_configurations()
    boot("second_boot.py", boot_words())
    compare_records()


def boot(script: str, words: list[str]) -> None:
    """Boot once, with the words of the boot loader, and run a script of ours in the guest."""
    print(f"lab: {script}: booting with {' '.join(words) or 'no words'}", flush=True)
    started = time.monotonic()
    start = SHARE / "start"
    start.write_text(f"export LAB_TOOLS={FOLDER}/tools\nexec python {HERE / script}\n")
    environment = os.environ | {"LAB_PYTHON": sys.executable, "LAB_SECONDS": str(BOOT_SECONDS)}
    guest = subprocess.Popen([HERE / "boot.sh", FOLDER, start, *words], env=environment)
    with contextlib.ExitStack() as stack:
        while guest.poll() is None:
            # The guest says when it wants to trade: a feed that began long before is mostly a gap.
            if (SHARE / "wants-exchange").exists():
                (SHARE / "wants-exchange").unlink()
                stack.enter_context(exchange())
            time.sleep(0.1)
    seconds = time.monotonic() - started
    note(f"{script} came to its end", guest.returncode == 0,
         f"status {guest.returncode} after {seconds:.0f} s")  # fmt: skip


def boot_words() -> list[str]:
    """Return what GRUB would give the kernel after the first boot's apply."""
    entry = SHARE / "boot-entry"
    if not entry.exists():
        raise SystemExit("lab: the first boot left no boot entry; see build/lab/log")
    shell = f'GRUB_CMDLINE_LINUX=""; . {entry}; echo "$GRUB_CMDLINE_LINUX"'
    return subprocess.run(
        ["sh", "-c", shell], capture_output=True, text=True, check=True
    ).stdout.split()


# ---- the exchange on the other end of the cables ----


def plug_cables() -> None:
    """Make the taps and their addresses."""
    for name, ip in CABLES.items():
        kind = ["multi_queue"] if name == "orders" else []
        for words in (
            ["tuntap", "add", name, "mode", "tap", *kind],
            ["addr", "add", f"{ip}/24", "dev", name],
            ["link", "set", name, "up"],
        ):
            subprocess.run(["ip", *words], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def write_configurations() -> None:
    """Write both configurations: lines to the card of the feed, sessions to the other card."""
    orders = CABLES["orders"]
    venue = demo.shipped("venue.yaml")
    lit = venue["venues"]["lit"]
    venue |= {"venues": {"lit": lit}, "record": str(SHARE / "venue.tape")}
    lit |= {"orders": f"{orders}:9001", "snapshot": f"{orders}:9002",
            "requests": f"{orders}:9003", "multicast_interface": CABLES["feed"],
            "agents": AGENTS}  # fmt: skip
    lit["lines"] = {name: {"to": group} for name, group in GROUPS.items()}
    live = demo.shipped("live.yaml") | {"cpu": {"engine": 1}}
    live["live"] |= {
        "port": "dpdk", "interface": "0000:41:00.0", "lines": list(GROUPS.values()),
        "requests": [f"{orders}:9003"], "orders": [f"{orders}:9001"],
    }  # fmt: skip
    for name, what in (("venue.yaml", venue), ("live.yaml", live)):
        (SHARE / name).write_text(yaml.safe_dump(what, sort_keys=False))


@contextlib.contextmanager
def exchange() -> Iterator[None]:
    """Run an exchange for as long as the block lasts."""
    log = SHARE / "venue.log"
    with log.open("w") as file:
        venue = subprocess.Popen(
            [*TICKPLANE, "venue", "--config", SHARE / "venue.yaml"], stdout=file, stderr=file
        )
    try:
        end = time.monotonic() + READY_SECONDS
        while not log.read_text().startswith("READY"):
            if venue.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"lab: the exchange did not start: {log.read_text().strip()}")
            time.sleep(0.1)
        (SHARE / "exchange-ready").touch()
        yield
    finally:
        venue.terminate()
        venue.wait()


def compare_records() -> None:
    """Hold the appliance's journal against the exchange's record."""
    name = "journal and exchange say the same"
    if not (SHARE / "journal").exists():
        note(name, False, "the guest left no journal")
        return
    facts, differences = reconcile.compare(str(SHARE / "journal"), str(SHARE / "venue.tape"))
    said = reconcile.render(facts, differences)
    note(name, not differences and facts["requests_seen"] > 0, "; ".join(said.splitlines()))


if __name__ == "__main__":
    main(sys.argv[1:] or ["first_boot", "second_boot"])

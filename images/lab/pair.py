"""Two servers on one cable, seen from outside: a ring of records by RDMA from one into the memory
of the other. The first one also has cards that QEMU emulates, for the card backend `pci`.

What each does is end.py. They boot at the same time; the cable is a socket between both QEMUs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from results import FOLDER, SHARE, note

HERE = Path(__file__).parent
PEER = FOLDER / "peer"
BOOT_SECONDS = 1500  # a busy machine; a quiet one takes a tenth of it
CARDS = HERE.parents[1] / "tests" / "lab" / "card.sh"


def main() -> None:
    """Boot both, wait for both, and put what they found together."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        cable = Path(folder) / "cable"
        cards = subprocess.run([CARDS, "devices"], capture_output=True, text=True, check=True)
        receiver = boot("receive", FOLDER, plug(1, cable) + cards.stdout.split())
        while not cable.exists() and receiver.poll() is None:
            time.sleep(0.05)
        sender = boot("send", PEER, plug(2, cable))
        for name, guest in (("receiving", receiver), ("sending", sender)):
            status = guest.wait()
            seconds = time.monotonic() - started
            note(f"pair: the {name} server came to its end", status == 0,
                 f"status {status} after {seconds:.0f} s")  # fmt: skip
    with (SHARE / "results").open("a") as file:
        file.write((PEER / "share" / "results").read_text())


def plug(number: int, cable: Path) -> list[str]:
    """Return what makes a card of an end of the cable; the first end is there before the other."""
    server = "on" if number == 1 else "off"
    return [
        "-netdev", f"stream,id=cable,server={server},addr.type=unix,addr.path={cable}",
        "-device", f"virtio-net-pci,netdev=cable,mac=52:54:00:4c:42:0{number},bus=pcie.0,romfile=",
    ]  # fmt: skip


def boot(what: str, folder: Path, devices: list[str]) -> subprocess.Popen[bytes]:
    """Start one of the two."""
    print(f"lab: pair, {what}", flush=True)
    start = folder / "share" / "start"
    start.write_text(f"exec python {HERE / 'end.py'} {what}\n")
    environment = os.environ | {
        "LAB_PYTHON": sys.executable, "LAB_SECONDS": str(BOOT_SECONDS),
        "LAB_MEMORY_MIB": "2048", "LAB_DEVICES": " ".join(devices),
    }  # fmt: skip
    words = ["intel_iommu=on", "iommu=pt"]
    return subprocess.Popen([HERE / "boot.sh", folder, start, *words], env=environment)


if __name__ == "__main__":
    main()

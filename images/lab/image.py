"""The image in the lab: installed on an empty server, given its words, upgraded, taken back, and
started from the network. What happens inside is image_steps.sh.

A boot entry on the copy of the disk gets the words that run the step: mtools writes them there, so
the image itself has nothing that is there for the lab.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from results import FOLDER, SHARE, note

HERE = Path(__file__).parent
IMAGE = Path("build/image").resolve()
DISK = FOLDER / "image.img"
ESP = f"{DISK}@@1M"
GROW_BYTES = 1 << 31  # the disk is larger than the image
STEP_SECONDS = 900  # a busy machine; a quiet one takes a minute
RUN = (
    # As in boot.sh: a busy machine gives the guest's timer too little time to prove itself.
    'no_timer_check systemd.run="/bin/bash -c '
    "'modprobe 9pnet_virtio; mkdir /run/lab; "
    "mount -t 9p -o trans=virtio,version=9p2000.L share /run/lab; exec bash /run/lab/start'\" "
    "systemd.run_success_action=poweroff systemd.run_failure_action=poweroff"
)


def main() -> None:
    """Go through the life of an installed image, then start it from the network."""
    shutil.copytree(IMAGE / "slot", SHARE / "slot", dirs_exist_ok=True)
    shutil.copy(HERE / "image_steps.sh", SHARE)
    subprocess.run(["cp", "--sparse=always", IMAGE / "disk.img", DISK], check=True)
    os.truncate(DISK, DISK.stat().st_size + GROW_BYTES)
    shutil.copy("/usr/share/OVMF/OVMF_VARS_4M.fd", FOLDER / "vars")
    for step in ("first", "second", "third", "fourth"):
        add_words()
        if not boot(step, {"LAB_IMAGE": str(DISK)}):
            return
    words = f"tickplane.slot=ram console=ttyS0 quiet {RUN}"
    boot("pxe", {"LAB_IMAGE": str(DISK), "LAB_PXE": str(IMAGE / "pxe"), "LAB_PXE_WORDS": words})


def boot(step: str, environment: dict[str, str]) -> bool:
    """Boot once for one step; whether it came to its end."""
    print(f"lab: image, {step}", flush=True)
    started = time.monotonic()
    (SHARE / "start").write_text(
        f"bash /run/lab/image_steps.sh {step}\necho $? >/run/lab/status\nsync\n"
    )
    done = subprocess.run(
        [HERE / "boot.sh", FOLDER, SHARE / "start"], check=False,
        env=os.environ | environment | {"LAB_SECONDS": str(STEP_SECONDS)},
    )  # fmt: skip
    seconds = time.monotonic() - started
    note(f"image: {step} boot came to its end", done.returncode == 0,
         f"status {done.returncode} after {seconds:.0f} s")  # fmt: skip
    return done.returncode in (0, 1)


def add_words() -> None:
    """Have each boot entry run the step."""
    folder = FOLDER / "entries"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    subprocess.run(["mcopy", "-n", "-i", ESP, "::/loader/entries/*", folder], check=True)
    for entry in folder.iterdir():
        text = entry.read_text()
        if RUN in text:
            continue
        lines = [f"{line} {RUN}" if line.startswith("options") else line
                 for line in text.splitlines()]  # fmt: skip
        entry.write_text("\n".join(lines) + "\n")
        subprocess.run(["mcopy", "-o", "-i", ESP, entry, "::/loader/entries/"], check=True)


if __name__ == "__main__":
    main()

"""A file system that makes itself read-only under whoever writes to it, as a broken disk makes it.

An ext4 in a file, over a loop device, mounted with errors=remount-ro. A person's ``mount -o
remount,ro`` is refused by the kernel as long as somebody writes; what does happen is that the file
system finds an error, and the kernel lets a test say that it has.
"""

from __future__ import annotations

import gc
import os
import subprocess
from pathlib import Path

import pytest
from waiting import wait_until

OPTIONS = "loop,errors=remount-ro"


class LoopDisk:
    """Mounted while in a ``with``, at ``path``, with ``more`` options than its own."""

    def __init__(self, folder: Path, *more: str, size_mib: int = 64) -> None:
        self._options = ",".join((OPTIONS, *more))
        self.path = folder / "disk"
        self._image = folder / "disk.img"
        self._size = size_mib << 20

    def __enter__(self) -> LoopDisk:
        if os.geteuid() != 0:
            pytest.skip("mounting a file system needs root")
        self.path.mkdir()
        with self._image.open("wb") as file:
            file.truncate(self._size)
        subprocess.run(["mkfs.ext4", "-q", self._image], check=True)
        self._mount()
        if not self._trigger().exists():
            self._unmount()
            pytest.skip("this kernel lets nobody say that a file system has an error")
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._unmount()
        else:  # somebody may still be at work there: it goes when they do
            subprocess.run(["umount", "--lazy", self.path], check=True)

    def _mount(self) -> None:
        words = ["mount", "-t", "ext4", "-o", self._options, self._image, self.path]
        mounted = subprocess.run(words, capture_output=True, check=False)
        if mounted.returncode != 0:
            pytest.skip(f"this machine does not let us mount: {mounted.stderr.decode().strip()}")

    def _unmount(self) -> None:
        def is_gone() -> bool:
            gc.collect()  # files of it that the test itself has mapped
            words = ["umount", self.path]
            return subprocess.run(words, capture_output=True, check=False).returncode == 0

        wait_until(is_gone)

    def _trigger(self) -> Path:
        mounts = Path("/proc/self/mounts").read_text().splitlines()
        device = next(line.split()[0] for line in mounts if line.split()[1] == str(self.path))
        return Path("/sys/fs/ext4") / Path(device).name / "trigger_fs_error"

    def person_may_remount(self) -> bool:
        """Try what a person would; true when the kernel lets it happen under a writer."""
        words = ["mount", "-o", "remount,ro", self.path]
        return subprocess.run(words, capture_output=True, check=False).returncode == 0

    def find_error(self) -> None:
        """From here on it takes nothing any more."""
        self._trigger().write_text("a test said so")

    def replace(self) -> None:
        """Unplug it and plug it in again: what it did not take is gone from memory too."""
        self._unmount()
        self._mount()

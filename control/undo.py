"""The undo journal: what every target was before it was first written.

A file of JSON lines, each on disk before what it announces is done:

    {"op": "begin", "boot": ..., "profile": ...}
    {"op": "write", "target": ..., "prior": ..., "wanted": ..., "key": ...}    before a write
    {"op": "done", "target": ..., "found": ...}                                read back after it
    {"op": "refused", "target": ..., "wanted": ..., "reason": ...}             the machine said no
    {"op": "undone"}                                                           all was restored

Killed between any two lines, the next process finds what it needs: a target that was announced and
perhaps written has its prior value here, and restoring it twice does no harm. A last line that is
cut short announces nothing. Only the first prior value of a target counts: it is what was there
before us. What the kernel forgets at a reboot (all but files in /etc) is forgotten here, too: lines
of another boot count only for these.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from control.errors import ControlError
from control.host import Host

NAME, LOCK = "undo.journal", "lock"
STATE = Path("/var/lib/tickplane/machine")


class Journal:
    """The journal of one state folder; held by one process at a time (see ``opened``)."""

    def __init__(self, folder: Path, boot: str) -> None:
        self.path = folder / NAME
        self._boot = boot
        self.profile = ""
        self.priors: dict[str, str | None] = {}  # in the order of the first writes
        self.refused: dict[str, tuple[str, str]] = {}  # target to wanted value and reason
        self._load()

    def begin(self, profile: str) -> None:
        """Say which profile is applied now, in which boot."""
        self._append(op="begin", boot=self._boot, profile=profile)
        self.profile = profile

    def announce(self, target: str, prior: str | None, wanted: str, key: str) -> None:
        """Put on disk what a target is, before it is written."""
        self._append(op="write", target=target, prior=prior, wanted=wanted, key=key)
        self.priors.setdefault(target, prior)
        self.refused.pop(target, None)

    def done(self, target: str, found: str | None) -> None:
        """Note what was read back after a write that took."""
        self._append(op="done", target=target, found=found)

    def refuse(self, target: str, wanted: str, reason: str) -> None:
        """Note that the machine did not take a value."""
        self._append(op="refused", target=target, wanted=wanted, reason=reason)
        self.refused[target] = (wanted, reason)

    def close_undone(self) -> None:
        """Note that everything was restored, and keep the file under another name."""
        self._append(op="undone")
        self.path.replace(self.path.with_suffix(".undone"))
        self.priors.clear()
        self.refused.clear()

    def reasons(self) -> dict[str, str]:
        """Return why targets could not be set, for judging."""
        return {target: reason for target, (_, reason) in self.refused.items()}

    def _append(self, **line: Any) -> None:
        data = (json.dumps(line) + "\n").encode()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, 0o600)
        try:
            os.write(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _load(self) -> None:
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.truncate(self.path, whole)
        same_boot = True
        for number, text in enumerate(data[:whole].splitlines(), 1):
            try:
                line = json.loads(text)
                same_boot = self._take(line, same_boot)
            except (ValueError, KeyError, TypeError):
                raise ControlError(
                    f"{self.path}:{number}: no line of an undo journal; keep a copy of the file, "
                    "restore by hand what it lists, and remove it", 1
                ) from None  # fmt: skip

    def _take(self, line: dict[str, Any], same_boot: bool) -> bool:
        op = line["op"]
        if op == "begin":
            self.profile = line["profile"]
            return bool(line["boot"] == self._boot)
        if op == "undone":
            self.priors.clear()
            self.refused.clear()
        elif op == "write" and (same_boot or line["target"].startswith("text:")):
            self.priors.setdefault(line["target"], line["prior"])
        elif op == "refused" and same_boot:
            self.refused[line["target"]] = (line["wanted"], line["reason"])
        return same_boot


@contextmanager
def opened(folder: Path, host: Host) -> Iterator[Journal]:
    """Give the journal, or raise ControlError when another process has it or we may not."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ControlError(f"{folder}: {reason}; run as root, or give another --state") from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 20, 0).decode(errors="replace").strip() or "unknown"
            raise ControlError(
                f"{folder}: process {holder} applies or restores right now; wait for its end", 1
            ) from None
        os.truncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        yield Journal(folder, boot_id(host))
    finally:
        os.close(lock)


def read_only(folder: Path, host: Host) -> Journal | None:
    """Return the journal for looking, without the lock; None when there is none to read."""
    try:
        return Journal(folder, boot_id(host)) if (folder / NAME).exists() else None
    except OSError:
        return None


def boot_id(host: Host) -> str:
    """Return what tells this boot of the machine from every other."""
    return host.read("/proc/sys/kernel/random/boot_id") or ""

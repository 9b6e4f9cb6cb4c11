"""The machine's files below a root: /, or a tree in a test.

Everything the control plane reads from /sys, /proc and /etc goes through here, so a tree of
files that somebody recorded or wrote is read exactly like the machine.
"""

from __future__ import annotations

from pathlib import Path


class Host:
    """Files and links of one machine; a missing or unreadable one reads as nothing."""

    def __init__(self, root: Path | str = "/") -> None:
        self.root = Path(root)

    @property
    def is_live(self) -> bool:
        """Say whether this is the machine itself, whose kernel can be asked more than files."""
        return self.root == Path("/")

    def path(self, name: str) -> Path:
        """Return where a file of the machine lies here."""
        return self.root / name.lstrip("/")

    def read(self, name: str) -> str | None:
        """Return a file without the space at its ends; None when it cannot be read."""
        try:
            return self.path(name).read_text(errors="replace").strip()
        except OSError:
            return None

    def whole(self, name: str, default: int = 0) -> int:
        """Return a file as a whole number; ``default`` when it is missing or none."""
        try:
            return int(self.read(name) or "", 0)
        except ValueError:
            return default

    def names(self, folder: str) -> list[str]:
        """Return what lies in a folder, sorted; empty when there is no such folder."""
        try:
            return sorted(entry.name for entry in self.path(folder).iterdir())
        except OSError:
            return []

    def glob(self, pattern: str) -> list[str]:
        """Return the paths that fit a pattern, sorted, as the machine knows them."""
        found = self.root.glob(pattern.lstrip("/"))
        return sorted("/" + str(path.relative_to(self.root)) for path in found)

    def link(self, name: str) -> str:
        """Return the last word of where a link leads; "" when there is none."""
        try:
            return self.path(name).readlink().name
        except OSError:
            return ""

    def exists(self, name: str) -> bool:
        """Say whether there is such a file, folder or link."""
        return self.path(name).exists()

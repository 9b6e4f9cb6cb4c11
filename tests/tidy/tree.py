"""The files of the project, as the tidy tests see them."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = (".c", ".h", ".py", ".pyx", ".pxd", ".pyi", ".sh", ".build")


@cache
def files() -> tuple[str, ...]:
    """Return every file that is or could be committed, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    return tuple(sorted(name for name in set(listed) if (ROOT / name).is_file()))


def ending(*suffixes: str, under: str = "") -> list[str]:
    """Return the files below a folder whose names end like that."""
    return [name for name in files() if name.startswith(under) and name.endswith(suffixes)]


@cache
def text(name: str) -> str:
    """Return what a file holds."""
    return (ROOT / name).read_text(encoding="utf-8")


def numbered(name: str) -> enumerate[str]:
    """Return the lines of a file with their numbers, the first being 1."""
    return enumerate(text(name).splitlines(), start=1)

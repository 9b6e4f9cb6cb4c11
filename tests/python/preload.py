"""Functions of the C library put in front of the real ones, for a process that a test starts."""

from __future__ import annotations

import subprocess
from pathlib import Path


def build(folder: Path, source: str) -> str:
    """Compile C into a library in that folder; return what LD_PRELOAD wants."""
    (folder / "preload.c").write_text(source)
    library = folder / "preload.so"
    words = ["gcc", "-shared", "-fPIC", "-o", library, folder / "preload.c", "-ldl"]
    subprocess.run(words, check=True)
    return str(library)

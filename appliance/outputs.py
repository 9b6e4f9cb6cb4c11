"""Where a command writes: asked before the work, so that nothing is lost after it or by it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from appliance.errors import CommandError


def check_output(option: str, path: str | None, taken: Mapping[str, str | None]) -> None:
    """Raise CommandError unless the file can be written without touching one that is taken.

    ``taken``: role -> file name. A device may be named more than once. Makes no file.
    """
    if path is None:
        return
    if not path:
        raise CommandError(f"{option}: an empty name; name a file")
    for role, other in taken.items():
        if other and is_same_file(path, other):
            raise CommandError(f"{option}: {path}: is the {role} itself; name another file")
    if is_device(path):
        return
    existed = os.path.lexists(path)
    try:
        with open(path, "ab"):
            pass
    except OSError as error:
        words = (error.strerror or "it cannot be written").lower()
        raise CommandError(f"{path}: {words}; give {option} a file that can be written") from None
    if not existed:
        Path(path).unlink()


def is_device(path: str) -> bool:
    """Tell whether it is a pipe or the like: opening one could wait forever."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def is_same_file(path: str, other: str) -> bool:
    """Tell whether both names are one regular file, by whatever links; one not made yet counts."""
    if os.path.exists(path) and os.path.exists(other):
        return os.path.isfile(path) and os.path.samefile(path, other)
    return os.path.realpath(path) == os.path.realpath(other)

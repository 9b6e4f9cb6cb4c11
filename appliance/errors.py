"""What a command raises when the person who typed it can mend the cause."""

from __future__ import annotations


class CommandError(Exception):
    """One line for stderr, ``where: what: the value; what would do``; exit status 2."""

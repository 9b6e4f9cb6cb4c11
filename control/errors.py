"""What the control plane raises when a person can act on it."""

from __future__ import annotations


class ControlError(Exception):
    """One line for stderr, ``where: what: the value; what would do``.

    ``status`` is the exit status: 2 when the person who typed it can mend it, 1 when it is the
    machine that does not do what was asked.
    """

    def __init__(self, text: str, status: int = 2) -> None:
        super().__init__(text)
        self.status = status

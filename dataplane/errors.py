"""The one exception that the C layer raises through Cython."""

from __future__ import annotations


class DataplaneError(Exception):
    """A set-up call failed; the text says where, what, the value and the remedy.

    ``code`` is the positive errno of the C layer, so that a caller can tell a wrong
    argument (EINVAL) from a full disk (ENOSPC).
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code

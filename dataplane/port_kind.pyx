"""Which kinds of ports this build and this machine have."""

from libc.string cimport memset

from dataplane.dp_err cimport dp_err
from dataplane.dp_port_kind cimport dp_port_kind, dp_port_kind_at


def kinds() -> list[dict]:
    """Return every kind, best first: name, words, library, is_built, and problem.

    ``problem`` is what trying it out ended in, "" when it works. Nothing is left behind.
    """
    found = []
    cdef const dp_port_kind *kind
    cdef dp_err err
    cdef size_t index = 0
    while True:
        kind = dp_port_kind_at(index)
        if kind is NULL:
            return found
        memset(&err, 0, sizeof(err))
        if kind.is_built and kind.probe is not NULL:
            kind.probe(&err)
        found.append({
            "name": kind.name.decode(),
            "words": kind.words.decode(),
            "library": kind.library.decode(),
            "is_built": bool(kind.is_built),
            "problem": (<bytes>err.text).decode("utf-8", "replace"),
        })
        index += 1

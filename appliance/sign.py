"""Signatures beside sealed segments: making those that are missing, checking those that are there.

`journal-000000.sig` holds the statement of `journal-000000.tps` and its signatures. It is written
whole or not at all, after the sealed file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from appliance.audit_keys import FORMAT, Signer, Statement, Verifier, statement_of, write_whole
from dataplane import dropped
from dataplane.errors import DataplaneError
from dataplane.journal import SEALED, indexes, name_of
from dataplane.seal import NO_HASH, Sealed
from dataplane.seal_tree import chained
from dataplane.sealing import path_of

SIGNED = ".sig"
HASHES = ("root", "previous", "chained")


def sealed_indexes(directory: str) -> Iterator[int]:
    """Yield the numbers of the sealed segments."""
    for index in indexes(directory):
        if os.path.exists(path_of(directory, index, SEALED)):
            yield index


def sign(directory: str, signer: Signer) -> list[str]:
    """Sign every sealed segment that is not; return the paths of the signatures."""
    made = []
    for index in sealed_indexes(directory):
        path = path_of(directory, index, SIGNED)
        if not os.path.exists(path):
            statement = statement_of(Sealed(path_of(directory, index, SEALED)).trailer)
            write_whole(path, signed(statement, signer), 0o644)
            made.append(path)
    return made


def signed(statement: Statement, signer: Signer) -> dict[str, Any]:
    """Return the content of a signature's file."""
    return {
        "format": FORMAT,
        "segment_index": statement.segment_index,
        "record_count": statement.record_count,
        **{name: getattr(statement, name).hex() for name in HASHES},
        "signatures": signer.sign(statement),
    }


def signatures_of(path: str) -> Any:
    """Return the signatures in a file; raise ValueError when they cannot be read."""
    return content_of(path).get("signatures")


def content_of(path: str) -> dict[str, Any]:
    """Return what a file of signatures holds; raise ValueError when it cannot be read."""
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except OSError as error:
        raise ValueError(error.strerror) from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"it is of another format than {FORMAT}")
    return found


def statement_in(path: str) -> Statement:
    """Return what a file says is signed; raise ValueError when it cannot be read."""
    found = content_of(path)
    try:
        return Statement(
            int(found["segment_index"]),
            int(found["record_count"]),
            *(bytes.fromhex(found[name]) for name in HASHES),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"no {error}") from None


def check(directory: str, verifier: Verifier) -> tuple[int, list[str]]:
    """Return how many segments are signed as they should be, and what is wrong, in words."""
    count, problems = 0, []
    for index in indexes(directory):
        name = name_of(index)
        if not os.path.exists(path_of(directory, index, SEALED)):
            problems.append(f"{name}: it is not sealed, so nothing signed covers it")
            continue
        problem = problem_of(directory, index, verifier)
        if problem:
            problems.append(f"{path_of(directory, index, SIGNED)}: {problem}")
        else:
            count += 1
    return count, problems


def check_dropped(directory: str, verifier: Verifier | None) -> list[str]:
    """Return what is wrong with the roots of segments that were dropped, in words.

    Each must be chained to the one before; with a verifier also signed.
    """
    gone, previous, records, problems = dropped.load(directory), NO_HASH, 0, []
    for index in range(gone.segments):
        path = path_of(directory, index, SIGNED)
        try:
            statement = statement_in(path)
            is_chained = statement.previous == previous and statement.chained == chained(
                previous, statement.root
            )
            if statement.segment_index != index or not is_chained:
                raise ValueError("it is not chained to the root before it")
            problem = verifier and verifier.problem(statement, signatures_of(path))
        except ValueError as error:
            return [f"{path}: {error}"]
        problems += [f"{path}: {problem}"] if problem else []
        previous, records = statement.chained, records + statement.record_count
    if (previous, records) != (gone.chained, gone.sequence_last):
        problems.append(f"{os.path.join(directory, dropped.NAME)}: it is not what the roots say")
    return problems


def problem_of(directory: str, index: int, verifier: Verifier) -> str | None:
    """Return what keeps a sealed segment from being proven by its signatures; None: nothing."""
    try:
        statement = statement_of(Sealed(path_of(directory, index, SEALED)).trailer)
        path = path_of(directory, index, SIGNED)
        problem = verifier.problem(statement, signatures_of(path))
        if problem is None and statement_in(path) != statement:
            return "what it says of the segment is not so"
        return problem
    except (DataplaneError, ValueError) as error:
        return str(error)

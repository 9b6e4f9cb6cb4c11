"""Signatures over the roots of sealed segments, with keys that lie outside the journal.

A key is a pair of keys, ML-DSA-65 and Ed25519, and every root is signed with both: a forger must
break the two. The folder of keys holds `key-ID.json` for each (private, for its owner alone) and
`public.json` with the public halves of all, which is what a verifier is given. The key made last
signs; the older ones go on to prove what they signed. docs/journal.md has the formats.

Needs cryptography (`pip install 'tickplane[audit]'`).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import struct
import time
from dataclasses import dataclass
from typing import Any

from appliance.errors import CommandError

FORMAT = 1
PUBLIC = "public.json"
ALGORITHMS = ("ML-DSA-65", "Ed25519")
DOMAIN = b"tickplane journal root 1"
STATEMENT = struct.Struct("<QQ32s32s32s")


@dataclass(frozen=True)
class Statement:
    """What is signed of a segment."""

    segment_index: int
    record_count: int
    root: bytes
    previous: bytes
    chained: bytes

    def message(self) -> bytes:
        """Return the bytes that both signatures cover."""
        return DOMAIN + STATEMENT.pack(
            self.segment_index, self.record_count, self.root, self.previous, self.chained
        )


def statement_of(trailer: dict[str, Any]) -> Statement:
    """Return what is signed of a sealed segment."""
    return Statement(**{name: trailer[name] for name in Statement.__dataclass_fields__})


# ---- the two algorithms ----


def algorithms() -> dict[str, tuple[Any, Any]]:
    """Return the classes of private and public keys by the name of the algorithm."""
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa
    except ImportError:
        raise CommandError(
            "keys: the package cryptography, 47 or newer, is not installed;"
            " run: pip install 'tickplane[audit]'"
        ) from None
    return {
        "ML-DSA-65": (mldsa.MLDSA65PrivateKey, mldsa.MLDSA65PublicKey),
        "Ed25519": (ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey),
    }


def encode(data: bytes) -> str:
    """Return bytes as text."""
    return base64.b64encode(data).decode()


def decode(text: Any) -> bytes:
    """Return the bytes of a text; raise ValueError when it is none."""
    if not isinstance(text, str):
        raise ValueError(f"{text!r} is no base64")
    data = base64.b64decode(text, validate=True)
    if encode(data) != text:  # bits that say nothing
        raise ValueError("it is no base64 that was written here")
    return data


def key_id_of(public: dict[str, bytes]) -> str:
    """Return a key's name: a hash over its public halves."""
    return hashlib.sha256(b"".join(public[name] for name in ALGORITHMS)).hexdigest()[:16]


# ---- private keys ----


@dataclass(frozen=True)
class Signer:
    """The key that signs."""

    key_id: str
    private: dict[str, Any]

    def sign(self, statement: Statement) -> list[dict[str, str]]:
        """Return a signature of each algorithm."""
        return [
            {
                "algorithm": name,
                "key_id": self.key_id,
                "signature": encode(self.private[name].sign(statement.message())),
            }
            for name in ALGORITHMS
        ]


def make_key(folder: str) -> str:
    """Add a key to a folder, which is made when it is missing; return the key's name."""
    private = {name: classes[0].generate() for name, classes in algorithms().items()}
    public = {name: key.public_key().public_bytes_raw() for name, key in private.items()}
    key_id = key_id_of(public)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    known = read_public(folder) if os.path.exists(os.path.join(folder, PUBLIC)) else []
    secret = {
        "format": FORMAT,
        "key_id": key_id,
        "private": {name: encode(key.private_bytes_raw()) for name, key in private.items()},
    }
    write_whole(private_path(folder, key_id), secret, 0o600)
    entry = {
        "key_id": key_id,
        "made_ns": time.time_ns(),
        "public": {name: encode(data) for name, data in public.items()},
    }
    write_whole(os.path.join(folder, PUBLIC), {"format": FORMAT, "keys": [*known, entry]}, 0o644)
    return key_id


def private_path(folder: str, key_id: str) -> str:
    """Return where a private key lies."""
    return os.path.join(folder, f"key-{key_id}.json")


def load_signer(folder: str, directory: str) -> Signer:
    """Return the key made last; raise CommandError for none, or one that lies in the journal."""
    inside = os.path.commonpath([os.path.realpath(folder), os.path.realpath(directory)])
    if inside == os.path.realpath(directory):
        raise CommandError(f"keys: {folder}: lies in the journal; keep keys apart from it")
    classes = algorithms()
    key_id = str(read_public(folder)[-1]["key_id"])
    path = private_path(folder, key_id)
    try:
        found = read(path)["private"]
        private = {
            name: private_of(classes[name][0], name, decode(found[name])) for name in ALGORITHMS
        }
    except (KeyError, TypeError, ValueError) as error:
        raise CommandError(f"keys: {path}: {error}; it is no private key of ours") from None
    return Signer(key_id, private)


def private_of(kind: Any, name: str, data: bytes) -> Any:
    """Return a private key of its bytes."""
    return kind.from_seed_bytes(data) if name == "ML-DSA-65" else kind.from_private_bytes(data)


# ---- public keys ----


class Verifier:
    """The public halves of all keys, by name."""

    def __init__(self, path: str) -> None:
        classes = algorithms()
        self._keys: dict[str, dict[str, Any]] = {}
        for entry in read_public(path):
            public = {name: decode(entry["public"][name]) for name in ALGORITHMS}
            self._keys[key_id_of(public)] = {
                name: classes[name][1].from_public_bytes(data) for name, data in public.items()
            }

    def problem(self, statement: Statement, signatures: Any) -> str | None:
        """Return what keeps the signatures from proving the statement, in words; None: nothing."""
        try:
            by_algorithm = {each["algorithm"]: each for each in signatures}
            for name in ALGORITHMS:
                if name not in by_algorithm:
                    return f"it is not signed with {name}"
                problem = self._problem_of(name, by_algorithm[name], statement.message())
                if problem:
                    return problem
        except (KeyError, TypeError, ValueError) as error:
            return f"its signatures cannot be read: {error}"
        return None

    def _problem_of(self, name: str, signature: dict[str, Any], message: bytes) -> str | None:
        from cryptography.exceptions import InvalidSignature

        key_id = signature["key_id"]
        if key_id not in self._keys:
            return f"it is signed with key {key_id}, which is not among the public keys"
        try:
            self._keys[key_id][name].verify(decode(signature["signature"]), message)
        except InvalidSignature:
            return f"its {name} signature by key {key_id} is not of this content"
        return None


def read_public(path: str) -> list[dict[str, Any]]:
    """Return the entries of public.json, or of the one in a folder."""
    if os.path.isdir(path):
        path = os.path.join(path, PUBLIC)
    try:
        found = read(path)
        entries = [
            {
                "key_id": str(each["key_id"]),
                "made_ns": int(each["made_ns"]),
                "public": {name: str(each["public"][name]) for name in ALGORITHMS},
            }
            for each in found["keys"]
        ]
        if found["format"] != FORMAT:
            raise ValueError(f"format {found['format']}; this build reads {FORMAT}")
    except (KeyError, TypeError, ValueError) as error:
        raise CommandError(f"keys: {path}: {error}; it holds no public keys of ours") from None
    if not entries:
        raise CommandError(f"keys: {path}: no key; make one with tickplane journal keys")
    return entries


# ---- files ----


def read(path: str) -> Any:
    """Return what a JSON file holds."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except OSError as error:
        raise CommandError(
            f"keys: {path}: {error.strerror}; make keys with tickplane journal keys"
        ) from None


def write_whole(path: str, content: Any, mode: int) -> None:
    """Write a JSON file so that it is there whole or not at all, on disk when this returns."""
    part = path + ".part"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(descriptor)
    os.rename(part, path)
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

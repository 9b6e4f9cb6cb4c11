"""A disk that loses power: a file system of one directory that remembers what was not flushed.

It speaks the kernel's FUSE protocol (include/uapi/linux/fuse.h) itself, over /dev/fuse, and keeps a
log of everything that reached it: writes, flushes, names. ``Log.cut`` then gives what a disk may
hold that lost power at any place of the log: everything flushed, and of the rest any subset of
512-byte sectors, sizes and names.
"""

from __future__ import annotations

import ctypes
import errno
import os
import random
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
MAX_WRITE = 128 << 10
ROOT = 1
LOOKUP, FORGET, GETATTR, SETATTR, MKDIR, UNLINK, RENAME, RENAME2 = 1, 2, 3, 4, 9, 10, 12, 45
OPEN, READ, WRITE, STATFS, RELEASE, FSYNC, FLUSH = 14, 15, 16, 17, 18, 20, 25
INIT, OPENDIR, READDIR, RELEASEDIR, FSYNCDIR = 26, 27, 28, 29, 30
ACCESS, CREATE, DESTROY, BATCH_FORGET, FALLOCATE = 34, 35, 38, 42, 43
BIG_WRITES, FATTR_SIZE = 1 << 5, 1 << 3
MS_NOSUID, MS_NODEV, MNT_DETACH = 2, 4, 2

Op = tuple  # what happened, then its arguments


@dataclass
class Disk:
    """What is flushed, and what came after."""

    data: dict[int, bytearray] = field(default_factory=dict)  # by node
    waiting: dict[int, list[Op]] = field(default_factory=dict)  # by node
    names: dict[str, int] = field(default_factory=dict)
    names_waiting: list[Op] = field(default_factory=list)

    def apply(self, op: Op) -> None:
        """Take the next entry of the log."""
        kind, *rest = op
        if kind in ("write", "size"):
            self.waiting.setdefault(rest[0], []).append((kind, *rest[1:]))
        elif kind == "sync":
            data = self.data.setdefault(rest[0], bytearray())
            for each in self.waiting.pop(rest[0], ()):
                change(data, each)
        elif kind in ("make", "unlink", "rename"):
            self.names_waiting.append(op)
        elif kind == "syncdir":
            for each in self.names_waiting:
                rename(self.names, each)
            self.names_waiting.clear()

    def survivors(self, rng: random.Random) -> dict[str, bytes]:
        """Return the files that a cut at this moment may leave, chosen at random."""
        share = rng.choice((0.0, 0.2, 0.5, 0.9, 1.0))
        names = dict(self.names)
        for op in self.names_waiting:
            if rng.random() < share:
                rename(names, op)
        files = {}
        for name, node in names.items():
            data = bytearray(self.data.get(node, b""))
            for op in self.waiting.get(node, ()):
                for part in sectors(op):
                    if rng.random() < share:
                        change(data, part)
            files[name] = bytes(data)
        return files


def change(data: bytearray, op: Op) -> None:
    kind, at, *rest = op
    if kind == "size":
        data.extend(bytes(max(at - len(data), 0)))
        del data[at:]
        return
    end = at + len(rest[0])
    data.extend(bytes(max(end - len(data), 0)))
    data[at:end] = rest[0]


def rename(names: dict[str, int], op: Op) -> None:
    if op[0] == "make":
        names[op[1]] = op[2]
    elif op[0] == "rename":
        names.pop(op[1], None)
        names[op[2]] = op[3]
    else:
        names.pop(op[1], None)


def sectors(op: Op) -> list[Op]:
    """Take a write apart: each sector reaches the disk, or not, for itself."""
    if op[0] == "size":
        return [op]
    _, at, data = op
    cuts = [0, *range(SECTOR - at % SECTOR, len(data), SECTOR), len(data)]
    return [("write", at + a, data[a:b]) for a, b in zip(cuts, cuts[1:], strict=False) if a < b]


class CutDisk:
    """The file system, mounted while in a ``with``; ``log`` may be read when it is over."""

    def __init__(self, mount: Path) -> None:
        self.mount, self.log = mount, []
        self._nodes: dict[int, bytearray] = {}
        self._names: dict[str, int] = {}
        self._directories = {ROOT: {}}  # one level: the journal's directory below the root
        self._next = ROOT + 1
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._lock = threading.Lock()

    def note(self, *op: object) -> None:
        """Add an entry of another's to the log, in its place."""
        with self._lock:
            self.log.append(op)

    def __enter__(self) -> CutDisk:
        self._fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self._fd},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
        target = os.fsencode(self.mount)
        if self._libc.mount(b"cut", target, b"fuse", MS_NOSUID | MS_NODEV, options) != 0:
            code = ctypes.get_errno()
            os.close(self._fd)
            raise OSError(code, os.strerror(code), "/dev/fuse")
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._libc.umount2(os.fsencode(self.mount), MNT_DETACH)
        self._thread.join(5)
        os.close(self._fd)

    def _serve(self) -> None:
        handlers: dict[int, Callable[[int, bytes], bytes]] = {
            LOOKUP: self._lookup, GETATTR: self._getattr, SETATTR: self._setattr,
            MKDIR: self._mkdir, UNLINK: self._unlink, OPEN: self._open, READ: self._read,
            WRITE: self._write, STATFS: self._statfs, FSYNC: self._fsync, INIT: self._init,
            OPENDIR: self._open, READDIR: self._readdir, FSYNCDIR: self._fsyncdir,
            CREATE: self._create, FALLOCATE: self._fallocate,
            RENAME: self._rename, RENAME2: self._rename,
            **dict.fromkeys((RELEASE, FLUSH, RELEASEDIR, ACCESS, DESTROY), lambda *_: b""),
        }  # fmt: skip
        while True:
            try:
                request = os.read(self._fd, MAX_WRITE + 4096)
            except OSError as error:
                if error.errno in (errno.ENODEV, errno.EBADF):
                    return
                continue
            _, opcode, unique, node = struct.unpack_from("<IIQQ", request)
            if opcode == RENAME:  # the older form has no flags
                request = request[:48] + bytes(8) + request[48:]
            if opcode in (FORGET, BATCH_FORGET):
                continue
            try:
                code, answer = 0, handlers[opcode](node, request[40:])
            except KeyError:
                code, answer = errno.ENOSYS if opcode not in handlers else errno.ENOENT, b""
            try:
                os.write(self._fd, struct.pack("<IiQ", 16 + len(answer), -code, unique) + answer)
            except OSError as error:
                if error.errno != errno.ENOENT:  # interrupted: nobody waits for it any more
                    return

    # ---- requests ----

    def _init(self, _node: int, body: bytes) -> bytes:
        major, minor, readahead, _ = struct.unpack_from("<IIII", body)
        return struct.pack(
            "<IIIIHHIIHHI28x", major, min(minor, 31), readahead, BIG_WRITES, 16, 12, MAX_WRITE, 1,
            MAX_WRITE // 4096, 0, 0,
        )  # fmt: skip

    def _attr(self, node: int) -> bytes:
        is_directory = node in self._directories
        size = 0 if is_directory else len(self._nodes[node])
        mode = 0o40755 if is_directory else 0o100644
        blocks = (size + SECTOR - 1) // SECTOR
        return struct.pack(
            "<QQQQQQIIIIIIIIII", node, size, blocks, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0
        )

    def _entry(self, node: int) -> bytes:
        return struct.pack("<QQQQII", node, 0, 3600, 3600, 0, 0) + self._attr(node)

    def _lookup(self, node: int, body: bytes) -> bytes:
        return self._entry(self._directories[node][body.rstrip(b"\0").decode()])

    def _getattr(self, node: int, _body: bytes) -> bytes:
        return struct.pack("<QII", 3600, 0, 0) + self._attr(node)

    def _setattr(self, node: int, body: bytes) -> bytes:
        valid, _, _, size = struct.unpack_from("<IIQQ", body)
        if valid & FATTR_SIZE:
            self._resize(node, size)
        return self._getattr(node, body)

    def _resize(self, node: int, size: int) -> None:
        change(self._nodes[node], ("size", size))
        self.note("size", node, size)

    def _new(self, parent: int, name: str) -> int:
        node, self._next = self._next, self._next + 1
        self._directories[parent][name] = node
        return node

    def _mkdir(self, node: int, body: bytes) -> bytes:
        made = self._new(node, body[8:].rstrip(b"\0").decode())
        self._directories[made] = {}
        return self._entry(made)

    def _create(self, node: int, body: bytes) -> bytes:
        name = body[16:].rstrip(b"\0").decode()
        made = self._new(node, name)
        self._nodes[made] = bytearray()
        self.note("make", name, made)
        return self._entry(made) + struct.pack("<QII", 0, 0, 0)

    def _unlink(self, node: int, body: bytes) -> bytes:
        name = body.rstrip(b"\0").decode()
        del self._directories[node][name]
        self.note("unlink", name)
        return b""

    def _rename(self, node: int, body: bytes) -> bytes:
        before, after, _ = body[16:].decode().split("\0")
        self._directories[node][after] = moved = self._directories[node].pop(before)
        self.note("rename", before, after, moved)
        return b""

    def _open(self, _node: int, _body: bytes) -> bytes:
        return struct.pack("<QII", 0, 0, 0)

    def _read(self, node: int, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        return bytes(self._nodes[node][offset : offset + size])

    def _write(self, node: int, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        data = body[40 : 40 + size]
        change(self._nodes[node], ("write", offset, data))
        self.note("write", node, offset, data)
        return struct.pack("<II", size, 0)

    def _fallocate(self, node: int, body: bytes) -> bytes:
        _, offset, length = struct.unpack_from("<QQQ", body)
        self._resize(node, max(len(self._nodes[node]), offset + length))
        return b""

    def _fsync(self, node: int, _body: bytes) -> bytes:
        self.note("sync", node)
        return b""

    def _fsyncdir(self, _node: int, _body: bytes) -> bytes:
        self.note("syncdir")
        return b""

    def _statfs(self, _node: int, _body: bytes) -> bytes:
        return struct.pack(
            "<QQQQQIIII24x", 1 << 20, 1 << 19, 1 << 19, 1000, 900, 4096, 255, 4096, 0
        )

    def _readdir(self, node: int, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        answer = b""
        for at, (name, child) in enumerate(list(self._directories[node].items()), 1):
            text = name.encode()
            entry = struct.pack("<QQII", child, at, len(text), 0) + text
            entry = entry.ljust((len(entry) + 7) // 8 * 8, b"\0")
            if at > offset and len(answer) + len(entry) <= size:
                answer += entry
        return answer

"""Does a card's driver give AF_XDP its frames without a copy? Asked of the kernel, by a socket.

A socket is bound to each queue in the best mode that there is, and the kernel is asked which one
that is (XDP_OPTIONS): a driver that has none falls back to copying without a word. linux/if_xdp.h.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import socket
import struct

AF_XDP, SOL_XDP = 44, 283
RX_RING, UMEM_REG, FILL_RING, COMPLETION_RING, OPTIONS = 2, 4, 5, 6, 8
ZERO_COPY = 1 << 0
FRAMES, FRAME_BYTES = 64, 4096


def is_zero_copy(interface: str, queue: int) -> bool:
    """Bind a socket to a queue and return what the kernel says of it; OSError when it cannot."""
    size = FRAMES * FRAME_BYTES
    with contextlib.ExitStack() as stack:
        memory = stack.enter_context(contextlib.closing(mmap.mmap(-1, size)))
        xdp = stack.enter_context(socket.socket(AF_XDP, socket.SOCK_RAW))
        anchor = ctypes.c_char.from_buffer(memory)
        umem = struct.pack("QQIII4x", ctypes.addressof(anchor), size, FRAME_BYTES, 0, 0)
        del anchor
        xdp.setsockopt(SOL_XDP, UMEM_REG, umem)
        for ring in (FILL_RING, COMPLETION_RING, RX_RING):
            xdp.setsockopt(SOL_XDP, ring, FRAMES)
        bind(xdp, socket.if_nametoindex(interface), queue)
        (flags,) = struct.unpack("I", xdp.getsockopt(SOL_XDP, OPTIONS, 4))
        return bool(flags & ZERO_COPY)


def bind(xdp: socket.socket, index: int, queue: int) -> None:
    """Bind a socket to a queue; Python's own sockets know no such address."""
    address = struct.pack("HHIII", AF_XDP, 0, index, queue, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.bind(xdp.fileno(), address, len(address)) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))

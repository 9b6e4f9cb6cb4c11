"""Sealed segments for Python: writing one, and reading one block by block.

sys/dp_seal has the format; dataplane/segment.pyx walks over the records; dataplane/sealing.py names
the files.
"""

import mmap
import os

from cpython.buffer cimport (
    PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_FillInfo, PyBuffer_Release, PyObject_GetBuffer,
)
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from dataplane.dp_err cimport dp_err, raise_err
from dataplane.dp_journal cimport DP_JOURNAL_INSTRUMENT, dp_journal_record, dp_journal_walk
from dataplane.dp_seal cimport (
    DP_SEAL_BLOCK_SIZE, DP_SEAL_HASH_SIZE, dp_seal_block, dp_seal_block_at,
    dp_seal_close, dp_seal_equals, dp_seal_open, dp_seal_read, dp_seal_tree_fits, dp_seal_write,
)

from dataplane.errors import DataplaneError

HEADER_SIZE = 4096
RECORD_SIZE = 128
Block = dict  # what block() returns; seal.pyi has its keys
NO_HASH = bytes(DP_SEAL_HASH_SIZE)
cdef uint64_t HEADER = HEADER_SIZE


def map_file(str path):
    """Return the file's bytes, mapped; b"" when it has none."""
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size:
                return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            return b""
    except OSError as error:
        raise DataplaneError(error.errno, f"journal: {path}: {error.strerror}") from error


def write(int descriptor, const uint8_t[::1] segment, bytes previous):
    """Seal a closed segment into an empty file; ``previous``: chained root of the one before."""
    cdef dp_err err
    cdef const uint8_t *before = previous
    cdef const uint8_t *memory = &segment[0] if len(segment) else NULL
    cdef uint64_t size = len(segment)
    cdef int status
    if len(previous) != DP_SEAL_HASH_SIZE:
        raise ValueError(f"previous has {len(previous)} bytes; a hash has {DP_SEAL_HASH_SIZE}")
    with nogil:
        status = dp_seal_write(descriptor, memory, size, before, &err)
    if status < 0:
        raise_err(&err)


cdef dict _facts(const dp_seal_block *block):
    return {
        "offset": block.offset,
        "size": block.size,
        "sequence_first": block.sequence_first,
        "record_count": block.record_count,
        "time_ns_min": block.time_ns_min,
        "time_ns_max": block.time_ns_max,
        "number_min": block.number_min,
        "number_max": block.number_max,
        "kinds": block.kinds,
        "tree": (<bytes>block.tree[:DP_SEAL_HASH_SIZE]),
    }


cdef class Sealed:
    """One sealed segment, mapped; its records appear in memory when they are asked for.

    Raise DataplaneError when its header, index or trailer is not whole.
    """

    def __cinit__(self, str path):
        PyObject_GetBuffer(map_file(path), &self._packed, PyBUF_SIMPLE)
        self._open()

    def __dealloc__(self):
        dp_seal_close(&self._seal)
        PyBuffer_Release(&self._packed)
        PyBuffer_Release(&self._room)

    cdef int _open(self) except -1:
        cdef dp_err err
        if dp_seal_open(
                &self._seal, <const uint8_t *>self._packed.buf, self._packed.len, &err) < 0:
            raise_err(&err)
        self.size = self._seal.trailer.segment_size
        room = mmap.mmap(-1, self.size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        PyObject_GetBuffer(room, &self._room, PyBUF_WRITABLE)
        self.memory = <uint8_t *>self._room.buf
        memcpy(self.memory, self._seal.memory, HEADER)
        self.there = HEADER
        return 0

    cdef uint32_t _block_of(self, uint64_t offset) noexcept nogil:
        return <uint32_t>((offset - HEADER) // DP_SEAL_BLOCK_SIZE)

    cdef bint reach(self, uint64_t offset) noexcept nogil:
        """Make the record at that byte of the segment be there; False: its block was changed."""
        cdef uint32_t at = self._block_of(offset)
        if offset < self.there or at >= self._seal.trailer.block_count:
            return True
        cdef uint8_t *place = self.memory + HEADER + at * DP_SEAL_BLOCK_SIZE
        if not dp_seal_read(&self._seal, at, <dp_journal_record *>place):
            return False
        self.there = HEADER + (at + 1) * DP_SEAL_BLOCK_SIZE
        return True

    cdef uint64_t offset_of(self, uint64_t offset) noexcept:
        """Byte of the file of the block that holds that byte of the segment."""
        cdef dp_seal_block block
        cdef uint32_t at = self._block_of(offset)
        if at >= self._seal.trailer.block_count:
            return self._seal.trailer.index_offset
        dp_seal_block_at(&self._seal, at, &block)
        return block.offset

    cdef object next_block(self, uint64_t offset):
        """What the index says of the block that begins there; None: it may not be stepped over."""
        cdef uint64_t at = self._block_of(offset)
        if (offset - HEADER) % DP_SEAL_BLOCK_SIZE or at + 1 >= self._seal.trailer.block_count:
            return None
        facts = self.block(at)
        return None if facts["kinds"] >> DP_JOURNAL_INSTRUMENT & 1 else facts

    cdef uint32_t step_over(self, dp_journal_walk *walk) noexcept nogil:
        """Move a walk that stands before a block behind it, unread; return how many records."""
        cdef dp_seal_block block
        cdef dp_seal_block behind
        cdef uint32_t at = self._block_of(walk.offset)
        dp_seal_block_at(&self._seal, at, &block)
        dp_seal_block_at(&self._seal, at + 1, &behind)
        walk.offset += DP_SEAL_BLOCK_SIZE
        walk.sequence += block.record_count
        walk.chain = behind.chain
        walk.time_ns = block.time_ns_max
        self.there = walk.offset
        return block.record_count

    @property
    def trailer(self) -> dict:
        """What the file's end says of the whole."""
        trailer = self._seal.trailer
        return {
            "segment_index": trailer.segment_index,
            "segment_size": trailer.segment_size,
            "record_count": trailer.record_count,
            "root": (<bytes>trailer.root[:DP_SEAL_HASH_SIZE]),
            "previous": (<bytes>trailer.previous[:DP_SEAL_HASH_SIZE]),
            "chained": (<bytes>trailer.chained[:DP_SEAL_HASH_SIZE]),
        }

    @property
    def header_page(self) -> bytes:
        """The segment's first page."""
        return self.memory[:HEADER]

    @property
    def block_count(self) -> int:
        """How many blocks the records are in."""
        return self._seal.trailer.block_count

    def block(self, uint32_t at) -> dict:
        """Return what the index says of a block."""
        cdef dp_seal_block block
        if at >= self._seal.trailer.block_count:
            raise IndexError(f"block {at}; there are {self._seal.trailer.block_count}")
        dp_seal_block_at(&self._seal, at, &block)
        return _facts(&block)

    def records(self, uint32_t at) -> bytes:
        """Return a block's records as they stood in the segment; None when it was changed."""
        cdef dp_seal_block block
        if at >= self._seal.trailer.block_count:
            raise IndexError(f"block {at}; there are {self._seal.trailer.block_count}")
        dp_seal_block_at(&self._seal, at, &block)
        cdef bytearray room = bytearray(block.record_count * RECORD_SIZE)
        cdef uint8_t *place = room
        cdef bint whole
        with nogil:
            whole = dp_seal_read(&self._seal, at, <dp_journal_record *>place)
        return bytes(room) if whole else None

    def read_all(self):
        """Make all records be there; return the number of the first block that was changed."""
        cdef uint32_t at = 0
        cdef bint whole = True
        with nogil:
            while whole and at < self._seal.trailer.block_count:
                whole = dp_seal_read(
                    &self._seal, at,
                    <dp_journal_record *>(self.memory + HEADER + at * DP_SEAL_BLOCK_SIZE))
                at += whole
        return None if whole else at

    def tree_fits(self) -> bool:
        """Whether the hashes are those of the records, all of them read by read_all()."""
        cdef bint fits
        with nogil:
            fits = dp_seal_tree_fits(
                &self._seal, <const dp_journal_record *>(self.memory + HEADER))
        return fits

    def equals(self, const uint8_t[::1] segment) -> bool:
        """Whether it is that segment; every block is read for it, and none kept."""
        cdef uint64_t size = len(segment)
        cdef const uint8_t *other = &segment[0] if size else NULL
        cdef uint8_t *room = <uint8_t *>malloc(DP_SEAL_BLOCK_SIZE)
        cdef bint same = False
        if room == NULL:
            raise MemoryError()
        with nogil:
            same = dp_seal_equals(&self._seal, other, size, room)
        free(room)
        return same

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        PyBuffer_FillInfo(buffer, self, self.memory, self.size, 1, flags)

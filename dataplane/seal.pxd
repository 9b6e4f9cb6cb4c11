from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from dataplane.dp_journal cimport dp_journal_walk
from dataplane.dp_seal cimport dp_seal, dp_seal_block


cdef class Sealed:
    cdef Py_buffer _packed
    cdef Py_buffer _room
    cdef dp_seal _seal
    cdef uint8_t *memory       # the segment: header and zeros, filled in as blocks are read
    cdef uint64_t size         # of the segment
    cdef uint64_t there        # byte of the segment up to which what was asked for is there

    cdef int _open(self) except -1
    cdef uint32_t _block_of(self, uint64_t offset) noexcept nogil
    cdef bint reach(self, uint64_t offset) noexcept nogil
    cdef uint64_t offset_of(self, uint64_t offset) noexcept
    cdef object next_block(self, uint64_t offset)
    cdef uint32_t step_over(self, dp_journal_walk *walk) noexcept nogil

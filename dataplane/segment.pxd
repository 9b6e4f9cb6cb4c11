from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from dataplane.dp_event cimport dp_event
from dataplane.dp_journal cimport (
    dp_journal_header, dp_journal_record, dp_journal_verdict, dp_journal_walk,
)
from dataplane.seal cimport Sealed


cdef class Segment:
    cdef Py_buffer _buffer
    cdef bint _has_buffer
    cdef bint _is_sealed
    cdef const uint8_t *_memory
    cdef uint64_t _size
    cdef dp_journal_walk _walk
    cdef dp_journal_verdict _verdict
    cdef uint32_t _end_cause  # 0: not met
    cdef readonly str path
    cdef readonly Sealed sealed    # None: the file is the segment
    cdef readonly bint unused      # made ready by the writer, never started
    cdef readonly bint final       # its end record says that no segment need follow
    cdef readonly uint64_t record_count  # good ones met so far, the end record not counted
    cdef readonly object time_ns   # of the last one met; None before
    # What skip() met: enough to lay out a state for these records.
    cdef readonly uint64_t event_count
    cdef readonly uint64_t execution_count
    cdef readonly uint32_t user_ref_num_max
    cdef readonly uint64_t durable_sequence

    cdef _map(self, str path)
    cdef const dp_journal_header *_header(self) noexcept
    cdef const dp_journal_record *_next(self) noexcept nogil
    cdef const dp_journal_record *_next_wanted(self, wanted) except? NULL
    cdef void _count(self, const dp_event *event) noexcept nogil

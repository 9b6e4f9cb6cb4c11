"""Recorded sessions for Python: their records as they are, their messages as lines of text."""

import os

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.exc cimport PyErr_CheckSignals
from libc.stdlib cimport calloc, free
from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.string cimport memset

from dataplane.dp_capture cimport (
    dp_capture,
    dp_capture_close,
    dp_capture_format_name,
    dp_capture_get_format,
    dp_capture_messages,
    dp_capture_messages_close,
    dp_capture_messages_open,
    dp_capture_messages_render,
    dp_capture_messages_stats,
    dp_capture_open,
    dp_capture_position,
    dp_capture_read,
    dp_capture_record,
    dp_capture_size,
    dp_capture_skipped,
    dp_capture_status,
    dp_capture_writer,
    dp_capture_writer_add,
    dp_capture_writer_close,
    dp_capture_writer_open,
)
from dataplane.dp_err cimport dp_err, raise_err

cdef enum:
    BATCH = 256
    TEXT_SIZE = 1 << 20

# The words of enum dp_net_result, in its order.
DROP_REASONS = ("ok", "cut short", "not ip", "fragment", "checksum", "malformed")


cdef int _check(const dp_capture *capture) except -1:
    cdef dp_err err
    memset(&err, 0, sizeof(err))
    # Ctrl-C breaks off a read of a pipe: the signal is then the reason, not the read.
    PyErr_CheckSignals()
    if dp_capture_status(capture, &err) < 0:
        raise_err(&err)
    return 0


cdef class Capture:
    """A BinaryFILE, pcap or pcapng, plain or gzip, record by record."""

    cdef dp_capture *_capture

    def __cinit__(self, path):
        cdef dp_err err
        memset(&err, 0, sizeof(err))
        cdef bytes name = os.fsencode(path)
        self._capture = dp_capture_open(name, &err)
        if self._capture is NULL:
            raise_err(&err)

    def __dealloc__(self):
        dp_capture_close(self._capture)

    @property
    def format(self):
        """The kind of file, as its content says."""
        return dp_capture_format_name(dp_capture_get_format(self._capture)).decode()

    @property
    def position(self):
        """Bytes of the file consumed."""
        return dp_capture_position(self._capture)

    @property
    def size(self):
        """Bytes of the file."""
        return dp_capture_size(self._capture)

    @property
    def skipped(self):
        """What was stepped over: bytes of a BinaryFILE, blocks and frames of a pcapng."""
        return dp_capture_skipped(self._capture)

    def read(self):
        """Return the next records as (offset, time_ns, original_size, data); [] at the end."""
        cdef dp_capture_record records[BATCH]
        cdef uint32_t count = 0
        cdef uint32_t index = 0
        with nogil:
            count = dp_capture_read(self._capture, records, BATCH)
        batch = []
        for index in range(count):
            data = PyBytes_FromStringAndSize(
                <const char *>records[index].data, records[index].size)
            batch.append((
                records[index].offset, records[index].time_ns, records[index].original_size, data))
        return batch

    def check(self):
        """Raise DataplaneError when the file was not whole."""
        _check(self._capture)


cdef class CaptureText:
    """The ITCH messages of a recorded session as lines of text, with everything else counted."""

    cdef dp_capture_messages *_messages
    cdef bint _json
    cdef bytearray _text

    def __cinit__(self, path, bint json=False):
        cdef dp_err err
        memset(&err, 0, sizeof(err))
        cdef bytes name = os.fsencode(path)
        self._json = json
        self._text = bytearray(TEXT_SIZE)
        self._messages = <dp_capture_messages *>calloc(1, sizeof(dp_capture_messages))
        if self._messages is NULL:
            raise MemoryError()
        if dp_capture_messages_open(self._messages, name, &err) < 0:
            raise_err(&err)

    def __dealloc__(self):
        if self._messages is not NULL:
            dp_capture_messages_close(self._messages)
        free(self._messages)

    @property
    def format(self):
        """The kind of file, as its content says."""
        return dp_capture_format_name(dp_capture_get_format(self._messages.capture)).decode()

    def render(self):
        """Return about a megabyte of lines, good until the next call; empty at the end."""
        cdef char *text = self._text
        cdef size_t size = 0
        with nogil:
            size = dp_capture_messages_render(self._messages, self._json, text, TEXT_SIZE)
        return memoryview(self._text)[:size]

    def counts(self):
        """Return what was seen so far, by name; see dp_capture_messages.h."""
        cdef dp_capture_messages_stats *stats = &self._messages.stats
        counts = {
            "messages": {
                chr(index): stats.by_type[index] for index in range(256) if stats.by_type[index]
            },
            "longer": stats.longer,
            "unknown": stats.unknown,
            "incomplete": stats.incomplete,
            "skipped": dp_capture_skipped(self._messages.capture),
        }
        if self._messages.has_frames:
            counts["frames"] = stats.records
            counts["heartbeats"] = stats.heartbeats
            counts["ends"] = stats.ends
            counts["dropped"] = {
                **{DROP_REASONS[index]: stats.dropped[index] for index in range(1, 6)},
                "tcp": stats.tcp,
                "not moldudp64": stats.not_moldudp,
            }
        return counts

    def check(self):
        """Raise DataplaneError when the file was not whole."""
        _check(self._messages.capture)


cdef class CaptureWriter:
    """A nanosecond pcap being written; close() says whether all of it reached the file."""

    cdef dp_capture_writer *_writer

    def __cinit__(self, path):
        cdef dp_err err
        memset(&err, 0, sizeof(err))
        cdef bytes name = os.fsencode(path)
        self._writer = dp_capture_writer_open(name, &err)
        if self._writer is NULL:
            raise_err(&err)

    def __dealloc__(self):
        dp_capture_writer_close(self._writer, NULL)

    def add(self, int64_t time_ns, bytes frame):
        """Append a frame; a failure is kept for close()."""
        if self._writer is NULL:
            raise ValueError("capture writer: add: it is closed; open another one")
        cdef const uint8_t *data = frame
        dp_capture_writer_add(self._writer, time_ns, data, <uint32_t>len(frame))

    def close(self):
        """Write the rest, or raise DataplaneError with the first failure. Closing twice is fine."""
        cdef dp_err err
        memset(&err, 0, sizeof(err))
        cdef dp_capture_writer *writer = self._writer
        self._writer = NULL
        if dp_capture_writer_close(writer, &err) < 0:
            raise_err(&err)

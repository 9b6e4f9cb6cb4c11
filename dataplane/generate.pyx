"""Generated sessions for Python: as bytes of a BinaryFILE, or as a pcap of two lines."""

import os

from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from dataplane.dp_capture cimport (
    dp_capture_writer,
    dp_capture_writer_add,
    dp_capture_writer_close,
    dp_capture_writer_open,
)
from dataplane.dp_err cimport dp_err, raise_err
from dataplane.dp_generate cimport (
    DP_GENERATE_FRAMED_MAX,
    DP_GENERATE_SYMBOLS_MAX,
    dp_generate,
    dp_generate_close,
    dp_generate_config,
    dp_generate_count_min,
    dp_generate_fill,
    dp_generate_gap,
    dp_generate_lines,
    dp_generate_lines_close,
    dp_generate_lines_config,
    dp_generate_lines_gap_count,
    dp_generate_lines_get_gap,
    dp_generate_lines_next,
    dp_generate_lines_open,
    dp_generate_lines_written,
    dp_generate_open,
    dp_generate_symbols_default,
    dp_generate_written,
)

SYMBOLS_MAX = DP_GENERATE_SYMBOLS_MAX

cdef enum:
    CHUNK_SIZE = 1 << 20
    FRAMES_PER_STEP = 16384


def messages_min(uint32_t symbols):
    """Return the fewest messages that hold a whole day for so many symbols."""
    return dp_generate_count_min(symbols)


def symbols_default(uint64_t messages):
    """Return a number of symbols that suits a session of so many messages."""
    return dp_generate_symbols_default(messages)


cdef dp_generate_config _config(uint64_t messages, symbols, uint64_t seed) except *:
    cdef dp_generate_config config
    config.seed = seed
    config.message_count = messages
    config.symbol_count = dp_generate_symbols_default(messages) if symbols is None else symbols
    return config


cdef class Session:
    """A generated session, read from its beginning to its end as the bytes of a BinaryFILE.

    The same arguments give the same bytes on every machine.

    >>> sum(len(part) for part in iter(Session(1000).read, b""))
    30998
    """

    cdef dp_generate *_generate

    def __cinit__(self, uint64_t messages, symbols=None, uint64_t seed=1):
        cdef dp_err err
        memset(&err, 0, sizeof(err))
        cdef dp_generate_config config = _config(messages, symbols, seed)
        self._generate = dp_generate_open(&config, &err)
        if self._generate is NULL:
            raise_err(&err)

    def __dealloc__(self):
        dp_generate_close(self._generate)

    @property
    def messages(self):
        """How many messages have been read."""
        return dp_generate_written(self._generate)

    def read(self):
        """Return about a megabyte of whole messages; b"" at the end."""
        cdef bytes part = PyBytes_FromStringAndSize(NULL, CHUNK_SIZE)
        cdef uint8_t *buf = <uint8_t *>PyBytes_AS_STRING(part)
        cdef size_t size = 0
        with nogil:
            size = dp_generate_fill(self._generate, buf, CHUNK_SIZE)
        return part if size == CHUNK_SIZE else part[:size]


def session_bytes(uint64_t messages, symbols=None, uint64_t seed=1):
    """Return a whole session as the bytes of a BinaryFILE: about 31 bytes a message."""
    cdef dp_err err
    memset(&err, 0, sizeof(err))
    cdef dp_generate_config config = _config(messages, symbols, seed)
    cdef dp_generate *generate = dp_generate_open(&config, &err)
    if generate is NULL:
        raise_err(&err)
    cdef size_t used = 0
    cdef size_t room = messages * DP_GENERATE_FRAMED_MAX
    cdef bytearray data = bytearray(room)
    cdef uint8_t *buf = <uint8_t *>PyByteArray_AS_STRING(data)
    with nogil:
        used = dp_generate_fill(generate, buf, room)
        dp_generate_close(generate)
    del data[used:]
    return data


cdef class Lines:
    """A generated session on two MoldUDP64 lines, written step by step as a nanosecond pcap.

    ``loss_a`` ... ``duplicate`` are packets of a million; ``lose_both`` is how many packets come
    on neither line.
    """

    cdef dp_generate_lines *_lines
    cdef dp_capture_writer *_writer
    cdef readonly unsigned long long frames

    def __cinit__(
        self, path, uint64_t messages, symbols=None, uint64_t seed=1, *, uint32_t loss_a=0,
        uint32_t loss_b=0, uint32_t reorder=0, uint32_t duplicate=0, uint32_t lose_both=0,
    ):
        cdef dp_err err
        memset(&err, 0, sizeof(err))
        cdef dp_generate_lines_config config
        config.session = _config(messages, symbols, seed)
        config.loss_ppm[0] = loss_a
        config.loss_ppm[1] = loss_b
        config.reorder_ppm = reorder
        config.duplicate_ppm = duplicate
        config.lose_both_count = lose_both
        self._lines = dp_generate_lines_open(&config, &err)
        if self._lines is NULL:
            raise_err(&err)
        cdef bytes name = os.fsencode(path)
        self._writer = dp_capture_writer_open(name, &err)
        if self._writer is NULL:
            raise_err(&err)

    def __dealloc__(self):
        dp_generate_lines_close(self._lines)
        dp_capture_writer_close(self._writer, NULL)

    @property
    def messages(self):
        """How many messages have been packed."""
        return dp_generate_lines_written(self._lines)

    @property
    def gaps(self):
        """What came on neither line so far: (first, last) sequence numbers."""
        cdef uint32_t index = 0
        cdef dp_generate_gap gap
        gaps = []
        for index in range(dp_generate_lines_gap_count(self._lines)):
            gap = dp_generate_lines_get_gap(self._lines, index)
            gaps.append((gap.first, gap.last))
        return gaps

    def step(self):
        """Write some thousand frames; False when all are written."""
        cdef uint32_t count = 0
        cdef uint32_t size = 0
        cdef int64_t time_ns = 0
        cdef const uint8_t *frame = NULL
        cdef bint failed = False
        if self._writer is NULL:
            raise ValueError("lines: step: the file is closed; open another one")
        with nogil:
            while count < FRAMES_PER_STEP and not failed:
                frame = dp_generate_lines_next(self._lines, &size, &time_ns)
                if frame is NULL:
                    break
                failed = dp_capture_writer_add(self._writer, time_ns, frame, size) < 0
                count += 1
        self.frames += count
        if failed:
            self.close()
        return frame is not NULL

    def close(self):
        """Write the rest, or raise DataplaneError with the first failure. Closing twice is fine."""
        cdef dp_err err
        memset(&err, 0, sizeof(err))
        cdef dp_capture_writer *writer = self._writer
        self._writer = NULL
        if dp_capture_writer_close(writer, &err) < 0:
            raise_err(&err)

"""Timed loops over a session in memory, for the rows ``itch.*`` of ``tickplane bench``."""

from libc.stdint cimport uint8_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from dataplane.bench_meter cimport Meter
from dataplane.dp_bench_itch cimport dp_bench_itch_floor, dp_bench_itch_parse
from dataplane.dp_bench_reader cimport (
    dp_bench_reader,
    dp_bench_reader_start,
    dp_bench_reader_stop,
)
from dataplane.dp_book cimport (
    DP_BOOK_INSTRUMENTS_MAX,
    dp_books,
    dp_books_clear,
    dp_books_config,
    dp_books_init,
    dp_books_size,
)
from dataplane.dp_counter cimport dp_counters
from dataplane.dp_err cimport dp_err, raise_err
from dataplane.dp_itch_apply cimport dp_itch_apply_block
from dataplane.sys_mman cimport MADV_HUGEPAGE, madvise, map_zeros, munmap


cdef enum:
    ORDERS = 4_000_000
    LEVELS = 2_000_000


cdef class ItchBench:
    """One session in memory and the books it fills; each run is one pass over all of it."""

    cdef const uint8_t[::1] _data
    cdef dp_books *_books
    cdef size_t _size
    cdef dp_counters *_counters
    cdef Meter _meter
    cdef dp_bench_reader _reader

    def __cinit__(self, const uint8_t[::1] data):
        cdef dp_err err
        memset(&err, 0, sizeof(err))
        cdef dp_books_config config
        config.instrument_count_max = DP_BOOK_INSTRUMENTS_MAX
        config.order_count_max = ORDERS
        config.level_count_max = LEVELS
        self._meter = Meter()
        self._data = data
        self._counters = <dp_counters *>calloc(1, sizeof(dp_counters))
        if self._counters is NULL:
            raise MemoryError()
        cdef size_t size = dp_books_size(&config)
        cdef void *memory = map_zeros(size, 0)
        if memory is NULL:
            raise MemoryError(f"bench: {size} bytes for books; free some memory")
        self._books = <dp_books *>memory
        self._size = size
        madvise(memory, size, MADV_HUGEPAGE)
        if dp_books_init(self._books, &config, &err) < 0:
            raise_err(&err)

    def __dealloc__(self):
        if self._size != 0:
            munmap(self._books, self._size)
        free(self._counters)

    def floor(self):
        """Byte-swap every order field and do nothing with it."""
        cdef uint64_t total = 0
        self._meter.start()
        cdef uint64_t count = dp_bench_itch_floor(
            &self._data[0], <size_t>self._data.shape[0], &total)
        return self._meter.stop(count)

    def parse(self):
        """Decode every message."""
        cdef uint64_t total = 0
        self._meter.start()
        cdef uint64_t count = dp_bench_itch_parse(
            &self._data[0], <size_t>self._data.shape[0], &total)
        return self._meter.stop(count)

    def books(self):
        """Decode every message and keep all books by order, beginning with empty ones.

        Another thread reads all books sixty times a second meanwhile.
        """
        cdef uint64_t count = 0
        dp_books_clear(self._books)
        memset(&self._reader, 0, sizeof(self._reader))
        cdef int status = dp_bench_reader_start(&self._reader, self._books)
        if status < 0:
            raise OSError(-status, "bench: no thread for the reader of the books")
        self._meter.start()
        dp_itch_apply_block(
            self._books, self._counters, &self._data[0], <size_t>self._data.shape[0], 0, &count)
        reading = self._meter.stop(count)
        dp_bench_reader_stop(&self._reader)
        return reading

    @property
    def reads(self):
        """Of the last run of books(): views read, and reads that found a change at every try."""
        return self._reader.ok_count, self._reader.busy_count

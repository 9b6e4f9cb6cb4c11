"""Order books for Python: built from a recorded session, or a view of somebody else's."""

import hashlib
import os

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport INT64_MAX, UINT32_MAX, int64_t, uint32_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

from dataplane.dp_book cimport (
    DP_BOOK_INSTRUMENTS_MAX,
    DP_BOOK_NONE,
    DP_BOOK_STALE,
    DP_BOOK_SUSPECT,
    DP_SIDE_BUY,
    DP_SIDE_SELL,
    DP_TRADING_OPEN,
    dp_book_flags,
    dp_book_is_open,
    dp_book_level_count,
    dp_book_level_view,
    dp_book_levels,
    dp_book_render_json,
    dp_book_render_size,
    dp_book_symbol,
    dp_book_trading_state,
    dp_books,
    dp_books_config,
    dp_books_find,
    dp_books_init,
    dp_books_instrument_count,
    dp_books_order_count,
    dp_books_size,
    dp_side,
)
from dataplane.dp_counter cimport (
    DP_COUNTER_COUNT,
    dp_counter,
    dp_counter_key,
    dp_counter_read,
    dp_counter_words,
    dp_counters,
)
from dataplane.dp_err cimport dp_err, raise_err
from dataplane.dp_itch_apply cimport (
    dp_book_feed,
    dp_book_feed_close,
    dp_book_feed_open,
    dp_book_feed_status,
    dp_book_feed_step,
)
from dataplane.sys_mman cimport MAP_NORESERVE, map_zeros, munmap


cdef list _levels(const dp_books *books, uint32_t index, dp_side side, uint32_t depth):
    cdef uint32_t count = min(dp_book_level_count(books, index, side), depth)
    cdef uint32_t at = 0
    cdef dp_book_level_view *levels = <dp_book_level_view *>malloc(
        (count + 1) * sizeof(dp_book_level_view))
    if levels is NULL:
        raise MemoryError()
    count = dp_book_levels(books, index, side, levels, count)
    result = []
    for at in range(count):
        result.append((levels[at].price_nanos, levels[at].qty, levels[at].order_count))
    free(levels)
    return result


cdef class Books:
    """The books of all instruments of a feed, empty until feed() is called.

    Memory is taken from the system only as far as orders and levels use it, so a generous
    ``orders`` costs nothing.
    """

    def __cinit__(
        self, uint32_t orders=4_000_000, uint32_t levels=2_000_000,
        uint32_t instruments=DP_BOOK_INSTRUMENTS_MAX, *, bint _view=False,
    ):
        if _view:
            return
        cdef dp_err err
        memset(&err, 0, sizeof(err))
        cdef dp_books_config config
        config.instrument_count_max = instruments
        config.order_count_max = orders
        config.level_count_max = levels
        cdef size_t size = dp_books_size(&config)
        cdef void *memory = map_zeros(size, MAP_NORESERVE)
        if memory is NULL:
            raise MemoryError(f"books: {size} bytes; give fewer orders")
        self._books = <dp_books *>memory
        self._size = size
        self._counters = <dp_counters *>calloc(1, sizeof(dp_counters))
        if self._counters is NULL:
            raise MemoryError()
        if dp_books_init(self._books, &config, &err) < 0:
            raise_err(&err)

    def __dealloc__(self):
        if self._size != 0:
            munmap(self._books, self._size)
        free(self._counters)

    def feed(self, path, until_ns=None):
        """Apply a recorded session, up to messages stamped ``until_ns`` after midnight.

        Raises DataplaneError when the file cannot be read, and also when it was not whole: the
        books then hold everything before the fault.
        """
        if self._counters is NULL:
            raise ValueError("books: feed: these belong to an engine; make your own")
        cdef dp_err err
        memset(&err, 0, sizeof(err))
        cdef bytes name = os.fsencode(path)
        cdef int64_t until = INT64_MAX if until_ns is None else until_ns
        cdef bint more = True
        cdef int code = 0
        cdef dp_book_feed *feed = dp_book_feed_open(self._books, self._counters, name, until, &err)
        if feed is NULL:
            raise_err(&err)
        try:
            while more:
                with nogil:
                    more = dp_book_feed_step(feed)
                PyErr_CheckSignals()
            code = dp_book_feed_status(feed, &err)
        finally:
            dp_book_feed_close(feed)
        if code < 0:
            raise_err(&err)

    def counts(self):
        """Return what feed() counted, zeros left out: key -> (how many, in words)."""
        counts = {}
        cdef int number = 0
        cdef dp_counter id = <dp_counter>0
        if self._counters is NULL:
            return counts
        for number in range(DP_COUNTER_COUNT):
            id = <dp_counter>number
            count = dp_counter_read(self._counters, id)
            if count:
                counts[dp_counter_key(id).decode()] = (count, dp_counter_words(id).decode())
        return counts

    def instruments(self):
        """Return the indexes of all opened instruments, in order."""
        return [
            index for index in range(dp_books_instrument_count(self._books))
            if dp_book_is_open(self._books, index)
        ]

    def find(self, str symbol):
        """Return the instrument's index, or None."""
        cdef bytes name = symbol.encode()
        cdef uint32_t index = dp_books_find(self._books, name)
        return None if index == DP_BOOK_NONE else index

    def symbol(self, uint32_t index):
        """Return the instrument's symbol, right-stripped."""
        cdef char[9] text
        memset(text, 0, sizeof(text))
        dp_book_symbol(self._books, index, text)
        return (<bytes>text).decode("latin-1")

    def is_stale(self, uint32_t index):
        """Say whether messages of its feed are missing."""
        return bool(dp_book_flags(self._books, index) & DP_BOOK_STALE)

    def is_suspect(self, uint32_t index):
        """Say whether a message contradicted this book."""
        return bool(dp_book_flags(self._books, index) & DP_BOOK_SUSPECT)

    def trading_state(self, uint32_t index):
        """Return "T", "H", "P", "Q", or "" when it was never announced."""
        cdef uint32_t state = dp_book_trading_state(self._books, index)
        return chr(state) if state else ""

    def bids(self, uint32_t index, uint32_t depth=UINT32_MAX):
        """Return (price_nanos, qty, order_count) of up to depth levels, best first."""
        return _levels(self._books, index, DP_SIDE_BUY, depth)

    def asks(self, uint32_t index, uint32_t depth=UINT32_MAX):
        """Return (price_nanos, qty, order_count) of up to depth levels, best first."""
        return _levels(self._books, index, DP_SIDE_SELL, depth)

    def json_line(self, uint32_t index, uint32_t depth=UINT32_MAX):
        """Return the book as bytes of JSON (symbol, bids, asks), without a line end."""
        if not dp_book_is_open(self._books, index):
            raise IndexError(f"books: instrument {index}: not opened")
        cdef bytes line = PyBytes_FromStringAndSize(
            NULL, <Py_ssize_t>dp_book_render_size(self._books, index))
        cdef size_t size = dp_book_render_json(self._books, index, depth, PyBytes_AS_STRING(line))
        return line[:size]

    def json_lines(self):
        """Yield json_line() of every opened instrument at full depth, in index order."""
        for index in self.instruments():
            yield self.json_line(index)

    def digest(self):
        """Return the SHA-256 over json_lines(), each ended by a line feed, as hexadecimal."""
        digest = hashlib.sha256()
        for line in self.json_lines():
            digest.update(line)
            digest.update(b"\n")
        return digest.hexdigest()

    def summary(self):
        """Return counts over all instruments, for a report."""
        indexes = self.instruments()
        trading = 0
        levels = 0
        for index in indexes:
            trading += dp_book_trading_state(self._books, index) == DP_TRADING_OPEN
            levels += dp_book_level_count(self._books, index, DP_SIDE_BUY)
            levels += dp_book_level_count(self._books, index, DP_SIDE_SELL)
        return {
            "instruments": len(indexes),
            "orders": dp_books_order_count(self._books),
            "levels": levels,
            "trading": trading,
            "not_trading": len(indexes) - trading,
            "stale": sum(map(self.is_stale, indexes)),
            "suspect": sum(map(self.is_suspect, indexes)),
        }


cdef Books books_view(dp_books *books, object owner):
    """Wrap the books of an engine; ``owner`` is kept alive as long as the view."""
    cdef Books view = Books.__new__(Books, _view=True)
    view._books = books
    view._owner = owner
    return view

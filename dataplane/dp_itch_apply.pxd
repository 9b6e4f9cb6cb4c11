"""Mirror of engine/dp_itch_apply.h and engine/dp_book_feed.h."""

from libc.stdint cimport int64_t, uint8_t, uint64_t

from dataplane.dp_book cimport dp_books
from dataplane.dp_counter cimport dp_counters
from dataplane.dp_err cimport dp_err


cdef extern from "dp_itch_apply.h" nogil:
    size_t dp_itch_apply_block(
        dp_books *books, dp_counters *counters, const uint8_t *data, size_t size,
        int64_t midnight_ns, uint64_t *message_count)


cdef extern from "dp_book_feed.h" nogil:
    struct dp_book_feed:
        pass

    dp_book_feed *dp_book_feed_open(
        dp_books *books, dp_counters *counters, const char *path, int64_t until_ns, dp_err *err)
    bint dp_book_feed_step(dp_book_feed *feed)
    int dp_book_feed_status(const dp_book_feed *feed, dp_err *err)
    void dp_book_feed_close(dp_book_feed *feed)

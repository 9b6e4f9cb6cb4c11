/*
 * dp_itch_apply - what each ITCH 5.0 message does to the books.
 *
 * The one place where market data meets the book. Wrong messages change nothing but a counter and the SUSPECT flag of the
 * instrument they name. One thread, the books' writer.
 */
#ifndef DP_ITCH_APPLY_H
#define DP_ITCH_APPLY_H

#include "dp_book.h"
#include "dp_counter.h"
#include "dp_itch.h"

/* Applies one decoded message (result DP_ITCH_OK or DP_ITCH_LONGER). midnight_ns: UTC time of the session's local midnight.
 * Returns the book result; types that do not touch books give DP_BOOK_OK. */
enum dp_book_result dp_itch_apply(struct dp_books *books, struct dp_counters *counters,
    const struct dp_itch_message *message, int64_t midnight_ns);

/* Straight from wire bytes to books, no callbacks: the fastest way to build books from a block of framed messages
 * (2-byte big-endian length, message; repeated), looking ahead to prefetch. Returns bytes consumed: all whole
 * messages. */
size_t dp_itch_apply_block(struct dp_books *books, struct dp_counters *counters, const uint8_t *data,
    size_t size, int64_t midnight_ns, uint64_t *message_count);

#endif

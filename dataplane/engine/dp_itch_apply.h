/*
 * dp_itch_apply - what each ITCH 5.0 message does to the books.
 *
 *   S code O     all books empty, symbols forgotten: a new session
 *   R            opens the instrument: index = stock_locate
 *   H            trading state
 *   h market Q   operational halt, over any trading state
 *   A F          joins the tail of its price level
 *   E C X        reduces; the order is gone at zero
 *   D            leaves
 *   U            leaves; the new one joins the tail
 *   all others   nothing
 *
 * The one place where market data meets the book. An A or F of an instrument that no R opened opens
 * it by its stock field: we joined late. A message that contradicts the book changes nothing but a
 * counter and the SUSPECT flag of the instrument it names; a reference alone says which order is
 * meant, so a wrong stock_locate beside it does no harm. One thread, the books' writer.
 */
#ifndef DP_ITCH_APPLY_H
#define DP_ITCH_APPLY_H

#include "dp_book.h"
#include "dp_counter.h"
#include "dp_itch.h"

/* Applies one decoded message (result DP_ITCH_OK or DP_ITCH_LONGER). midnight_ns: UTC time of the
 * session's local midnight. Counts BOOK_*, not ITCH_*. Returns the book result; types that do not
 * touch books give DP_BOOK_OK. */
enum dp_book_result dp_itch_apply(struct dp_books *books, struct dp_counters *counters,
    const struct dp_itch_message *message, int64_t midnight_ns);

/* Counts how decoding went (ITCH_*); true when the message is to be applied. One too short to
 * decode makes the instrument it names SUSPECT; all opened ones when it was of a type that changes
 * books, for nobody can say which one it meant. */
bool dp_itch_note_odd(struct dp_books *books, struct dp_counters *counters, const uint8_t *data,
    size_t size, enum dp_itch_result result);
static inline bool dp_itch_note(struct dp_books *books, struct dp_counters *counters,
    const uint8_t *data, size_t size, enum dp_itch_result result)
{
    dp_counter_add(counters, DP_COUNTER_ITCH_MESSAGES, 1);
    return DP_LIKELY(result == DP_ITCH_OK) || dp_itch_note_odd(books, counters, data, size, result);
}

/* Straight from wire bytes to books, no callbacks: the fastest way to build books from a block of
 * framed messages (2-byte big-endian length, message; repeated), looking ahead to prefetch. The
 * same books, flags and results as message by message. Counts ITCH_* and BOOK_*; an empty message
 * is stepped over uncounted. Returns bytes consumed: all whole messages. *message_count grows by
 * the messages stepped over, empty ones not included. */
size_t dp_itch_apply_block(struct dp_books *books, struct dp_counters *counters,
    const uint8_t *data, size_t size, int64_t midnight_ns, uint64_t *message_count);

#endif

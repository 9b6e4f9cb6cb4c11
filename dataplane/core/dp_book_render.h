/*
 * dp_book_render - a book as one line of JSON.
 *
 *   {"symbol":"ABC","bids":[[price_nanos,qty,order_count],...],"asks":[...]}
 *
 * Best levels first, no spaces: these exact bytes go into the books digest. The writer's own look,
 * or any process on books that stand still.
 */
#ifndef DP_BOOK_RENDER_H
#define DP_BOOK_RENDER_H

#include "dp_book.h"

/* Bytes that hold the line of this instrument, whatever its prices. */
size_t dp_book_render_size(const struct dp_books *books, uint32_t instrument_index);
/* Writes up to `depth` levels a side, without a line end or NUL; returns the bytes. text:
 * dp_book_render_size(). */
size_t dp_book_render_json(
    const struct dp_books *books, uint32_t instrument_index, uint32_t depth, char *text);

#endif

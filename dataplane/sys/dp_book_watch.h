/*
 * dp_book_watch - reading books whose writer may have died.
 *
 * Any reader, any process. A read that only ever met an unfinished change (BUSY) is asked again
 * once the writer is known to have ended: nobody finishes that change any more, so BUSY is then for
 * good and is answered STALE. A writer that is merely stopped has not ended: its book stays BUSY.
 * Books between two changes stay readable for ever. The first answer costs what dp_book_read()
 * costs; only BUSY looks at /proc.
 */
#ifndef DP_BOOK_WATCH_H
#define DP_BOOK_WATCH_H

#include "dp_book.h"

enum dp_book_read_result dp_book_watch(const struct dp_books *books, uint32_t instrument_index,
    uint32_t depth, struct dp_book_view *view);

#endif

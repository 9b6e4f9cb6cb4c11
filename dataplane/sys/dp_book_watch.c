#include "dp_book_watch.h"

#include "dp_process.h"

enum dp_book_read_result dp_book_watch(const struct dp_books *books, uint32_t instrument_index,
    uint32_t depth, struct dp_book_view *view)
{
    enum dp_book_read_result result = dp_book_read(books, instrument_index, depth, view);
    uint64_t writer_id = dp_books_writer(books);
    if (result != DP_BOOK_READ_BUSY || writer_id == 0 || !dp_process_has_ended(writer_id))
        return result;
    /* It may have finished that change after the first look, and died later. */
    result = dp_book_read(books, instrument_index, depth, view);
    return result == DP_BOOK_READ_BUSY ? DP_BOOK_READ_STALE : result;
}

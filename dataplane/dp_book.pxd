"""Mirror of core/dp_book.h and core/dp_book_render.h."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from dataplane.dp_err cimport dp_err


cdef extern from "dp_book.h" nogil:
    const uint32_t DP_BOOK_NONE
    const uint32_t DP_BOOK_INSTRUMENTS_MAX
    const int64_t DP_PRICE_NONE

    enum dp_side:
        DP_SIDE_NONE
        DP_SIDE_BUY
        DP_SIDE_SELL

    enum dp_book_result:
        DP_BOOK_OK
        DP_BOOK_UNKNOWN_ORDER
        DP_BOOK_DUPLICATE_ORDER
        DP_BOOK_OVER_REDUCTION
        DP_BOOK_INVALID
        DP_BOOK_FULL

    enum dp_book_flag:
        DP_BOOK_STALE
        DP_BOOK_SUSPECT

    enum dp_trading_state:
        DP_TRADING_UNKNOWN
        DP_TRADING_OPEN
        DP_TRADING_HALTED
        DP_TRADING_PAUSED
        DP_TRADING_QUOTATION

    struct dp_books_config:
        uint32_t instrument_count_max
        uint32_t order_count_max
        uint32_t level_count_max

    struct dp_books:
        pass

    struct dp_book_order_view:
        uint64_t order_ref
        uint64_t priority
        int64_t price_nanos
        uint64_t qty
        uint32_t instrument_index
        uint32_t side

    struct dp_book_level_view:
        int64_t price_nanos
        uint64_t qty
        uint64_t order_count

    struct dp_book_view:
        uint64_t sequence
        int64_t time_ns
        uint32_t flags
        uint32_t trading_state
        uint32_t bid_count
        uint32_t ask_count
        dp_book_level_view *bids
        dp_book_level_view *asks

    enum dp_book_read_result:
        DP_BOOK_READ_OK
        DP_BOOK_READ_BUSY
        DP_BOOK_READ_NONE

    size_t dp_books_size(const dp_books_config *config)
    int dp_books_init(dp_books *books, const dp_books_config *config, dp_err *err)
    void dp_books_clear(dp_books *books)
    int64_t dp_book_best_bid(const dp_books *books, uint32_t instrument_index)
    int64_t dp_book_best_ask(const dp_books *books, uint32_t instrument_index)
    uint32_t dp_book_flags(const dp_books *books, uint32_t instrument_index)
    uint32_t dp_book_trading_state(const dp_books *books, uint32_t instrument_index)
    bint dp_book_is_open(const dp_books *books, uint32_t instrument_index)
    void dp_book_symbol(const dp_books *books, uint32_t instrument_index, char *symbol)
    uint32_t dp_books_instrument_count(const dp_books *books)
    uint32_t dp_books_find(const dp_books *books, const char *symbol)
    uint64_t dp_books_order_count(const dp_books *books)
    bint dp_book_order(const dp_books *books, uint64_t order_ref, dp_book_order_view *order)
    bint dp_book_queue_ahead(
        const dp_books *books, uint64_t order_ref, uint64_t *order_count, uint64_t *qty)
    uint32_t dp_book_levels(
        const dp_books *books, uint32_t instrument_index, dp_side side,
        dp_book_level_view *levels, uint32_t max)
    uint32_t dp_book_level_count(
        const dp_books *books, uint32_t instrument_index, dp_side side)
    dp_book_read_result dp_book_read(
        const dp_books *books, uint32_t instrument_index, uint32_t depth, dp_book_view *view)


cdef extern from "dp_book_render.h" nogil:
    size_t dp_book_render_size(const dp_books *books, uint32_t instrument_index)
    size_t dp_book_render_json(
        const dp_books *books, uint32_t instrument_index, uint32_t depth, char *text)

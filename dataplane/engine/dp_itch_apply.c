#include "dp_itch_apply.h"

static_assert((int)DP_COUNTER_BOOK_FULL - (int)DP_COUNTER_BOOK_UNKNOWN_ORDER ==
        (int)DP_BOOK_FULL - (int)DP_BOOK_UNKNOWN_ORDER,
    "a counter for each result, in the same order");

/* Cold: kept out of the way of the messages that are right. */
static __attribute__((noinline, cold)) void note_wrong(struct dp_books *books,
    struct dp_counters *counters, uint32_t instrument_index, enum dp_book_result result)
{
    dp_counter_add(counters, DP_COUNTER_BOOK_UNKNOWN_ORDER + (result - DP_BOOK_UNKNOWN_ORDER), 1);
    dp_book_set_flags(books, instrument_index, DP_BOOK_SUSPECT);
}

static int64_t price_nanos(const struct dp_itch_message *message)
{
    return (int64_t)message->price4 * DP_ITCH_NANOS_PER_PRICE4;
}

static enum dp_book_result add(
    struct dp_books *books, const struct dp_itch_message *message, int64_t time_ns)
{
    if (DP_UNLIKELY(!dp_book_is_open(books, message->stock_locate)))
        dp_book_open(books, message->stock_locate, (const char *)message->stock);
    return dp_book_add(books, message->stock_locate, message->order_ref,
        (enum dp_side)message->side, message->qty, price_nanos(message), time_ns);
}

static void halt(struct dp_books *books, const struct dp_itch_message *message)
{
    /* Halts of the sister markets (B, X) do not stop trading on this one. */
    if (message->market_code == 'Q')
        dp_book_set_operational_halt(books, message->stock_locate, message->code == 'H');
}

static enum dp_book_result change(
    struct dp_books *books, const struct dp_itch_message *message, int64_t time_ns)
{
    switch (message->type) {
    case 'A':
    case 'F': return add(books, message, time_ns);
    case 'E':
    case 'C':
    case 'X': return dp_book_reduce(books, message->order_ref, message->qty, time_ns);
    case 'D': return dp_book_remove(books, message->order_ref, time_ns);
    case 'U':
        return dp_book_replace(books, message->order_ref, message->new_order_ref, message->qty,
            price_nanos(message), time_ns);
    case 'R': return dp_book_open(books, message->stock_locate, (const char *)message->stock);
    case 'H':
        dp_book_set_trading_state(books, message->stock_locate, message->code);
        return DP_BOOK_OK;
    case 'h': halt(books, message); return DP_BOOK_OK;
    case 'S':
        if (message->code == 'O')
            dp_books_clear(books);
        return DP_BOOK_OK;
    default: return DP_BOOK_OK;
    }
}

enum dp_book_result dp_itch_apply(struct dp_books *books, struct dp_counters *counters,
    const struct dp_itch_message *message, int64_t midnight_ns)
{
    enum dp_book_result result = change(books, message, midnight_ns + message->timestamp_ns);
    if (DP_UNLIKELY(result != DP_BOOK_OK))
        note_wrong(books, counters, message->stock_locate, result);
    return result;
}

static void suspect(struct dp_books *books, const uint8_t *data, size_t size)
{
    if (size == 0)
        return;
    if (memchr("AFECXDU", data[0], 7) != NULL)
        dp_books_set_flags(books, DP_BOOK_SUSPECT);
    else if (size >= 3)
        dp_book_set_flags(books, dp_load_be16(data + 1), DP_BOOK_SUSPECT);
}

__attribute__((noinline, cold)) bool dp_itch_note_odd(struct dp_books *books,
    struct dp_counters *counters, const uint8_t *data, size_t size, enum dp_itch_result result)
{
    if (result == DP_ITCH_LONGER) {
        dp_counter_add(counters, DP_COUNTER_ITCH_LONGER, 1);
        return true;
    }
    if (result == DP_ITCH_SHORT) {
        dp_counter_add(counters, DP_COUNTER_ITCH_MALFORMED, 1);
        suspect(books, data, size);
    } else {
        dp_counter_add(counters, DP_COUNTER_ITCH_UNKNOWN, 1);
    }
    return false;
}

/* The block path of dp_itch_apply: a rolling window of messages whose memory is on its way while
 * older ones are applied. */
#include "dp_book_ahead.h"
#include "dp_itch_apply.h"

/* How far ahead each step runs, in messages. Measured: docs/performance.md. */
#define FAR 24u
#define MID 16u
#define NEAR 8u
#define WINDOW 32u /* a power of two above FAR */

struct item {
    const uint8_t *data;
    size_t size;
    struct dp_book_ahead ahead;
};

struct block {
    struct dp_books *books;
    struct dp_counters *counters;
    int64_t midnight_ns;
    const uint8_t *next; /* the frame to hop to */
    const uint8_t *end;
    uint64_t hopped; /* messages in the window so far, counted from the start of the block */
    struct item items[WINDOW];
};

/* Reads the fields where an add has them; of other types they are noise that the hint tolerates. */
static struct dp_book_ahead look_far(const struct block *block, const uint8_t *data, size_t size)
{
    if (DP_UNLIKELY(size < 19))
        return (struct dp_book_ahead){0};
    bool is_add = (data[0] == 'A') | (data[0] == 'F');
    uint32_t instrument_index = dp_load_be16(data + 1);
    if (DP_UNLIKELY(instrument_index >= block->books->config.instrument_count_max))
        instrument_index = 0;
    enum dp_side side = data[18 + (is_add & (size > 19))] == 'S' ? DP_SIDE_SELL : DP_SIDE_BUY;
    return dp_book_ahead_far(block->books, instrument_index, dp_load_be64(data + 11), is_add, side);
}

static int64_t price_nanos_at(const uint8_t *bytes)
{
    return (int64_t)dp_load_be32(bytes) * DP_ITCH_NANOS_PER_PRICE4;
}

static void look_mid(struct block *block, struct item *item)
{
    /* A shorter message has no price there: any four bytes of it will do. */
    const uint8_t *price = item->data + (item->size >= 36 ? 32 : 0);
    if (DP_LIKELY(item->size >= 4))
        dp_book_ahead_mid(block->books, &item->ahead, price_nanos_at(price));
}

/* Takes the next whole message into the window; false when none is left. */
static bool hop(struct block *block)
{
    for (;;) {
        size_t left = (size_t)(block->end - block->next);
        if (DP_UNLIKELY(left < 2))
            return false;
        size_t size = dp_load_be16(block->next);
        if (DP_UNLIKELY(left - 2 < size))
            return false;
        const uint8_t *data = block->next + 2;
        block->next = data + size;
        if (DP_UNLIKELY(size == 0))
            continue;
        block->items[block->hopped++ % WINDOW] =
            (struct item){data, size, look_far(block, data, size)};
        return true;
    }
}

/* Any message, by way of the decoder; with everything that is to be counted. */
static __attribute__((noinline)) void apply_any(
    struct block *block, const uint8_t *data, size_t size)
{
    struct dp_itch_message message;
    enum dp_itch_result result = dp_itch_decode(data, size, &message);
    if (result == DP_ITCH_OK || dp_itch_note_odd(block->books, block->counters, data, size, result))
        dp_itch_apply(block->books, block->counters, &message, block->midnight_ns);
}

/* The messages that change books, straight from the wire. False when it is another one, or it was
 * refused: nothing has changed then, and apply_any() does or counts it. */
static bool apply_straight(struct block *block, const uint8_t *data)
{
    struct dp_books *books = block->books;
    int64_t time_ns = block->midnight_ns + (int64_t)dp_load_be48(data + 5);
    uint64_t order_ref = dp_load_be64(data + 11);
    switch (data[0]) {
    case 'A':
    case 'F':
        return dp_book_add(books, dp_load_be16(data + 1), order_ref,
                   (enum dp_side)dp_itch_side(data[19]), dp_load_be32(data + 20),
                   price_nanos_at(data + 32), time_ns) == DP_BOOK_OK;
    case 'D': return dp_book_remove(books, order_ref, time_ns) == DP_BOOK_OK;
    case 'U':
        return dp_book_replace(books, order_ref, dp_load_be64(data + 19), dp_load_be32(data + 27),
                   price_nanos_at(data + 31), time_ns) == DP_BOOK_OK;
    case 'E':
    case 'C':
    case 'X':
        return dp_book_reduce(books, order_ref, dp_load_be32(data + 19), time_ns) == DP_BOOK_OK;
    default: return false;
    }
}

static void apply_item(struct block *block, const struct item *item)
{
    if (DP_UNLIKELY(item->size != dp_itch_length(item->data[0]) || item->size < 19 ||
            !apply_straight(block, item->data)))
        apply_any(block, item->data, item->size);
}

size_t dp_itch_apply_block(struct dp_books *books, struct dp_counters *counters,
    const uint8_t *data, size_t size, int64_t midnight_ns, uint64_t *message_count)
{
    struct block block = {.books = books,
        .counters = counters,
        .midnight_ns = midnight_ns,
        .next = data,
        .end = data + size};

    while (block.hopped < FAR && hop(&block))
        continue;
    for (uint64_t applied = 0; applied < block.hopped; applied++) {
        hop(&block);
        if (DP_LIKELY(applied + MID < block.hopped))
            look_mid(&block, &block.items[(applied + MID) % WINDOW]);
        if (DP_LIKELY(applied + NEAR < block.hopped))
            dp_book_ahead_near(books, &block.items[(applied + NEAR) % WINDOW].ahead);
        apply_item(&block, &block.items[applied % WINDOW]);
    }
    dp_counter_add(counters, DP_COUNTER_ITCH_MESSAGES, block.hopped);
    *message_count += block.hopped;
    return (size_t)(block.next - data);
}

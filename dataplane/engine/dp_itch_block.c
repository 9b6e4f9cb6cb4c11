/* The block path of dp_itch_apply: a rolling window of messages whose memory is on its way while older ones are applied. */
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
    bool is_add = ((data[0] == 'A') | (data[0] == 'F')) & (size >= 36);
    uint32_t instrument_index = dp_load_be16(data + 1);
    size_t price_offset = is_add ? 32 : 0;
    int64_t price_nanos = (int64_t)dp_load_be32(data + price_offset) * DP_ITCH_NANOS_PER_PRICE4;
    if (DP_UNLIKELY(instrument_index >= block->books->config.instrument_count_max))
        instrument_index = 0;
    return dp_book_ahead_far(block->books, instrument_index, dp_load_be64(data + 11), is_add,
        dp_itch_side(data[18 + is_add]), price_nanos);
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

static void apply_item(struct block *block, const struct item *item)
{
    struct dp_itch_message message;
    enum dp_itch_result result = dp_itch_decode(item->data, item->size, &message);
    if (DP_LIKELY(result == DP_ITCH_OK)) {
        dp_itch_apply(block->books, block->counters, &message, block->midnight_ns);
        return;
    }
    if (result == DP_ITCH_LONGER) {
        dp_counter_add(block->counters, DP_COUNTER_ITCH_LONGER, 1);
        dp_itch_apply(block->books, block->counters, &message, block->midnight_ns);
    } else if (result == DP_ITCH_SHORT) {
        dp_counter_add(block->counters, DP_COUNTER_ITCH_MALFORMED, 1);
        dp_itch_apply_short(block->books, item->data, item->size);
    } else {
        dp_counter_add(block->counters, DP_COUNTER_ITCH_UNKNOWN, 1);
    }
}

size_t dp_itch_apply_block(struct dp_books *books, struct dp_counters *counters, const uint8_t *data,
    size_t size, int64_t midnight_ns, uint64_t *message_count)
{
    struct block block = {.books = books, .counters = counters, .midnight_ns = midnight_ns,
        .next = data, .end = data + size};

    while (block.hopped < FAR && hop(&block))
        continue;
    for (uint64_t applied = 0; applied < block.hopped; applied++) {
        hop(&block);
        if (DP_LIKELY(applied + MID < block.hopped))
            dp_book_ahead_mid(books, &block.items[(applied + MID) % WINDOW].ahead);
        if (DP_LIKELY(applied + NEAR < block.hopped))
            dp_book_ahead_near(books, &block.items[(applied + NEAR) % WINDOW].ahead);
        apply_item(&block, &block.items[applied % WINDOW]);
    }
    dp_counter_add(counters, DP_COUNTER_ITCH_MESSAGES, block.hopped);
    *message_count += block.hopped;
    return (size_t)(block.next - data);
}

/*
 * The block path of dp_itch_apply: while one message is applied, the memory that later ones will
 * need is on its way. Messages stand in line, and one enters for each that is applied:
 *
 *   enter -- APART --> mid -- APART --> near -- APART --> last -- APART --> apply
 *
 * What a step does for a message does not branch on its type, because that is what the processor
 * cannot guess; a dummy address stands in where a type has nothing to look at.
 */
#include "dp_book_ahead.h"
#include "dp_itch_apply.h"

#define APART 8u /* measured: docs/performance.md */
#define STEPS 5u /* enter, mid, near, last, apply */
#define BYTES_AHEAD 1024
#define TAIL 64 /* nearer to the end nothing is looked into ahead: it may not be ours */

/* What a message does to an order. */
enum kind {
    KIND_OTHER = 0, /* or not what the type says: the way of the decoder */
    KIND_ADD,
    KIND_REDUCE,
    KIND_REMOVE,
    KIND_REPLACE,
    KIND_END, /* no message */
};

/* By type: size of the message, and its kind above. */
#define SHAPE(kind, size) ((kind) << 8 | (size))
static const uint16_t shapes[256] = {
    ['A'] = SHAPE(KIND_ADD, 36),
    ['F'] = SHAPE(KIND_ADD, 40),
    ['E'] = SHAPE(KIND_REDUCE, 31),
    ['C'] = SHAPE(KIND_REDUCE, 36),
    ['X'] = SHAPE(KIND_REDUCE, 23),
    ['D'] = SHAPE(KIND_REMOVE, 19),
    ['U'] = SHAPE(KIND_REPLACE, 35),
};

/* Stands in for what a message does not have. */
static const uint8_t no_message[TAIL];
static const uint32_t no_rung = 1; /* a level like any other */

struct place {
    alignas(DP_CACHE_LINE) const uint8_t *data;
    struct dp_book *book;
    const struct dp_book_order *order;
    const uint32_t *rung;
    uint32_t kind;
    bool is_far; /* the rung is a bucket */
};

struct block {
    struct dp_book_writer writer;
    struct dp_counters *counters;
    int64_t midnight_ns;
    const uint8_t *next; /* the frame to hop to */
    const uint8_t *end;
    uint64_t empty_count;
    struct place line[STEPS][APART];
};

static int64_t price_nanos_at(const uint8_t *bytes)
{
    return (int64_t)dp_load_be32(bytes) * DP_ITCH_NANOS_PER_PRICE4;
}

static uint32_t is_sell(const uint8_t *add)
{
    return add[19] == 'S';
}

/* The next whole message, or no_message with KIND_END. */
static DP_BOOK_AHEAD_INLINE const uint8_t *take_frame(struct block *block, uint32_t *kind)
{
    const uint8_t *data = block->next + 2;
    *kind = KIND_END;
    if (DP_UNLIKELY(block->end - block->next < TAIL))
        return no_message;
    size_t size = dp_load_be16(block->next);
    if (DP_UNLIKELY((size_t)(block->end - data) < size))
        return no_message;
    uint32_t shape = shapes[data[0]];
    *kind = (shape & 0xff) == size ? shape >> 8 : (uint32_t)KIND_OTHER;
    block->next = data + size;
    DP_PREFETCH(data + BYTES_AHEAD);
    return data;
}

static DP_BOOK_AHEAD_INLINE void enter(struct block *block, struct place *place)
{
    uint32_t kind;
    const uint8_t *data = take_frame(block, &kind);
    uint32_t instrument_index = dp_load_be16(data + 1);
    if (DP_UNLIKELY(instrument_index >= block->writer.instrument_count)) {
        kind = kind == KIND_END ? kind : (uint32_t)KIND_OTHER;
        instrument_index = 0;
    }
    place->data = data;
    place->kind = kind;
    place->book = &block->writer.books->book[instrument_index];
    dp_book_ahead_ref_far(&block->writer, dp_load_be64(data + 11));
    dp_book_ahead_book_far(place->book);
}

/* The side of a U stands in the order it replaces: both are looked at. */
static __attribute__((noinline)) void move_mid(
    const struct dp_book_writer *writer, const struct place *place)
{
    bool is_far;
    int64_t price_nanos = price_nanos_at(place->data + 31);
    DP_BOOK_AHEAD_KEEP();
    dp_book_ahead_ref_far(writer, dp_load_be64(place->data + 19));
    DP_PREFETCH_WRITE(dp_book_ahead_rung(place->book, 0, price_nanos, &is_far));
    DP_PREFETCH_WRITE(dp_book_ahead_rung(place->book, 1, price_nanos, &is_far));
}

static __attribute__((noinline)) void move_near(
    const struct dp_book_writer *writer, const struct place *place)
{
    bool is_far;
    uint32_t side = dp_book_order_side(place->order);
    int64_t price_nanos = price_nanos_at(place->data + 31);
    DP_BOOK_AHEAD_KEEP();
    dp_book_ahead_price_near(
        writer, place->book, dp_book_ahead_rung(place->book, side, price_nanos, &is_far));
}

/* The compiler makes a branch of a conditional expression when it thinks it knows better. */
static inline const uint32_t *choose(bool is_first, const uint32_t *first, const uint32_t *second)
{
    uintptr_t mask = -(uintptr_t)is_first;
    return (const uint32_t *)(((uintptr_t)first & mask) | ((uintptr_t)second & ~mask));
}

static DP_BOOK_AHEAD_INLINE void look_mid(const struct dp_book_writer *writer, struct place *place)
{
    const uint8_t *data = place->data;
    bool is_far;
    bool is_add = place->kind == KIND_ADD;
    const uint32_t *rung =
        dp_book_ahead_rung(place->book, is_sell(data), price_nanos_at(data + 32), &is_far);
    place->order = dp_book_ahead_ref_mid(writer, dp_load_be64(data + 11));
    place->rung = choose(is_add, rung, &no_rung);
    place->is_far = is_far & is_add;
    if (DP_UNLIKELY(place->is_far))
        place->rung = dp_book_ahead_bucket(place->book, is_sell(data), price_nanos_at(data + 32));
    DP_PREFETCH_WRITE(place->rung);
    if (DP_UNLIKELY(place->kind == KIND_REPLACE))
        move_mid(writer, place);
}

static DP_BOOK_AHEAD_INLINE void look_near(
    const struct dp_book_writer *writer, const struct place *place)
{
    dp_book_ahead_price_near(writer, place->book, place->rung);
    dp_book_ahead_ref_near(writer, place->order);
    if (DP_UNLIKELY(place->kind == KIND_REPLACE))
        move_near(writer, place);
}

static DP_BOOK_AHEAD_INLINE void look_last(
    const struct dp_book_writer *writer, const struct place *place)
{
    if (DP_UNLIKELY(place->is_far))
        dp_book_ahead_walk(writer, place->rung);
    dp_book_ahead_price_last(writer, place->rung);
}

/* Any message, by way of the decoder; with everything that is to be counted. */
static __attribute__((noinline)) void apply_any(struct block *block, const uint8_t *data)
{
    struct dp_books *books = block->writer.books;
    struct dp_itch_message message;
    size_t size = dp_load_be16(data - 2);
    if (size == 0) {
        block->empty_count++;
        return;
    }
    enum dp_itch_result result = dp_itch_decode(data, size, &message);
    if (result == DP_ITCH_OK || dp_itch_note_odd(books, block->counters, data, size, result))
        dp_itch_apply(books, block->counters, &message, block->midnight_ns);
}

static int64_t time_ns_of(const struct block *block, const uint8_t *data)
{
    return block->midnight_ns + (int64_t)(dp_load_be64(data + 3) & ((1ull << 48) - 1));
}

/* These say false when the message is to go the other way: nothing has changed then. */
static inline bool add_straight(
    const struct block *block, const uint8_t *data, struct dp_book *book)
{
    uint32_t qty = dp_load_be32(data + 20);
    int64_t price_nanos = price_nanos_at(data + 32);
    uint32_t side = is_sell(data);
    if (DP_UNLIKELY(qty == 0) || DP_UNLIKELY(price_nanos == 0) ||
        DP_UNLIKELY(dp_load_relaxed(&book->is_open) == 0) || DP_UNLIKELY((data[19] == 'B') == side))
        return false;
    return dp_book_change_add(&block->writer, book, dp_load_be64(data + 11), side, qty, price_nanos,
               time_ns_of(block, data)) == DP_BOOK_OK;
}

/* The order a message names; 0 when there is none, or it is of another book than the message says.
 */
static inline uint32_t order_of(const struct block *block, const uint8_t *data)
{
    const struct dp_book_writer *writer = &block->writer;
    uint32_t number = dp_book_index_find(&writer->index, dp_load_be64(data + 11));
    uint32_t level = dp_book_order_level(&writer->index.orders[number]);
    return DP_LIKELY(writer->levels[level].instrument_index == dp_load_be16(data + 1)) ? number : 0;
}

static inline bool remove_straight(
    const struct block *block, const uint8_t *data, struct dp_book *book)
{
    uint32_t number = order_of(block, data);
    if (DP_UNLIKELY(number == 0))
        return false;
    dp_book_change_remove(&block->writer, book, number, time_ns_of(block, data));
    return true;
}

static inline bool reduce_straight(
    const struct block *block, const uint8_t *data, struct dp_book *book)
{
    uint32_t number = order_of(block, data);
    return DP_LIKELY(number != 0) &&
        dp_book_change_reduce(&block->writer, book, number, dp_load_be32(data + 19),
            time_ns_of(block, data)) == DP_BOOK_OK;
}

static inline bool replace_straight(
    const struct block *block, const uint8_t *data, struct dp_book *book)
{
    uint32_t number = order_of(block, data);
    uint32_t qty = dp_load_be32(data + 27);
    int64_t price_nanos = price_nanos_at(data + 31);
    return DP_LIKELY(number != 0 && qty != 0 && price_nanos != 0) &&
        dp_book_change_replace(&block->writer, book, number, dp_load_be64(data + 19), qty,
            price_nanos, time_ns_of(block, data)) == DP_BOOK_OK;
}

static inline void apply(struct block *block, const struct place *place)
{
    bool is_done = false;
    switch ((enum kind)place->kind) {
    case KIND_ADD: is_done = add_straight(block, place->data, place->book); break;
    case KIND_REMOVE: is_done = remove_straight(block, place->data, place->book); break;
    case KIND_REPLACE: is_done = replace_straight(block, place->data, place->book); break;
    case KIND_REDUCE: is_done = reduce_straight(block, place->data, place->book); break;
    default: break;
    }
    if (DP_UNLIKELY(!is_done))
        apply_any(block, place->data);
}

/* The last few, too near to the end to look ahead. */
static uint64_t apply_tail(struct block *block)
{
    uint64_t count = 0;
    while (block->end - block->next >= 2) {
        size_t size = dp_load_be16(block->next);
        if ((size_t)(block->end - block->next) - 2 < size)
            break;
        apply_any(block, block->next + 2);
        block->next += 2 + size;
        count++;
    }
    return count;
}

/* One message enters and one is applied, at the same place of each of the five stretches of the
 * line. False when there is none to apply. */
static inline bool advance(struct block *block, uint32_t at, struct place *const *stretches)
{
    const struct dp_book_writer *writer = &block->writer;
    if (DP_UNLIKELY(stretches[0][at].kind == KIND_END))
        return false;
    enter(block, &stretches[4][at]);
    look_mid(writer, &stretches[3][at]);
    look_near(writer, &stretches[2][at]);
    look_last(writer, &stretches[1][at]);
    apply(block, &stretches[0][at]);
    return true;
}

/* Applies all that can be looked ahead of; returns how many. */
static uint64_t apply_line(struct block *block)
{
    struct place *stretches[STEPS];
    uint64_t count = 0;
    for (uint32_t step = 0; step < STEPS; step++)
        stretches[step] = block->line[step];
    for (uint32_t step = 0; step < STEPS - 1; step++) {
        for (uint32_t at = 0; at < APART; at++) {
            struct place *place = &stretches[step][at];
            enter(block, place);
            place->order = block->writer.index.orders;
            place->rung = &no_rung;
            place->is_far = false;
        }
    }
    for (;;) {
        for (uint32_t at = 0; at < APART; at++, count++)
            if (!advance(block, at, stretches))
                return count;
        struct place *first = stretches[0];
        memmove(&stretches[0], &stretches[1], (STEPS - 1) * sizeof(stretches[0]));
        stretches[STEPS - 1] = first;
    }
}

size_t dp_itch_apply_block(struct dp_books *books, struct dp_counters *counters,
    const uint8_t *data, size_t size, int64_t midnight_ns, uint64_t *message_count)
{
    struct block block;
    block.writer = dp_book_writer(books);
    block.counters = counters;
    block.midnight_ns = midnight_ns;
    block.next = data;
    block.end = data + size;
    block.empty_count = 0;
    uint64_t count = apply_line(&block);
    count += apply_tail(&block) - block.empty_count;
    dp_counter_add(counters, DP_COUNTER_ITCH_MESSAGES, count);
    *message_count += count;
    return (size_t)(block.next - data);
}

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
#define LINE (4 * APART)
#define RUN 128u /* messages until the line moves back to the front of its room */
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

/* What only few messages have to look at, bits. */
enum odd {
    ODD_FAR = 1,  /* the rung is a bucket */
    ODD_BARE = 2, /* the rung has no level */
};

/* Stands in for what a message does not have. */
static const uint8_t no_message[TAIL];
static const uint32_t bare_rung = DP_SKIPLIST_NONE;

struct place {
    const uint8_t *data;
    struct dp_book *book;
    uint32_t *home; /* of its reference in the index */
    /* The word that names its level: a rung for what comes, the place of the order for the rest. */
    const uint32_t *level;
    uint16_t instrument_index;
    uint8_t kind;
    uint8_t odd;
};

struct block {
    struct dp_book_writer writer;
    struct dp_counters *counters;
    int64_t midnight_ns;
    const uint8_t *next;  /* the frame to hop to */
    const uint8_t *limit; /* behind this one the tail begins */
    const uint8_t *end;
    uint64_t empty_count;
    struct place line[LINE + RUN];
};

static int64_t price_nanos_at(const uint8_t *bytes)
{
    return (int64_t)dp_load_be32(bytes) * DP_ITCH_NANOS_PER_PRICE4;
}

static uint32_t is_sell(const uint8_t *add)
{
    return add[19] == 'S';
}

/* Neither what its type says, nor beyond the end of the block. */
static __attribute__((noinline)) uint32_t kind_of_odd(
    const struct block *block, const uint8_t *data, size_t size)
{
    return (size_t)(block->end - data) < size ? KIND_END : KIND_OTHER;
}

/* The next whole message, or no_message with KIND_END. */
static DP_BOOK_AHEAD_INLINE const uint8_t *take_frame(struct block *block, uint32_t *kind)
{
    const uint8_t *data = block->next + 2;
    *kind = KIND_END;
    if (DP_UNLIKELY(block->next > block->limit))
        return no_message;
    size_t size = dp_load_be16(block->next);
    uint32_t shape = shapes[data[0]];
    *kind = shape >> 8;
    if (DP_UNLIKELY((shape & 0xff) != size)) {
        *kind = kind_of_odd(block, data, size);
        if (DP_UNLIKELY(*kind == KIND_END))
            return no_message;
    }
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
    place->instrument_index = (uint16_t)instrument_index;
    place->kind = (uint8_t)kind;
    place->odd = 0;
    place->book = &block->writer.books->book[instrument_index];
    place->home = dp_book_index_home(&block->writer.index, dp_load_be64(data + 11));
    DP_PREFETCH_WRITE(place->home);
    dp_book_ahead_book(place->book);
}

/* The side of a U stands in the order it replaces, which is still on its way: both are looked at.
 */
static DP_BOOK_AHEAD_RARE void move_mid(
    const struct dp_book_writer *writer, const struct place *place)
{
    int64_t price_nanos = price_nanos_at(place->data + 31);
    DP_BOOK_AHEAD_KEEP();
    DP_PREFETCH_WRITE(dp_book_index_home(&writer->index, dp_load_be64(place->data + 19)));
    for (uint32_t side = 0; side < 2; side++)
        DP_PREFETCH_WRITE(dp_book_ahead_rung(
            place->book, side, dp_book_ahead_ticks(place->book, side, price_nanos)));
}

static DP_BOOK_AHEAD_RARE void move_near(const struct dp_book_writer *writer, struct place *place)
{
    uint32_t side = *place->level >> 31;
    uint64_t ticks = dp_book_ahead_ticks(place->book, side, price_nanos_at(place->data + 31));
    DP_BOOK_AHEAD_KEEP();
    dp_book_ahead_level(writer, place->level);
    place->level = dp_book_ahead_rung(place->book, side, ticks);
    if (DP_UNLIKELY(ticks >= DP_BOOK_RUNGS)) {
        place->level = dp_book_ahead_bucket(place->book, side, ticks);
        place->odd |= ODD_FAR;
    }
}

static DP_BOOK_AHEAD_RARE void far_mid(struct place *place, uint64_t ticks)
{
    place->odd |= ODD_FAR;
    place->level = dp_book_ahead_bucket(place->book, is_sell(place->data), ticks);
}

/* Masks, where the compiler would make a branch of a conditional expression. */
static DP_BOOK_AHEAD_INLINE void look_mid(const struct dp_book_writer *writer, struct place *place)
{
    const uint8_t *data = place->data;
    uint32_t side = is_sell(data);
    uintptr_t add_mask = -(uintptr_t)(place->kind == KIND_ADD);
    uint64_t ticks = dp_book_ahead_ticks(place->book, side, price_nanos_at(data + 32)) & add_mask;
    uintptr_t rung = (uintptr_t)dp_book_ahead_rung(place->book, side, ticks);
    uintptr_t order = (uintptr_t)dp_book_ahead_order_place(writer, place->home);
    place->level = (const uint32_t *)(((rung ^ order) & add_mask) ^ order);
    if (DP_UNLIKELY(ticks >= DP_BOOK_RUNGS))
        far_mid(place, ticks);
    DP_PREFETCH_WRITE(place->level);
    if (DP_UNLIKELY(place->kind == KIND_REPLACE))
        move_mid(writer, place);
}

static DP_BOOK_AHEAD_RARE void bare_near(struct place *place)
{
    place->odd |= ODD_BARE;
    if ((place->odd & ODD_FAR) == 0)
        dp_book_ahead_open_near(place->book, place->level);
}

static DP_BOOK_AHEAD_INLINE void look_near(const struct dp_book_writer *writer, struct place *place)
{
    if (DP_UNLIKELY(place->kind == KIND_REPLACE))
        move_near(writer, place);
    if (DP_UNLIKELY(*place->level == DP_SKIPLIST_NONE))
        bare_near(place);
    dp_book_ahead_level(writer, place->level);
}

static DP_BOOK_AHEAD_RARE void odd_last(
    const struct dp_book_writer *writer, const struct place *place)
{
    if (place->odd & ODD_FAR)
        dp_book_ahead_walk(writer, place->level);
    else if (place->odd & ODD_BARE)
        dp_book_ahead_open_last(writer, place->book, place->level);
}

static DP_BOOK_AHEAD_INLINE void look_last(
    const struct dp_book_writer *writer, const struct place *place)
{
    dp_book_ahead_last(writer, place->level);
    if (DP_UNLIKELY(place->odd != 0))
        odd_last(writer, place);
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
static inline bool add_straight(const struct block *block, const struct place *place)
{
    const struct dp_book_writer *writer = &block->writer;
    const uint8_t *data = place->data;
    struct dp_book_arrival arrival = {
        .order_ref = dp_load_be64(data + 11),
        .side_index = is_sell(data),
        .qty = dp_load_be32(data + 20),
        .price_nanos = price_nanos_at(data + 32),
    };
    uint32_t level = *place->level;
    uint32_t before = DP_BOOK_BEFORE_UNKNOWN;
    if (DP_UNLIKELY(arrival.qty == 0) || DP_UNLIKELY(arrival.price_nanos == 0) ||
        DP_UNLIKELY((data[19] == 'B') == arrival.side_index))
        return false;
    /* The level of that price hangs there only in an open book, and nowhere else. */
    if (DP_UNLIKELY(dp_load_relaxed(&writer->levels[level].price_nanos) != arrival.price_nanos)) {
        if (DP_UNLIKELY(dp_load_relaxed(&place->book->is_open) == 0))
            return false;
        level = dp_book_find_level(place->book, arrival.side_index, dp_books_pool(writer->books),
            arrival.price_nanos, &before);
    }
    return dp_book_change_add(writer, place->book, place->home, &arrival, level, before,
               time_ns_of(block, data)) == DP_BOOK_OK;
}

/* The order a message names; 0 when there is none, or it is of another book than the message says.
 */
static inline uint32_t order_of(const struct block *block, const struct place *place)
{
    const struct dp_book_writer *writer = &block->writer;
    uint32_t number =
        dp_book_index_find_at(&writer->index, place->home, dp_load_be64(place->data + 11));
    uint32_t level = dp_book_order_level(&writer->index.orders[number]);
    return DP_LIKELY(writer->levels[level].instrument_index == place->instrument_index) ? number
                                                                                        : 0;
}

static inline bool remove_straight(const struct block *block, const struct place *place)
{
    uint32_t number = order_of(block, place);
    if (DP_UNLIKELY(number == 0))
        return false;
    dp_book_change_remove(
        &block->writer, place->book, place->home, number, time_ns_of(block, place->data));
    return true;
}

static inline bool reduce_straight(const struct block *block, const struct place *place)
{
    uint32_t number = order_of(block, place);
    return DP_LIKELY(number != 0) &&
        dp_book_change_reduce(&block->writer, place->book, place->home, number,
            dp_load_be32(place->data + 19), time_ns_of(block, place->data)) == DP_BOOK_OK;
}

static inline bool replace_straight(const struct block *block, const struct place *place)
{
    const struct dp_book_writer *writer = &block->writer;
    const uint8_t *data = place->data;
    uint32_t number = order_of(block, place);
    struct dp_book_arrival arrival = {
        .order_ref = dp_load_be64(data + 19),
        .side_index = dp_book_order_side(&writer->index.orders[number]),
        .qty = dp_load_be32(data + 27),
        .price_nanos = price_nanos_at(data + 31),
    };
    return DP_LIKELY(number != 0 && arrival.qty != 0 && arrival.price_nanos != 0) &&
        dp_book_change_replace(writer, place->book, place->home, number, &arrival, place->level,
            time_ns_of(block, data)) == DP_BOOK_OK;
}

/* False when there is nothing to apply. */
static inline bool apply(struct block *block, const struct place *place)
{
    bool is_done = false;
    switch ((enum kind)place->kind) {
    case KIND_ADD: is_done = add_straight(block, place); break;
    case KIND_REMOVE: is_done = remove_straight(block, place); break;
    case KIND_REPLACE: is_done = replace_straight(block, place); break;
    case KIND_REDUCE: is_done = reduce_straight(block, place); break;
    case KIND_END: return false;
    case KIND_OTHER: break;
    default: __builtin_unreachable();
    }
    if (DP_UNLIKELY(!is_done))
        apply_any(block, place->data);
    return true;
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

/* One message enters and one is applied. False when there is none to apply. */
static inline bool advance(struct block *block, struct place *place)
{
    const struct dp_book_writer *writer = &block->writer;
    enter(block, place + 4 * APART);
    look_mid(writer, place + 3 * APART);
    look_near(writer, place + 2 * APART);
    look_last(writer, place + APART);
    return apply(block, place);
}

static void fill_line(struct block *block)
{
    for (struct place *place = block->line; place < block->line + LINE; place++) {
        enter(block, place);
        place->level = &bare_rung;
    }
}

/* Applies all that can be looked ahead of; returns how many. */
static uint64_t apply_line(struct block *block)
{
    uint64_t count = 0;
    fill_line(block);
    for (;;) {
        for (struct place *place = block->line; place < block->line + RUN; place++)
            if (DP_UNLIKELY(!advance(block, place)))
                return count + (uint64_t)(place - block->line);
        memcpy(block->line, block->line + RUN, LINE * sizeof(struct place));
        count += RUN;
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
    block.limit = size < TAIL ? NULL : block.end - TAIL;
    block.empty_count = 0;
    uint64_t count = apply_line(&block);
    count += apply_tail(&block) - block.empty_count;
    dp_counter_add(counters, DP_COUNTER_ITCH_MESSAGES, count);
    *message_count += count;
    return (size_t)(block.next - data);
}

/*
 * The block path of dp_itch_apply: while one message is applied, the memory that later ones will
 * need is on its way. Messages stand in line, and one enters for each that is applied:
 *
 *   enter -- APART --> mid -- APART --> near -- APART --> last -- APART --> apply
 *
 * What a step does for a message does not branch on its type, because that is what the processor
 * cannot guess. Most messages are applied by the short ways of dp_book_change; what these refuse
 * goes the long way, and what that refuses too goes the way of the decoder, which counts it.
 */
#include "dp_book_ahead.h"
#include "dp_itch_apply.h"

#define APART 12u /* measured: docs/performance.md */
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

/* What only few messages have to look at, bits. */
enum odd {
    ODD_FAR = 1,  /* the rung is a bucket */
    ODD_BARE = 2, /* the rung has no level */
    ODD_MOVE = 4, /* the level that it goes to is looked for a step later */
};

/* What follows from the type; one word, to be copied as one. */
struct nature {
    uint8_t kind;
    uint8_t odd;
    int8_t add_mask; /* of an add all bits, else none */
    uint8_t unused;
};

/* By type; size 0: another type, or none. */
struct shape {
    uint32_t size;
    struct nature nature;
};

#define ADD(size) \
    { \
        size, \
        { \
            KIND_ADD, 0, -1, 0 \
        } \
    }
#define CHANGE(size, kind, odd) \
    { \
        size, \
        { \
            kind, odd, 0, 0 \
        } \
    }
static const struct shape shapes[256] = {
    ['A'] = ADD(36),
    ['F'] = ADD(40),
    ['E'] = CHANGE(31, KIND_REDUCE, 0),
    ['C'] = CHANGE(36, KIND_REDUCE, 0),
    ['X'] = CHANGE(23, KIND_REDUCE, 0),
    ['D'] = CHANGE(19, KIND_REMOVE, 0),
    ['U'] = CHANGE(35, KIND_REPLACE, ODD_MOVE),
};

static const bool is_side[256] = {['B'] = true, ['S'] = true};

/* Stands in for what a message does not have. */
static const uint8_t no_message[TAIL];
static const uint32_t no_level[3] = {DP_SKIPLIST_NONE};

struct place {
    const uint8_t *data;
    struct dp_book *book;  /* of its instrument */
    uint32_t *home;        /* of its reference in the index */
    const uint32_t *level; /* the word that names it: dp_book_ahead.h */
    struct nature nature;
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

/* Of a letter that is a side: 'B' or 'S'. */
static uint32_t side_index_of(uint8_t letter)
{
    return letter & 1;
}

/* ---- looking ahead ---- */

/* Neither what its type says, nor beyond the end of the block. */
static __attribute__((noinline)) struct nature nature_of_odd(
    const struct block *block, const uint8_t *data, size_t size)
{
    return (struct nature){
        .kind = (size_t)(block->end - data) < size ? KIND_END : KIND_OTHER,
    };
}

/* The next whole message, or no_message with KIND_END. */
static DP_BOOK_AHEAD_INLINE const uint8_t *take_frame(struct block *block, struct nature *nature)
{
    const uint8_t *next = block->next;
    const uint8_t *data = next + 2;
    if (DP_UNLIKELY(next > block->limit)) {
        *nature = (struct nature){.kind = KIND_END};
        return no_message;
    }
    size_t size = dp_load_be16(next);
    *nature = shapes[data[0]].nature;
    if (DP_UNLIKELY(shapes[data[0]].size != size)) {
        *nature = nature_of_odd(block, data, size);
        if (DP_UNLIKELY(nature->kind == KIND_END))
            return no_message;
    }
    block->next = data + size;
    DP_PREFETCH(data + BYTES_AHEAD);
    return data;
}

static DP_BOOK_AHEAD_INLINE void enter(struct block *block, struct place *place)
{
    const uint8_t *data = take_frame(block, &place->nature);
    uint32_t instrument_index = dp_load_be16(data + 1);
    if (DP_UNLIKELY(instrument_index >= block->writer.instrument_count)) {
        if (place->nature.kind != KIND_END)
            place->nature = (struct nature){.kind = KIND_OTHER};
        instrument_index = 0;
    }
    place->data = data;
    place->book = &block->writer.book[instrument_index];
    place->home = dp_book_index_home(&block->writer.index, dp_load_be64(data + 11));
    DP_PREFETCH_WRITE(place->home);
    dp_book_ahead_book(place->book);
}

static DP_BOOK_AHEAD_RARE void far_mid(struct place *place, uint64_t ticks)
{
    place->nature.odd |= ODD_FAR;
    place->level = dp_book_ahead_bucket(place->book, side_index_of(place->data[19]), ticks);
}

/* Its home says that it may be elsewhere. */
static DP_BOOK_AHEAD_RARE void away_mid(const struct dp_book_writer *writer, struct place *place)
{
    uint32_t number = dp_book_index_likely(&writer->index, dp_load_be64(place->data + 11));
    if (place->nature.add_mask == 0)
        place->level = &writer->index.orders[number].level;
}

/* The side of a U stands at the level it leaves, which is still on its way: both are looked at. */
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

/* Masks, where the compiler would make a branch of a conditional expression. */
static DP_BOOK_AHEAD_INLINE void look_mid(const struct dp_book_writer *writer, struct place *place)
{
    const uint8_t *data = place->data;
    const struct dp_book *book = place->book;
    uint32_t side = side_index_of(data[19]);
    uintptr_t add_mask = (uintptr_t)(intptr_t)place->nature.add_mask;
    uint64_t ticks = dp_book_ahead_ticks(book, side, price_nanos_at(data + 32)) & add_mask;
    uintptr_t rung = (uintptr_t)dp_book_ahead_rung(book, side, ticks);
    uintptr_t order = (uintptr_t)dp_book_ahead_order(writer, place->home);
    place->level = (const uint32_t *)(((rung ^ order) & add_mask) ^ order);
    if (DP_UNLIKELY(ticks >= DP_BOOK_RUNGS))
        far_mid(place, ticks);
    if (DP_UNLIKELY(*place->home & DP_BOOK_INDEX_AWAY))
        away_mid(writer, place);
    DP_PREFETCH_WRITE(place->level);
    if (DP_UNLIKELY(place->nature.kind == KIND_REPLACE))
        move_mid(writer, place);
}

static DP_BOOK_AHEAD_RARE void bare_near(struct place *place)
{
    place->nature.odd |= ODD_BARE;
    if ((place->nature.odd & ODD_FAR) == 0)
        dp_book_ahead_open_near(place->book, side_index_of(place->data[19]));
}

static DP_BOOK_AHEAD_INLINE void look_near(const struct dp_book_writer *writer, struct place *place)
{
    if (DP_UNLIKELY(*place->level == DP_SKIPLIST_NONE))
        bare_near(place);
    dp_book_ahead_level(writer, place->level);
    dp_book_ahead_neighbours(writer, place->level, ~(uint32_t)place->nature.add_mask);
}

/* Of a U: the level it goes to. */
static void move_last(const struct dp_book_writer *writer, struct place *place)
{
    uint32_t side = writer->levels[*place->level].side_index;
    uint64_t ticks = dp_book_ahead_ticks(place->book, side, price_nanos_at(place->data + 31));
    place->level = dp_book_ahead_rung(place->book, side, ticks);
    dp_book_ahead_level(writer, place->level);
}

static DP_BOOK_AHEAD_RARE void odd_last(const struct dp_book_writer *writer, struct place *place)
{
    if (DP_LIKELY(place->nature.odd & ODD_MOVE))
        move_last(writer, place);
    else if (place->nature.odd & ODD_FAR)
        dp_book_ahead_walk(writer, place->level);
    else
        dp_book_ahead_open_last(writer, place->book, side_index_of(place->data[19]), place->level);
}

static DP_BOOK_AHEAD_INLINE void look_last(const struct dp_book_writer *writer, struct place *place)
{
    dp_book_ahead_last(writer, place->level);
    if (DP_UNLIKELY(place->nature.odd != 0))
        odd_last(writer, place);
}

/* ---- applying ---- */

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

/* The short ways. */

static inline bool add_near(const struct block *block, const struct place *place)
{
    const struct dp_book_writer *writer = &block->writer;
    const uint8_t *data = place->data;
    struct dp_skiplist_level *level = &writer->levels[*place->level];
    struct dp_book_arrival arrival = {
        .order_ref = dp_load_be64(data + 11),
        .qty = dp_load_be32(data + 20),
        .price_nanos = price_nanos_at(data + 32),
    };
    /* The level of that price is there only in an open book, and nowhere else. */
    return DP_LIKELY(dp_load_relaxed(&level->price_nanos) == arrival.price_nanos) &&
        DP_LIKELY(is_side[data[19]]) && DP_LIKELY(arrival.qty != 0) &&
        dp_book_join_near(
            writer, place->book, place->home, &arrival, level, time_ns_of(block, data));
}

static inline bool remove_near(const struct block *block, const struct place *place)
{
    return dp_book_remove_near(&block->writer, place->home, dp_load_be64(place->data + 11),
        time_ns_of(block, place->data));
}

static inline bool reduce_near(const struct block *block, const struct place *place)
{
    return dp_book_reduce_near(&block->writer, place->home, dp_load_be64(place->data + 11),
        dp_load_be32(place->data + 19), time_ns_of(block, place->data));
}

static inline bool replace_near(const struct block *block, const struct place *place)
{
    const uint8_t *data = place->data;
    struct dp_book_arrival arrival = {
        .order_ref = dp_load_be64(data + 19),
        .qty = dp_load_be32(data + 27),
        .price_nanos = price_nanos_at(data + 31),
    };
    return DP_LIKELY(arrival.qty != 0) &&
        dp_book_replace_near(&block->writer, place->home, dp_load_be64(data + 11), &arrival,
            time_ns_of(block, data));
}

/* The long ways, for what the short ones refused. */

static __attribute__((noinline)) bool add_far(struct block *block, const uint8_t *data)
{
    enum dp_side side = is_side[data[19]] ? DP_SIDE_BUY + side_index_of(data[19]) : DP_SIDE_NONE;
    struct dp_book_arrival arrival = {
        .order_ref = dp_load_be64(data + 11),
        .qty = dp_load_be32(data + 20),
        .price_nanos = price_nanos_at(data + 32),
    };
    return dp_book_change_add(&block->writer, dp_load_be16(data + 1), side, &arrival,
               time_ns_of(block, data)) == DP_BOOK_OK;
}

static __attribute__((noinline)) bool remove_far(struct block *block, const uint8_t *data)
{
    return dp_book_change_remove(
               &block->writer, dp_load_be64(data + 11), time_ns_of(block, data)) == DP_BOOK_OK;
}

static __attribute__((noinline)) bool reduce_far(struct block *block, const uint8_t *data)
{
    return dp_book_change_reduce(&block->writer, dp_load_be64(data + 11), dp_load_be32(data + 19),
               time_ns_of(block, data)) == DP_BOOK_OK;
}

static __attribute__((noinline)) bool replace_far(struct block *block, const uint8_t *data)
{
    struct dp_book_arrival arrival = {
        .order_ref = dp_load_be64(data + 19),
        .qty = dp_load_be32(data + 27),
        .price_nanos = price_nanos_at(data + 31),
    };
    return dp_book_change_replace(&block->writer, dp_load_be64(data + 11), &arrival,
               time_ns_of(block, data)) == DP_BOOK_OK;
}

/* False when there is nothing to apply. Comparisons instead of a switch: a jump through a table is
 * guessed wrong as often, and each time costs more. */
static inline bool apply(struct block *block, const struct place *place)
{
    const uint8_t *data = place->data;
    const uint32_t kind = place->nature.kind;
    bool is_done = false;
    if (kind == KIND_REMOVE) {
        is_done = remove_near(block, place) || remove_far(block, data);
    } else if (kind < KIND_REMOVE) {
        if (kind == KIND_ADD)
            is_done = add_near(block, place) || add_far(block, data);
        else if (kind == KIND_REDUCE)
            is_done = reduce_near(block, place) || reduce_far(block, data);
    } else if (kind == KIND_REPLACE) {
        is_done = replace_near(block, place) || replace_far(block, data);
    } else {
        return false;
    }
    if (DP_UNLIKELY(!is_done))
        apply_any(block, data);
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
        place->level = no_level;
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
